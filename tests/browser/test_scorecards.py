"""Scorecards, the review and the executive page in Chromium: drawn, and without a barrier that axe finds."""

import datetime as dt
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import Browser, Page

from accounts.models import get_company
from dashboards.rollups.services import bring_up_to_date
from tests.browser.barriers import barriers
from tests.cast import Cast, make_renewal
from tests.forecasting.forecast_book import recompute, renewed
from tests.static.test_shell_in_browser import SITE, Visit, chromium

__all__ = ["chromium"]
pytestmark = pytest.mark.browser
DRAWN = """[...document.querySelectorAll('[data-figure]')].every((place) => place.querySelector('.main-svg'))
 && document.querySelectorAll('[data-figure]').length"""


@pytest.fixture
def visit(chromium: tuple[ThreadPoolExecutor, Browser], cast: Cast) -> Iterator[Visit]:
    today = get_company().today()
    for back in (400, 300, 210, 120, 110):
        due_on = today - dt.timedelta(days=back)
        make_renewal(owner=cast.rep, due_on=due_on, **renewed(12_500, due_on))
    lost_on = today - dt.timedelta(days=130)
    make_renewal(owner=cast.outsider, due_on=lost_on, outcome="lost", final_amount=0, declined_on=lost_on)
    for ahead in (4, 12, 25):
        make_renewal(owner=cast.rep, due_on=today + dt.timedelta(days=ahead))
    recompute(as_of=today)
    bring_up_to_date()
    visit = Visit(*chromium, client=cast.client_of("admin"))
    yield visit
    assert visit.complaints == []


@pytest.mark.parametrize(("page_name", "charts"), [("scorecards", 2), ("review", 1), ("executive", 3)])
def test_charts_are_drawn_and_axe_finds_nothing_in_either_theme(visit: Visit, page_name: str, charts: int) -> None:
    def steps(page: Page) -> int:
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)
            page.goto(f"{SITE}/dashboards/{page_name}/")
            page.wait_for_function(DRAWN)
            assert barriers(page) == []
        return page.locator("[data-figure]").count()

    assert visit(steps) == charts
