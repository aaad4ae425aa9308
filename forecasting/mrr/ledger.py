"""The months of a scope: what each opens and closes with, what moved it, and how far the forecast may miss."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from typing import Any, Final, cast

import numpy as np
from django.db.models import QuerySet, Sum

from accounts.models import User
from forecasting.engine.fitted.shock import STATED, Shock
from forecasting.engine.recurring import Kind, State, Uncertain, closing_band
from forecasting.engine.recurring.band import LISTED
from forecasting.models import MrrCall, MrrLine, MrrMovement, MrrOfferLine, MrrRollUp, Run
from forecasting.mrr.book import MONTHS_AHEAD
from forecasting.mrr.services import CALLED_MONTHS
from forecasting.periods import first_day, month_number
from forecasting.scopes.scope import Scope
from forecasting.scopes.slices import accounts_sliced

GAINS: Final = (Kind.NEW, Kind.EXPANSION, Kind.REACTIVATION)
LOSSES: Final = (Kind.CONTRACTION, Kind.CHURN)
KINDS: Final = (*GAINS, *LOSSES)
STATES: Final = tuple(State)
AMOUNTS: Final = (*(f"{kind.name.lower()}_amount" for kind in Kind), "cross_sell_amount", "open_amount")
NOTHING: Final = Decimal("0.00")
CENT: Final = Decimal("0.01")
GROWTH_MONTHS: Final = 12
# Fewer months than these say nothing of how a book grows.
FEWEST_MONTHS: Final = 3


@dataclass(frozen=True)
class Month:
    """One month of a scope. `amounts` are by kind and state; what is lost is 0 or more and taken off."""

    starts_on: dt.date
    opening: Decimal
    amounts: dict[tuple[Kind, State], Decimal]
    cross_sell: Decimal = NOTHING
    is_over: bool = False
    is_current: bool = False
    # Where the month is not over: what contracts hold at its end, and P10 and P90 of the closing.
    signed: Decimal | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    naive: Decimal | None = None

    def amount(self, kind: Kind, *states: State) -> Decimal:
        keys = ((kind, state) for state in states or STATES)
        return sum((self.amounts[key] for key in keys if key in self.amounts), NOTHING)

    def net(self, *states: State) -> Decimal:
        gained = sum((self.amount(kind, *states) for kind in GAINS), NOTHING)
        return gained - sum((self.amount(kind, *states) for kind in LOSSES), NOTHING)

    @cached_property
    def closing(self) -> Decimal:
        return self.opening + self.net()

    @property
    def ends_on(self) -> dt.date:
        return first_day(month_number(self.starts_on) + 1) - dt.timedelta(days=1)

    @property
    def grr(self) -> Decimal | None:
        """None where nothing was there to keep."""
        if self.opening <= 0:
            return None
        lost = sum((self.amount(kind) for kind in LOSSES), NOTHING)
        return min((self.opening - lost) / self.opening, Decimal(1))

    @property
    def nrr(self) -> Decimal | None:
        if self.opening <= 0:
            return None
        lost = sum((self.amount(kind) for kind in LOSSES), NOTHING)
        return (self.opening - lost + self.amount(Kind.EXPANSION)) / self.opening


@dataclass(frozen=True)
class OfferSales:
    """Upsell and cross-sell of an offer or product: in effect since the first month shown, and signed or expected."""

    name: str
    upsell: Decimal = NOTHING
    cross_sell: Decimal = NOTHING
    upsell_ahead: Decimal = NOTHING
    cross_sell_ahead: Decimal = NOTHING

    @property
    def total(self) -> Decimal:
        return self.upsell + self.cross_sell + self.upsell_ahead + self.cross_sell_ahead


@dataclass(frozen=True)
class Errors:
    """Mean error of the closing three months out, as a share of it, and over how many months it is measured."""

    called_rate: Decimal | None
    called_count: int
    naive_rate: Decimal | None
    naive_count: int


@dataclass(frozen=True)
class Ledger:
    roll_up: MrrRollUp
    months: list[Month]
    errors: Errors
    offers: list[OfferSales] = field(default_factory=list)

    @property
    def current(self) -> Month:
        return next(month for month in self.months if month.is_current)

    @property
    def level(self) -> Decimal:
        """What recurs a month on the day of the report."""
        return self.current.opening + self.current.net(State.ACTUAL)

    @property
    def committed(self) -> Decimal:
        """That, with what is signed and takes effect later; what is open goes on in it."""
        ahead = (month.net(State.COMMITTED) for month in self.months if not month.is_over)
        return self.level + sum(ahead, NOTHING)

    @property
    def is_empty(self) -> bool:
        return all(month.opening == 0 and not any(month.amounts.values()) for month in self.months)


def read_ledger(user: User, scope: Scope, roll_up: MrrRollUp, *, back: int) -> Ledger:
    """`back` finished months, the running one and all that are forecast."""
    sums = _sums(rows_of(MrrLine, user, scope))
    months = _months(sums, roll_up, _open_rows(user, scope), _shock(roll_up))
    first = max(next(at for at, month in enumerate(months) if month.is_current) - back, 0)
    return Ledger(roll_up, months[first:], _errors(user, scope, months), _offers(user, scope, months[first].starts_on))


def rows_of(model: Any, user: User, scope: Scope) -> QuerySet[Any]:
    """The rows of a table of this room that a scope is about, of those that the reader sees. Movements alone know their
    accounts, and can be of a region or an industry."""
    rows: QuerySet[Any] = model.objects.visible_to(user).of(team=scope.team, owner=scope.owner, segment=scope.segment)
    return rows.filter(accounts_sliced(scope.slice)) if scope.slice else rows


def _sums(lines: QuerySet[Any]) -> list[dict[str, Any]]:
    wanted = {name: Sum(name) for name in AMOUNTS} | {name: Sum(name) for name in ("variance", "response")}
    return list(lines.order_by().values("month_on", "state").annotate(**wanted))


def _shock(roll_up: MrrRollUp) -> Shock:
    """Of the run, where it has one: how far all renewals of a month may miss together, and those of all months."""
    fitted = Run.objects.filter(pk=roll_up.run_id).values_list("shock", flat=True).first()
    return Shock.from_dict(fitted) if isinstance(fitted, dict) else STATED


def _open_rows(user: User, scope: Scope) -> list[tuple[dt.date, float, int]]:
    """(month, probability, cents if kept) of the largest open amounts."""
    rows = rows_of(MrrMovement, user, scope).filter(state=State.EXPECTED, kind=Kind.CHURN)
    largest = rows.order_by("-kept_amount", "pk").values_list("month_on", "probability", "kept_amount")[:LISTED]
    return [(month_on, p, int(kept * 100)) for month_on, p, kept in largest]


def _months(
    sums: Sequence[dict[str, Any]], roll_up: MrrRollUp, large: Sequence[tuple[dt.date, float, int]], shock: Shock
) -> list[Month]:
    """Every month that is kept, the first opening with what came before it."""
    as_of = month_number(roll_up.month_on)
    by_month: dict[int, list[dict[str, Any]]] = {}
    for record in sums:
        by_month.setdefault(month_number(record["month_on"]), []).append(record)
    opening = sum((record["opening_amount"] for record in sums), NOTHING)
    opened = [month_number(record["month_on"]) + 1 for record in sums if record["opening_amount"]]
    first = opened[0] if opened else min([as_of, *by_month])
    months: list[Month] = []
    undecided, variance, responses = NOTHING, 0.0, _Responses()
    certain = opening
    for number in range(first, as_of + MONTHS_AHEAD + 1):
        records = by_month.get(number, [])
        amounts = {
            (kind, State(record["state"])): record[f"{kind.name.lower()}_amount"]
            for record in records
            for kind in KINDS
            if record[f"{kind.name.lower()}_amount"]
        }
        month = Month(
            starts_on=first_day(number),
            opening=months[-1].closing if months else opening,
            amounts=amounts,
            cross_sell=sum((record["cross_sell_amount"] for record in records), NOTHING),
            is_over=number < as_of,
            is_current=number == as_of,
        )
        certain += month.net(State.ACTUAL, State.COMMITTED)
        if number >= as_of:
            undecided += sum((record["open_amount"] for record in records), NOTHING)
            variance += sum(record["variance"] for record in records)
            own_size = float(shock.own_size_at(np.array([_days_left(month, roll_up)]))[0])
            responses = responses.with_month(sum(record["response"] for record in records), own_size)
            size = float(np.hypot(own_size, shock.unknown))
            low, high = _band(month, large, variance, responses.to(size, shock.unknown), size)
            month = replace(month, signed=certain - undecided, low=low, high=high)
        months.append(month)
    return _with_naive(months)


@dataclass(frozen=True)
class _Responses:
    """How far open amounts move by log-odds, over the months up to one, in money.

    Each month has a shock of its own, so these add up as squares; what is unknown of the rate of all moves all months
    together.
    """

    own_square: float = 0.0
    together: float = 0.0

    def with_month(self, response: float, own_size: float) -> _Responses:
        return _Responses(self.own_square + (own_size * response) ** 2, self.together + response)

    def to(self, size: float, unknown: float) -> float:
        """That to one shock of `size` which moves the amounts as far as both do."""
        return float(np.sqrt(self.own_square + (unknown * self.together) ** 2)) / size if size else 0.0


def _days_left(month: Month, roll_up: MrrRollUp) -> int:
    return (first_day(month_number(month.starts_on) + 1) - roll_up.as_of_on).days - 1


def _band(
    month: Month, large: Sequence[tuple[dt.date, float, int]], variance: float, response: float, shock: float
) -> tuple[Decimal, Decimal]:
    """P10 and P90 of a closing, whose open amounts answer to a shock by `response`."""
    due = [(p, cents) for month_on, p, cents in large if month_on <= month.starts_on]
    p = np.array([one for one, _ in due], dtype=np.float64)
    cents = np.array([one for _, one in due], dtype=np.int64)
    spread = p * (1 - p)
    uncertain = Uncertain(
        p=p,
        amount=cents,
        rest_variance=max(variance * 1e4 - float(spread @ cents.astype(np.float64) ** 2), 0.0),
        rest_response=max(response * 100 - float(spread @ cents), 0.0),
    )
    if uncertain.rest_variance < 1e-9 * variance * 1e4:  # nothing but rounding is left of it
        uncertain = Uncertain(p, cents, 0.0, 0.0)
    low, high = closing_band(float(month.closing * 100), uncertain, shock=shock)
    return Decimal(max(low, 0)) / 100, Decimal(max(high, 0)) / 100


def _with_naive(months: Sequence[Month]) -> list[Month]:
    """The last closing, grown on, for the months that are not over."""
    over = [month for month in months if month.is_over]
    growth = growth_of([month.closing for month in over])
    if growth is None:
        return list(months)
    last, count = over[-1].closing, len(over)
    return [
        month if month.is_over else replace(month, naive=_grown(last, growth, at - count + 1))
        for at, month in enumerate(months)
    ]


def growth_of(closings: Sequence[Decimal]) -> float | None:
    """Mean monthly growth of the last twelve months, or of as many as there are from three on; None with fewer."""
    levels = closings[-GROWTH_MONTHS - 1 :]
    begun = next((at for at, level in enumerate(levels) if level > 0), len(levels))
    count = len(levels) - 1 - begun
    if count < FEWEST_MONTHS or levels[-1] <= 0:
        return None
    growth: float = float(levels[-1] / levels[begun]) ** (1 / count)
    return growth


def _grown(level: Decimal, growth: float, months: int) -> Decimal:
    return (level * Decimal(growth**months)).quantize(CENT)


def _errors(user: User, scope: Scope, months: Sequence[Month]) -> Errors:
    over = [month for month in months if month.is_over]
    came = {month.starts_on: month.closing for month in over}
    calls = rows_of(MrrCall, user, scope).filter(month_on__in=came).order_by().values_list("month_on")
    called = [(closing, came[month_on]) for month_on, closing in calls.annotate(Sum("closing_amount"))]
    naive = []
    for at in range(CALLED_MONTHS, len(over)):
        closings = [month.closing for month in over[: at - CALLED_MONTHS + 1]]
        growth = growth_of(closings)
        if growth is not None and over[at].closing > 0:
            naive.append((_grown(closings[-1], growth, CALLED_MONTHS), over[at].closing))
    naive = naive[-GROWTH_MONTHS:]
    return Errors(_miss(called), len(called), _miss(naive), len(naive))


def _miss(pairs: Iterable[tuple[Decimal, Decimal]]) -> Decimal | None:
    """Sum of the misses over the sum of what came."""
    known = list(pairs)
    total = sum((came for _, came in known), NOTHING)
    return sum((abs(said - came) for said, came in known), NOTHING) / total if total else None


def _offers(user: User, scope: Scope, first_on: dt.date) -> list[OfferSales]:
    """By offer or product, the largest first."""
    lines = rows_of(MrrOfferLine, user, scope).filter(month_on__gte=first_on)
    sums = lines.order_by().values_list("name", "state").annotate(Sum("upsell_amount"), Sum("cross_sell_amount"))
    found: dict[str, OfferSales] = {}
    for name, state, upsell, cross_sell in cast("Iterable[tuple[str, int, Decimal, Decimal]]", sums):
        one = found.get(name, OfferSales(name))
        if state == State.ACTUAL:
            one = replace(one, upsell=one.upsell + upsell, cross_sell=one.cross_sell + cross_sell)
        else:
            ahead = one.cross_sell_ahead + cross_sell
            one = replace(one, upsell_ahead=one.upsell_ahead + upsell, cross_sell_ahead=ahead)
        found[name] = one
    return sorted(found.values(), key=lambda one: (-one.total, one.name))
