"""What pages show of health: one account's, taken apart and over time, and the list of accounts by it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Case, Count, DecimalField, Exists, F, OuterRef, QuerySet, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce

from accounts.models import (
    Account,
    AccountHealth,
    AccountSignal,
    HealthBand,
    HealthDay,
    HealthFactor,
    Segment,
    User,
)
from accounts.models.health import MISSING_PART
from forecasting.frames.health import HealthRules, load_health_rules
from renewals.models import Renewal

TONES = {HealthBand.POOR: "bad", HealthBand.WATCH: "warn", HealthBand.HEALTHY: "good"}
ICONS = {HealthBand.POOR: "mood-sad", HealthBand.WATCH: "alert-triangle", HealthBand.HEALTHY: "circle-check"}
UNKNOWN = "unknown"
# Of less a change is noise: a tenth of one answer on satisfaction.
TREND_FROM = 5.0
CHART_DAYS = 365
WIDTH, HEIGHT, MARGIN = 480, 96, 4
AMOUNT = DecimalField(max_digits=20, decimal_places=2)


@dataclass(frozen=True)
class Standing:
    """A score in words: `score` in whole points, `trend` against 30 days before."""

    score: int | None
    band: HealthBand | None
    completeness: int  # per cent
    change_30: float | None
    change_90: float | None

    @property
    def word(self) -> str:
        if self.band is not None:
            return self.band.label
        return "Not known" if self.score is None else "Too little known"

    @property
    def tone(self) -> str:
        return TONES[self.band] if self.band is not None else "quiet"

    @property
    def icon(self) -> str:
        return ICONS[self.band] if self.band is not None else "help"

    @property
    def trend(self) -> str:
        if self.change_30 is None or abs(self.change_30) < TREND_FROM:
            return ""
        return "up" if self.change_30 > 0 else "down"


def standing_of(health: AccountHealth | None) -> Standing:
    if health is None:
        return Standing(None, None, 0, None, None)

    def change(before: float | None) -> float | None:
        return None if before is None or health.score is None else round(health.score - before, 1)

    return Standing(
        score=None if health.score is None else round(health.score),
        band=None if health.band is None else HealthBand(health.band),
        completeness=round(100 * health.completeness),
        change_30=change(health.score_30_days_before),
        change_90=change(health.score_90_days_before),
    )


@dataclass(frozen=True)
class Part:
    """A factor's share of the score: `points` of at most `most` points. The points add up to the score."""

    label: str
    explanation: str
    points: float
    most: float
    lost: float  # points short of the most


@dataclass(frozen=True)
class Line:
    """Health over time as steps: points of an SVG polyline per unbroken stretch, and the same as a table."""

    stretches: list[str]
    first_on: dt.date
    last_on: dt.date
    healthy_y: float
    watch_y: float
    rows: list[tuple[dt.date, float | None, str, int]]


@dataclass(frozen=True)
class Card:
    standing: Standing
    exact_score: float | None
    parts: list[Part]
    missing: list[str]
    unweighed: list[str]  # custom signals with a value here that nobody has weighed
    line: Line | None
    changed_on: dt.date | None
    healthy_from: int
    watch_from: int


def read_card(account: Account, *, as_of: dt.date) -> Card:
    """The health of one account, for its page. Four queries, and one more while a custom signal has no weight."""
    health = AccountHealth.objects.filter(account=account).first()
    rules = load_health_rules()
    version = rules.version_of(account.segment_id)
    parts, missing = _parts(health, rules, account.segment_id)
    return Card(
        standing=standing_of(health),
        exact_score=health.score if health else None,
        parts=parts,
        missing=missing,
        unweighed=_unweighed(account.pk, rules.factors, version.weights),
        line=_line(account.pk, version.healthy_from, version.watch_from, as_of),
        changed_on=health.changed_on if health else None,
        healthy_from=version.healthy_from,
        watch_from=version.watch_from,
    )


