"""The edit of one cell."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Model, Q

from accounts.models import User
from accounts.templatetags.money import money
from config.history import recorded_as
from renewals.access import lock_editable_renewal
from renewals.forms import LABELS, Decision, shown
from renewals.models import Renewal, Stage
from renewals.scoring import scoring
from renewals.table.columns import DATE, outcome_text

Outcome = Renewal.Outcome
NOBODY = "nothing"
# The columns that history keeps, under the names by which rows and events hold them.
KEPT = tuple(
    field.attname
    for field in Renewal._meta.concrete_fields
    if field.name not in {"id", "created_at", "updated_at", "decision_on"}
)
# The columns behind a cell: what an edit of it compares with what its editor saw.
BEHIND = {"outcome": ("outcome", "churn_reason_id", "final_amount")}


@dataclass(frozen=True)
class Change:
    """What a write did; `batch_id` is its step in history, None where nothing changed."""

    renewal: Renewal
    label: str = ""
    moved: str = ""
    batch_id: uuid.UUID | None = None

    def told_of(self, account: object) -> str:
        """What a toast says: Forecast of Halden Biotech: 96,500 → 108,500. Blank where nothing changed."""
        return f"{self.label} of {account}: {self.moved}" if self.batch_id else ""

    @property
    def text(self) -> str:
        """The same, where the account's name is not at hand: one query."""
        return self.told_of(self.renewal.account) if self.batch_id else ""


@dataclass(frozen=True)
class Author:
    name: str
    at: dt.datetime | None


class StaleRenewal(Exception):
    """Somebody changed the same field since the editor saw it. Nothing was written."""

    def __init__(self, *, field: str, theirs: str, theirs_value: str, author: Author) -> None:
        super().__init__(f"{LABELS.get(field, field)} is now {theirs}.")
        self.field, self.theirs, self.theirs_value, self.author = field, theirs, theirs_value, author


def update_renewal(*, renewal_id: int, field: str, value: Any, seen: str, user: User, as_of: dt.date) -> Change:
    """Write one field and what follows from it, and score the row anew, in one transaction.

    `value` is what forms.CellForm cleaned; `seen` is the cell as the editor saw it (`cell_value`). Only this field is
    compared, so two people on different fields never meet. Writing what is already there changes nothing, so that a
    request sent twice is one edit.

    Raises:
        StaleRenewal: the field is no longer what the editor saw.
        Http404: the user may not know of the row as it is now.
        PermissionDenied: the user may not edit the row as it is now.
    """
    # The step ends after the transaction, which then has nothing to forget.
    with recorded_as(user_id=user.pk, how="cell") as batch_id, transaction.atomic():
        renewal = lock_editable_renewal(user, renewal_id)
        theirs_value, theirs = cell_value(renewal, field), cell_text(renewal, field)
        before = {column: getattr(renewal, column) for column in KEPT}
        ASSIGN[field](renewal, value, as_of)
        changed = [column for column in KEPT if getattr(renewal, column) != before[column]]
        if not changed:
            return Change(renewal)
        if theirs_value != seen:
            author = _author_of(renewal_id, {column: before[column] for column in BEHIND.get(field, (_column(field),))})
            raise StaleRenewal(field=field, theirs=theirs, theirs_value=theirs_value, author=author)
        renewal.save(update_fields=[_field(column) for column in changed] + ["updated_at"])
        scoring().score_renewals([renewal.pk], as_of=as_of)
    moved = " → ".join(shown(text or NOBODY, 60) for text in (theirs, cell_text(renewal, field)))
    return Change(renewal, LABELS[field], moved, batch_id)


def _author_of(renewal_id: int, now: Mapping[str, Any]) -> Author:
    """Who made these columns what they are now: the newest event in which one of them was something else."""
    differs = Q()
    for column, value in now.items():
        differs |= Q(**{f"{column}__isnull": False}) if value is None else ~Q(**{column: value})
    events = Renewal(pk=renewal_id).events.filter(differs).order_by("-pgh_id")  # type: ignore[attr-defined]
    event = events.values("pgh_created_at", "pgh_context").first()
    if event is None:
        return Author("Somebody", None)
    user_id = (event["pgh_context"] or {}).get("user")
    name = User.objects.filter(pk=user_id).values_list("name", flat=True).first() if user_id else None
    return Author(name or "Somebody", event["pgh_created_at"])


