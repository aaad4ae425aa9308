"""The figures of the book under a scenario, by period: the forecast lines of the recompute's own engine, and beside
them the accounts that are kept. Only the quarters that a scenario touches are computed again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forecasting.engine.arrays import Booleans, Floats, Integers
from forecasting.engine.timing import TimingClass
from forecasting.frames import Arrays, line_rows
from forecasting.frames.outlook import MEANS, WHOLE, mean_amounts
from forecasting.lines import AMOUNTS, COUNTS, QUANTILES, compute_lines
from forecasting.periods import Grain, Period, month_number, months_of_days, quarter_start
from forecasting.scenarios.apply import Effect, Shifted, apply_shifts
from forecasting.scenarios.book import ScenarioBook, shown_periods
from forecasting.scenarios.shifts import Shift

GRAINS: Final = {Grain.MONTH: 0, Grain.QUARTER: 1}
# What a line holds besides whole sums: taken over from a line of the same rows, so that no cent flickers.
DERIVED: Final = tuple(
    name for name in AMOUNTS if name in QUANTILES or name.startswith(("expected_", "collected_", "chance_"))
)
ROUNDING: Final = 3  # cents: each of them is rounded once, and one is what the others leave
WHOLE_SUMS: Final = tuple(name for name in (*COUNTS, *AMOUNTS) if name not in DERIVED)
HORIZONS: Final = {"by_due": 0, "by_30": 30, "by_60": 60, "by_90": 90}
Key = tuple[int, int]  # grain as lines have it, and the period's first month
Values = dict[str, int]


@dataclass(frozen=True, eq=False)
class Figures:
    """By period: every count and amount (in cents) of a forecast line, and

    account_count, kept_accounts     accounts with anything due; of them how many are expected to renew, in millionths
    """

    values: Mapping[Key, Values]
    effects: Sequence[Effect]

    def of(self, period: Period) -> Values:
        return self.values.get((GRAINS[Grain(period.grain)], month_number(period.starts_on)), BLANK)


EXTRA: Final = ("account_count", "kept_accounts")
BLANK: Final[Values] = dict.fromkeys((*COUNTS, *AMOUNTS, *EXTRA), 0)
MILLIONTHS: Final = 1_000_000


def base_figures(book: ScenarioBook) -> Figures:
    """The book as it is: the forecast page's own figures."""

    def make() -> Figures:
        as_it_is = apply_shifts(book, [])
        values, book.base_lines = _compute(book, as_it_is, np.ones(book.row_count, dtype=np.bool_), book.published)
        return Figures(values, [])

    figures: Figures = book.remembered("base", make)
    return figures


def compute_figures(book: ScenarioBook, shifts: Sequence[tuple[Shift, Booleans]]) -> Figures:
    """The book under shifts, each with the rows that it is on."""
    base = base_figures(book)
    shifted = apply_shifts(book, shifts)
    if not shifted.is_changed.any():
        return Figures(base.values, shifted.effects)
    touched = _quarters_touched(book, shifted)
    quarter = _quarters(shifted.rows["due"], book)
    values, _ = _compute(book, shifted, np.isin(quarter, touched), book.base_lines)
    kept = {
        key: known
        for key, known in base.values.items()
        if quarter_start(key[1], book.report.fiscal_start) not in touched
    }
    return Figures({**kept, **values}, shifted.effects)


def _quarters(due: Integers, book: ScenarioBook) -> Integers:
    months = months_of_days(due).astype(np.int64)
    return months - (months - (book.report.fiscal_start - 1)) % 3


def _quarters_touched(book: ScenarioBook, shifted: Shifted) -> Integers:
    """First months of the quarters that a changed row is due in, before or after."""
    changed = np.flatnonzero(shifted.is_changed)
    before, after = (_quarters(rows["due"][changed], book) for rows in (book.rows, shifted.rows))
    return np.union1d(before, after)


