"""What the rows of the central table can be grouped by: one value for each row, and how it reads.

A key is an SQL expression over a renewal. Groups stand in the order of what names them, the blank one last. Which of
them there are is found one after another, as far as a page goes, and without counting any.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from django.db.models import (
    Case,
    DateField,
    Expression,
    F,
    IntegerField,
    Model,
    OrderBy,
    OuterRef,
    Q,
    Subquery,
    Value,
    When,
)
from django.db.models.expressions import Func
from django.db.models.functions import Coalesce
from django.db.models.lookups import Exact, GreaterThan, IsNull, LessThan

from accounts.models import Industry, Segment, Team, User
from renewals.models import Offer, Renewal, RenewalQuerySet, RiskBand, Stage, TimingClass
from renewals.models.scores import HIGH_RISK_FROM, MEDIUM_RISK_FROM
from renewals.periods import month_after, quarter_start
from renewals.table.paging import Slices

Outcome = Renewal.Outcome
# The outcome that a timing class implies: it lets the database find the few overdue ones among years of decided rows.
OUTCOME_OF = {
    **dict.fromkeys(
        (TimingClass.UPCOMING, TimingClass.IN_WINDOW, TimingClass.OVERDUE, TimingClass.LAPSED), Outcome.OPEN
    ),
    **dict.fromkeys((TimingClass.EARLY, TimingClass.ON_TIME, TimingClass.LATE, TimingClass.WIN_BACK), Outcome.RENEWED),
    TimingClass.LOST: Outcome.LOST,
}
RISK_RANGES = {
    RiskBand.LOW: Q(score__risk_score__lt=MEDIUM_RISK_FROM),
    RiskBand.MEDIUM: Q(score__risk_score__gte=MEDIUM_RISK_FROM, score__risk_score__lt=HIGH_RISK_FROM),
    RiskBand.HIGH: Q(score__risk_score__gte=HIGH_RISK_FROM),
}
NO_GROUP = "none"  # the token of the group of rows that have no value
FEW = 1000  # rows: so many are read as a whole sooner than group after group is asked whether it has any


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
    and `text` says it. `within` finds the rows of a value where an index can, `without` those that have none; the key
    does it elsewhere. `values` gives the values that there can be, in order, one after another. `outcomes` are those
    that the rows of a value have, where not all of them. `is_narrow`: a value has so few rows that one looks before
    reading them in another order."""

    name: str
    label: str
    key: Expression | F
    blank: str
    column: str = ""
    model: type[Model] | None = None
    text: Callable[[Any], str] = str
    within: Callable[[Any], Q] | None = None
    without: Q | None = None
    values: Callable[[RenewalQuerySet, Sequence[str]], Iterator[Any]] | None = None
    outcomes: Callable[[Any], Collection[str]] | None = None
    is_narrow: bool = False

    def rows_of(self, rows: RenewalQuerySet, key: Any) -> RenewalQuerySet:
        if key is None:
            return rows.filter(IsNull(self.key, True) if self.without is None else self.without)
        if self.within is None:
            return rows.filter(Exact(self.key, key))
        found = rows.filter(self.within(key))
        if self.is_narrow:
            ids = [*found.order_by().values_list("pk", flat=True)[:FEW]]
            return found if len(ids) == FEW else rows.filter(pk__in=ids)
        return found

    def slices_of(self, slices: Slices, key: Any) -> Slices:
        """Those of the slices that rows of a value are in; none where it has none."""
        if key is None or self.outcomes is None:
            return slices
        outcomes = self.outcomes(key)
        return replace(
            slices,
            outcomes=[outcome for outcome in slices.outcomes if outcome in outcomes],
            timing_classes=[timing for timing in slices.timing_classes if OUTCOME_OF[TimingClass(timing)] in outcomes],
        )

    def ordering(self) -> list[OrderBy]:
        """The order of the groups over rows, as `in_order` has it."""
        if self.model is None:
            return [OrderBy(self.key, nulls_last=True)]
        return [F(f"{self.column}__{name}").asc(nulls_last=True) for name in self._names()]

    def _names(self) -> list[str]:
        assert self.model is not None
        return [str(name) for name in dict.fromkeys([*(self.model._meta.ordering or ()), "pk"])]

    def walk(self, rows: RenewalQuerySet, outcomes: Sequence[str]) -> Iterator[tuple[Any, str]]:
        """Keys with their texts in order, found as they are asked for. Whoever walks meets some that have no rows.

        `outcomes` are those that the rows can have: the indexes begin with them.
        """
        if _are_few(rows, outcomes):
            keyed = rows.order_by().annotate(group_key=self.key)
            yield from self.in_order(set(keyed.values_list("group_key", flat=True)))
            return
        if self.model is not None:
            inside = rows.filter(**{self.column: OuterRef("pk")}).order_by().values("pk")[:1]
            found = self.model._default_manager.alias(one=Subquery(inside)).filter(one__isnull=False)
            yield from ((row.pk, str(row)) for row in found.order_by(*self._names()))
        elif self.values is not None:
            yield from ((key, self.text(key)) for key in self.values(rows, outcomes))
        if self.blank:
            yield None, self.blank

    def in_order(self, keys: Collection[Any]) -> list[tuple[Any, str]]:
        """The keys with their texts, each once, as the table has them one below the other."""
        known = [key for key in keys if key is not None]
        if self.model is None:
            found = [(key, self.text(key)) for key in sorted(known)]
        else:
            rows = self.model._default_manager.filter(pk__in=known).order_by(*self._names())
            found = [(row.pk, str(row)) for row in rows]
        return [*found, (None, self.blank)] if len(known) < len(keys) else found


