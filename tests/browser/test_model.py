"""The model page in Chromium: its charts, their tables, a fit that is asked for, under the real policy."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import Browser, Page, expect

from forecasting.models import LikelihoodModel
from tests.browser.barriers import barriers
from tests.browser.test_forecast import WorkingVisit
from tests.cast import Cast
from tests.forecasting.forecast_book import recompute
from tests.forecasting.learning.decided import make_decided, open_renewal
from tests.forecasting.learning.test_fit import fit
from tests.static.test_shell_in_browser import SITE, chromium

__all__ = ["chromium"]
pytestmark = pytest.mark.browser
MODEL = f"{SITE}/forecast/model/"


@pytest.fixture
def visit(chromium: tuple[ThreadPoolExecutor, Browser], cast: Cast) -> Iterator[WorkingVisit]:
    make_decided(600, signal=1.5)
    open_renewal(cast.rep)
    fit()
    recompute()
    visit = WorkingVisit(*chromium, client=cast.client_of("admin"))
    yield visit
    assert visit.complaints == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_charts_are_drawn_and_no_barrier_is_found(visit: WorkingVisit, theme: str) -> None:
    def steps(page: Page) -> None:
        page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        page.goto(MODEL)
        page.wait_for_function("document.querySelectorAll('[data-figure] .main-svg').length >= 2")
        expect(page.locator("#importance")).to_contain_text("Usage trend")
        assert barriers(page) == []
        page.keyboard.press("t")
        expect(page.locator("#calibration-table")).to_be_visible()
        expect(page.locator("#importance-table")).to_contain_text("Usage trend")
        assert barriers(page) == []

    visit(steps)


def test_a_fit_is_asked_for_and_its_progress_shown(visit: WorkingVisit) -> None:
    def steps(page: Page) -> None:
        page.goto(MODEL)
        page.get_by_role("button", name="Fit now").click()
        expect(page.locator("#fit-status")).to_contain_text("The fit waits for a worker")

    visit(steps)
    waiting = LikelihoodModel.objects.get(state=LikelihoodModel.State.WAITING)
    assert waiting.requested_by is not None
    assert waiting.asked_because == "demand"


def test_the_page_fits_a_phone(visit: WorkingVisit) -> None:
    def steps(page: Page) -> None:
        page.set_viewport_size({"width": 390, "height": 800})
        page.goto(MODEL)
        assert page.evaluate("document.documentElement.scrollWidth") == 390

    visit(steps)
