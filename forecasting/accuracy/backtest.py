"""Past periods replayed one after the other, and what the forecasts of them were worth.

What is kept of each scope (BacktestScope.content), as plain numbers, money in the reporting currency:

horizons    by days before the period's end: by `all` renewals or the `worded` (open, and the rep had given a word), by
            forecaster, the measures of `engine.accuracy.measures`
tenths      by days, by forecaster: calibration by tenths of the open renewals (book and teams alone)
series      by period and days: forecast, band, what came, last year's rate (book and teams alone)
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from accounts.models import get_company
from forecasting.accuracy.replay import FORECASTERS, Origin, Replayed, replay_period
from forecasting.engine.accuracy import SHARES, SUMS, Replay, add_up, by_probability, measures, tenths
from forecasting.engine.arrays import Booleans, Floats, Integers
from forecasting.frames import Arrays, load_rules
from forecasting.frames.line_rows import read_reporting
from forecasting.frames.replay import rules_of_replay
from forecasting.models import BacktestScope
from forecasting.periods import Grain, period_of
from renewals.models import Renewal

Kind = BacktestScope.Kind
ORIGINS: Final = 8  # quarters that are replayed unless another number is asked for
MOST_ORIGINS: Final = 40
LEAST_BANDED: Final = 20  # open renewals of a line: a band of fewer is a list of sums, which few values can hit
POPULATIONS: Final = {"all": ("joined", "model", "last_year"), "worded": FORECASTERS}
WITH_SERIES: Final = (Kind.BOOK, Kind.TEAM)
Progress = Callable[[int], None]


@dataclass(frozen=True, eq=False)
class Found:
    """What a backtest found; `scopes` by kind and id, the book's under 0."""

    as_of: dt.date
    reporting_currency: str
    periods: list[dict[str, Any]]
    scopes: dict[tuple[str, int], dict[str, Any]]


def run_backtest(
    *, origin_count: int = ORIGINS, as_of: dt.date | None = None, progress: Progress | None = None
) -> Found:
    """Replay the newest `origin_count` quarters that are over and settled. Reads only.

    Memory is bounded by one period: at most replay.MOST_ROWS renewals of the accounts that it is about.
    """
    company = get_company()
    as_of = as_of or company.today()
    base, report = rules_of_replay(load_rules(None)), read_reporting(as_of=as_of)
    tallies = _Tallies()
    first_on = Renewal.objects.order_by("due_on").values_list("due_on", flat=True).first()
    period = period_of(Grain.QUARTER, as_of, report.fiscal_start)
    periods: list[dict[str, Any]] = []
    while len(periods) < origin_count and first_on is not None and period.starts_on > first_on:
        period = period_of(Grain.QUARTER, period.starts_on - dt.timedelta(days=1), report.fiscal_start)
        found = replay_period(period, base, report, company)
        if found is not None:
            tallies.add(found, period.label(report.fiscal_start))
            periods.append(_told(found, period.label(report.fiscal_start)))
            if progress:
                progress(len(periods))
    return Found(as_of, company.reporting_currency, periods[::-1], tallies.told())


def _told(found: Replayed, label: str) -> dict[str, Any]:
    return {
        "label": label,
        "starts_on": found.period.starts_on.isoformat(),
        "ends_on": found.period.ends_on.isoformat(),
        "way": found.way,
        "settled_count": found.settled_count,
        "share": found.share,
        "due_count": int(found.origins[-1].owner.size),
        "worded_count": int(np.count_nonzero(found.origins[0].is_worded)),
        "open_count": int(np.count_nonzero(found.origins[0].seen["model"].is_open)),
    }


Key = tuple[str, int]  # of a scope


