"""Where the story of an account comes from. To tell of more, add a source; the first in the list stands first in a day.

Of renewals, and of what is written beside them, a reader is told what they see (Renewal.visible_to).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.urls import reverse

from accounts.models import Invoice, Ticket, Touch
from accounts.models.tickets import SEVERE
from accounts.templatetags.money import money
from accounts.touches.reading import ICONS as TOUCH_ICONS
from engagement.account_page.measures import changes_of_signals
from engagement.account_page.timeline import Behind, Detail, Item, Source, Story
from renewals.history.kinds import ACCOUNT, CONTRACT, RENEWAL, Kind
from renewals.history.reading import describe, load_events
from renewals.models import Contract, Note, Renewal
from renewals.table.columns import DATE

Places = list[tuple[dt.datetime, int]]


def _places(query: str, params: Sequence[Any], behind: Behind, limit: int) -> Places:
    """`query` gives `at` and `id`; what comes behind is cut off it, newest first."""
    condition, values = behind.sql("at", "id")
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT at, id FROM ({query}) found WHERE {condition} ORDER BY at DESC, id DESC LIMIT %s",
            [*params, *values, limit],
        )
        return list(cursor.fetchall())


def _rows(queryset: QuerySet[Any]) -> tuple[str, tuple[Any, ...]]:
    """SQL of a queryset and its parameters."""
    sql, params = queryset.query.sql_with_params()
    return sql, params


def _find_touches(story: Story, behind: Behind, limit: int) -> Places:
    query = f"SELECT happened_at AS at, id FROM {Touch._meta.db_table} WHERE account_id = %s"
    return _places(query, [story.account.pk], behind, limit)


def _load_touches(story: Story, ids: Sequence[int]) -> dict[int, Item]:
    touches = Touch.objects.filter(pk__in=ids).select_related("author", "contact")
    return {touch.pk: _touch_item(touch) for touch in touches}


def _touch_item(touch: Touch) -> Item:
    title = f"{touch.get_kind_display()} with {touch.contact.name}" if touch.contact else touch.get_kind_display()
    agreed = [Detail("Next touch", "", f"{touch.next_touch_on:{DATE}}")] if touch.next_touch_on else []
    return Item(
        touch.happened_at, "touch", TOUCH_ICONS[touch.kind], title, tone="info",
        who=str(touch.author or ""), text=touch.note, details=agreed,
    )  # fmt: skip


def _renewals(story: Story) -> QuerySet[Renewal]:
    return Renewal.objects.visible_to(story.user).filter(account=story.account).order_by()


def _find_notes(story: Story, behind: Behind, limit: int) -> Places:
    sql, params = _rows(_renewals(story).values("id"))
    query = f"SELECT made_at AS at, id FROM {Note._meta.db_table} WHERE renewal_id IN ({sql})"
    return _places(query, params, behind, limit)


def _load_notes(story: Story, ids: Sequence[int]) -> dict[int, Item]:
    notes = Note.objects.filter(pk__in=ids).select_related("author", "renewal__contract")
    return {
        note.pk: Item(
            note.made_at, "note", "notes", f"Note on {note.renewal.contract.number}", who=str(note.author),
            text=note.text, url=f"{reverse('renewals:row', args=[note.renewal_id])}#note-{note.pk}",
        )
        for note in notes
    }  # fmt: skip


def _find_decisions(story: Story, behind: Behind, limit: int) -> Places:
    """A renewal is decided on the day of its order, or on the one that the customer declined or let it end."""
    decided = _renewals(story).exclude(outcome=Renewal.Outcome.OPEN)
    sql, params = _rows(decided.values("id", "ordered_on", "declined_on", "due_on"))
    query = f"""
        SELECT coalesce(ordered_on, declined_on, due_on)::timestamp AT TIME ZONE %s AS at, id FROM ({sql}) decided
    """
    return _places(query, [story.zone.key, *params], behind, limit)


def _load_decisions(story: Story, ids: Sequence[int]) -> dict[int, Item]:
    rows = Renewal.objects.filter(pk__in=ids).select_related("contract", "churn_reason", "owner")
    return {row.pk: _decision_item(story, row) for row in rows}


def _decision_item(story: Story, row: Renewal) -> Item:
    is_won = row.outcome == Renewal.Outcome.RENEWED
    item = Item(
        story.midnight(row.ordered_on or row.declined_on or row.due_on), "decision",
        "circle-check" if is_won else "circle-x", f"{row.get_outcome_display()}: {row.contract.number}",
        tone="good" if is_won else "bad", who=str(row.owner or ""), url=reverse("renewals:row", args=[row.pk]),
        is_day=True,
    )  # fmt: skip
    before, after = money(row.baseline_amount, row.currency), money(row.final_amount, row.currency)
    item.details = [Detail("Recurring", before, after)]
    if row.churn_reason:
        item.details = [*item.details, Detail("Reason", "", str(row.churn_reason))]
    return item


def _find_contracts(story: Story, behind: Behind, limit: int) -> Places:
    visible = Contract.objects.visible_to(story.user).filter(account=story.account).order_by()
    sql, params = _rows(visible.values("id", "starts_on"))
    query = f"SELECT starts_on::timestamp AT TIME ZONE %s AS at, id FROM ({sql}) visible"
    return _places(query, [story.zone.key, *params], behind, limit)


def _load_contracts(story: Story, ids: Sequence[int]) -> dict[int, Item]:
    return {
        contract.pk: Item(
            story.midnight(contract.starts_on), "contract", "file", f"Contract {contract.number} begins",
            text=contract.product, is_day=True,
            details=[
                Detail("Ends", "", f"{contract.ends_on:{DATE}}"),
                Detail("Recurring, a year", "", money(contract.recurring_amount, contract.currency)),
            ],
        )
        for contract in Contract.objects.filter(pk__in=ids)
    }  # fmt: skip


def _find_tickets(story: Story, behind: Behind, limit: int) -> Places:
    query = f"SELECT opened_on::timestamp AT TIME ZONE %s AS at, id FROM {Ticket._meta.db_table} WHERE account_id = %s"
    return _places(query, [story.zone.key, story.account.pk], behind, limit)


def _load_tickets(story: Story, ids: Sequence[int]) -> dict[int, Item]:
    return {ticket.pk: _ticket_item(story, ticket) for ticket in Ticket.objects.filter(pk__in=ids)}


def _ticket_item(story: Story, ticket: Ticket) -> Item:
    is_severe = ticket.severity in SEVERE
    resolved = f"{ticket.resolved_on:{DATE}}" if ticket.resolved_on else "not yet"
    details = [
        Detail("Severity", "", ticket.get_severity_display()),
        Detail("Category", "", ticket.get_category_display()),
        Detail("Resolved", "", resolved),
    ]
    if ticket.reopened_count:
        details.append(Detail("Reopened", "", f"{ticket.reopened_count} times"))
    if ticket.satisfaction_score is not None:
        details.append(Detail("Satisfaction, 1 to 5", "", f"{ticket.satisfaction_score:g}"))
    return Item(
        story.midnight(ticket.opened_on), "ticket", "help", f"Ticket {ticket.external_id}", who=ticket.reporter,
        text=ticket.subject, tone="bad" if is_severe and ticket.is_open else "quiet", details=details, is_day=True,
    )  # fmt: skip


def _find_payments(story: Story, behind: Behind, limit: int) -> Places:
    """Invoices that were not simply paid in time: settled late, failed, disputed or charged back."""
    query = f"""
        SELECT coalesce(settled_on, due_on)::timestamp AT TIME ZONE %s AS at, id FROM {Invoice._meta.db_table}
        WHERE account_id = %s AND (settled_on > due_on OR has_failed OR is_disputed OR is_charged_back)
    """
    return _places(query, [story.zone.key, story.account.pk], behind, limit)


def _load_payments(story: Story, ids: Sequence[int]) -> dict[int, Item]:
    return {invoice.pk: _payment_item(story, invoice) for invoice in Invoice.objects.filter(pk__in=ids)}


def _payment_item(story: Story, invoice: Invoice) -> Item:
    marks = {"failed": invoice.has_failed, "disputed": invoice.is_disputed, "charged back": invoice.is_charged_back}
    said = [word for word, holds in marks.items() if holds]
    late_days = (invoice.settled_on - invoice.due_on).days if invoice.settled_on else 0
    if late_days > 0:
        said.append(f"settled {late_days} day{'' if late_days == 1 else 's'} late")
    return Item(
        story.midnight(invoice.settled_on or invoice.due_on), "payment", "coin",
        f"Invoice {invoice.external_id}: {', '.join(said)}", is_day=True,
        tone="bad" if any(marks.values()) else "quiet",
        details=[
            Detail("Amount", "", money(invoice.amount, invoice.currency)),
            Detail("Due", "", f"{invoice.due_on:{DATE}}"),
        ],
    )  # fmt: skip


def _find_signals(story: Story, behind: Behind, limit: int) -> Places:
    """Only what moved: a signal that is measured each day and stays the same is no event."""
    places = [(story.midnight(change.measured_on), change.id) for change in changes_of_signals(story.account.pk)]
    last = behind.below_id
    kept = [
        (at, pk) for at, pk in places if at < behind.at or (at == behind.at and (last is None or pk < last))
    ]  # fmt: skip
    return sorted(kept, reverse=True)[:limit]


def _load_signals(story: Story, ids: Sequence[int]) -> dict[int, Item]:
    wanted = set(ids)
    return {
        change.id: Item(
            story.midnight(change.measured_on), "signal", "heartbeat", "Signals moved", tone=change.tone, is_day=True,
            details=[Detail(part.label, part.old, part.new) for part in change.parts],
        )
        for change in changes_of_signals(story.account.pk)
        if change.id in wanted
    }  # fmt: skip


def _find_changes(kind: Kind, sql: str, params: Sequence[Any], behind: Behind, limit: int) -> Places:
    query = f"""
        SELECT pgh_created_at AS at, pgh_id AS id FROM {kind.event_table}
        WHERE pgh_label = 'before_update' AND pgh_obj_id IN ({sql})
    """
    return _places(query, params, behind, limit)


def _load_changes(kind: Kind, ids: Sequence[int]) -> dict[int, Item]:
    events = load_events(kind, "e.pgh_id = ANY(%s)", [list(ids)])
    found = {}
    for event, entry in zip(events, describe(events, only=None), strict=True):
        is_renewal = kind == RENEWAL
        found[event.id] = Item(
            entry.at, kind.code, "history", entry.row if kind != ACCOUNT else "Account changed",
            who=entry.who, text=entry.batch_text,
            url=reverse("renewals:row", args=[event.object_id]) if is_renewal else "",
            details=[Detail(change.label, change.old, change.new) for change in entry.changes],
        )  # fmt: skip
    return found


def _find_renewal_changes(story: Story, behind: Behind, limit: int) -> Places:
    return _find_changes(RENEWAL, *_rows(_renewals(story).values("id")), behind, limit)


def _find_account_changes(story: Story, behind: Behind, limit: int) -> Places:
    return _find_changes(ACCOUNT, "SELECT %s::bigint", [story.account.pk], behind, limit)


def _find_contract_changes(story: Story, behind: Behind, limit: int) -> Places:
    visible = Contract.objects.visible_to(story.user).filter(account=story.account).order_by()
    return _find_changes(CONTRACT, *_rows(visible.values("id")), behind, limit)


SOURCES = (
    Source("decision", "Decisions", _find_decisions, _load_decisions),
    Source("contract", "Contracts", _find_contracts, _load_contracts),
    Source("touch", "Touches", _find_touches, _load_touches),
    Source("note", "Notes", _find_notes, _load_notes),
    Source("ticket", "Tickets", _find_tickets, _load_tickets),
    Source("payment", "Payments", _find_payments, _load_payments),
    Source("signal", "Signals", _find_signals, _load_signals),
    Source("change", "Changes", _find_renewal_changes, lambda story, ids: _load_changes(RENEWAL, ids)),
    Source("account", "Of the account", _find_account_changes, lambda story, ids: _load_changes(ACCOUNT, ids)),
    Source("terms", "Of the contracts", _find_contract_changes, lambda story, ids: _load_changes(CONTRACT, ids)),
)
