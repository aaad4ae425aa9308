"""What dashboards must say, worked out slowly from raw rows: plain Python, sharing nothing with the product's sums.

Amounts are whole cents of the reporting currency, each renewal converted by itself, half to even.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

from accounts.exchange import read_rates
from accounts.models import User
from renewals.models import Renewal

WON = ("early", "on_time", "late")
GONE = ("lost", "lapsed", "win_back")
LABELS = ("upcoming", "in_window", "overdue", "lapsed", "early", "on_time", "late", "win_back", "lost")


@dataclass(frozen=True)
class Fact:
    """A renewal that counts: scored, not excluded, in a currency with a rate."""

    pk: int
    account: int
    owner: int | None
    team: int | None
    segment: int | None
    due_on: dt.date
    ordered_on: dt.date | None
    timing: str
    baseline: int
    renewed: int
    cross_sell: int

    @property
    def is_won(self) -> bool:
        return self.timing in WON

    @property
    def kept(self) -> int:
        return min(self.renewed, self.baseline) if self.is_won else 0


def read_facts(as_of: dt.date) -> list[Fact]:
    rates, teams = read_rates(as_of=as_of), dict(User.objects.values_list("pk", "team_id"))

    def cents(amount: Decimal | None, currency: str) -> int:
        return int(((amount or Decimal(0)) * 100 * rates[currency]).quantize(Decimal(1), ROUND_HALF_EVEN))

    return [
        Fact(
            row.pk,
            row.account_id,
            row.owner_id,
            teams[row.owner_id] if row.owner_id else None,
            row.account.segment_id,
            row.due_on,
            row.ordered_on,
            LABELS[row.score.timing_class],
            cents(row.baseline_amount, row.currency),
            cents(row.final_amount, row.currency),
            cents(row.cross_sell_amount, row.currency),
        )
        for row in Renewal.objects.select_related("account", "score").filter(score__isnull=False)
        if not row.is_excluded and row.currency in rates
    ]


def first_of(day: dt.date) -> dt.date:
    return day.replace(day=1)


def after(month: dt.date, months: int) -> dt.date:
    number = month.year * 12 + month.month - 1 + months
    return dt.date(number // 12, number % 12 + 1, 1)


def quarter_of(day: dt.date, fiscal_start: int) -> dt.date:
    month = first_of(day)
    while (month.month - fiscal_start) % 3:
        month = after(month, -1)
    return month


@dataclass(frozen=True)
class Span:
    """A period: a month or a fiscal quarter."""

    first_on: dt.date
    months: int

    def holds(self, day: dt.date | None) -> bool:
        return day is not None and self.first_on <= day < after(self.first_on, self.months)

    def is_before(self, day: dt.date | None) -> bool:
        return day is not None and day < self.first_on

    def is_after(self, day: dt.date | None) -> bool:
        return day is not None and day >= after(self.first_on, self.months)


def credited(fact: Fact, span: Span, attribution: str) -> bool:
    """Whether a renewed one counts in a period."""
    if not fact.is_won:
        return False
    if attribution == "due_period":
        return span.holds(fact.due_on)
    if fact.ordered_on is None:
        return False
    if attribution == "order_period":
        return span.holds(fact.ordered_on)
    return span.holds(max(fact.due_on, fact.ordered_on))


def sums_of(facts: Iterable[Fact], span: Span, today: dt.date) -> dict[str, int]:
    """Sums of a period, by the name of the column that holds them; `grain` in a name stands for this period."""
    rows = list(facts)
    cohort = [fact for fact in rows if span.holds(fact.due_on)]
    found: Counter[str] = Counter()
    for fact in cohort:
        found["due_count"] += 1
        found["due_cents"] += fact.baseline
        if fact.is_won:
            found["renewed_count"] += 1
            found["renewed_baseline_cents"] += fact.baseline
            found["kept_cents"] += fact.kept
            found["renewed_cents"] += fact.renewed
            found[f"{fact.timing}_count"] += 1
            found[f"{fact.timing}_cents"] += fact.renewed
            cross = min(fact.cross_sell, fact.renewed)
            found["cross_sell_cents"] += cross
            found["upsell_cents"] += max(fact.renewed - cross - fact.baseline, 0)
            found["downsell_cents"] += max(fact.baseline - (fact.renewed - cross), 0)
            if fact.timing != "late":
                found["kept_in_time_cents"] += fact.kept
            if not span.is_after(fact.ordered_on):
                found["in_cents"] += fact.kept
            if span.is_before(fact.ordered_on):
                found["before_cents"] += fact.kept
        elif fact.timing in GONE:
            found["lost_count"] += 1
            found["lost_cents"] += fact.baseline
            if fact.timing == "lapsed":
                found["lapsed_count"] += 1
                found["lapsed_cents"] += fact.baseline
            if fact.timing == "win_back":
                found["win_back_count"] += 1
                found["win_back_cents"] += fact.renewed
        else:
            name = "past_due" if fact.due_on < today else "open"
            found[f"{name}_count"] += 1
            found[f"{name}_cents"] += fact.baseline
    found["accounts"] = len({fact.account for fact in cohort})
    for attribution, prefix in (("due_period", "renewed"), ("order_period", "ordered"), ("hybrid", "hybrid")):
        chosen = [fact for fact in rows if credited(fact, span, attribution)]
        found[f"{prefix}_accounts"] = len({fact.account for fact in chosen})
        if prefix == "renewed":
            continue
        found[f"{prefix}_count"] = len(chosen)
        found[f"{prefix}_kept_cents"] = sum(fact.kept for fact in chosen)
        found[f"{prefix}_renewed_cents"] = sum(fact.renewed for fact in chosen)
        found[f"{prefix}_in_time_cents"] = sum(fact.kept for fact in chosen if fact.timing != "late")
        if prefix == "ordered":
            found["ordered_overdue_cents"] = sum(fact.kept for fact in chosen if span.is_before(fact.due_on))
            found["ordered_ahead_cents"] = sum(fact.kept for fact in chosen if span.is_after(fact.due_on))
    return dict(found)


def ratio(top: int, bottom: int) -> Fraction | None:
    return Fraction(top, bottom) if bottom else None


def rates_of(facts: Iterable[Fact], span: Span, attribution: str) -> dict[str, Fraction | None]:
    """The rates of domain section 4.3, by the key of the figure."""
    rows = list(facts)
    cohort = [fact for fact in rows if span.holds(fact.due_on)]
    chosen = [fact for fact in rows if credited(fact, span, attribution)]
    won = [fact for fact in cohort if fact.is_won]
    atr = sum(fact.baseline for fact in cohort)
    won_baseline = sum(fact.baseline for fact in won)
    lost = sum(fact.baseline for fact in cohort if fact.timing in GONE)
    in_time = [fact for fact in won if not span.is_after(fact.ordered_on)]
    return {
        "gross": ratio(sum(fact.kept for fact in chosen), atr),
        "net": ratio(sum(fact.renewed for fact in chosen), atr),
        "logo": ratio(len({fact.account for fact in chosen}), len({fact.account for fact in cohort})),
        "in_period": ratio(sum(fact.kept for fact in in_time), atr),
        "final": ratio(sum(fact.kept for fact in won), atr),
        "on_time": ratio(sum(fact.kept for fact in chosen if fact.timing != "late"), atr),
        "resolution": ratio(won_baseline + lost, atr),
        "close": ratio(won_baseline, won_baseline + lost),
        "conversion": ratio(sum(fact.renewed for fact in won), won_baseline),
        "cohort_net": ratio(sum(fact.renewed for fact in won), atr),
    }


def curve_of(facts: Iterable[Fact], span: Span, today: dt.date, days: Iterable[int]) -> list[Fraction | None]:
    """Share of atr kept by each day after the due day; None for a day that part of the cohort has not reached."""
    cohort = [fact for fact in facts if span.holds(fact.due_on)]
    atr = sum(fact.baseline for fact in cohort)
    if not atr:
        return [None for _ in days]
    youngest = max(fact.due_on for fact in cohort)
    return [
        Fraction(
            sum(f.kept for f in cohort if f.is_won and f.ordered_on and (f.ordered_on - f.due_on).days <= day), atr
        )
        if youngest + dt.timedelta(days=day) <= today
        else None
        for day in days
    ]


def ages_of(facts: Iterable[Fact], today: dt.date) -> Counter[int]:
    """Baseline of what is open past its due day, by days since then."""
    found: Counter[int] = Counter()
    for fact in facts:
        if fact.timing in ("upcoming", "in_window", "overdue") and fact.due_on < today:
            found[(today - fact.due_on).days] += fact.baseline
    return found


def habits_of(facts: Iterable[Fact], today: dt.date) -> dict[int, tuple[int, int, int, int]]:
    """Accounts that are late as a habit: (orders, late ones, their value, their days) of the last two years."""
    orders: dict[int, list[Fact]] = {}
    for fact in facts:
        if fact.timing in (*WON, "win_back") and fact.ordered_on and (today - fact.ordered_on).days <= 730:
            orders.setdefault(fact.account, []).append(fact)
    found = {}
    for account, rows in orders.items():
        late = [fact for fact in rows if fact.timing in ("late", "win_back")]
        if len(rows) >= 2 and 2 * len(late) > len(rows):
            days = sum(max((fact.ordered_on - fact.due_on).days, 0) for fact in late if fact.ordered_on)
            found[account] = (len(rows), len(late), sum(fact.renewed for fact in late), days)
    return found
