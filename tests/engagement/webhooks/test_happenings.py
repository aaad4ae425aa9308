"""What happened is told once, however it was written."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from engagement.models import WebhookDelivery, WebhookEndpoint, WebhookMark
from engagement.webhooks.happenings import tell_happenings
from engagement.webhooks.secrets import seal
from forecasting.models import Snapshot
from renewals.models import ImportBatch, Renewal
from tests.cast import Cast, make_renewal

pytestmark = pytest.mark.django_db


@pytest.fixture
def endpoint() -> WebhookEndpoint:
    return WebhookEndpoint.objects.create(
        name="CRM", url="https://8.8.8.8/", sealed_secret=seal("whsec_c2VjcmV0"),
        event_names=["renewal.decided", "call.frozen", "import.done"],
    )  # fmt: skip


def tell() -> list[tuple[str, dict[str, Any]]]:
    """What is new of what is told. A test is one transaction, whose beginning is the time of all history rows in it."""
    WebhookMark.objects.update(told_until_at=timezone.now() - dt.timedelta(hours=1))
    known = set(WebhookDelivery.objects.values_list("pk", flat=True))
    tell_happenings(now=timezone.now())
    rows = WebhookDelivery.objects.exclude(pk__in=known).order_by("pk")
    return [(row.event, row.payload) for row in rows]


def test_a_decision_is_told_once_by_whatever_wrote_it(cast: Cast, endpoint: WebhookEndpoint) -> None:
    renewal = make_renewal(owner=cast.rep, due_on=dt.date(2026, 12, 15))
    assert tell() == []
    Renewal.objects.filter(pk=renewal.pk).update(confidence=40)
    assert tell() == []
    Renewal.objects.filter(pk=renewal.pk).update(outcome="renewed", ordered_on="2026-12-01", final_amount="11000.50")
    ((event, payload),) = tell()
    assert (event, payload) == (
        "renewal.decided",
        {
            "renewal": renewal.pk,
            "contract": renewal.contract.number,
            "account": {
                "id": renewal.account_id, "external_id": renewal.account.external_id, "name": renewal.account.name
            },
            "owner": "rhea.rep@example.com", "outcome": "renewed", "churn_reason": None, "due_on": "2026-12-15",
            "decision_on": "2026-12-15", "ordered_on": "2026-12-01", "declined_on": None, "currency": "EUR",
            "baseline_amount": "12000.00", "final_amount": "11000.50",
            "url": f"http://localhost:8000/renewals/{renewal.pk}/",
        },
    )  # fmt: skip
    Renewal.objects.filter(pk=renewal.pk).update(next_step="Say thanks")
    assert tell() == []
    Renewal.objects.filter(pk=renewal.pk).update(outcome="open", ordered_on=None, final_amount=None)
    assert tell() == []
    Renewal.objects.filter(pk=renewal.pk).update(outcome="lost", declined_on="2026-12-02", final_amount=0)
    ((_, payload),) = tell()
    assert payload["outcome"] == "lost"


def test_what_was_before_anybody_looked_is_not_told(cast: Cast, endpoint: WebhookEndpoint) -> None:
    renewal = make_renewal(owner=cast.rep)
    Renewal.objects.filter(pk=renewal.pk).update(outcome="lost", declined_on="2026-12-02", final_amount=0)
    assert tell() == []


def test_the_mark_moves_on_and_stays_behind_what_is_open(cast: Cast, endpoint: WebhookEndpoint) -> None:
    tell()
    WebhookMark.objects.update(told_until_at=timezone.now() - dt.timedelta(hours=1))
    before = timezone.now()
    tell()
    mark = WebhookMark.objects.get().told_until_at
    assert before - dt.timedelta(seconds=10) < mark <= timezone.now() - dt.timedelta(seconds=5)


def test_imports_and_calls_are_told(cast: Cast, endpoint: WebhookEndpoint) -> None:
    tell()
    batch = ImportBatch.objects.create(
        file_name="book.csv", content_hash="0" * 64, requested_by=cast.admin, state="importing", row_count=3
    )
    assert tell() == []
    ImportBatch.objects.update(state="done", finished_at=timezone.now(), imported_count=2, refused_count=1)
    ((event, payload),) = tell()
    assert (event, payload["file_name"], payload["imported_count"], payload["url"]) == (
        "import.done", "book.csv", 2, f"http://localhost:8000/imports/{batch.pk}/"
    )  # fmt: skip
    call = Snapshot.objects.create(
        moment=timezone.now(), as_of_on=dt.date(2026, 11, 2), reason="hand", note="Board", versions={}, rates={},
        reporting_currency="EUR", fiscal_start=1, row_count=7, open_count=5,
    )  # fmt: skip
    ((event, payload),) = tell()
    assert (event, payload["note"], payload["renewal_count"], payload["url"]) == (
        "call.frozen", "Board", 7, f"http://localhost:8000/forecast/calls/{call.pk}/"
    )  # fmt: skip
    assert tell() == []


def test_nothing_is_kept_where_nobody_listens(cast: Cast) -> None:
    tell()
    renewal = make_renewal(owner=cast.rep)
    Renewal.objects.filter(pk=renewal.pk).update(outcome="lost", declined_on="2026-12-02", final_amount=0)
    assert tell() == []