def _unweighed(account_id: int, factors: Iterable[HealthFactor], weights: Mapping[str, float]) -> list[str]:
    labels = {one.key: one.label for one in factors if one.is_custom and one.key not in weights}
    if not labels:
        return []
    held = AccountSignal.objects.filter(account=account_id, custom_values__has_any_keys=list(labels))
    keys = {key for values in held.values_list("custom_values", flat=True) for key in values or ()}
    return [label for key, label in labels.items() if key in keys]


def _parts(health: AccountHealth | None, rules: HealthRules, segment_id: int | None) -> tuple[list[Part], list[str]]:
    """What costs most first; and the labels of the weighed factors without an input, the heaviest first."""
    weights = {key: weight for key, weight in rules.version_of(segment_id).weights.items() if weight > 0}
    weighed = sorted((one for one in rules.factors if one.key in weights), key=lambda one: -weights[one.key])
    held = list(health.contributions) if health else []
    # A factor that came after the last refresh has no place yet.
    hundredths = {one.key: held[one.position] if one.position < len(held) else MISSING_PART for one in weighed}
    known = [one for one in weighed if hundredths[one.key] != MISSING_PART]
    whole = sum(weights[one.key] for one in known)
    parts = []
    for one in known:
        points, most = hundredths[one.key] / 100, 100 * weights[one.key] / whole
        parts.append(Part(one.label, one.explanation, points, most, max(0.0, most - points)))
    parts.sort(key=lambda part: -part.lost)
    return parts, [one.label for one in weighed if hundredths[one.key] == MISSING_PART]


def _line(account_id: int, healthy_from: int, watch_from: int, as_of: dt.date) -> Line | None:
    """The last year; None where less than two days are known."""
    first_on = as_of - dt.timedelta(days=CHART_DAYS)
    days = HealthDay.objects.filter(account=account_id, changed_on__lte=as_of)
    opening = days.filter(changed_on__lt=first_on).order_by("-changed_on")[:1]
    steps = [(max(one.changed_on, first_on), one) for one in opening]
    steps += [(one.changed_on, one) for one in days.filter(changed_on__gte=first_on).order_by("changed_on")]
    if not steps or (len(steps) == 1 and steps[0][0] == as_of):
        return None
    start = steps[0][0]
    length = (as_of - start).days or 1

    def x(day: dt.date) -> float:
        return round(MARGIN + (WIDTH - 2 * MARGIN) * (day - start).days / length, 1)

    stretches: list[list[str]] = [[]]
    for place, (day, one) in enumerate(steps):
        until = steps[place + 1][0] if place + 1 < len(steps) else as_of
        if one.score is None:
            stretches.append([])
            continue
        stretches[-1] += [f"{x(day)},{_y(one.score)}", f"{x(until)},{_y(one.score)}"]
    words = {band: band.label for band in HealthBand}
    rows = [
        (day, one.score, words[HealthBand(one.band)] if one.band is not None else "–", round(100 * one.completeness))
        for day, one in reversed(steps)
    ]
    joined = [" ".join(points) for points in stretches if points]
    return Line(joined, start, as_of, _y(healthy_from), _y(watch_from), rows)


def _y(score: float) -> float:
    return round(HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * score / 100, 1)


def health_of(account_ids: Iterable[int], on: dt.date) -> dict[int, float]:
    """Score by account on a day, for those that had one. One query, by the weights of today."""
    days = HealthDay.objects.filter(account__in=list(account_ids), changed_on__lte=on)
    newest = days.order_by("account_id", "-changed_on").distinct("account_id").values_list("account_id", "score")
    return {account_id: score for account_id, score in newest if score is not None}


@dataclass(frozen=True)
class Filters:
    """What the list shows; blank is everything."""

    band: str = ""  # the value of a HealthBand, or UNKNOWN
    segment_id: int | None = None
    trend: str = ""  # "down" or "up" by TREND_FROM or more within 30 days
    is_mine: bool = False
    name: str = ""


