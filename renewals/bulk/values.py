"""What stands in a cell of a spreadsheet, on its way into a column: read by the rule of the open cell, and compared
with what the cell held however the spreadsheet has written it since."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError

from accounts.models import User
from renewals.bulk.changes import decision_values, plain, read_decision
from renewals.bulk.rules import FIELDS
from renewals.exports.guard import unguarded
from renewals.forms import Editing, NamedField, build_field, shown
from renewals.models import Renewal

# The columns behind what a person writes: the fields, and the parts of an outcome.
COLUMNS = {**FIELDS, "churn_reason": "churn_reason_id", "final_amount": "final_amount"}
OUTCOMES = {str(label).casefold(): str(value) for value, label in Renewal.Outcome.choices}
# How spreadsheets write a day that was 2026-11-05 before: only to know again what was not touched.
DAY_SHAPES = (
    *("%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%Y/%m/%d", "%d/%m/%y", "%m/%d/%y"),
    *("%d-%b-%y", "%d-%b-%Y", "%d %b %Y"),
)
PLAIN_NUMBER = re.compile(r"[0-9]{1,15}(\.[0-9]{1,9})?")
TWO_WAYS = re.compile(r"\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}")
LONG_FRACTION = re.compile(r"[0-9]+\.[0-9]{4,}")  # a spreadsheet's product; three digits might be thousands


class Values:
    """Reads cells for one person on one day; what is read often is read once."""

    def __init__(self, user: User, as_of: dt.date) -> None:
        self._editing = Editing(user, as_of)
        self._fields = {name: build_field(name, self._editing) for name in COLUMNS}
        for field in self._fields.values():
            if isinstance(field, NamedField):
                field.takes_ids = False
        self._found: dict[tuple[str, str], str | ValidationError | None] = {}

    def read(self, name: str, text: str) -> str | None:
        """The cell as its column holds it; NULL as None. Raises ValidationError."""
        key = (name, unguarded(text).strip())
        if key not in self._found:
            self._found[key] = self._read(*key)
        found = self._found[key]
        if isinstance(found, ValidationError):
            raise found
        return found

    def _read(self, name: str, text: str) -> str | ValidationError | None:
        try:
            return as_text(self._fields[name].clean(unambiguous(name, text)))
        except ValidationError as error:
            return error

    def decide(self, outcome: str, parts: Mapping[str, str]) -> dict[str, str | None]:
        """The columns of what the customer decided, from the outcome's name and its parts. Raises ValidationError."""
        code = OUTCOMES.get(outcome.strip().casefold(), outcome)
        texts = {name: unambiguous(name, unguarded(text).strip()) for name, text in parts.items()}
        decision = read_decision(code, texts, self._editing)
        return {column: as_text(value) for column, value in decision_values(decision).items()}


def is_same(name: str, text: str, was: str) -> bool:
    """Whether a day or an amount is the one that was there, in another writing. `was` as its column holds it."""
    if was and name.endswith("_amount"):
        return bool(PLAIN_NUMBER.fullmatch(text)) and Decimal(text) == Decimal(was)
    if was and name.endswith("_on"):
        day = dt.date.fromisoformat(was)
        written = [day.strftime(shape) for shape in DAY_SHAPES]
        return text in written or text in [one.replace("/0", "/").lstrip("0") for one in written]
    return False


def stored(column: str, text: str) -> str | None:
    """A value of a state as the column holds it: blank is NULL, but for a text."""
    return text if text or column == "next_step" else None


def as_text(value: Any) -> str | None:
    value = plain(value)
    return None if value is None else str(value)


def unambiguous(name: str, text: str) -> str:
    """Refuses a day that reads in two ways, rounds an amount that a spreadsheet computed. Raises ValidationError."""
    if name.endswith("_on") and TWO_WAYS.fullmatch(text):
        raise ValidationError(
            f"Write the day as 2026-11-05: “{shown(text)}” reads differently from country to country."
        )
    if name.endswith("_amount") and LONG_FRACTION.fullmatch(text):
        return str(Decimal(text).quantize(Decimal("0.01")))
    return text
