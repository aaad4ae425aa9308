"""The bridge in Chromium: drawn, each bar opens its rows by mouse and by keyboard, in both themes and on a phone."""

import datetime as dt
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from playwright.sync_api import Browser, Page, expect

from accounts.models import get_company
from forecasting.snapshots import freeze_snapshot
from renewals.models import Renewal
from tests.browser.barriers import barriers
from tests.browser.test_forecast import WorkingVisit, middle_of_tallest_bar
from tests.cast import Cast, make_account, make_renewal
from tests.forecasting.as_at.history import happening_at
from tests.forecasting.forecast_book import recompute, renewed
from tests.static.test_shell_in_browser import SITE, chromium

__all__ = ["chromium"]
pytestmark = pytest.mark.browser
BRIDGE = f"{SITE}/forecast/bridge/"


@pytest.fixture
def visit(chromium: tuple[ThreadPoolExecutor, Browser], cast: Cast) -> Iterator[WorkingVisit]:
    """Since the call of two days ago one of two open renewals was won, and one is new."""
    today, now = get_company().today(), dt.datetime.now(tz=dt.UTC)
    with happening_at(now - dt.timedelta(days=7)):
        won = make_renewal(owner=cast.rep, account=make_account(owner=cast.rep, name="Won Ltd"), due_on=today)
        make_renewal(owner=cast.rep, account=make_account(owner=cast.rep, name="Open Ltd"), due_on=today)
    freeze_snapshot(reason="hand", user=cast.manager, note="Start", moment=now - dt.timedelta(days=2))
    with happening_at(now - dt.timedelta(days=1)):
        Renewal.objects.filter(pk=won.pk).update(**renewed(20_000, today))
        make_renewal(
            owner=cast.rep,
            account=make_account(owner=cast.rep, name="New Ltd"),
            due_on=today,
            baseline_amount=Decimal(90_000),
        )
    recompute(as_of=today)
    visit = WorkingVisit(*chromium, client=cast.client_of("admin"))
    yield visit
    assert visit.complaints == []


def open_bridge(page: Page) -> None:
    page.goto(BRIDGE)
    page.wait_for_function("document.querySelectorAll('[data-figure] .main-svg').length >= 1")


def test_a_click_on_a_bar_opens_the_renewals_that_make_it(visit: WorkingVisit) -> None:
    def steps(page: Page) -> None:
        open_bridge(page)
        figure = page.locator(".p-figure").first.get_attribute("id")
        assert figure is not None
        # The new one is the largest of what moved; both ends stand from the ground and open nothing.
        bars = page.locator(f"#{figure} .barlayer .point path")
        boxes = sorted(
            (box for at in range(bars.count()) if (box := bars.nth(at).bounding_box())), key=lambda box: box["x"]
        )
        moved = max(boxes[1:-1], key=lambda box: box["height"])
        page.mouse.click(moved["x"] + moved["width"] / 2, moved["y"] + moved["height"] / 2)
        page.wait_for_url("**/forecast/bridge/rows/**bar=new**")
        expect(page.locator("[aria-labelledby=rows-title] tbody tr")).to_have_count(1)
        expect(page.locator("[aria-labelledby=rows-title] tbody th")).to_have_text("New Ltd")

    visit(steps)


def test_the_table_adds_up_and_its_bars_are_reached_by_keyboard(visit: WorkingVisit) -> None:
    def steps(page: Page) -> None:
        open_bridge(page)
        table = page.locator("[aria-labelledby=bars-title] tbody tr")
        cells = [text.replace(",", "").replace("−", "-") for text in table.locator("td:last-child").all_inner_texts()]
        amounts = [Decimal(text) for text in cells]
        assert sum(amounts[:-1]) == amounts[-1]
        link = page.locator("[aria-labelledby=bars-title]").get_by_role("link", name="Won", exact=True)
        link.focus()
        page.keyboard.press("Enter")
        page.wait_for_url("**bar=won**")
        expect(page.locator("[aria-labelledby=rows-title] tbody th")).to_have_text("Won Ltd")
        page.get_by_role("link", name="The bridge").press("Enter")
        page.wait_for_url("**/forecast/bridge/?**")

    visit(steps)


def test_two_other_ends_are_chosen(visit: WorkingVisit) -> None:
    day = get_company().today() - dt.timedelta(days=3)

    def steps(page: Page) -> None:
        open_bridge(page)
        page.get_by_label("or from a day").fill(day.isoformat())
        page.get_by_role("button", name="Compare").click()
        page.wait_for_url("**from_on=**")
        expect(page.locator("#bars-title")).to_be_visible()
        expect(page.locator(".c-end").first).to_contain_text(f"{day:%d %b %Y}")

    visit(steps)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_barrier_is_found(visit: WorkingVisit, theme: str) -> None:
    def steps(page: Page) -> None:
        page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        open_bridge(page)
        assert barriers(page) == []
        page.keyboard.press("t")
        assert page.locator(".p-figure.is-table").count() == 1
        page.locator("[aria-labelledby=bars-title] tbody a").first.click()
        page.wait_for_url("**/forecast/bridge/rows/**")
        assert barriers(page) == []

    visit(steps)


def test_the_page_fits_a_phone(visit: WorkingVisit) -> None:
    def steps(page: Page) -> None:
        page.set_viewport_size({"width": 390, "height": 800})
        open_bridge(page)
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        x, _ = middle_of_tallest_bar(page, page.locator(".p-figure").first.get_attribute("id") or "")
        assert 0 < x < 390

    visit(steps)
