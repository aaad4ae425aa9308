"""Payments in Chromium: readable by everybody, on a desk and on a phone, in both themes."""

import datetime as dt
from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from accounts.models import Invoice, get_company
from renewals.models import Renewal
from tests.browser.barriers import barriers
from tests.browser.test_table import Desk, desk, rows
from tests.static.test_shell_in_browser import chromium

__all__ = ["chromium", "desk", "rows"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]
SIZES = ({"width": 1280, "height": 800}, {"width": 390, "height": 844})


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_payments_have_no_barrier_that_axe_finds(desk: Desk, rows: list[Renewal], theme: str) -> None:
    account, today = rows[0].account, get_company().today()
    for number, flags in enumerate(({}, {"has_failed": True}, {"is_disputed": True, "is_charged_back": True})):
        Invoice.objects.create(
            account=account,
            external_id=f"I-{number}",
            amount=Decimal(1200),
            currency="EUR",
            due_on=today - dt.timedelta(30 + number),
            **flags,
        )

    def steps(page: Page) -> None:
        for size in SIZES:
            page.set_viewport_size(size)  # type: ignore[arg-type]
            for address in ("/payments/", f"/accounts/{account.pk}/payments/"):
                page.goto(f"{desk.site}{address}")
                expect(page.locator("#main table").first).to_be_visible()
                assert barriers(page) == []
                assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")

    desk.run(steps, color_scheme=theme)
