"""One rule per column of a renewal, wherever a value comes from; messages name column, value and the way out."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet

from accounts.models import User
from renewals.models import ChurnReason, Offer, Renewal, Stage

Outcome = Renewal.Outcome
EARLIEST_ON, LATEST_ON = dt.date(1990, 1, 1), dt.date(2100, 1, 1)
# 96500, 96500.00, 96,500.00 or 96 500. A comma that is not in front of three digits is a decimal mark of another
# country: guessing would be out by a factor of a hundred.
AMOUNT = re.compile(r"[0-9]+(\.[0-9]{1,2})?|[0-9]{1,3}(,[0-9]{3})+(\.[0-9]{1,2})?|[0-9]{1,3}([ \u00a0\u202f][0-9]{3})+")
LARGEST_AMOUNT = Decimal("999999999999.99")
# In the order of their weight: an edit that moved several is told by the first.
LABELS = {
    "outcome": "Outcome",
    "stage": "Stage",
    "confidence": "Confidence",
    "forecast_amount": "Forecast",
    "offer": "Offer",
    "expected_order_on": "Expected order",
    "ordered_on": "Ordered",
    "owner": "Owner",
    "next_step": "Next step",
    "next_step_on": "Next step due",
    "churn_reason": "Churn reason",
    "final_amount": "Final amount",
}
# The input that each is typed into, in a cell, a bulk edit and the row's form.
INPUT_KINDS = {
    "outcome": "outcome",
    "stage": "choice",
    "confidence": "number",
    "forecast_amount": "amount",
    "offer": "search",
    "expected_order_on": "date",
    "ordered_on": "date",
    "owner": "search",
    "next_step": "text",
    "next_step_on": "date",
    "churn_reason": "choice",
    "final_amount": "amount",
}


@dataclass(frozen=True)
class Decision:
    """What the customer did. Blank parts take their usual values; see services.update_renewal."""

    outcome: str
    churn_reason: ChurnReason | None = None
    final_amount: Decimal | None = None
    ordered_on: dt.date | None = None


@dataclass(frozen=True)
class Editing:
    """Who writes into a cell, and on which day."""

    user: User
    as_of: dt.date


def shown(value: object, length: int = 40) -> str:
    """What somebody typed, short enough to be part of a message."""
    text = "".join(character if character.isprintable() else "�" for character in str(value))
    return text if len(text) <= length else f"{text[: length - 1]}…"


class ConfidenceField(forms.Field):
    def to_python(self, value: Any) -> int | None:
        text = str(value or "").strip().removesuffix("%").strip()
        if not text:
            return None
        if not re.fullmatch(r"[0-9]{1,3}", text) or int(text) > 100:
            raise ValidationError(f"Confidence is a whole number from 0 to 100, not “{shown(value)}”.")
        return int(text)


class AmountField(forms.Field):
    def to_python(self, value: Any) -> Decimal | None:
        text = str(value or "").strip()
        if not text:
            return None
        if re.fullmatch(r"[-−(].*", text):
            raise ValidationError(f"{self.label} is not negative: “{shown(value)}”.")
        if not AMOUNT.fullmatch(text):
            raise ValidationError(f"An amount is written 96500 or 96,500.00, not “{shown(value)}”.")
        amount = Decimal(re.sub(r"[^0-9.]", "", text))
        if amount > LARGEST_AMOUNT:
            raise ValidationError(f"“{shown(value)}” is more than an amount can be: {LARGEST_AMOUNT:,}.")
        return amount.quantize(Decimal("0.01"))


class DayField(forms.DateField):
    """A day that can belong to a contract; `latest_on` bounds it further."""

    def __init__(self, *, latest_on: dt.date = LATEST_ON, **kwargs: Any) -> None:
        self.latest_on = latest_on
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> dt.date | None:
        try:
            day = super().to_python(value)
        except ValidationError:
            raise ValidationError(f"A date is written 2026-11-05 or 05 Nov 2026, not “{shown(value)}”.") from None
        if day and day < EARLIEST_ON:
            raise ValidationError(f"{self.label}: {day:%d %b %Y} is too early; the first is {EARLIEST_ON:%d %b %Y}.")
        if day and day > self.latest_on:
            bound = "in the future" if day <= LATEST_ON else "out of range"
            raise ValidationError(f"{self.label}: {day:%d %b %Y} is {bound}; the latest is {self.latest_on:%d %b %Y}.")
        return day


class NamedField(forms.Field):
    """A row of a list, by its id as an editor sends it or by its name as people write it.

    Without `takes_ids` a number is only a name: what comes from a spreadsheet was written by people.
    """

    takes_ids = True

    def __init__(self, *, known: QuerySet[Any], noun: str, **kwargs: Any) -> None:
        self.known, self.noun = known, noun
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> Model | None:
        text = str(value or "").replace("\x00", "").strip()
        if not text:
            return None
        found = self._find(text)
        if found is None:
            raise ValidationError(f"There is no {self.noun} “{shown(value)}” that you can choose.")
        return found

    def _find(self, text: str) -> Model | None:
        if self.takes_ids and re.fullmatch(r"[0-9]{1,18}", text) and (row := self.known.filter(pk=int(text)).first()):
            return cast(Model, row)
        rows = list(self.known.filter(name__iexact=text)[:2])
        return rows[0] if len(rows) == 1 else None


def owners_for(user: User) -> QuerySet[User]:
    """To whom this user may hand a renewal: whoever is active and works renewals; for a rep, in the rep's own team."""
    owners = User.objects.filter(is_active=True).exclude(role=User.Role.VIEWER)
    if user.role == User.Role.REP:
        return owners.filter(pk=user.pk) if user.team_id is None else owners.filter(team_id=user.team_id)
    return owners


