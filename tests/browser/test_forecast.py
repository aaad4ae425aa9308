"""The forecast page in Chromium: drawn, read by mouse and by keyboard, in both themes, under the real policy."""

import datetime as dt
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from queue import Queue
from urllib.parse import parse_qs, urlsplit

import pytest
from django.http import HttpResponse
from playwright.sync_api import Browser, Page, Route, expect

from accounts.models import get_company
from forecasting.models import Run
from tests.browser.barriers import barriers
from tests.cast import Cast, make_renewal
from tests.forecasting.forecast_book import recompute, renewed
from tests.static.test_shell_in_browser import SITE, Visit, chromium

__all__ = ["chromium"]
pytestmark = pytest.mark.browser
FORECAST = f"{SITE}/forecast/"


@dataclass
class WorkingVisit(Visit):
    """A visit whose posts are answered, by the same client as its pages."""

    def _answer(self, route: Route) -> None:
        if route.request.method != "POST":
            super()._answer(route)
            return
        url, form = urlsplit(route.request.url), route.request.post_data or ""
        answer: Queue[HttpResponse] = Queue()
        self.asked.put((f"POST {url.path} {form}", answer))
        response = answer.get(timeout=20)
        route.fulfill(status=response.status_code, headers=dict(response.items()), body=response.content)

    def __call__(self, steps: Callable[[Page], object]) -> object:
        get = self.client.get

        def ask(address: str) -> HttpResponse:
            if not address.startswith("POST "):
                return get(address)
            _, path, form = address.split(" ", 2)
            headers = {"HX-Request": "true"}
            return self.client.post(path, form, content_type="application/x-www-form-urlencoded", headers=headers)

        self.client.get = ask  # type: ignore[method-assign]
        return super().__call__(steps)


@pytest.fixture
def visit(chromium: tuple[ThreadPoolExecutor, Browser], cast: Cast) -> Iterator[WorkingVisit]:
    """The admin's window on a small book: won, open and at risk in this quarter, history in the last."""
    today = get_company().today()
    soon, before = today + dt.timedelta(days=12), today - dt.timedelta(days=100)
    make_renewal(owner=cast.rep, due_on=soon, baseline_amount=Decimal(30_000))
    make_renewal(owner=cast.rep, due_on=today, baseline_amount=Decimal(50_000), **renewed(52_000, today))
    make_renewal(owner=cast.rep, due_on=before, baseline_amount=Decimal(40_000), **renewed(30_000, before))
    make_renewal(owner=cast.outsider, due_on=before, outcome="lost", final_amount=0, declined_on=before)
    recompute(as_of=today)
    visit = WorkingVisit(*chromium, client=cast.client_of("admin"))
    yield visit
    assert visit.complaints == []


def open_forecast(page: Page, address: str = FORECAST) -> None:
    page.goto(address)
    page.wait_for_function("document.querySelectorAll('[data-figure] .main-svg').length >= 5")


def middle_of_tallest_bar(page: Page, chart: str) -> tuple[float, float]:
    """Where to point: plotly.js watches the pointer on a pane above its bars."""
    bars = page.locator(f"#{chart} .barlayer .point path")
    bars.first.scroll_into_view_if_needed()
    boxes = [bars.nth(at).bounding_box() or {"height": 0.0} for at in range(bars.count())]
    box = max(boxes, key=lambda box: box["height"])
    return box["x"] + box["width"] / 2, box["y"] + box["height"] - 6


def test_every_chart_is_drawn_and_says_its_values_on_hover(visit: WorkingVisit) -> None:
    def steps(page: Page) -> None:
        open_forecast(page)
        page.mouse.move(*middle_of_tallest_bar(page, "value"))
        expect(page.locator("#value .hoverlayer")).to_contain_text("Won, Q")
        expect(page.locator("#value .hoverlayer")).to_contain_text("52,000.00")
        point = page.locator("#rates .scatterlayer .point").first
        point.scroll_into_view_if_needed()
        box = point.bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + 3, box["y"] + 3)
        expect(page.locator("#rates .hoverlayer")).to_contain_text("%")

    visit(steps)


def test_a_click_on_a_bar_opens_the_rows_behind_it(visit: WorkingVisit) -> None:
    def steps(page: Page) -> None:
        open_forecast(page)
        page.mouse.click(*middle_of_tallest_bar(page, "value"))
        page.wait_for_url(f"{SITE}/renewals/**")
        asked = parse_qs(urlsplit(page.url).query)
        assert (asked["timing"], asked["excluded"]) == (["early", "on_time", "late"], ["no"])
        expect(page.locator("tr[data-account]")).to_have_count(1)

    visit(steps)


def test_tables_are_one_key_away_and_lead_to_the_same_rows(visit: WorkingVisit) -> None:
    def steps(page: Page) -> None:
        open_forecast(page)
        table = page.locator("#value-table")
        expect(table).to_be_hidden()
        button = page.locator("#value [data-shows-table]")
        button.press("Enter")
        expect(table).to_be_visible()
        expect(button).to_have_attribute("aria-expanded", "true")
        expect(page.locator("#value [data-figure]")).to_be_hidden()
        button.press("Enter")
        expect(table).to_be_hidden()
        page.keyboard.press("t")
        assert page.locator(".p-figure.is-table").count() == 5
        link = table.get_by_text("52,000.00").first
        link.focus()
        page.keyboard.press("Enter")
        page.wait_for_url(f"{SITE}/renewals/**")

    visit(steps)


def test_charts_take_the_colours_of_the_theme(visit: WorkingVisit) -> None:
    def steps(page: Page) -> None:
        open_forecast(page)
        fill = "getComputedStyle(document.querySelector('#value .barlayer .point path')).fill"
        light = page.evaluate(fill)
        page.evaluate("perennial.chooseTheme('dark')")
        page.wait_for_function(f"{fill} !== '{light}'")
        assert [light, page.evaluate(fill)] == ["rgb(47, 143, 91)", "rgb(67, 173, 119)"]

    visit(steps)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_page_has_no_barrier_that_axe_finds(visit: WorkingVisit, theme: str) -> None:
    def steps(page: Page) -> None:
        page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        open_forecast(page)
        assert barriers(page) == []
        page.keyboard.press("t")
        assert barriers(page) == []

    visit(steps)


def test_recompute_shows_its_progress_and_offers_the_new_numbers(visit: WorkingVisit) -> None:
    def asks(page: Page) -> None:
        open_forecast(page)
        page.get_by_role("button", name="Recompute now").click()
        expect(page.locator("#run-status")).to_contain_text("Recompute waits for a worker")

    visit(asks)
    assert Run.objects.filter(state="waiting", requested_by__role="admin").count() == 1


def test_the_page_fits_a_phone(visit: WorkingVisit) -> None:
    def steps(page: Page) -> None:
        page.set_viewport_size({"width": 390, "height": 800})
        open_forecast(page)
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        x, _ = middle_of_tallest_bar(page, "value")
        assert 0 < x < 390

    visit(steps)