def visible_accounts(user: User) -> QuerySet[Account]:
    """Accounts with an open renewal that the user sees: those whose health still decides something."""
    renewals = Renewal.objects.visible_to(user).open().filter(account=OuterRef("pk"))
    return Account.objects.filter(Exists(renewals)).order_by()


def listed_accounts(user: User, filters: Filters) -> QuerySet[Account]:
    """The visible ones that meet the filters."""
    found = visible_accounts(user)
    if filters.segment_id is not None:
        found = found.filter(segment=filters.segment_id)
    if filters.is_mine:
        found = found.filter(owner=user)
    if filters.name:
        found = found.filter(name__istartswith=filters.name)
    if filters.band == UNKNOWN:
        found = found.filter(health__band__isnull=True)
    elif filters.band:
        found = found.filter(health__band=int(filters.band))
    if filters.trend == "down":
        found = found.filter(health__score__lte=F("health__score_30_days_before") - TREND_FROM)
    elif filters.trend == "up":
        found = found.filter(health__score__gte=F("health__score_30_days_before") + TREND_FROM)
    return found


@dataclass(frozen=True)
class AccountRow:
    account: Account
    standing: Standing
    stake_amount: Decimal
    next_due_on: dt.date | None


def load_rows(accounts: QuerySet[Account], user: User, rates: Mapping[str, Decimal]) -> list[AccountRow]:
    """One page of accounts, the worst score first, then those without one. One query."""
    amounts = [When(currency=currency, then=F("baseline_amount") * Value(rate)) for currency, rate in rates.items()]
    worth = Case(*amounts, default=Value(Decimal(0)), output_field=AMOUNT)
    renewals = Renewal.objects.visible_to(user).open().filter(account=OuterRef("pk")).order_by()
    stake = renewals.values("account").annotate(sum=Sum(worth)).values("sum")
    annotated = accounts.select_related("segment", "owner", "health").annotate(
        stake_amount=Coalesce(Subquery(stake), Value(Decimal(0)), output_field=AMOUNT),
        next_due_on=Subquery(renewals.order_by("due_on").values("due_on")[:1]),
    )
    return [
        AccountRow(one, standing_of(getattr(one, "health", None)), one.stake_amount, one.next_due_on)
        for one in annotated
    ]


@dataclass(frozen=True)
class BandRow:
    """How many accounts of a segment are in each band."""

    name: str
    segment_id: int | None
    healthy: int
    watch: int
    poor: int
    unknown: int

    @property
    def count(self) -> int:
        return self.healthy + self.watch + self.poor + self.unknown


def bands_by_segment(user: User) -> list[BandRow]:
    """Of the visible accounts, by segment in its order, and last all of them. Two queries."""
    tally: dict[int | None, dict[int | None, int]] = {}
    records = visible_accounts(user).values("segment", "health__band").annotate(count=Count("pk"))
    for record in records.values_list("segment", "health__band", "count"):
        tally.setdefault(record[0], {})[record[1]] = record[2]
    names: list[tuple[int | None, str]] = [(one.pk, one.name) for one in Segment.objects.all()]
    rows = [_band_row(name, pk, tally[pk]) for pk, name in [*names, (None, "No segment")] if pk in tally]
    whole: dict[int | None, int] = {}
    for counts in tally.values():
        for band, count in counts.items():
            whole[band] = whole.get(band, 0) + count
    return [*rows, _band_row("All", None, whole)]


def _band_row(name: str, segment_id: int | None, counts: Mapping[int | None, int]) -> BandRow:
    healthy, watch, poor = (counts.get(band, 0) for band in (HealthBand.HEALTHY, HealthBand.WATCH, HealthBand.POOR))
    return BandRow(name, segment_id, healthy, watch, poor, counts.get(None, 0))


def ordered(accounts: QuerySet[Account]) -> QuerySet[Account]:
    return accounts.order_by(F("health__score").asc(nulls_last=True), "pk")
