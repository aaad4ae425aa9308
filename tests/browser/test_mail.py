"""A mail to a customer in Chromium: from the row of a renewal to a real mail server, and back as a touch."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from accounts.models import Account, Contact, Touch, get_company
from engagement.mail.sending import send_waiting_mail
from engagement.models import MailTemplate
from renewals.models import Renewal
from tests.browser.barriers import barriers
from tests.browser.test_table import Desk, desk, rows, toast
from tests.cast import Cast
from tests.engagement.mail.conftest import server_address, sink
from tests.engagement.mail.sink import Sink
from tests.static.test_shell_in_browser import chromium

__all__ = ["chromium", "desk", "rows", "server_address", "sink"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]


@pytest.fixture
def people(rows: list[Renewal]) -> list[Contact]:
    account = rows[0].account
    return [
        Contact.objects.create(account=account, name="Ana Costa", email="ana@halden.example", is_champion=True),
        Contact.objects.create(account=account, name="Ben Alm", email="ben@halden.example"),
        Contact.objects.create(account=account, name="Cy Noon", email="cy@halden.example", is_unmailed=True),
    ]


def test_a_mail_is_sent_from_the_row(
    desk: Desk, rows: list[Renewal], people: list[Contact], cast: Cast, sink: Sink, settings: Any
) -> None:
    settings.DEFAULT_FROM_EMAIL = "Perennial <renewals@mail.example.net>"
    today = get_company().today()
    words = {"subject": "Renewing {account.name}", "text": "Dear {contact.first_name},\n{today}"}
    MailTemplate.objects.update_or_create(name="Renewal offer", defaults=words)

    def write(page: Page) -> None:
        page.evaluate("document.querySelector('.g-table [tabindex=\"0\"]').focus()")
        page.keyboard.press("Enter")
        mails = page.locator("#mails")
        mails.get_by_role("link", name="Write a mail").click()
        expect(mails.get_by_label("Template")).to_be_visible()
        page.wait_for_function("() => !document.querySelector('.htmx-added, .htmx-settling, .htmx-request')")
        mails.get_by_label("Template").select_option(label="Renewal offer")
        expect(mails.get_by_label("Subject")).to_have_value("Renewing Halden Biotech")
        expect(mails.get_by_label("Ana Costa")).to_be_checked()
        expect(mails).to_contain_text("Not offered: Cy Noon (wants no mail)")
        mails.get_by_label("Ben Alm").check()
        mails.get_by_role("button", name="Fill in").click()
        expect(mails.get_by_label("Text")).to_have_value(f"Dear Ana and Ben,\n{today:%d %b %Y}")
        assert barriers(page, context="#mails") == []
        mails.get_by_label("Text").fill("Dear both,\n<b>shall we talk?</b>")
        mails.get_by_role("button", name="Preview").click()
        expect(mails.locator(".e-letter")).to_have_text("Dear both,\n<b>shall we talk?</b>")
        expect(mails).to_contain_text("Ana Costa <ana@halden.example>, Ben Alm <ben@halden.example>")
        assert barriers(page, context="#mails") == []
        mails.get_by_role("button", name="Edit").click()
        expect(mails.get_by_label("Text")).to_have_value("Dear both,\n<b>shall we talk?</b>")
        mails.get_by_role("button", name="Preview").click()
        mails.get_by_role("button", name="Send").click()
        expect(toast(page)).to_contain_text("Mail to ana@halden.example, ben@halden.example is queued.")
        expect(mails.locator(".e-state")).to_have_text("Queued")
        expect(page.locator("#touches .t-list .d-text")).to_have_text("Renewing Halden Biotech to Ana Costa, Ben Alm")

    def look(page: Page) -> None:
        page.goto(f"{desk.site}/renewals/{rows[0].pk}/")
        expect(page.locator("#mails .e-state")).to_have_text("Sent")

    desk.run(write)
    assert send_waiting_mail() == 1
    desk.run(look)
    (came,) = sink.mails
    assert [came[name] for name in ("From", "Reply-To", "To", "Subject")] == [
        "Rhea Rep <renewals@mail.example.net>", "rhea.rep@example.com", "ana@halden.example, ben@halden.example",
        "Renewing Halden Biotech",
    ]  # fmt: skip
    assert came.get_content().splitlines() == ["Dear both,", "<b>shall we talk?</b>"]
    touch = Touch.objects.get()
    assert (touch.kind, touch.author, touch.account_id) == ("mail", cast.rep, rows[0].account_id)
    assert Account.objects.get(pk=rows[0].account_id).last_touch_on == today


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_pages_of_mail_are_accessible_and_fit_a_phone(
    desk: Desk, rows: list[Renewal], people: list[Contact], theme: str
) -> None:
    addresses = ("/mail/", f"/mail/of/{rows[0].pk}/", f"/mail/of/{rows[0].pk}/write/")

    def steps(page: Page) -> None:
        for address in addresses:
            page.goto(f"{desk.site}{address}")
            page.wait_for_load_state("networkidle")
            assert barriers(page) == []
            page.set_viewport_size({"width": 390, "height": 844})
            assert not page.evaluate("document.documentElement.scrollWidth > innerWidth"), address
            page.set_viewport_size({"width": 1280, "height": 800})

    desk.run(steps, color_scheme=theme)
