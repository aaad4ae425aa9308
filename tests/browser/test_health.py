"""Health in Chromium: a rep notes the mood on the account's page, and the pages are readable by everybody."""

import pytest
from playwright.sync_api import Page, expect

from accounts.models import AccountHealth, AccountSignal, get_company
from renewals.models import Renewal
from tests.browser.barriers import barriers
from tests.browser.test_table import Desk, desk, rows, toast
from tests.static.test_shell_in_browser import chromium

__all__ = ["chromium", "desk", "rows"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True}


def test_sentiment_is_noted_by_keyboard_and_moves_the_health(desk: Desk, rows: list[Renewal]) -> None:
    account_id = rows[0].account_id

    def steps(page: Page) -> None:
        page.goto(f"{desk.site}/accounts/{account_id}/#health")
        health = page.locator("#health")
        expect(health).to_contain_text("Nothing fresh is known of this account")
        page.get_by_label("The customer is").focus()
        page.keyboard.press("U")  # Unhappy
        page.get_by_role("button", name="Note sentiment").press("Enter")
        expect(health.locator("tfoot")).to_contain_text("25.00")
        expect(toast(page)).to_contain_text("unhappy on")
        page.get_by_label("On optional").fill("2099-01-05")
        page.get_by_role("button", name="Note sentiment").click()
        expect(health).to_contain_text("is in the future")
        assert barriers(page, context="#health") == []

    desk.run(steps)
    signal = AccountSignal.objects.get(account=account_id, sentiment_score__isnull=False)
    assert (signal.measured_on, signal.sentiment_score) == (get_company().today(), 2.0)
    assert AccountHealth.objects.get(account=account_id).score == 25.0


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_health_and_coverage_are_accessible_and_fit_a_phone(desk: Desk, rows: list[Renewal], theme: str) -> None:
    def steps(page: Page) -> None:
        for address in ("/health/", "/coverage/"):
            page.goto(f"{desk.site}{address}")
            page.wait_for_load_state("networkidle")
            expect(page.locator("#main table").first).to_be_visible()
            assert barriers(page) == []
            assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")

    desk.run(steps, color_scheme=theme, **PHONE)