def _outcome() -> forms.Field:
    return forms.ChoiceField(
        choices=Outcome.choices, error_messages={"invalid_choice": "Outcome is open, renewed or lost, not “%(value)s”."}
    )


# Nobody's renewals are seen only by those who see the whole book, so that only an admin takes an owner away.
FIELDS: dict[str, Callable[[Editing], forms.Field]] = {
    "stage": lambda editing: NamedField(known=Stage.objects.all(), noun="stage"),
    "confidence": lambda editing: ConfidenceField(required=False),
    "forecast_amount": lambda editing: AmountField(required=False),
    "offer": lambda editing: NamedField(known=Offer.objects.filter(is_active=True), noun="offer", required=False),
    "expected_order_on": lambda editing: DayField(required=False),
    "ordered_on": lambda editing: DayField(required=False, latest_on=editing.as_of),
    "outcome": lambda editing: _outcome(),
    "owner": lambda editing: NamedField(
        known=owners_for(editing.user), noun="owner", required=not editing.user.is_admin
    ),
    "next_step": lambda editing: forms.CharField(
        required=False,
        max_length=200,
        error_messages={"max_length": "Next step has at most 200 characters, not %(show_value)d."},
    ),
    "next_step_on": lambda editing: DayField(required=False),
    # These two are written with an outcome only.
    "churn_reason": lambda editing: NamedField(
        known=ChurnReason.objects.filter(is_active=True), noun="churn reason", required=False
    ),
    "final_amount": lambda editing: AmountField(required=False),
}


def build_field(name: str, editing: Editing) -> forms.Field:
    field = FIELDS[name](editing)
    field.label = LABELS[name]
    field.error_messages["required"] = f"{LABELS[name]} cannot be blank."
    return field


class CellForm(forms.Form):
    """What an open cell sends: `value`, and `was`, the cell as its editor saw it. `cleaned_data["value"]` is what
    update_renewal takes."""

    was = forms.CharField(required=False, strip=False, max_length=400)

    def __init__(self, data: Mapping[str, Any], *, field: str, editing: Editing) -> None:
        super().__init__(data)
        self.fields["value"] = build_field(field, editing)
        if field == "outcome":
            for part in ("churn_reason", "final_amount", "ordered_on"):
                self.fields[part] = build_field(part, editing)
                self.fields[part].required = False

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        if "churn_reason" in self.fields and not self.errors:
            cleaned["value"] = self._decision(cleaned)
        return cleaned

    def _decision(self, cleaned: dict[str, Any]) -> Decision:
        """Parts that do not belong to the outcome are left out: an editor sends what was in them before."""
        match cleaned["value"]:
            case Outcome.LOST:
                if cleaned["churn_reason"] is None:
                    raise ValidationError("A lost renewal needs its churn reason.")
                return Decision(Outcome.LOST, churn_reason=cleaned["churn_reason"])
            case Outcome.RENEWED:
                if cleaned["final_amount"] == 0:
                    raise ValidationError("A renewed one has a final amount above 0; if nothing was, it is lost.")
                return Decision(Outcome.RENEWED, final_amount=cleaned["final_amount"], ordered_on=cleaned["ordered_on"])
        return Decision(Outcome.OPEN)

    @property
    def message(self) -> str:
        """All that is wrong, in one line for the cell."""
        return " ".join(str(message) for messages in self.errors.values() for message in messages)
