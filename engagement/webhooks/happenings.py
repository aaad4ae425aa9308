"""What happened since it was last looked for: decided renewals, frozen calls, imports that are done.

Looked for in what the database keeps and not announced by those who write, so that no way of writing is left out: a
cell, a bulk edit, a file, an undo. A moment is left behind only once no open transaction can still write before it;
what is read twice until then is told once, by its key.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.urls import reverse

from engagement.models import Event, WebhookMark
from engagement.webhooks.outbox import Told, is_told, queue_deliveries
from forecasting.as_at.moments import SETTLED, SETTLED_AFTER_SECONDS
from forecasting.models import Snapshot
from renewals.models import ImportBatch, Renewal

AT_ONCE = 1000
# A history row holds its renewal as it was before: the newest that was still open is the decision.
DECIDED = """
    SELECT pgh_obj_id, max(pgh_id), max(pgh_created_at)
    FROM renewals_renewalevent
    WHERE pgh_created_at >= %s AND pgh_label = 'before_update' AND outcome = 'open'
    GROUP BY pgh_obj_id ORDER BY 2
"""
COLUMNS = (
    "pk", "account_id", "account__name", "account__external_id", "contract__number", "outcome", "due_on", "decision_on",
    "ordered_on", "declined_on", "currency", "baseline_amount", "final_amount", "churn_reason__name", "owner__email",
)  # fmt: skip


def tell_happenings(*, now: dt.datetime) -> None:
    """Queue deliveries of what happened since the last call, for whoever chose it; with the mark, or not at all."""
    with transaction.atomic():
        WebhookMark.objects.bulk_create([WebhookMark(pk=1, told_until_at=now)], ignore_conflicts=True)
        mark = WebhookMark.objects.select_for_update().get(pk=1)
        settled_at = _settled(now)
        for event, found in (
            (Event.RENEWAL_DECIDED, _decided),
            (Event.CALL_FROZEN, _frozen),
            (Event.IMPORT_DONE, _imported),
        ):
            if is_told(event):
                for some in _by_parts(found(mark.told_until_at)):
                    queue_deliveries(told=some)
        if settled_at > mark.told_until_at:
            mark.told_until_at = settled_at
            mark.save(update_fields=["told_until_at"])


def _settled(now: dt.datetime) -> dt.datetime:
    with connection.cursor() as cursor:
        cursor.execute(SETTLED, [now - dt.timedelta(seconds=SETTLED_AFTER_SECONDS)])
        moment: dt.datetime = cursor.fetchone()[0]
    return moment


def _by_parts(told: Iterable[Told]) -> Iterator[list[Told]]:
    part: list[Told] = []
    for each in told:
        part.append(each)
        if len(part) == AT_ONCE:
            yield part
            part = []
    if part:
        yield part


def _decided(since: dt.datetime) -> Iterator[Told]:
    with connection.cursor() as cursor:
        cursor.execute(DECIDED, [since])
        changed = cursor.fetchall()
    for first in range(0, len(changed), AT_ONCE):
        some = changed[first : first + AT_ONCE]
        decided = Renewal.objects.exclude(outcome=Renewal.Outcome.OPEN)
        rows = {row["pk"]: row for row in decided.filter(pk__in=[pk for pk, _, _ in some]).values(*COLUMNS)}
        for pk, event_id, at in some:
            if pk in rows:
                yield Told(Event.RENEWAL_DECIDED, _renewal(rows[pk]), f"renewal.decided:{pk}:{event_id}", at)


def _renewal(row: dict[str, Any]) -> dict[str, Any]:
    """Amounts as text, so that no reader makes floats of them; dates as ISO 8601."""
    return {
        "renewal": row["pk"],
        "contract": row["contract__number"],
        "account": {"id": row["account_id"], "external_id": row["account__external_id"], "name": row["account__name"]},
        "owner": row["owner__email"],
        "outcome": row["outcome"],
        "churn_reason": row["churn_reason__name"],
        "due_on": row["due_on"].isoformat(),
        "decision_on": row["decision_on"].isoformat(),
        "ordered_on": row["ordered_on"] and row["ordered_on"].isoformat(),
        "declined_on": row["declined_on"] and row["declined_on"].isoformat(),
        "currency": row["currency"],
        "baseline_amount": str(row["baseline_amount"]),
        "final_amount": None if row["final_amount"] is None else str(row["final_amount"]),
        "url": _url("renewals:row", row["pk"]),
    }


def _frozen(since: dt.datetime) -> Iterator[Told]:
    for call in Snapshot.objects.filter(made_at__gte=since).order_by("pk"):
        payload = {
            "call": call.pk,
            "reason": call.reason,
            "moment": call.moment.isoformat(),
            "as_of_on": call.as_of_on.isoformat(),
            "is_late": call.is_late,
            "note": call.note,
            "renewal_count": call.row_count,
            "open_count": call.open_count,
            "url": _url("forecasting:call", call.pk),
        }
        yield Told(Event.CALL_FROZEN, payload, f"call.frozen:{call.pk}", call.made_at)


def _imported(since: dt.datetime) -> Iterator[Told]:
    done = ImportBatch.objects.filter(state=ImportBatch.State.DONE, finished_at__gte=since)
    for batch in done.select_related("requested_by").order_by("pk"):
        payload = {
            "import": batch.pk,
            "file_name": batch.file_name,
            "mapping": batch.mapping_name,
            "requested_by": batch.requested_by.email if batch.requested_by else None,
            "row_count": batch.row_count,
            "imported_count": batch.imported_count,
            "refused_count": batch.refused_count,
            "result": batch.result,
            "url": _url("imports:batch", batch.pk),
        }
        yield Told(Event.IMPORT_DONE, payload, f"import.done:{batch.pk}", batch.finished_at)


def _url(name: str, pk: int) -> str:
    return f"{settings.SITE_URL}{reverse(name, args=[pk])}"
