"""Recurring revenue in Chromium: drawn, read by mouse and keyboard, in both themes and on a phone."""

import datetime as dt
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from playwright.sync_api import Browser, Page, expect

from accounts.models import get_company
from forecasting.mrr.services import roll_up_mrr
from tests.browser.barriers import barriers
from tests.cast import Cast, make_renewal
from tests.forecasting.forecast_book import recompute, renewed
from tests.static.test_shell_in_browser import SITE, Visit, chromium

__all__ = ["chromium"]
pytestmark = pytest.mark.browser
MRR = f"{SITE}/forecast/mrr/"


@pytest.fixture
def visit(chromium: tuple[ThreadPoolExecutor, Browser], cast: Cast) -> Iterator[Visit]:
    """The admin's window on a book that gained, lost, and has something open."""
    today = get_company().today()
    soon, before = today + dt.timedelta(days=40), today - dt.timedelta(days=100)
    make_renewal(owner=cast.rep, due_on=soon, baseline_amount=Decimal(30_000))
    make_renewal(owner=cast.rep, due_on=before, baseline_amount=Decimal(40_000), **renewed(52_000, before))
    make_renewal(owner=cast.outsider, due_on=before, outcome="lost", final_amount=0, declined_on=before)
    recompute(as_of=today)
    roll_up_mrr()
    visit = Visit(*chromium, client=cast.client_of("admin"))
    yield visit
    assert visit.complaints == []


def open_page(page: Page) -> None:
    page.goto(MRR)
    page.wait_for_function("document.querySelectorAll('[data-figure] .main-svg').length >= 3")


def test_the_months_are_drawn_and_their_figures_open_their_rows(visit: Visit) -> None:
    def steps(page: Page) -> None:
        open_page(page)
        expect(page.get_by_role("link", name="MRR", exact=True)).to_have_attribute("aria-current", "page")
        figure = page.locator(".m-movements").first.get_by_role("link", name="−1,000.00").first
        figure.focus()
        page.keyboard.press("Enter")
        page.wait_for_url("**/forecast/mrr/rows/**")
        expect(page.locator("#rows-title")).to_have_text("€\N{NO-BREAK SPACE}1,000.00")
        expect(page.locator(".m-rows tbody tr")).to_have_count(1)

    visit(steps)


def test_tables_are_one_key_away(visit: Visit) -> None:
    def steps(page: Page) -> None:
        open_page(page)
        page.keyboard.press("t")
        assert page.locator(".p-figure.is-table").count() == 3

    visit(steps)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_page_has_no_barrier_that_axe_finds(visit: Visit, theme: str) -> None:
    def steps(page: Page) -> None:
        page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        open_page(page)
        assert barriers(page) == []

    visit(steps)


def test_the_page_fits_a_phone(visit: Visit) -> None:
    def steps(page: Page) -> None:
        page.set_viewport_size({"width": 390, "height": 800})
        open_page(page)
        assert page.evaluate("document.documentElement.scrollWidth") == 390

    visit(steps)