def _column(field: str) -> str:
    return f"{field}_id" if f"{field}_id" in KEPT else field


def _field(column: str) -> str:
    return column.removesuffix("_id")


# What a cell holds, as its editor sends it back and as people read it.


def cell_value(renewal: Renewal, field: str) -> str:
    if field == "outcome":
        return outcome_text(renewal.outcome, renewal.churn_reason_id, renewal.final_amount)
    value = getattr(renewal, _column(field))
    return "" if value is None else str(value)


def cell_text(renewal: Renewal, field: str) -> str:
    value = getattr(renewal, field)
    match value:
        case None:
            return ""
        case dt.date():
            return value.strftime(DATE)
        case Decimal():
            return money(value)
    if field == "confidence":
        return f"{value}%"
    if field == "outcome":
        reason = f" ({renewal.churn_reason})" if renewal.churn_reason else ""
        return f"{Outcome(value).label}{reason}"
    return str(value)


# What follows from writing a field. A human's word is never overwritten; writing what was there has no effect.


def _set_stage(renewal: Renewal, stage: Stage, as_of: dt.date) -> None:
    if renewal.stage_id == stage.pk:
        return
    renewal.stage = stage
    if renewal.confidence is None:
        renewal.confidence = stage.default_confidence


def _set_forecast(renewal: Renewal, amount: Decimal | None, as_of: dt.date) -> None:
    renewal.forecast_amount = amount
    if renewal.outcome == Outcome.OPEN and amount is not None:
        renewal.cross_sell_amount = min(renewal.cross_sell_amount, amount)


def _set_ordered_on(renewal: Renewal, ordered_on: dt.date | None, as_of: dt.date) -> None:
    if ordered_on is not None:
        _set_outcome(renewal, Decision(Outcome.RENEWED, ordered_on=ordered_on), as_of)
    elif renewal.ordered_on is not None:
        _set_outcome(renewal, Decision(Outcome.OPEN), as_of)


def _set_outcome(renewal: Renewal, decision: Decision, as_of: dt.date) -> None:
    was = renewal.outcome
    renewal.outcome = decision.outcome
    renewal.churn_reason = decision.churn_reason
    match decision.outcome:
        case Outcome.OPEN:
            renewal.ordered_on = renewal.declined_on = renewal.final_amount = None
        case Outcome.LOST:
            renewal.ordered_on, renewal.final_amount, renewal.cross_sell_amount = None, Decimal(0), Decimal(0)
            if was != Outcome.LOST:
                renewal.declined_on = as_of
        case Outcome.RENEWED:
            kept = renewal.final_amount if was == Outcome.RENEWED else None
            renewal.final_amount = decision.final_amount or kept or renewal.forecast_amount or renewal.baseline_amount
            renewal.ordered_on = decision.ordered_on or renewal.ordered_on or as_of
            renewal.declined_on = None
            # A part is never more than the whole.
            renewal.cross_sell_amount = min(renewal.cross_sell_amount, renewal.final_amount)


def _set(field: str) -> Callable[[Renewal, Any, dt.date], None]:
    def assign(renewal: Renewal, value: str | int | dt.date | Model | None, as_of: dt.date) -> None:
        setattr(renewal, field, value)

    return assign


ASSIGN: dict[str, Callable[[Renewal, Any, dt.date], None]] = {
    "stage": _set_stage,
    "confidence": _set("confidence"),
    "forecast_amount": _set_forecast,
    "offer": _set("offer"),
    "expected_order_on": _set("expected_order_on"),
    "ordered_on": _set_ordered_on,
    "outcome": _set_outcome,
    "owner": _set("owner"),
    "next_step": _set("next_step"),
    "next_step_on": _set("next_step_on"),
}
