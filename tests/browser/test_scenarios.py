"""What if in Chromium: shifted by keyboard, drawn anew, kept, compared, promoted, in both themes and on a phone."""

import datetime as dt
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from playwright.sync_api import Browser, Page, expect

from accounts.models import get_company
from forecasting.models import Scenario
from forecasting.scenarios import book as books
from forecasting.scenarios.services import keep_scenario
from forecasting.scenarios.shifts import Kind, Shift
from renewals.bulk.selection import Selection
from renewals.models import BulkEdit
from tests.browser.barriers import barriers
from tests.browser.test_forecast import WorkingVisit
from tests.cast import Cast, make_renewal
from tests.forecasting.forecast_book import recompute
from tests.static.test_shell_in_browser import SITE, chromium

__all__ = ["chromium"]
pytestmark = pytest.mark.browser
SCENARIOS = f"{SITE}/forecast/scenarios/"
NEW = f"{SCENARIOS}new/"


@pytest.fixture
def visit(chromium: tuple[ThreadPoolExecutor, Browser], cast: Cast) -> Iterator[WorkingVisit]:
    """The admin's window on two open renewals and two scenarios."""
    books._kept.clear()  # each test has a database of its own behind the same name
    today = get_company().today()
    for amount in (30_000, 50_000):
        make_renewal(owner=cast.rep, due_on=today + dt.timedelta(days=20), baseline_amount=Decimal(amount))
    recompute(as_of=today)
    for name, percent in (("Dearer", "10"), ("Cheaper", "-10")):
        shift = Shift(Kind.UPLIFT, Selection(query="outcome=open", is_all=True), {"percent": percent})
        keep_scenario(by=cast.admin, name=name, visibility="private", team=None, shifts=[shift])
    visit = WorkingVisit(*chromium, client=cast.client_of("admin"))
    yield visit
    assert visit.complaints == []


def add_shift(page: Page, kind: str) -> None:
    page.get_by_label("Shift", exact=True).select_option(label=kind)
    page.get_by_role("button", name="Add the shift").press("Enter")


def wait_for_charts(page: Page) -> None:
    page.wait_for_function("document.querySelectorAll('[data-figure] .main-svg').length >= 2")


def test_a_shift_by_keyboard_moves_the_figures_and_is_kept(visit: WorkingVisit) -> None:
    def steps(page: Page) -> None:
        page.goto(NEW)
        wait_for_charts(page)
        before = page.locator(".w-strip dd").first.inner_text()
        add_shift(page, "Amount")
        field = page.get_by_label("by", exact=True)
        expect(field).to_be_focused()
        field.fill("-25")
        field.press("Tab")
        expect(page.locator("#effect-0")).to_contain_text("2 in the figures, 2 shifted")
        expect(page.locator(".w-strip .w-bad").first).to_be_visible()
        assert page.locator(".w-strip dd").first.inner_text() != before
        wait_for_charts(page)
        assert page.locator("[style='']").count() == 0
        page.get_by_label("Name").fill("A quarter off")
        page.get_by_role("button", name="Save the scenario").press("Enter")
        page.wait_for_url(f"{SCENARIOS}*/")
        expect(page.locator("h1")).to_have_text("A quarter off")

    visit(steps)
    assert Scenario.objects.get(name="A quarter off").shifts[0]["values"]["percent"] == "-25"


def test_two_are_compared_with_the_book_as_it_is(visit: WorkingVisit) -> None:
    def steps(page: Page) -> None:
        page.goto(SCENARIOS)
        for name in ("Dearer", "Cheaper"):
            page.get_by_label(f"Compare {name}").press("Space")
        page.get_by_role("button", name="Compare side by side").press("Enter")
        page.wait_for_url("**/compare/?**")
        wait_for_charts(page)
        expect(page.locator("#table-revenue tbody").first.locator("tr")).to_have_count(3)
        page.keyboard.press("t")
        assert page.locator(".p-figure.is-table").count() == 2

    visit(steps)


def test_a_scenario_becomes_a_bulk_edit_that_waits_for_a_yes(visit: WorkingVisit) -> None:
    def steps(page: Page) -> None:
        page.goto(SCENARIOS)
        page.get_by_role("link", name="Dearer", exact=True).click()
        page.get_by_role("link", name="Promote").click()
        page.get_by_role("button", name="See what 2 renewals would become").click()
        page.wait_for_url("**/bulk/**")

    visit(steps)
    assert BulkEdit.objects.count() == 1


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_barrier_is_found(visit: WorkingVisit, theme: str) -> None:
    dearer = Scenario.objects.get(name="Dearer")

    def steps(page: Page) -> None:
        page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        addresses = (SCENARIOS, NEW, f"{SCENARIOS}{dearer.pk}/", f"{SCENARIOS}compare/?s={dearer.pk}")
        for address in (*addresses, f"{SCENARIOS}{dearer.pk}/promote/", f"{SCENARIOS}{dearer.pk}/share/"):
            page.goto(address)
            if address in addresses[1:]:
                wait_for_charts(page)
            assert barriers(page) == [], address

    visit(steps)


def test_the_pages_fit_a_phone(visit: WorkingVisit) -> None:
    dearer = Scenario.objects.get(name="Dearer")

    def steps(page: Page) -> None:
        page.set_viewport_size({"width": 390, "height": 800})
        for address in (SCENARIOS, f"{SCENARIOS}{dearer.pk}/", f"{SCENARIOS}compare/?s={dearer.pk}"):
            page.goto(address)
            assert page.evaluate("document.documentElement.scrollWidth") == 390

    visit(steps)
