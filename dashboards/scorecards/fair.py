"""What a book should have kept, given what is in it: segments and risk at the rates of the whole company."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import sqrt
from typing import Any, Final

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from accounts.models import User
from dashboards.models import Level, RollUp
from dashboards.rollups.adding import joined
from dashboards.rollups.facts import BAND, SOURCE
from dashboards.scorecards.credit import read_moved, whole_books
from dashboards.scorecards.people import Group
from forecasting.engine.arrays import NO_ID, Floats, Integers
from forecasting.engine.calls import Z95
from forecasting.engine.timing import TimingClass
from forecasting.frames import Column, copy_out
from forecasting.frames.book import MISSING, currency_column
from forecasting.frames.converted import converted_cents
from forecasting.periods import Period, first_day, month_number
from forecasting.scopes.scope import Scope
from forecasting.scopes.slices import within

# As they are kept: of the book, of teams and of owners.
KEPT: Final = (
    Column("level", "int2", "level"),
    Column("team", "int8", f"COALESCE(team_id, {NO_ID})"),
    Column("owner", "int8", f"COALESCE(owner_id, {NO_ID})"),
    Column("segment", "int8", f"COALESCE(segment_id, {NO_ID})"),
    Column("band", "int2", "band"),
    Column("count", "int8", "count"),
    Column("baseline", "int8", "baseline_cents"),
    Column("kept", "int8", "kept_cents"),
    Column("squares", "float8", "squares"),
)
KEPT_SOURCE: Final = f"""dashboards_mixcell WHERE month_on = ANY(%s) AND (level = {Level.BOOK:d}
    OR level = {Level.TEAM:d} AND team_id = ANY(%s) OR level = {Level.OWNER:d} AND owner_id = ANY(%s))"""
COLUMNS: Final = (
    Column("id", "int8", "r.id"),
    Column("owner_id", "int8", f"COALESCE(r.owner_id, {NO_ID})"),
    Column("segment_id", "int8", f"COALESCE(a.segment_id, {NO_ID})"),
    Column("band", "int2", BAND),
    Column("timing", "int2", "s.timing_class"),
    Column("baseline", "int8", "r.baseline_amount * 100"),
    Column("renewed", "int8", "COALESCE(r.final_amount, 0) * 100"),
)
DECIDED: Final = f"{SOURCE} WHERE NOT r.is_excluded AND s.timing_class >= {int(TimingClass.LAPSED)}"
ABOVE, BELOW, WITHIN = "above expected", "below expected", "as expected"


@dataclass(frozen=True)
class Stratum:
    """The decided renewals of an owner in a segment and risk band, cents of the reporting currency."""

    count: int
    baseline: int
    kept: int
    squares: float  # sum of squared baselines


@dataclass(frozen=True)
class Fair:
    """Shares of the decided baseline: kept, and expected of it, with the interval that holds 95 % of such books."""

    count: int
    rate: float
    expected: float
    lowest: float
    highest: float

    @property
    def verdict(self) -> str:
        """Above or below is said only where the interval excludes it."""
        return ABOVE if self.rate > self.highest else BELOW if self.rate < self.lowest else WITHIN


Mix = dict[tuple[int, int], Stratum]
MEASURES: Final = ("count", "baseline", "kept", "squares")


@dataclass(frozen=True, eq=False)
class Strata:
    """Decided renewals by owner on the day of the decision, segment and risk band: one entry each, along all arrays.

    Those of `company` are all of it, where these are of some alone.
    """

    owner: Integers
    segment: Integers
    band: Integers
    count: Integers
    baseline: Integers
    kept: Integers
    squares: Floats
    company: Strata | None = None

    @classmethod
    def added_up(cls, rows: Mapping[str, NDArray[Any]], company: Strata | None = None) -> Strata:
        """Of rows, or of strata of parts of them, which may be taken off with a minus."""
        keys = [rows[name].astype(np.int64) for name in ("owner", "segment", "band")]
        _, first, place = np.unique(joined(keys), return_index=True, return_inverse=True)
        sums = {name: np.bincount(place, rows[name], first.size) for name in MEASURES}
        counts = {name: sums[name].round().astype(np.int64) for name in MEASURES[:-1]}
        owner, segment, band = (key[first] for key in keys)
        squares = sums["squares"].astype(np.float64)
        return cls(owner, segment, band, counts["count"], counts["baseline"], counts["kept"], squares, company)

    @classmethod
    def of_mixes(cls, mixes: Mapping[int, Mix]) -> Strata:
        entries = [(owner, *key, *vars(one).values()) for owner, mix in mixes.items() for key, one in mix.items()]
        columns = list(zip(*entries, strict=True)) or [()] * (3 + len(MEASURES))
        owner, segment, band, count, baseline, kept = (np.array(column, dtype=np.int64) for column in columns[:-1])
        return cls(owner, segment, band, count, baseline, kept, np.array(columns[-1], dtype=np.float64))

    @cached_property
    def rate(self) -> Floats:
        """What the whole company kept of the segment and band of each entry."""
        whole = self.company or self
        keys = [np.concatenate([getattr(whole, name), getattr(self, name)]) for name in ("segment", "band")]
        found, place = np.unique(joined(keys), return_inverse=True)
        of_whole, own = np.split(place, [whole.segment.size])
        kept, baseline = (np.bincount(of_whole, values, found.size) for values in (whole.kept, whole.baseline))
        shares: Floats = np.divide(kept, baseline, out=np.zeros(baseline.size), where=baseline != 0)
        return shares[own]

    def mixes(self) -> dict[int, Mix]:
        found: dict[int, Mix] = defaultdict(dict)
        columns = (getattr(self, name).tolist() for name in ("owner", "segment", "band", *MEASURES))
        for owner, segment, band, *numbers in zip(*columns, strict=True):
            found[owner][segment, band] = Stratum(*numbers)
        return dict(found)

    def judge(self, owners: Collection[int]) -> Fair | None:
        """The books of some owners together, at the company's rate of each segment and risk band.

            expected = sum(B x p) / sum(B)        deviation = sqrt(sum(B^2 x p (1 - p))) / sum(B)

        p is the share of a stratum that the whole company kept. A renewal is kept in part at most, so its share varies
        by no more than p (1 - p): the interval is, if anything, too wide, and says too little rather than too much.
        None: nothing is decided.
        """
        own = np.isin(self.owner, list(owners))
        whole, rate = int(self.baseline[own].sum()), self.rate[own]
        if not whole:
            return None
        expected = float(rate @ self.baseline[own]) / whole
        half = Z95 * sqrt(max(float((rate * (1 - rate)) @ self.squares[own]), 0.0)) / whole
        # Sums of shares are floats: what is equal may differ in the last digit.
        return Fair(
            int(self.count[own].sum()),
            round(int(self.kept[own].sum()) / whole, 9),
            round(expected, 9),
            round(max(expected - half, 0.0), 9),
            round(min(expected + half, 1.0), 9),
        )


def read_mix(
    done: RollUp, period: Period, zone: str, scope: Scope, moved: Mapping[int, int] | None = None
) -> dict[int, Mix]:
    """By owner on the day of the decision, by (segment, risk band), of all that is due in the period and decided.

    Of the segment and slice of a scope, whoever it is about: the company is what everybody is measured by.
    """
    if moved is None:
        moved = read_moved(zone, period.starts_on, period.ends_on)
    return read_raw_strata(done, period, scope, moved).mixes()


def judge_groups(
    done: RollUp, period: Period, scope: Scope, moved: Mapping[int, int], groups: Sequence[Group]
) -> list[Fair | None]:
    """Each group as it is kept; in a slice, which nothing is kept of, of the rows.

    `moved` is as of `read_moved`, of the days of the period and perhaps of more.
    """
    if scope.slice:
        raw = read_raw_strata(done, period, scope, moved)
        return [raw.judge(group.owner_ids) for group in groups]
    strata = read_strata(done, period, scope, moved, groups)
    return [strata.judge([at]) for at in range(len(groups))]


def read_strata(
    done: RollUp, period: Period, scope: Scope, moved: Mapping[int, int], groups: Sequence[Group]
) -> Strata:
    """As kept of each group, a team or one person, whose place among them is in place of an owner: less the few rows
    that had another owner at the decision, and those of viewers in a team, plus the rows decided under its members."""
    teams = {group.team.pk: at for at, group in enumerate(groups) if group.team}
    people = {group.owner_ids[0]: at for at, group in enumerate(groups) if not group.team}
    viewers = dict(User.objects.filter(role=User.Role.VIEWER, team__in=teams).values_list("pk", "team"))
    months = [first_day(month_number(period.starts_on) + at) for at in range(period.month_count)]
    parameters: list[object] = [months, list(teams), [*people, *viewers]]
    source = KEPT_SOURCE
    if scope.segment:
        source, parameters = f"{source} AND segment_id = %s", [*parameters, scope.segment.pk]
    with connection.cursor() as cursor:
        rows = copy_out(cursor, KEPT, source, parameters)
    company = Strata.added_up({name: values[rows["level"] == Level.BOOK] for name, values in rows.items()})
    of_teams = {name: values[rows["level"] == Level.TEAM] for name, values in rows.items()}
    of_people = {name: values[rows["level"] == Level.OWNER] for name, values in rows.items()}
    strangers = {pk: teams[team] for pk, team in viewers.items()}
    parts = [
        _placed(of_teams | {"owner": of_teams["team"]}, teams),
        _placed(of_people, people),
        _placed(of_people, strangers, sign=-1),
    ]
    if moved:
        members = {pk: at for at, group in enumerate(groups) if group.team for pk in group.owner_ids}
        for sign, owners in ((-1, {}), (1, moved)):
            some = _rows(done, period, scope, owners, only=list(moved))
            parts += [_placed(some, places, sign=sign) for places in (members, people)]
    names = ("owner", "segment", "band", *MEASURES)
    return Strata.added_up({name: np.concatenate([part[name] for part in parts]) for name in names}, company)


def _placed(rows: Mapping[str, NDArray[Any]], places: Mapping[int, int], *, sign: int = 1) -> dict[str, NDArray[Any]]:
    """The rows of those who have a place, which stands for them then; with a minus where they are taken off."""
    place = np.array([places.get(pk, NO_ID) for pk in rows["owner"].tolist()], dtype=np.int64)
    is_in = place != NO_ID
    found = {name: rows[name][is_in] for name in ("segment", "band")}
    return found | {"owner": place[is_in]} | {name: sign * rows[name][is_in] for name in MEASURES}


def read_raw_strata(done: RollUp, period: Period, scope: Scope, moved: Mapping[int, int]) -> Strata:
    return Strata.added_up(_rows(done, period, scope, moved))


def _rows(
    done: RollUp, period: Period, scope: Scope, moved: Mapping[int, int], *, only: Sequence[int] | None = None
) -> dict[str, NDArray[Any]]:
    """Each decided renewal as a stratum of its own. The band is of the risk as it was known before the decision
    (forecasting.frames.scoring)."""
    rates = done.exact_rates
    where, values = within(whole_books(scope))
    condition, parameters = f"r.due_on BETWEEN %s AND %s AND {where}", [period.starts_on, period.ends_on, *values]
    if only is not None:
        condition, parameters = f"{condition} AND r.id = ANY(%s)", [*parameters, only]
    with connection.cursor() as cursor:
        columns = [*COLUMNS, currency_column(tuple(rates))]
        rows = copy_out(cursor, columns, f"{DECIDED} AND {condition}", parameters)
    is_rated = rows["currency"] != MISSING
    rows = {name: values[is_rated] for name, values in rows.items()}
    for name in ("baseline", "renewed"):
        rows[name] = converted_cents(rows[name], rows["currency"].astype(np.int64), rates)
    owners = zip(rows["id"].tolist(), rows["owner_id"].tolist(), strict=True)
    return {
        "owner": np.array([moved.get(pk, now) for pk, now in owners], dtype=np.int64),
        "segment": rows["segment_id"].astype(np.int64),
        "band": rows["band"].astype(np.int64),
        **measures_of(rows),
    }


def measures_of(rows: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """What each decided renewal adds to its stratum."""
    is_won = (rows["timing"] >= TimingClass.EARLY) & (rows["timing"] <= TimingClass.LATE)
    return {
        "count": np.ones(rows["baseline"].size, dtype=np.int64),
        "baseline": rows["baseline"],
        "kept": np.where(is_won, np.minimum(rows["renewed"], rows["baseline"]), 0),
        "squares": rows["baseline"].astype(np.float64) ** 2,
    }


def judge(mixes: Mapping[int, Mix], owners: Collection[int]) -> Fair | None:
    """See `Strata.judge`."""
    return Strata.of_mixes(mixes).judge(owners)