def _are_few(rows: RenewalQuerySet, outcomes: Sequence[str]) -> bool:
    """Read in the order of an index: without one the open rows may be looked for behind all that are decided."""
    count = 0
    for outcome in outcomes:
        count += rows.filter(outcome=outcome).order_by("due_on", "pk")[: FEW - count].count()
        if count == FEW:
            return False
    return True


Maker = Callable[[int], Group]  # takes the month in which the fiscal year begins


def token_of(key: Any) -> str:
    """A key as an address has it."""
    return NO_GROUP if key is None else str(key)


def _named(name: str, label: str, column: str, model: type[Model], blank: str) -> Maker:
    def within(key: Any) -> Q:
        return Q(**{column: key})

    without = Q(**{f"{column}__isnull": True})
    group = Group(name, label, F(f"{column}_id"), blank, column=column, model=model, within=within, without=without)
    return lambda fiscal_month: group


def _period(name: str, label: str, column: str, months: int) -> Maker:
    def text(first: dt.date) -> str:
        return f"{first:%B %Y}" if months == 1 else f"{first:%b %Y} to {month_after(first, months - 1):%b %Y}"

    def within(first: dt.date) -> Q:
        return Q(**{f"{column}__gte": first, f"{column}__lt": month_after(first, months)})

    def make(fiscal_month: int) -> Group:
        key = PeriodStart(column, "month") if months == 1 else PeriodStart(column, "quarter", (fiscal_month - 1) % 3)

        def values(rows: RenewalQuerySet, outcomes: Sequence[str]) -> Iterator[dt.date]:
            day = _first_day(rows, column, outcomes)
            while day is not None:
                first = month_after(day, 0) if months == 1 else quarter_start(day, fiscal_month)
                yield first
                day = _first_day(rows.filter(**{f"{column}__gte": month_after(first, months)}), column, outcomes)

        without = Q(**{f"{column}__isnull": True})
        narrow = column != "due_on"
        return Group(
            name, label, key, "No date", text=text, within=within, without=without, values=values, is_narrow=narrow
        )

    return make


def _first_day(rows: RenewalQuerySet, column: str, outcomes: Sequence[str]) -> dt.date | None:
    """The earliest there is, from the index of each outcome."""
    known = rows.filter(**{f"{column}__isnull": False}).order_by(column).values_list(column, flat=True)
    days = [known.filter(outcome=outcome).first() for outcome in outcomes]
    return min((day for day in days if day is not None), default=None)


def _places(
    name: str,
    label: str,
    wheres: Sequence[Q],
    labels: Sequence[Any],
    blank: str = "",
    within: Callable[[int], Q] | None = None,
    outcomes: Sequence[Collection[str]] = (),
) -> Group:
    """Groups in an order of their own: a key is the place of the one condition that holds. `within` says the same so
    that an index finds the rows; `outcomes` are those of each place."""
    key = Case(*[When(where, then=Value(place)) for place, where in enumerate(wheres)], output_field=IntegerField())
    return Group(
        name,
        label,
        key,
        blank,
        text=[str(text) for text in labels].__getitem__,
        within=within or wheres.__getitem__,
        values=lambda rows, _: iter(range(len(wheres))),
        outcomes=outcomes.__getitem__ if outcomes else None,
    )


def _category() -> Group:
    values = Stage.ForecastCategory.values

    def within(place: int) -> Q:
        ids = Stage.objects.filter(forecast_category=values[place]).values_list("pk", flat=True)
        return Q(stage__in=[*ids])  # as ids, as the filter has it

    wheres = [Q(stage__forecast_category=value) for value in values]
    group = _places("category", "Category", wheres, Stage.ForecastCategory.labels, within=within)

    def places(rows: RenewalQuerySet, outcomes: Sequence[str]) -> Iterator[int]:
        used = set(Stage.objects.order_by().values_list("forecast_category", flat=True))
        return (place for place, value in enumerate(values) if value in used)

    return replace(group, values=places)


