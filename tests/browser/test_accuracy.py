"""The accuracy page in Chromium: its charts and tables, a backtest that is asked for, under the real policy."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import Browser, Page, expect

from forecasting.models import Backtest
from tests.browser.barriers import barriers
from tests.browser.test_forecast import WorkingVisit
from tests.cast import Cast
from tests.forecasting.accuracy.test_services import done
from tests.static.test_shell_in_browser import SITE, chromium

__all__ = ["chromium", "done"]
pytestmark = pytest.mark.browser
ACCURACY = f"{SITE}/forecast/accuracy/"


@pytest.fixture
def visit(chromium: tuple[ThreadPoolExecutor, Browser], cast: Cast, done: Backtest) -> Iterator[WorkingVisit]:
    visit = WorkingVisit(*chromium, client=cast.client_of("admin"))
    yield visit
    assert visit.complaints == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_charts_are_drawn_and_no_barrier_is_found(visit: WorkingVisit, theme: str) -> None:
    def steps(page: Page) -> None:
        page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        page.goto(ACCURACY)
        page.wait_for_function("document.querySelectorAll('[data-figure] .main-svg').length >= 3")
        expect(page.locator(".a-verdict")).to_contain_text("chance alone leaves")
        assert barriers(page) == []
        page.keyboard.press("t")
        expect(page.locator("#error-table")).to_contain_text("90 days")
        page.set_viewport_size({"width": 390, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= 390

    visit(steps)


def test_a_backtest_is_asked_for_and_its_progress_shown(visit: WorkingVisit) -> None:
    def steps(page: Page) -> None:
        page.goto(ACCURACY)
        page.get_by_role("button", name="Backtest now").click()
        expect(page.locator("#backtest-status")).to_contain_text("The backtest waits for a worker")

    visit(steps)
    assert Backtest.objects.get(state="waiting").requested_by is not None
