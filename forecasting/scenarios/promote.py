"""From what if to what is: the part of a scenario that people write becomes a bulk edit, with its dry run and its undo.

Likelihood is the model's word, tolerances are a policy's, and a due date comes with its contract: none of them is a
cell that anybody writes, so none of them is promoted.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import numpy as np
from django.core.exceptions import ValidationError
from django.db import connection

from forecasting.engine.arrays import NO_DAY, NO_ID, Integers
from forecasting.frames import Arrays, Column, copy_out
from forecasting.frames.book import MISSING
from forecasting.frames.rules import EPOCH
from forecasting.scenarios.apply import apply_shifts, lifted_amounts
from forecasting.scenarios.draft import Card, Reader, chosen_rows
from forecasting.scenarios.shifts import Kind, Shift
from renewals.bulk.selection import SelectionUnreadable
from renewals.bulk.services import plan_values
from renewals.forms import Editing, build_field
from renewals.models import BulkEdit, Renewal

REFUSED: Final = {
    Kind.LIKELIHOOD: "Nobody writes a likelihood: the model judges each renewal. A rep’s own word is the confidence.",
    Kind.DUE: "A due date comes with its contract: it changes by an import, or where the contract is changed.",
    Kind.TOLERANCES: "Tolerances belong to a timing policy, which an admin changes under Rules.",
}
# The columns of a renewal that a shift writes, and those of the book that they are in.
WRITTEN: Final = {"forecast_amount": "forecast", "expected_order_on": "expected", "owner_id": "owner_id"}
BLANKS: Final = {"forecast_amount": MISSING, "expected_order_on": NO_DAY, "owner_id": NO_ID}


@dataclass(frozen=True)
class Promotion:
    """`values` as bulk.services.plan_values takes them; `taken` and `left` are the shifts that do and do not come with
    them, the latter with the reason."""

    values: Sequence[Mapping[str, Any]]
    not_yours_count: int
    taken: Sequence[Card]
    left: Sequence[tuple[Card, str]]


def read_promotion(cards: Sequence[Card], reader: Reader) -> Promotion:
    """What would be written for the renewals that the reader may edit. Nothing is."""
    taken: list[Card] = []
    left: list[tuple[Card, str]] = []
    shifts = []
    for card in cards:
        try:
            shift = _promotable(card, reader)
            shifts.append((shift, chosen_rows(card, shift.rows, reader)))
            taken.append(card)
        except (ValidationError, SelectionUnreadable) as refused:
            left.append((card, " ".join(getattr(refused, "messages", [str(refused)]))))
    after = _written(apply_shifts(reader.book, shifts).rows)
    is_changed = np.logical_or.reduce([after[name] != reader.book.rows[name] for name in WRITTEN.values()])
    ids = reader.book.rows["id"]
    is_editable = np.isin(ids, _editable_ids(reader), assume_unique=True)
    places = np.flatnonzero(is_changed & is_editable)
    return Promotion(_values(reader, after, places), int(np.count_nonzero(is_changed & ~is_editable)), taken, left)


def promote(*, name: str, promotion: Promotion, reader: Reader) -> BulkEdit:
    """A bulk edit of what can be promoted, which waits for its requester's yes."""
    words = "; ".join(card.words for card in promotion.taken)
    return plan_values(
        values=promotion.values,
        description=f"Scenario “{name}”: {words}",
        user=reader.user,
        not_yours_count=promotion.not_yours_count,
    )


def _promotable(card: Card, reader: Reader) -> Shift:
    """Raises ValidationError with the reason why it cannot be promoted."""
    if card.shift is None:
        raise ValidationError(card.problem)
    if card.kind in REFUSED:
        raise ValidationError(REFUSED[card.kind])
    if card.kind == Kind.OWNER and card.shift.values["owner"]:
        build_field("owner", Editing(reader.user, reader.company.today())).clean(card.shift.values["owner"])
    return card.shift


def _editable_ids(reader: Reader) -> Integers:
    rows = Renewal.objects.editable_by(reader.user).open().order_by().values("pk")
    sql, params = rows.query.sql_with_params()
    with connection.cursor() as cursor:
        ids: Integers = copy_out(cursor, [Column("id", "int8", "own.id")], f"({sql}) AS own (id)", params)["id"]
    return ids


def _written(rows: Arrays) -> Arrays:
    """The columns as they would be written: an uplift becomes the forecast amount, up to its contract's ceiling."""
    if "uplift" not in rows:
        return rows
    where = np.flatnonzero(rows["uplift"] != 1)
    _, lifted, limit = lifted_amounts(rows, where)
    forecast = rows["forecast"].copy()
    forecast[where] = np.minimum(lifted, limit)
    return {**rows, "forecast": forecast}


def _values(reader: Reader, after: Mapping[str, Any], places: Integers) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [
        {"renewal_id": pk, "given": {}, "seen_before": {}} for pk in reader.book.rows["id"][places].tolist()
    ]
    for column, name in WRITTEN.items():
        before, now = reader.book.rows[name][places], after[name][places]
        for at in np.flatnonzero(before != now).tolist():
            rows[at]["given"][column] = _text(column, int(now[at]))
            rows[at]["seen_before"][column] = _text(column, int(before[at]))
    return rows


def _text(column: str, value: int) -> str | None:
    """As the column writes it; NULL where it is blank."""
    if value == BLANKS[column]:
        return None
    match column:
        case "forecast_amount":
            return f"{Decimal(value) / 100:.2f}"
        case "expected_order_on":
            return str(EPOCH + dt.timedelta(days=value))
    return str(value)
