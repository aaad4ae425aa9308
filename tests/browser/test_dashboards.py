"""Dashboards in Chromium: drawn, read by mouse and keyboard, saved as pictures, in both themes and on a phone."""

import datetime as dt
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from accounts.models import get_company
from dashboards.rollups.services import bring_up_to_date
from forecasting.mrr.services import roll_up_mrr
from tests.browser.barriers import barriers
from tests.cast import Cast, make_renewal
from tests.forecasting.forecast_book import recompute, renewed
from tests.static.test_shell_in_browser import SITE, Visit, chromium

__all__ = ["chromium"]
pytestmark = pytest.mark.browser
RETENTION, TIMING = f"{SITE}/dashboards/retention/", f"{SITE}/dashboards/timing/"
# Of the first bar or mark that is large enough to be seen.
MIDDLE_OF_A_POINT = """(inside) => {
  const shapes = [...document.querySelectorAll(`${inside} .point path, ${inside} path.point`)];
  const boxes = shapes.map((shape) => shape.getBoundingClientRect());
  const box = boxes.find((one) => one.height > 4 && one.width > 4);
  return [box.x + box.width / 2, box.y + box.height / 2];
}"""
# Labels below charts that run into the next one: upright ones that touch it, slanted ones closer than a line is high.
COLLISIONS = """() => [...document.querySelectorAll("[data-figure]")].flatMap((place) => {
  const ticks = [...place.querySelectorAll(".xtick text")];
  const boxes = ticks.map((one) => one.getBoundingClientRect());
  const isSlanted = ticks.map((one) => /rotate\\(-\\d/.test(one.getAttribute("transform")));
  return ticks.slice(1).map((one, at) => [boxes[at], boxes[at + 1], isSlanted[at], one.textContent])
    .filter(([left, right, isTurned]) => isTurned ? right.right - left.right < 11 : right.left < left.right)
    .map(([, , , text]) => `${place.dataset.figure}: ${text}`);
})"""
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
PNG = b"\x89PNG\r\n\x1a\n"
A4_WIDTH = 703  # px between the margins of static/css/print.css


@pytest.fixture
def visit(chromium: tuple[ThreadPoolExecutor, Browser], cast: Cast) -> Iterator[Visit]:
    """The admin's window on a book with orders of every class, something lost, and something past due."""
    today = get_company().today()
    for back, delay in ((400, -40), (330, -2), (300, 0), (210, 9), (200, 25), (120, 4), (110, 12), (100, -1)):
        due_on = today - dt.timedelta(days=back)
        amount = Decimal(10_000 + 100 * back)
        ordered = renewed(int(amount) + 500, due_on + dt.timedelta(days=delay))
        make_renewal(owner=cast.rep, due_on=due_on, baseline_amount=amount, **ordered)
    lost_on = today - dt.timedelta(days=130)
    make_renewal(owner=cast.outsider, due_on=lost_on, outcome="lost", final_amount=0, declined_on=lost_on)
    make_renewal(owner=cast.rep, due_on=today - dt.timedelta(days=5))
    recompute(as_of=today)
    roll_up_mrr()
    bring_up_to_date()
    visit = Visit(*chromium, client=cast.client_of("admin"))
    yield visit
    assert visit.complaints == []


def open_page(page: Page, address: str) -> None:
    page.goto(address)
    page.wait_for_function(
        "document.querySelectorAll('[data-figure]').length > 3 && [...document.querySelectorAll('[data-figure]')]"
        ".every((place) => place.querySelector('.main-svg'))"
    )


@pytest.mark.parametrize("address", [RETENTION, TIMING])
def test_every_chart_is_drawn_and_says_what_is_under_the_mouse(visit: Visit, address: str) -> None:
    def steps(page: Page) -> int:
        open_page(page, address)
        place = page.evaluate(MIDDLE_OF_A_POINT, "[data-figure]")
        page.mouse.move(*place)
        page.mouse.move(place[0] + 1, place[1])
        expect(page.locator(".hovertext, .hoverlayer .bg").first).to_be_attached()
        return page.locator("[data-figure]").count()

    assert visit(steps) >= 5


@pytest.mark.parametrize("address", [RETENTION, TIMING])
@pytest.mark.parametrize("window", [{}, PHONE])
def test_labels_below_a_chart_do_not_run_into_each_other(visit: Visit, address: str, window: dict[str, Any]) -> None:
    def steps(page: Page) -> tuple[list[str], int]:
        open_page(page, address)
        return page.evaluate(COLLISIONS), page.locator(".modebar-btn:visible").count()

    collisions, button_count = visit(steps, **window)
    assert collisions == []
    assert not window or not button_count  # which would lie over the legend


def test_a_figure_leads_to_its_explanation_by_keyboard(visit: Visit) -> None:
    def steps(page: Page) -> None:
        open_page(page, RETENTION)
        figure = page.locator(".p-strip a").first
        figure.focus()
        page.keyboard.press("Enter")
        page.wait_for_url("**/dashboards/explain/**")
        expect(page.locator("#rows-title")).to_contain_text("renewal")

    visit(steps)


def test_a_bar_leads_to_its_rows(visit: Visit) -> None:
    def steps(page: Page) -> None:
        open_page(page, TIMING)
        place = page.evaluate(MIDDLE_OF_A_POINT, "#mix-count")
        page.mouse.move(*place)
        page.mouse.click(*place)
        page.wait_for_url("**/renewals/?**timing=**")

    visit(steps)


def test_a_chart_is_saved_as_a_picture(visit: Visit) -> None:
    def steps(page: Page) -> bytes:
        open_page(page, RETENTION)
        with page.expect_download() as download:
            page.locator("#rates [data-saves-png]").click()
        assert download.value.suggested_filename == "rates.png"
        return download.value.path().read_bytes()

    picture = visit(steps)
    assert picture.startswith(PNG)
    assert len(picture) > 5_000


@pytest.mark.parametrize("address", [RETENTION, TIMING])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_pages_have_no_barrier_that_axe_finds(visit: Visit, theme: str, address: str) -> None:
    def steps(page: Page) -> None:
        page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        open_page(page, address)
        assert barriers(page) == []
        page.locator(".p-strip a").first.click()
        page.wait_for_url("**/dashboards/explain/**")
        assert barriers(page) == []

    visit(steps)


@pytest.mark.parametrize("address", [RETENTION, TIMING])
def test_the_pages_fit_a_phone(visit: Visit, address: str) -> None:
    def steps(page: Page) -> None:
        page.set_viewport_size({"width": 390, "height": 800})
        open_page(page, address)
        assert page.evaluate("document.documentElement.scrollWidth") == 390

    visit(steps)


def test_what_is_printed_fits_a_portrait_page(visit: Visit) -> None:
    def steps(page: Page) -> None:
        open_page(page, f"{SITE}/dashboards/forecast/")
        fits(page)
        open_page(page, RETENTION)
        fits(page)
        page.locator(".p-strip a").nth(1).click()
        page.wait_for_url("**/dashboards/explain/gross/**")
        fits(page)
        page.goto(page.url.replace("/gross/", "/resolution/"))  # three amounts
        fits(page)

    def fits(page: Page) -> None:
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        page.emulate_media(media="print")
        page.set_viewport_size({"width": A4_WIDTH, "height": 1000})
        assert page.evaluate("document.documentElement.scrollWidth") == A4_WIDTH, page.url
        page.emulate_media(media="screen")
        page.evaluate("dispatchEvent(new Event('afterprint'))")
        page.set_viewport_size({"width": 1280, "height": 800})

    visit(steps)
