"""What the rows of the central table can be grouped by: one value for each row, and how it reads.

A key is an SQL expression over a renewal. Groups stand in the order of what names them, the blank one last.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, DateField, Expression, F, IntegerField, Model, OrderBy, Q, Value, When
from django.db.models.expressions import Func
from django.db.models.functions import Coalesce
from django.db.models.lookups import Exact, GreaterThan, IsNull, LessThan

from accounts.models import Industry, Segment, Team, User
from renewals.models import Offer, Renewal, RenewalQuerySet, RiskBand, Stage, TimingClass
from renewals.models.scores import HIGH_RISK_FROM, MEDIUM_RISK_FROM
from renewals.periods import month_after

Outcome = Renewal.Outcome
NO_GROUP = "none"  # the token of the group of rows that have no value
BOOKINGS = ("Churn", "Downsell", "Renewal as it was", "Upsell", "Cross-sell")


class PeriodStart(Func):
    """The first day of the month or quarter of a date; `shift` is the month of the year's quarters, 0 to 2."""

    output_field = DateField()

    def __init__(self, column: str, period: str, shift: int = 0) -> None:
        super().__init__(F(column), period=period, shift=shift)

    template = (
        "(date_trunc('%(period)s', %(expressions)s - interval '%(shift)s months') + interval '%(shift)s months')::date"
    )


@dataclass(frozen=True)
class Group:
    """`key` gives each row its value. Either `model` has the names and their order, or the value itself is the order,
    and `text` says it. `within` finds the rows of a value where an index can; the key does it elsewhere."""

    name: str
    label: str
    key: Expression | F
    blank: str
    column: str = ""
    model: type[Model] | None = None
    text: Callable[[Any], str] = str
    within: Callable[[Any], Q] | None = None

    def rows_of(self, rows: RenewalQuerySet, key: Any) -> RenewalQuerySet:
        if key is None:
            return rows.filter(IsNull(self.key, True))
        if self.within is not None:
            return rows.filter(self.within(key))
        return rows.filter(Exact(self.key, key))

    def ordering(self) -> list[OrderBy]:
        """The order of the groups over rows, as `in_order` has it."""
        if self.model is None:
            return [OrderBy(self.key, nulls_last=True)]
        return [F(f"{self.column}__{name}").asc(nulls_last=True) for name in self._names()]

    def _names(self) -> list[str]:
        assert self.model is not None
        return [str(name) for name in dict.fromkeys([*(self.model._meta.ordering or ()), "pk"])]

    def in_order(self, keys: Collection[Any]) -> list[tuple[Any, str]]:
        """The keys with their texts, each once, as the table has them one below the other."""
        known = [key for key in keys if key is not None]
        if self.model is None:
            found = [(key, self.text(key)) for key in sorted(known)]
        else:
            rows = self.model._default_manager.filter(pk__in=known).order_by(*self._names())
            found = [(row.pk, str(row)) for row in rows]
        return [*found, (None, self.blank)] if len(known) < len(keys) else found


Maker = Callable[[int], Group]  # takes the month in which the fiscal year begins


def token_of(key: Any) -> str:
    """A key as an address has it."""
    return NO_GROUP if key is None else str(key)


def _named(name: str, label: str, column: str, model: type[Model], blank: str) -> Maker:
    def within(key: Any) -> Q:
        return Q(**{column: key})

    group = Group(name, label, F(f"{column}_id"), blank, column=column, model=model, within=within)
    return lambda fiscal_month: group


def _period(name: str, label: str, column: str, months: int) -> Maker:
    def text(first: dt.date) -> str:
        return f"{first:%B %Y}" if months == 1 else f"{first:%b %Y} to {month_after(first, months - 1):%b %Y}"

    def within(first: dt.date) -> Q:
        return Q(**{f"{column}__gte": first, f"{column}__lt": month_after(first, months)})

    def make(fiscal_month: int) -> Group:
        key = PeriodStart(column, "month") if months == 1 else PeriodStart(column, "quarter", (fiscal_month - 1) % 3)
        return Group(name, label, key, "No date", text=text, within=within)

    return make


