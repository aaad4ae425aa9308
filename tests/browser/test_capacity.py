"""Capacity and the learning curve in Chromium: drawn, without barriers in both themes, and no wider than a phone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page

from accounts.models import get_company
from dashboards.rollups.services import bring_up_to_date
from engagement.models import Task
from tests.browser.barriers import barriers
from tests.cast import Cast, make_renewal
from tests.forecasting.forecast_book import recompute, renewed
from tests.static.test_shell_in_browser import SITE, Visit, chromium

__all__ = ["chromium"]
pytestmark = pytest.mark.browser
PAGES = [f"{SITE}/dashboards/capacity/?people=1", f"{SITE}/dashboards/learning-curve/"]


@pytest.fixture
def visit(chromium: tuple[ThreadPoolExecutor, Browser], cast: Cast) -> Iterator[Visit]:
    """The admin's window on a rep with more work than hours, and four months of work that got shorter."""
    today = get_company().today()
    for ahead in range(20):
        make_renewal(owner=cast.rep, due_on=today + dt.timedelta(days=20 + ahead))
    for back, minutes in ((400, 600), (300, 380), (200, 300), (100, 240)):
        ordered_on = today - dt.timedelta(days=back)
        for _ in range(6):
            one = make_renewal(owner=cast.rep, due_on=ordered_on, **renewed(12_000, ordered_on))
            fields = {"owner": cast.rep, "due_on": ordered_on, "done_at": timezone.now(), "spent_minutes": minutes}
            Task.objects.create(account=one.account, renewal=one, title="Work", estimated_minutes=300, **fields)
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
            page.goto(address)
            page.wait_for_function(
                "[...document.querySelectorAll('[data-figure]')].every((place) => place.querySelector('.main-svg'))"
            )
            assert barriers(page) == []
        count = page.locator("[data-figure] .main-svg .point").count()
        page.set_viewport_size({"width": 390, "height": 800})
        page.wait_for_function(
            "() => document.documentElement.scrollWidth <= window.innerWidth"
        )  # once the charts followed
        return count

    assert visit(steps) >= 4