class _Tallies:
    """Sums over the periods that were added: of each scope, horizon, population and forecaster."""

    def __init__(self) -> None:
        self.sums: dict[Key, dict[tuple[int, str, str], Floats]] = defaultdict(dict)
        self.shares: dict[Key, dict[tuple[int, str], Floats]] = defaultdict(dict)
        self.series: dict[Key, list[dict[str, Any]]] = defaultdict(list)

    def add(self, replayed: Replayed, label: str) -> None:
        for origin in replayed.origins:
            for kind, ids, group in _groups(origin):
                whole = self._add_sums(origin, kind, ids, group)
                if kind in WITH_SERIES:
                    self._add_shares(origin, kind, ids, group)
                    self._add_series(origin, kind, ids, whole, label, replayed.period.starts_on)

    def _add_sums(self, origin: Origin, kind: Kind, ids: Integers, group: Integers) -> dict[str, NDArray[Any]]:
        """The sums of this origin over all renewals, by forecaster."""
        whole: dict[str, NDArray[Any]] = {}
        for population, forecasters in POPULATIONS.items():
            kept = origin.is_worded if population == "worded" else np.ones(group.size, dtype=np.bool_)
            for forecaster in forecasters:
                found = add_up(_some(origin.seen[forecaster], kept), group[kept], ids.size)
                if population == "all":
                    whole[forecaster] = found
                    if forecaster == "joined":
                        _add_bands(found, origin.lines, kind, ids)
                for at, group_id in enumerate(ids.tolist()):
                    held, key = self.sums[kind, group_id], (origin.horizon, population, forecaster)
                    held[key] = held[key] + found[at] if key in held else found[at]
        return whole

    def _add_shares(self, origin: Origin, kind: Kind, ids: Integers, group: Integers) -> None:
        for at, group_id in enumerate(ids.tolist()):
            for forecaster in ("joined", "model", "rep"):
                seen = origin.seen[forecaster]
                kept = (group == at) & (origin.is_worded if forecaster == "rep" else seen.is_open)
                held, key = self.shares[kind, group_id], (origin.horizon, forecaster)
                held[key] = held.get(key, np.zeros((SHARES, 3))) + by_probability(seen.p[kept], seen.is_renewed[kept])

    def _add_series(
        self,
        origin: Origin,
        kind: Kind,
        ids: Integers,
        whole: dict[str, NDArray[Any]],
        label: str,
        starts_on: dt.date,
    ) -> None:
        came_at, miss_at, chance_at = (SUMS.index(name) for name in ("came_amount", "miss", "chance"))
        place, is_there = _lines_of(origin.lines, kind, ids)
        for at, group_id in enumerate(ids.tolist()):
            came = float(whole["joined"][at, came_at])
            self.series[kind, group_id].append(
                {
                    "period": label,
                    "starts_on": starts_on.isoformat(),
                    "horizon": origin.horizon,
                    "came": came,
                    "chance": float(whole["joined"][at, chance_at]),
                    **{name: came + float(sums[at, miss_at]) for name, sums in whole.items()},
                    **{
                        name: int(origin.lines[f"{name}_amount"][place[at]]) / 100 if is_there[at] else None
                        for name in ("p10", "p90")
                    },
                }
            )

    def told(self) -> dict[Key, dict[str, Any]]:
        found: dict[Key, dict[str, Any]] = {}
        for key, sums in self.sums.items():
            horizons: dict[str, Any] = {}
            for (horizon, population, forecaster), values in sums.items():
                horizons.setdefault(str(horizon), {}).setdefault(population, {})[forecaster] = measures(values)
            found[key] = {"horizons": horizons}
            if key in self.series:
                found[key]["series"] = sorted(self.series[key], key=lambda one: (one["starts_on"], -one["horizon"]))
                by_horizon: dict[str, Any] = {}
                for (horizon, forecaster), shares in self.shares[key].items():
                    by_horizon.setdefault(str(horizon), {})[forecaster] = tenths(shares)
                found[key]["tenths"] = by_horizon
        return found


def _groups(origin: Origin) -> Iterator[tuple[Kind, Integers, Integers]]:
    """By kind of scope: its ids, and the place among them of each row, -1 of those in none."""
    yield Kind.BOOK, np.zeros(1, dtype=np.int64), np.zeros(origin.owner.size, dtype=np.int64)
    for kind, values in ((Kind.TEAM, origin.team), (Kind.OWNER, origin.owner), (Kind.SEGMENT, origin.segment)):
        ids = np.unique(values[values >= 0])
        yield kind, ids, np.where(values >= 0, np.searchsorted(ids, values), -1)


def _some(seen: Replay, kept: Booleans) -> Replay:
    return Replay(*(getattr(seen, name)[kept] for name in Replay.__dataclass_fields__))


def _lines_of(lines: Arrays, kind: Kind, ids: Integers) -> tuple[Integers, Booleans]:
    """(place of the line of each id of a kind, whether it has one)."""
    held = {name: lines[f"{name}_id"] >= 0 for name in ("team", "owner", "segment")}
    of_kind = np.logical_and.reduce([held[name] == (name == kind.value) for name in held])
    places = np.flatnonzero(of_kind)
    keys = np.zeros(places.size, dtype=np.int64) if kind == Kind.BOOK else lines[f"{kind.value}_id"][places]
    if not places.size:
        return np.zeros(ids.size, dtype=np.int64), np.zeros(ids.size, dtype=np.bool_)
    order = np.argsort(keys, kind="stable")
    at = np.minimum(np.searchsorted(keys, ids, sorter=order), places.size - 1)
    is_there: Booleans = keys[order[at]] == ids
    return places[order[at]], is_there


def _add_bands(found: NDArray[Any], lines: Arrays, kind: Kind, ids: Integers) -> None:
    """Whether P10 to P90 of each scope's line held what came, where enough was open for a band."""
    place, is_there = _lines_of(lines, kind, ids)
    if not is_there.any():
        return
    came = found[:, SUMS.index("came_amount")]
    low, high = lines["p10_amount"][place] / 100, lines["p90_amount"][place] / 100
    is_banded = is_there & (lines["open_count"][place] >= LEAST_BANDED)
    found[:, SUMS.index("banded")] = is_banded
    found[:, SUMS.index("held")] = is_banded & (low <= came) & (came <= high)
