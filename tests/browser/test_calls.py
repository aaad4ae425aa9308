"""Calls and the page as at a moment in Chromium: frozen, opened, drawn again, in both themes and on a phone."""

import datetime as dt
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from playwright.sync_api import Browser, Page, expect

from accounts.models import get_company
from forecasting.models import Snapshot
from forecasting.snapshots import freeze_snapshot
from tests.browser.barriers import barriers
from tests.browser.test_forecast import WorkingVisit
from tests.cast import Cast, make_renewal
from tests.forecasting.as_at.history import happening_at
from tests.forecasting.forecast_book import recompute, renewed
from tests.static.test_shell_in_browser import SITE, chromium

__all__ = ["chromium"]
pytestmark = pytest.mark.browser
CALLS = f"{SITE}/forecast/calls/"


@pytest.fixture
def visit(chromium: tuple[ThreadPoolExecutor, Browser], cast: Cast) -> Iterator[WorkingVisit]:
    """The admin's window on two renewals of this month, recorded a week ago, and a call of two days ago."""
    today, now = get_company().today(), dt.datetime.now(tz=dt.UTC)
    with happening_at(now - dt.timedelta(days=7)):
        make_renewal(owner=cast.rep, due_on=today, baseline_amount=Decimal(30_000), confidence=60)
        make_renewal(owner=cast.rep, due_on=today, baseline_amount=Decimal(50_000), **renewed(52_000, today))
    recompute(as_of=today)
    freeze_snapshot(reason="hand", user=cast.manager, note="Board meeting", moment=now - dt.timedelta(days=2))
    visit = WorkingVisit(*chromium, client=cast.client_of("admin"))
    yield visit
    assert visit.complaints == []


def test_a_call_is_frozen_by_hand_opened_and_drawn_again(visit: WorkingVisit) -> None:
    def steps(page: Page) -> None:
        page.goto(CALLS)
        expect(page.get_by_role("link", name="Calls", exact=True)).to_have_attribute("aria-current", "page")
        summary = page.get_by_text("Freeze a call by hand")
        summary.press("Enter")
        page.get_by_label("Note").fill("Before the offsite")
        page.get_by_label("Note").press("Enter")
        page.wait_for_url("**/forecast/calls/*/")
        expect(page.locator("tr.is-current")).to_have_count(1)
        expect(page.locator("[aria-labelledby=rows-title] tbody tr")).to_have_count(2)
        page.get_by_role("button", name="Verify").click()
        expect(page.get_by_text("all 2 renewals and lines are equal")).to_be_visible()

    visit(steps)
    assert list(Snapshot.objects.order_by("pk").values_list("note", flat=True)) == [
        "Board meeting",
        "Before the offsite",
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_barrier_is_found_on_the_list_and_on_a_call(visit: WorkingVisit, theme: str) -> None:
    def steps(page: Page) -> None:
        page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        page.goto(CALLS)
        page.get_by_text("Freeze a call by hand").click()
        assert barriers(page) == []
        page.locator(".c-list tbody a").first.click()
        page.wait_for_url("**/forecast/calls/*/**")
        assert barriers(page) == []

    visit(steps)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_page_as_at_a_day_is_drawn_and_leads_back(visit: WorkingVisit, theme: str) -> None:
    day = get_company().today() - dt.timedelta(days=3)

    def steps(page: Page) -> None:
        page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        page.goto(f"{SITE}/forecast/")
        page.locator("#as-at").fill(day.isoformat())
        page.locator("#as-at").press("Enter")
        page.wait_for_url(f"**as_at={day.isoformat()}*")
        page.wait_for_function("document.querySelectorAll('[data-figure] .main-svg').length >= 5")
        expect(page.locator(".c-banner")).to_contain_text(f"As it stood on {day:%d %b %Y}")
        assert barriers(page) == []
        page.get_by_role("link", name="Back to now").click()
        page.wait_for_url(f"{SITE}/forecast/")

    visit(steps)


def test_the_pages_fit_a_phone(visit: WorkingVisit) -> None:
    call = Snapshot.objects.get()

    def steps(page: Page) -> None:
        page.set_viewport_size({"width": 390, "height": 800})
        for address in (CALLS, f"{CALLS}{call.pk}/", f"{SITE}/forecast/?as_at={call.as_of_on}"):
            page.goto(address)
            assert page.evaluate("document.documentElement.scrollWidth") == 390
            tab = page.locator(".p-tabs [aria-current]").bounding_box()
            assert tab is not None
            assert tab["x"] >= 0
            assert tab["x"] + tab["width"] <= 390

    visit(steps)