def _choices(name: str, label: str, column: str, choices: Sequence[tuple[Any, Any]], blank: str = "") -> Maker:
    """Groups in the order of the choices; a key is a place among them."""
    values, labels = [value for value, _ in choices], [str(text) for _, text in choices]

    def within(place: int) -> Q:
        return Q(**{column: values[place]})

    whens = [When(**{column: value}, then=Value(place)) for place, value in enumerate(values)]
    key = Case(*whens, output_field=IntegerField())
    group = Group(name, label, key, blank, text=labels.__getitem__, within=within)
    return lambda fiscal_month: group


def _risk() -> Group:
    bands, score = (RiskBand.HIGH, RiskBand.MEDIUM, RiskBand.LOW), "score__risk_score"
    key = Case(
        When(**{f"{score}__gte": HIGH_RISK_FROM}, then=Value(0)),
        When(**{f"{score}__gte": MEDIUM_RISK_FROM}, then=Value(1)),
        When(**{f"{score}__isnull": False}, then=Value(2)),
        output_field=IntegerField(),
    )
    return Group("risk", "Risk", key, "No risk score", text=lambda place: str(bands[place].label))


def _booking() -> Group:
    """Each row once, by what its renewal adds to or takes from the baseline: decided as it was, open as forecast.
    The split of domain section 4.2 has parts of one row in several types; that is the strip's, over rows and groups."""
    renewed, baseline = Coalesce("final_amount", "forecast_amount", "baseline_amount"), F("baseline_amount")
    key = Case(
        When(Exact(renewed, Value(0)) & Q(baseline_amount__gt=0), then=Value(BOOKINGS.index("Churn"))),
        When(cross_sell_amount__gt=0, then=Value(BOOKINGS.index("Cross-sell"))),
        When(LessThan(renewed, baseline), then=Value(BOOKINGS.index("Downsell"))),
        When(GreaterThan(renewed, baseline), then=Value(BOOKINGS.index("Upsell"))),
        default=Value(BOOKINGS.index("Renewal as it was")),
        output_field=IntegerField(),
    )
    return Group("booking", "Booking type", key, "", text=BOOKINGS.__getitem__)


def _currency() -> Group:
    return Group("currency", "Currency", F("currency"), "", within=lambda code: Q(currency=code))


TIMING = [(timing.value, timing.label) for timing in TimingClass]
GROUPS: dict[str, Maker] = {
    "owner": _named("owner", "Owner", "owner", User, "No owner"),
    "team": _named("team", "Team", "owner__team", Team, "No team"),
    "stage": _named("stage", "Stage", "stage", Stage, ""),
    "category": _choices("category", "Category", "stage__forecast_category", Stage.ForecastCategory.choices),
    "timing": _choices("timing", "Timing", "score__timing_class", TIMING, "Not scored yet"),
    "risk": lambda fiscal_month: _risk(),
    "segment": _named("segment", "Segment", "account__segment", Segment, "No segment"),
    "industry": _named("industry", "Industry", "account__industry", Industry, "No industry"),
    "offer": _named("offer", "Offer", "offer", Offer, "No offer"),
    "due_month": _period("due_month", "Month due", "due_on", 1),
    "due_quarter": _period("due_quarter", "Quarter due", "due_on", 3),
    "decision_month": _period("decision_month", "Month of decision", "decision_on", 1),
    "ordered_month": _period("ordered_month", "Month ordered", "ordered_on", 1),
    "outcome": _choices("outcome", "Outcome", "outcome", Outcome.choices),
    "booking": lambda fiscal_month: _booking(),
    "currency": lambda fiscal_month: _currency(),
}
GROUP_LABELS = {name: make(1).label for name, make in GROUPS.items()}
