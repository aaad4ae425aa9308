"""The feedback board in Chromium: moved by keyboard and by pointer, refused where it must be, on a phone too."""

import datetime as dt

import pytest
from playwright.sync_api import Locator, Page, expect

from accounts.models import Ticket, get_company
from engagement.models import FeedbackTheme
from renewals.models import Renewal
from tests.browser.barriers import barriers
from tests.browser.test_table import Desk, desk, rows, toast
from tests.cast import Cast
from tests.static.test_shell_in_browser import chromium

__all__ = ["chromium", "desk", "rows"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True}


@pytest.fixture
def theme(rows: list[Renewal], cast: Cast) -> FeedbackTheme:
    """Given to the rep who looks at the board, with tickets of their account."""
    today = get_company().today()
    for number in range(3):
        Ticket.objects.create(
            account=rows[0].account,
            external_id=f"B{number}",
            subject="Data export fails",
            opened_on=today - dt.timedelta(number),
        )
    return FeedbackTheme.objects.create(name="Data export", words=["data export"], owner=cast.rep)


def column(page: Page, status: str) -> Locator:
    return page.locator(f"[data-status={status}]")


def test_theme_is_moved_by_keyboard_and_keeps_the_focus(desk: Desk, theme: FeedbackTheme) -> None:
    def steps(page: Page) -> None:
        page.goto(f"{desk.site}/feedback/")
        link = page.get_by_role("link", name="Data export")
        expect(column(page, "new")).to_contain_text("3 tickets of 1 account, 3 open")
        link.focus()
        page.keyboard.press("Alt+ArrowLeft")  # nothing is to the left of the first, and the page stays
        page.keyboard.press("Alt+ArrowRight")
        expect(column(page, "accepted")).to_contain_text("Data export")
        expect(toast(page)).to_contain_text("“Data export” is now accepted.")
        expect(link).to_be_focused()
        page.keyboard.press("Alt+ArrowRight")
        expect(column(page, "in_progress")).to_contain_text("Data export")
        expect(link).to_be_focused()
        link.drag_to(column(page, "done"))
        expect(column(page, "done")).to_contain_text("a month before")
        page.get_by_role("button", name="Move Data export to Declined").click()
        expect(page.locator("#toasts")).to_contain_text("Say in the note why it is declined.")
        expect(column(page, "done")).to_contain_text("Data export")

    desk.run(steps)
    theme.refresh_from_db()
    assert (theme.status, theme.done_on, theme.edit_count) == ("done", get_company().today(), 3)


@pytest.mark.parametrize("theme_name", ["light", "dark"])
def test_board_and_theme_are_accessible_and_fit_a_phone(desk: Desk, theme: FeedbackTheme, theme_name: str) -> None:
    def steps(page: Page) -> None:
        for address in ("/feedback/", f"/feedback/{theme.pk}/"):
            page.goto(f"{desk.site}{address}")
            page.wait_for_load_state("networkidle")
            assert barriers(page) == []
            assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")

    desk.run(steps, color_scheme=theme_name, **PHONE)