def _compute(
    book: ScenarioBook, shifted: Shifted, is_wanted: Booleans, known: Arrays
) -> tuple[dict[Key, Values], Arrays]:
    """Figures and lines of the rows that are wanted: whole quarters."""
    last = shown_periods(Grain.QUARTER, book.today, book.report.fiscal_start)[-1]
    months = months_of_days(shifted.rows["due"])
    within = (months >= month_number(book.first_on)) & (months <= month_number(last.ends_on))
    places = np.flatnonzero(is_wanted & within)
    rows = {name: values[places] for name, values in shifted.rows.items()}
    timing, probability = shifted.timing[places], shifted.probability[places]
    scores = {
        "timing_class": timing,
        "probability": probability,
        **_means(rows, timing, shifted.is_changed[places], book),
    }
    # Every row of the book has a rate, counts, and is due in a month that lines are kept for: none is left out.
    packed, _ = line_rows(rows, scores, book.rules, book.report, orders=book.orders)
    _set_orders(packed, shifted, rows["due"], places)
    shock = book.rules.outlook.shock
    lines = _taken_over(compute_lines(packed, book.report, shock=shock, stored=known, with_scopes=False), known)
    names = (*COUNTS, *AMOUNTS)
    table = np.stack([lines[name] for name in names], axis=1) if lines["grain"].size else np.empty((0, len(names)))
    values: dict[Key, Values] = {
        key: dict(zip(names, row, strict=True))
        for key, row in zip(
            zip(lines["grain"].tolist(), lines["month"].tolist(), strict=True), table.tolist(), strict=True
        )
    }
    is_kept = (timing >= TimingClass.EARLY) & (timing <= TimingClass.LATE)
    renews = np.where(timing <= TimingClass.OVERDUE, probability, is_kept)
    _add_accounts(values, rows, renews, months[places].astype(np.int64), _quarters(rows["due"], book))
    return values, lines


def _means(rows: Arrays, timing: Integers, is_changed: Booleans, book: ScenarioBook) -> Arrays:
    """What each row brings on average if it is renewed: as it is stored, unless a shift is on the row."""
    changed = np.flatnonzero(is_changed)
    found = mean_amounts({name: values[changed] for name, values in rows.items()}, timing[changed], book.rules.outlook)
    means = {name: rows[name].copy() for name in MEANS}
    for name, values in means.items():
        values[changed] = found[name]
    return means


def _taken_over(lines: Arrays, known: Arrays) -> Arrays:
    """Lines, with the figures of a known line where that one is of the same rows: a float sum in another order may
    round to another cent."""
    places = {key: at for at, key in enumerate(zip(known["grain"].tolist(), known["month"].tolist(), strict=True))}
    for at, key in enumerate(zip(lines["grain"].tolist(), lines["month"].tolist(), strict=True)):
        found = places.get(key)
        if found is None or lines["open_hash"][at] != known["open_hash"][found]:
            continue
        is_same = all(lines[name][at] == known[name][found] for name in WHOLE_SUMS)
        if is_same and all(abs(lines[name][at] - known[name][found]) <= ROUNDING for name in DERIVED):
            for name in DERIVED:
                lines[name][at] = known[name][found]
    return lines


def _set_orders(packed: NDArray[Any], shifted: Shifted, due: Integers, places: Integers) -> None:
    """Rows whose order a shift expects on one day are ordered on that day, and on no other."""
    moved = np.flatnonzero(shifted.is_order_moved[places])
    timing, day = shifted.order_timing[places][moved], shifted.order_day[places][moved]
    for name, wanted in (("early", TimingClass.EARLY), ("on_time", TimingClass.ON_TIME)):
        packed[name][moved] = WHOLE * (timing == wanted)
    for name, days in HORIZONS.items():
        packed[name][moved] = WHOLE * (day <= due[moved] + days)


def _add_accounts(
    values: dict[Key, Values], rows: Arrays, renews: Floats, months: Integers, quarters: Integers
) -> None:
    for grain, period in ((0, months), (1, quarters)):
        starts, group = np.unique(period, return_inverse=True)
        counts, kept = _accounts(group, starts.size, rows, renews)
        for start, count, kept_count in zip(starts.tolist(), counts.tolist(), kept.tolist(), strict=True):
            values[grain, start] |= {"account_count": round(count), "kept_accounts": round(kept_count)}


def _accounts(group: Integers, group_count: int, rows: Arrays, weight: Floats) -> tuple[Any, Any]:
    """(accounts with anything due, how many of them are expected to renew any of it, in millionths) by group.

    Source: docs/domain.md section 4.3, logo renewal rate. Of renewals that are decided independently of each other.
    """
    _, account = np.unique(rows["account_id"], return_inverse=True)
    pair, place = np.unique(group.astype(np.int64) * (account.max(initial=0) + 1) + account, return_inverse=True)
    of_group = pair // (account.max(initial=0) + 1)
    with np.errstate(divide="ignore"):  # one that is certain: ln 0
        lost = np.exp(np.bincount(place, np.log1p(-weight.astype(np.float64)), pair.size))
    return np.bincount(of_group, minlength=group_count), np.bincount(of_group, 1 - lost, group_count) * MILLIONTHS


def total_of(figures: Figures, periods: Iterable[Period]) -> Values:
    """Sums over periods. What does not add up, such as a quantile, is in them too, and means nothing."""
    total = dict(BLANK)
    for period in periods:
        for name, value in figures.of(period).items():
            total[name] += value
    return total
