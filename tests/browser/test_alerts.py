"""Alerts in Chromium: subscribed to, rung by the bell, followed to the row, muted; rules tried before their save."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from engagement.alerts.sending import send_due
from engagement.alerts.watch import look_for_causes
from engagement.models import AlertMute, AlertPreference, AlertRule, Notification, OutgoingMail, Subscription
from renewals.models import Renewal
from tests.browser.barriers import barriers
from tests.browser.test_table import Desk, desk, rows
from tests.cast import Cast
from tests.static.test_shell_in_browser import chromium

__all__ = ["chromium", "desk", "rows"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True}


def near_rule(cast: Cast) -> AlertRule:
    """Decisions within 30 days: all three rows of the rep. Every rule has looked once before."""
    look_for_causes()
    rule = AlertRule.objects.get(kind="decision_near")
    AlertRule.objects.filter(pk=rule.pk).update(parameters={"days": 30})
    return rule


def test_alert_is_subscribed_to_and_its_link_followed_to_the_row(desk: Desk, rows: list[Renewal], cast: Cast) -> None:
    rule = near_rule(cast)

    def subscribe(page: Page) -> None:
        page.goto(f"{desk.site}/alerts/settings/")
        page.get_by_label(f"{rule}: by mail").select_option("At once")
        page.get_by_label("Quiet from").fill("22:00")
        page.get_by_label("Quiet until").fill("22:01")
        page.get_by_role("button", name="Save").click()
        expect(page.locator("#toasts")).to_contain_text("What you are told, and when, is saved.")
        expect(page.locator(".p-bell b")).to_have_count(0)

    desk.run(subscribe)
    wish = Subscription.objects.get(user=cast.rep, rule=rule)
    assert (wish.scope, wish.in_app, wish.mail, wish.webhook) == ("own", True, "at_once", False)
    AlertPreference.objects.all().delete()
    assert look_for_causes() == 3
    assert send_due() == 3
    link = re.search(r"https?://[^/]+(/renewals/\d+/)", OutgoingMail.objects.get().text)
    assert link is not None

    def follow(page: Page) -> None:
        page.goto(f"{desk.site}{link[1]}")
        expect(page.get_by_role("heading", level=1)).to_have_text("Kestrel Bank")
        expect(page.locator(".p-bell b")).to_have_text("3")
        page.locator(".p-bell").click()
        first = page.locator(".l-alerts li").first
        expect(first).to_contain_text("The customer decides by")
        first.get_by_role("link", name="Act now on Kestrel Bank").click()
        expect(page.locator("#drawer h2").first).to_have_text("Kestrel Bank")
        expect(first.get_by_text("Unread")).to_have_count(0)
        expect(page.locator(".p-bell b")).to_have_text("2")
        assert page.url.endswith("/alerts/")  # the row stands beside the list
        page.locator("[data-closes-drawer]").first.click()
        page.get_by_role("button", name="Lumen Health: it is read").click()
        expect(page.locator(".p-bell b")).to_have_text("1")
        page.get_by_role("button", name=f"Nothing more of {rule} for Halden Biotech").click()
        page.get_by_role("button", name="Keep silent").click()
        expect(page.locator("#toasts")).to_contain_text("is silent for Halden Biotech")
        expect(page.get_by_role("heading", name="Nothing unread")).to_be_visible()

    desk.run(follow)
    assert not Notification.objects.filter(user=cast.rep, channel="app", read_at__isnull=True).exists()
    assert AlertMute.objects.get().account.name == "Halden Biotech"


def test_link_leads_to_the_row_on_a_phone(desk: Desk, rows: list[Renewal], cast: Cast) -> None:
    near_rule(cast)
    assert look_for_causes() == 3

    def steps(page: Page) -> None:
        page.goto(f"{desk.site}/alerts/")
        assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
        page.get_by_role("link", name="Act now on Kestrel Bank").click()
        page.wait_for_url("**/renewals/*/")
        expect(page.get_by_role("heading", level=1)).to_have_text("Kestrel Bank")
        expect(page.locator(".p-bell b")).to_have_text("2")
        page.goto(f"{desk.site}/alerts/settings/")
        assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")

    desk.run(steps, **PHONE)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pages_are_accessible(desk: Desk, rows: list[Renewal], cast: Cast, theme: str) -> None:
    near_rule(cast)
    look_for_causes()

    def steps(page: Page) -> None:
        for address in ("/alerts/", "/alerts/?show=open", "/alerts/settings/", "/forecast/targets/"):
            page.goto(f"{desk.site}{address}")
            page.wait_for_load_state("networkidle")
            assert barriers(page) == [], address

    desk.run(steps, color_scheme=theme)


def test_admin_tries_a_rule_before_it_is_saved(desk: Desk, rows: list[Renewal], cast: Cast) -> None:
    look_for_causes()
    desk.session = cast.client_of("admin").cookies["sessionid"].value

    def steps(page: Page) -> Any:
        page.goto(f"{desk.site}/alerts/rules/")
        assert barriers(page) == []
        page.get_by_role("link", name="Decision within two weeks").click()
        page.get_by_label("Days before the decision date").fill("21")
        page.get_by_role("button", name="Show what it would have done").click()
        expect(page.locator(".l-found")).to_contain_text("Would have fired 2 times in the last 30 days.")
        expect(page.locator(".l-found")).to_contain_text("Before the change: 0.")
        assert barriers(page) == []
        page.get_by_role("button", name="Save").click()
        expect(page.locator("#toasts")).to_contain_text("Alert rule Decision within two weeks is saved.")
        page.get_by_role("link", name="Decision within two weeks").click()
        expect(page.locator(".l-versions li")).to_contain_text("Days before the decision date: 14")
        expect(page.locator(".l-versions li")).to_contain_text("changed by Ada Admin")

    desk.run(steps)
    assert AlertRule.objects.get(kind="decision_near").parameters == {"days": 21, "step": 7}
