"""The forecast and the risk dashboard in Chromium: drawn, read by mouse and keyboard, in both themes and on a phone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from playwright.sync_api import Browser, Page, expect

from accounts.models import get_company
from dashboards.rollups.services import bring_up_to_date
from tests.browser.barriers import barriers
from tests.browser.test_dashboards import MIDDLE_OF_A_POINT, open_page
from tests.cast import Cast, make_renewal
from tests.forecasting.forecast_book import recompute, renewed
from tests.static.test_shell_in_browser import SITE, Visit, chromium

__all__ = ["chromium"]
pytestmark = pytest.mark.browser
PAGES = {f"{SITE}/dashboards/forecast/": 5, f"{SITE}/dashboards/risk/": 4}


@pytest.fixture
def visit(chromium: tuple[ThreadPoolExecutor, Browser], cast: Cast) -> Iterator[Visit]:
    """The admin's window on a book with something open ahead, and lost in the last two quarters."""
    today = get_company().today()
    for ahead in (3, 20, 45, 80):
        due_on = today + dt.timedelta(days=ahead)
        make_renewal(owner=cast.rep, due_on=due_on, baseline_amount=Decimal(9_000 + 100 * ahead))
    for back in (60, 100, 130, 190, 220):
        due_on = today - dt.timedelta(days=back)
        make_renewal(owner=cast.rep, due_on=due_on, **renewed(11_000, due_on))
        make_renewal(owner=cast.outsider, due_on=due_on, outcome="lost", final_amount=0, declined_on=due_on)
    recompute(as_of=today)
    bring_up_to_date()
    visit = Visit(*chromium, client=cast.client_of("admin"))
    yield visit
    assert visit.complaints == []


@pytest.mark.parametrize("address", PAGES)
def test_the_charts_are_drawn_and_the_page_has_no_barrier(visit: Visit, address: str) -> None:
    def steps(page: Page) -> int:
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
            open_page(page, address)
            assert barriers(page) == []
        count = page.locator("[data-figure]").count()
        page.set_viewport_size({"width": 390, "height": 800})
        open_page(page, address)
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        page.set_viewport_size({"width": 1280, "height": 900})
        open_page(page, address)
        place = page.evaluate(MIDDLE_OF_A_POINT, "[data-figure]")
        page.mouse.move(*place)
        page.mouse.move(place[0] + 1, place[1])
        expect(page.locator(".hovertext, .hoverlayer .bg").first).to_be_attached()
        page.mouse.click(place[0] + 1, place[1])
        page.wait_for_url("**/renewals/?**")
        return count

    assert visit(steps) == PAGES[address]