def _timing() -> Group:
    """A score of the outcome that a row had before an import counts as none until it is computed anew."""
    wheres = [Q(score__timing_class=timing, outcome=OUTCOME_OF[timing]) for timing in TimingClass]
    outcomes = [(OUTCOME_OF[timing],) for timing in TimingClass]
    return _places("timing", "Timing", wheres, TimingClass.labels, "Not scored yet", outcomes=outcomes)


def _risk() -> Group:
    bands = (RiskBand.HIGH, RiskBand.MEDIUM, RiskBand.LOW)
    return _places("risk", "Risk", [RISK_RANGES[band] for band in bands], [b.label for b in bands], "No risk score")


# By their names in an address, in their order.
BOOKINGS: Final = {
    "churn": "Churn",
    "downsell": "Downsell",
    "renewal": "Renewal as it was",
    "upsell": "Upsell",
    "cross_sell": "Cross-sell",
}
# A lost one is renewed to nothing: with a baseline that is churn, never more or less than the baseline.
BOOKED_OUTCOMES: Final[dict[str, tuple[Outcome, ...]]] = {
    **dict.fromkeys(BOOKINGS, tuple(Outcome)),
    "churn": (Outcome.OPEN, Outcome.LOST),
    "downsell": (Outcome.OPEN, Outcome.RENEWED),
    "upsell": (Outcome.OPEN, Outcome.RENEWED),
}


def booked_as() -> dict[str, Q]:
    """Each row once, by what its renewal adds to or takes from the baseline: decided as it was, open as forecast.
    The split of domain section 4.2 has parts of one row in several types; that is the strip's, over rows and groups."""
    renewed, baseline = Coalesce("final_amount", "forecast_amount", "baseline_amount"), F("baseline_amount")
    is_known, is_plain = Q(GreaterThan(renewed, Value(0))) | Q(baseline_amount=0), Q(cross_sell_amount=0)
    return {
        # The final amount of a lost one is 0; so an index finds either half.
        "churn": Q(outcome=Outcome.LOST, baseline_amount__gt=0)
        | Q(outcome=Outcome.OPEN, forecast_amount=0, baseline_amount__gt=0),
        "downsell": is_known & is_plain & Q(LessThan(renewed, baseline)),
        "renewal": is_known & is_plain & Q(Exact(renewed, baseline)),
        "upsell": is_known & is_plain & Q(GreaterThan(renewed, baseline)),
        "cross_sell": is_known & Q(cross_sell_amount__gt=0),
    }


def _booking() -> Group:
    return _places(
        "booking",
        "Booking type",
        list(booked_as().values()),
        list(BOOKINGS.values()),
        outcomes=list(BOOKED_OUTCOMES.values()),
    )


def _outcome() -> Group:
    wheres = [Q(outcome=outcome) for outcome in Outcome]
    return _places("outcome", "Outcome", wheres, Outcome.labels, outcomes=[(outcome,) for outcome in Outcome])


def _currency() -> Group:
    def values(rows: RenewalQuerySet, outcomes: Sequence[str]) -> Iterator[str]:
        """Each next one from the index, whether or not these rows have it."""
        codes = Renewal.objects.order_by("currency").values_list("currency", flat=True)
        code = codes.first()
        while code is not None:
            yield code
            code = codes.filter(currency__gt=code).first()

    def within(code: str) -> Q:
        return Q(currency=code)

    return Group("currency", "Currency", F("currency"), "", within=within, values=values)


GROUPS: dict[str, Maker] = {
    "owner": _named("owner", "Owner", "owner", User, "No owner"),
    "team": _named("team", "Team", "owner__team", Team, "No team"),
    "stage": _named("stage", "Stage", "stage", Stage, ""),
    "category": lambda fiscal_month: _category(),
    "timing": lambda fiscal_month: _timing(),
    "risk": lambda fiscal_month: _risk(),
    "segment": _named("segment", "Segment", "account__segment", Segment, "No segment"),
    "industry": _named("industry", "Industry", "account__industry", Industry, "No industry"),
    "offer": _named("offer", "Offer", "offer", Offer, "No offer"),
    "due_month": _period("due_month", "Month due", "due_on", 1),
    "due_quarter": _period("due_quarter", "Quarter due", "due_on", 3),
    "decision_month": _period("decision_month", "Month of decision", "decision_on", 1),
    "ordered_month": _period("ordered_month", "Month ordered", "ordered_on", 1),
    "outcome": lambda fiscal_month: _outcome(),
    "booking": lambda fiscal_month: _booking(),
    "currency": lambda fiscal_month: _currency(),
}
GROUP_LABELS = {name: make(1).label for name, make in GROUPS.items()}
