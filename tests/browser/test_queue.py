"""The decision-date queue in Chromium: three views of the same rows, and a calendar address."""

import datetime as dt
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import Browser, Page, expect

from accounts.models import get_company
from renewals.queue.feeds import find_owner
from tests.browser.barriers import barriers_of_pages
from tests.browser.test_forecast import WorkingVisit
from tests.cast import Cast, make_account, make_renewal
from tests.static.test_shell_in_browser import SITE, chromium

__all__ = ["chromium"]
pytestmark = pytest.mark.browser
VIEWS = ("list", "calendar", "timeline")


@pytest.fixture
def visit(chromium: tuple[ThreadPoolExecutor, Browser], cast: Cast) -> Iterator[WorkingVisit]:
    today = get_company().today()
    for days, name in ((-4, "Past Ltd"), (0, "Today Ltd"), (45, "Later Ltd")):
        due_on = today + dt.timedelta(days=days + 30)
        row = make_renewal(owner=cast.rep, due_on=due_on, notice_days=30, account=make_account(name=name))
        row.contract.is_auto_renewing = True
        row.contract.save(update_fields=["is_auto_renewing"])
    visit = WorkingVisit(*chromium, client=cast.client_of("rep"))
    yield visit
    assert visit.complaints == []


def test_rows_are_the_same_in_list_and_timeline_and_on_their_day(visit: WorkingVisit) -> None:
    def steps(page: Page) -> None:
        page.goto(f"{SITE}/queue/")
        expect(page.locator("#queue-totals dd").first).to_contain_text("€ 12.0 K")
        names = page.locator("tbody th a[data-drawer]")
        expect(names).to_have_text(["Past Ltd", "Today Ltd", "Later Ltd"])
        expect(page.locator("tr.is-past")).to_contain_text("4 d past")
        page.get_by_role("link", name="30 days").click()
        expect(names).to_have_text(["Past Ltd", "Today Ltd"])
        page.get_by_role("link", name="Timeline").click()
        expect(names).to_have_text(["Past Ltd", "Today Ltd"])
        expect(page.locator(".q-weeks circle")).to_have_count(2)
        page.get_by_role("link", name="Calendar", exact=True).click()
        page.locator("td.is-today a").click()
        expect(names).to_have_text(["Today Ltd"])

    visit(steps)


def test_filter_stays_in_the_queue(visit: WorkingVisit) -> None:
    def steps(page: Page) -> None:
        page.goto(f"{SITE}/queue/?view=timeline")
        page.locator("summary", has_text="Owner").click()
        page.get_by_label("Me", exact=True).check()
        page.get_by_role("button", name="Apply").click()
        expect(page.locator(".p-pill.is-active")).to_have_text("Owner me")
        assert "/queue/?view=timeline" in page.url
        page.fill("[name=q]", "later")
        page.keyboard.press("Enter")
        expect(page.locator("tbody th a")).to_have_text(["Later Ltd"])

    visit(steps)


def test_calendar_address_is_made_shown_once_and_taken_back(visit: WorkingVisit, cast: Cast) -> None:
    seen: list[str] = []

    def steps(page: Page) -> None:
        page.goto(f"{SITE}/queue/")
        page.get_by_role("link", name="In my calendar").click()
        page.get_by_role("button", name="Make an address").click()
        seen.append(page.input_value("#feed-url"))
        page.goto(f"{SITE}/queue/calendar/")
        expect(page.locator("#feed-url")).to_have_count(0)

    visit(steps)
    token = seen[0].rsplit("/", 1)[-1].removesuffix(".ics")
    assert find_owner(token) == cast.rep

    def revoke(page: Page) -> None:
        page.goto(f"{SITE}/queue/calendar/")
        page.get_by_role("button", name="Take it back").click()
        page.click("#confirm [value=yes]")
        expect(page.get_by_text("There is no address yet.")).to_be_visible()

    visit(revoke)
    assert find_owner(token) is None


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_queue_can_be_read_by_everybody_and_on_a_phone(visit: WorkingVisit, scheme: str) -> None:
    found: list[str] = []

    def steps(page: Page) -> None:
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        paths = (*(f"/queue/?view={view}" for view in VIEWS), "/queue/calendar/")
        found.extend(barriers_of_pages(page, [SITE + path for path in paths]))

    visit(steps)
    assert found == []
