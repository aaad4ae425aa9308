"""How often accounts that were healthy, to watch or poor before a decision churned afterwards, in accounts and value.

A renewal is decided by what came of it (docs/domain.md section 3): kept are the early, on-time and late ones, gone the
lost, the lapsed and those won back after they had lapsed. Its account's band is that of the day `horizon_days` before
the decision: the customer's order or refusal, or the last day of the notice where that is earlier. Accounts are counted
once a quarter of the due dates, with the band before their first decision in it, and are gone where nothing was kept.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import sqrt

from django.core.cache import cache
from django.db import connection, transaction

from accounts.models import HealthBand, User
from renewals.models import Renewal, TimingClass

HORIZONS = (30, 60, 90)
MONTHS_BACK = 24
FEWEST = 20  # accounts of a band, below which a rate says nothing
CACHED_SECONDS = 600
NORMAL_95 = 1.96
CENT = Decimal("0.01")
GONE = (TimingClass.LOST, TimingClass.LAPSED, TimingClass.WIN_BACK)
KEPT = (TimingClass.EARLY, TimingClass.ON_TIME, TimingClass.LATE)


@dataclass(frozen=True)
class BandOutcome:
    """What came of the accounts of a band (None: not known then). Amounts in the reporting currency."""

    band: HealthBand | None
    account_count: int
    gone_account_count: int
    renewal_count: int
    gone_renewal_count: int
    baseline_amount: Decimal
    gone_amount: Decimal

    @property
    def label(self) -> str:
        return self.band.label if self.band is not None else "Not known"

    @property
    def account_rate(self) -> float | None:
        return self.gone_account_count / self.account_count if self.account_count else None

    @property
    def value_rate(self) -> float | None:
        return float(self.gone_amount / self.baseline_amount) if self.baseline_amount else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """In which the rate of accounts lies, with 95 %."""
        return wilson_interval(self.gone_account_count, self.account_count) if self.account_count else None


@dataclass(frozen=True)
class Backtest:
    """`rows`: healthy, watch, poor, not known. `difference`: poor less healthy, in accounts, with its 95 % bounds."""

    rows: list[BandOutcome]
    difference: tuple[float, float, float] | None
    verdict: str
    separates: bool
    without_rate: list[str]

    @property
    def account_count(self) -> int:
        return sum(row.account_count for row in self.rows)


def wilson_interval(count: int, total: int) -> tuple[float, float]:
    """95 % bounds of a share. Source: Wilson (1927), JASA 22, 209-212."""
    share, z = count / total, NORMAL_95
    middle = share + z * z / (2 * total)
    reach = z * sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    scale = 1 + z * z / total
    return max(0.0, (middle - reach) / scale), min(1.0, (middle + reach) / scale)


def difference_interval(first: tuple[int, int], second: tuple[int, int]) -> tuple[float, float, float]:
    """Share of `first` less that of `second`, each (count, total), and its 95 % bounds.

    Source: Newcombe (1998), Statistics in Medicine 17, 873-890, method 10.
    """
    one, two = first[0] / first[1], second[0] / second[1]
    low_one, high_one = wilson_interval(*first)
    low_two, high_two = wilson_interval(*second)
    gap = one - two
    return (
        gap,
        gap - sqrt((one - low_one) ** 2 + (high_two - two) ** 2),
        gap + sqrt((high_one - one) ** 2 + (two - low_two) ** 2),
    )


def read_backtest(
    user: User, *, as_of: dt.date, horizon_days: int, segment_id: int | None, rates: Mapping[str, Decimal]
) -> Backtest:
    """Of the decisions that the user sees, due in the last MONTHS_BACK months; kept for ten minutes. Two statements."""
    key = f"health-backtest:{user.pk}:{as_of}:{horizon_days}:{segment_id}"
    found: Backtest | None = cache.get(key)
    if found is None:
        found = measure(user, as_of=as_of, horizon_days=horizon_days, segment_id=segment_id, rates=rates)
        cache.set(key, found, CACHED_SECONDS)
    return found


def measure(
    user: User, *, as_of: dt.date, horizon_days: int, segment_id: int | None, rates: Mapping[str, Decimal]
) -> Backtest:
    """As `read_backtest`, anew."""
    first_on = as_of - dt.timedelta(days=round(MONTHS_BACK * 365.25 / 12))
    renewals = Renewal.objects.visible_to(user).filter(due_on__range=(first_on, as_of), is_excluded=False)
    if segment_id is not None:
        renewals = renewals.filter(account__segment=segment_id)
    ids, parameters = renewals.order_by().values("pk").query.sql_with_params()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"""
            CREATE TEMP TABLE health_banded ON COMMIT DROP AS
            SELECT d.*, h.band FROM (
                SELECT r.account_id, r.currency, r.baseline_amount, s.timing_class = ANY(%s) AS is_gone,
                    date_trunc('quarter', r.due_on) AS quarter,
                    least(coalesce(r.ordered_on, r.declined_on, r.due_on), r.decision_on, r.due_on) - %s AS known_on
                FROM renewals_renewal r JOIN renewals_renewalscore s ON s.renewal_id = r.id
                WHERE s.timing_class = ANY(%s) AND r.id IN ({ids})) d
            LEFT JOIN LATERAL (SELECT band FROM accounts_healthday h
                WHERE h.account_id = d.account_id AND h.changed_on <= d.known_on
                ORDER BY h.changed_on DESC LIMIT 1) h ON true
            """,
            [[*GONE], horizon_days, [*GONE, *KEPT], *parameters],
        )
        cursor.execute(
            "SELECT band, currency, count(*), count(*) FILTER (WHERE is_gone), sum(baseline_amount),"
            " coalesce(sum(baseline_amount) FILTER (WHERE is_gone), 0) FROM health_banded GROUP BY 1, 2"
        )
        by_currency = cursor.fetchall()
        cursor.execute(
            """
            SELECT band, count(*), count(*) FILTER (WHERE is_gone) FROM (
                SELECT (array_agg(band ORDER BY known_on))[1] AS band, bool_and(is_gone) AS is_gone
                FROM health_banded GROUP BY account_id, quarter) logos GROUP BY 1
            """
        )
        logos = {band: (count, gone) for band, count, gone in cursor.fetchall()}
        cursor.execute("DROP TABLE health_banded")
    return summarise(by_currency, logos, rates)


def summarise(
    by_currency: list[tuple[int | None, str, int, int, Decimal, Decimal]],
    logos: Mapping[int | None, tuple[int, int]],
    rates: Mapping[str, Decimal],
) -> Backtest:
    """From (band, currency, renewals, gone, baseline, gone baseline), and (accounts, gone) by band."""
    counts: defaultdict[int | None, list[int]] = defaultdict(lambda: [0, 0])
    amounts: defaultdict[int | None, list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    without: set[str] = set()
    for band, currency, count, gone, baseline, gone_baseline in by_currency:
        counts[band][0] += count
        counts[band][1] += gone
        if currency not in rates:
            without.add(currency)
            continue
        for place, amount in enumerate((baseline, gone_baseline)):
            amounts[band][place] += (amount * rates[currency]).quantize(CENT)
    bands: tuple[HealthBand | None, ...] = (HealthBand.HEALTHY, HealthBand.WATCH, HealthBand.POOR, None)
    rows = []
    for band in bands:
        (accounts, gone_accounts), (count, gone), (baseline, gone_baseline) = (
            logos.get(band, (0, 0)), counts[band], amounts[band],
        )  # fmt: skip
        rows.append(BandOutcome(band, accounts, gone_accounts, count, gone, baseline, gone_baseline))
    difference, verdict, separates = _judged(rows)
    return Backtest(rows, difference, verdict, separates, sorted(without))


def _judged(rows: list[BandOutcome]) -> tuple[tuple[float, float, float] | None, str, bool]:
    """Whether health told the accounts that were lost from those that stayed, in words that claim no more."""
    healthy, watch, poor = rows[:3]
    if min(healthy.account_count, poor.account_count) < FEWEST:
        short = " and ".join(
            f"{row.account_count} {row.label.lower()}" for row in (healthy, poor) if row.account_count < FEWEST
        )
        return None, f"Too few to tell: {short}, where {FEWEST} of each are needed.", False
    difference = difference_interval(
        (poor.gone_account_count, poor.account_count), (healthy.gone_account_count, healthy.account_count)
    )
    gap, low, high = (100 * value for value in difference)
    bounds = f"{gap:+.1f} points, between {low:+.1f} and {high:+.1f} with 95 % certainty"
    if low <= 0:
        return difference, f"Health did not separate: poor against healthy accounts {bounds}.", False
    poor_rate, healthy_rate = poor.account_rate or 0, healthy.account_rate or 0
    times = f"{poor_rate / healthy_rate:.1f} times as often as" if healthy_rate else "and none of the"
    words = f"Poor accounts churned {times} healthy ones: {bounds}."
    watch_rate = watch.account_rate
    if watch.account_count >= FEWEST and watch_rate is not None and not healthy_rate <= watch_rate <= poor_rate:
        words += " The middle band is out of order, though."
    return difference, words, True
