"""Touches in Chromium: logged by keyboard beside the table, taken back, and told of on the account's page."""

import pytest
from playwright.sync_api import Page, expect

from accounts.models import Account, Touch, get_company
from renewals.models import Renewal
from tests.browser.barriers import barriers
from tests.browser.test_table import Desk, desk, rows, toast
from tests.cast import Cast
from tests.static.test_shell_in_browser import chromium

__all__ = ["chromium", "desk", "rows"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True}


def test_touch_is_logged_by_keyboard_and_taken_back(desk: Desk, rows: list[Renewal], cast: Cast) -> None:
    account_id, today = rows[0].account_id, get_company().today()
    before = rows[0].account.last_touch_on

    def steps(page: Page) -> None:
        page.evaluate("document.querySelector('.g-table [tabindex=\"0\"]').focus()")
        page.keyboard.press("Enter")
        expect(page.locator("#drawer .d-head h2")).to_be_focused()
        page.keyboard.press("Alt+t")
        kind = page.get_by_label("Kind")
        expect(kind).to_be_focused()
        page.keyboard.press("m")  # Mail
        page.get_by_label("What came of it").focus()
        page.keyboard.type("Agreed on <b>two years</b>")
        page.keyboard.press("Control+Enter")
        expect(page.locator("#touches .t-list .d-text")).to_have_text("Agreed on <b>two years</b>")
        expect(toast(page)).to_contain_text("Mail with Halden Biotech is logged.")
        assert barriers(page, context="#drawer") == []
        assert page.evaluate("document.activeElement.name") == "touch-note"
        page.get_by_role("heading", name="Halden Biotech").focus()
        page.keyboard.press("Control+z")
        expect(page.locator("#toasts")).to_contain_text("Mail with Halden Biotech is deleted.")
        page.keyboard.press("Control+y")
        expect(page.locator("#toasts")).to_contain_text("Mail with Halden Biotech is back.")

    assert before != today
    desk.run(steps)
    kept = Touch.objects.get()
    assert (kept.kind, kept.note, kept.author, kept.account_id) == (
        "mail", "Agreed on <b>two years</b>", cast.rep, account_id,
    )  # fmt: skip
    assert Account.objects.get(pk=account_id).last_touch_on == today


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_account_page_and_list_are_accessible(desk: Desk, rows: list[Renewal], theme: str) -> None:
    def steps(page: Page) -> None:
        for address in (f"/accounts/{rows[0].account_id}/", "/unmonitored/"):
            page.goto(f"{desk.site}{address}")
            page.wait_for_load_state("networkidle")
            assert barriers(page) == []

    desk.run(steps, color_scheme=theme)


def test_account_page_leads_from_the_list_and_fits_a_phone(desk: Desk, rows: list[Renewal]) -> None:
    def steps(page: Page) -> None:
        page.goto(f"{desk.site}/unmonitored/")
        page.get_by_role("link", name="Log a touch with Halden Biotech").click()
        page.wait_for_url("**/accounts/*/#touches")
        page.get_by_label("Next touch").fill("2099-01-05")
        page.get_by_role("button", name="Log touch").click()
        expect(page.locator("#touches")).to_contain_text("Next touch agreed for 05 Jan 2099")
        for address in (f"/accounts/{rows[0].account_id}/", "/unmonitored/"):
            page.goto(f"{desk.site}{address}")
            assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")

    desk.run(steps, **PHONE)
