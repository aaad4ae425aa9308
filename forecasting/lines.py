"""Forecast lines: the scored book summed by period and scope, in cents of the reporting currency.

Amounts follow docs/domain.md sections 4.2 and 4.3. Sums are taken in each row's own currency, as whole cents, and each
currency's is converted once per figure, so a line equals the total that the renewals table shows for the same rows.
What is only expected is whole cents of each row too: it adds up whatever the grouping.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forecasting.engine.arrays import NO_ID, Booleans, Floats, Integers
from forecasting.engine.bits import chained, mixed
from forecasting.engine.booking import split, weighted
from forecasting.engine.distribution import quantiles_by_group
from forecasting.engine.fitted.shock import PRIOR_SIZE, RATE_SPREAD, Shock
from forecasting.engine.spread import widen
from forecasting.engine.timing import TimingClass
from forecasting.frames import Arrays, Reporting
from forecasting.frames.converted import converted_cents
from forecasting.frames.outlook import MEANS, WHOLE
from forecasting.frames.rules import day_number
from forecasting.models import ForecastLine
from forecasting.periods import days_of_months

COUNTS: Final = tuple(field.name for field in ForecastLine._meta.concrete_fields if field.name.endswith("_count"))
QUANTILES: Final = ("p10_amount", "p50_amount", "p90_amount")
# Part of each open_hash and of what lines are computed from (line_sources): a change of what any figure of a line is,
# or of the limits below, takes another number.
ARITHMETIC: Final = 6
# The distribution's limits for tens of thousands of lines; engine.distribution says what they cost in accuracy.
LISTED_ROWS: Final = 11
MOST_FREQUENCIES: Final = 256
NEGLIGIBLE: Final = 1e-3
STATED_SHOCK: Final = Shock(PRIOR_SIZE, 0, unknown=RATE_SPREAD)  # while nothing is known of past periods
AMOUNTS: Final = tuple(field.name for field in ForecastLine._meta.concrete_fields if field.name.endswith("_amount"))


def compute_lines(
    rows: NDArray[Any],
    report: Reporting,
    *,
    shock: Shock = STATED_SHOCK,
    stored: Arrays | None = None,
    with_scopes: bool = True,
) -> Arrays:
    """Lines of rows (LINE_ROW[n]): one entry per period and scope in which any row is due.

    Returns grain (0 month, 1 quarter), month (the period's first), team_id, owner_id, segment_id (NO_ID where blank),
    and every count and amount of ForecastLine, amounts in cents. With `with_scopes` false, only the whole of the rows.
    `shock` is what the renewals of a period share. `stored` are lines from before: where one
    has the same open_hash, its quantiles are taken over.
    """
    quarters = rows_by_quarter(rows, report.fiscal_start).values()
    return compute_quarters(quarters, report, shock=shock, stored=stored, with_scopes=with_scopes)


def compute_quarters(
    quarters: Iterable[NDArray[Any]],
    report: Reporting,
    *,
    shock: Shock = STATED_SHOCK,
    stored: Arrays | None = None,
    with_scopes: bool = True,
) -> Arrays:
    """The same of rows that come by fiscal quarter, all rows of one together."""
    known = _Known(stored if stored is not None else _empty())
    # Quarters know nothing of each other, and NumPy lets go of the interpreter while it works.
    with ThreadPoolExecutor(max_workers=2) as pool:
        lines = [_empty(), *pool.map(lambda part: _lines_of_quarter(part, report, shock, known, with_scopes), quarters)]
    return {name: np.concatenate([part[name] for part in lines]) for name in lines[0]}


def rows_by_quarter(rows: NDArray[Any], fiscal_start: int) -> dict[int, NDArray[Any]]:
    """LINE_ROW[m] by the first month of the fiscal quarter in which they are due."""
    quarter = _quarters(rows["month"], fiscal_start)
    order = np.argsort(quarter, kind="stable")
    starts = np.flatnonzero(_is_new([quarter[order]]))
    # Whole rows as bytes: NumPy takes those of many fields one field at a time.
    ordered = np.take(rows.view(f"V{rows.dtype.itemsize}"), order).view(rows.dtype)
    parts = np.split(ordered, starts[1:]) if rows.size else []
    return dict(zip(quarter[order[starts]].tolist(), parts, strict=True))


def _lines_of_quarter(rows: NDArray[Any], report: Reporting, shock: Shock, known: _Known, with_scopes: bool) -> Arrays:
    base = _Base(rows, report, shock)
    parts = [
        _lines_of_scope(base, report, known, grain, keys) for grain in (0, 1) for keys in _scopes(base, with_scopes)
    ]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _empty() -> Arrays:
    names = ("grain", "month", "team_id", "owner_id", "segment_id", "open_hash", *COUNTS, *AMOUNTS)
    return {name: np.empty(0, dtype=np.int64) for name in names}


def _scopes(base: _Base, with_scopes: bool) -> Iterator[dict[str, Integers]]:
    yield {}
    if with_scopes:
        yield {"segment_id": base.segment}
        yield {"team_id": base.team}
        yield {"team_id": base.team, "segment_id": base.segment}
        yield {"owner_id": base.owner}


class _Base:
    """The rows summed by the finest group there is: month, owner, segment and currency.

    sums is int64[measures, groups]; `group` int[n] names each open row's group.
    """

    def __init__(self, rows: NDArray[Any], report: Reporting, shock: Shock) -> None:
        keys = [rows["month"], rows["owner"], rows["segment"], rows["currency"]]
        code = _joined(keys)
        order = np.argsort(code, kind="stable")
        row = {name: rows[name][order] for name in rows.dtype.names or ()}
        code = code[order]
        starts = np.flatnonzero(_is_new([code]))
        self.month, self.owner, self.segment, self.currency = (
            row[name][starts].astype(np.int64) for name in ("month", "owner", "segment", "currency")
        )
        self.team = _mapped(self.owner, report.team_of_owner)
        measures = dict(_measures(row, report))
        self.names = tuple(measures)
        self.sums = np.stack([np.add.reduceat(values, starts, dtype=np.int64) for values in measures.values()])
        is_open = np.flatnonzero(row["timing"] <= TimingClass.OVERDUE)
        live = {name: values[is_open] for name, values in row.items()}
        group = (np.cumsum(_is_new([code])) - 1)[is_open]
        self.segment_codes = live["segment"].astype(np.int64) - int(live["segment"].min(initial=0))
        self.group, self.shock, self.probability = group, shock, live["probability"]
        self.as_of = day_number(report.as_of)
        rate = np.array([float(rate) for rate in report.rates.values()])[live["currency"]]
        # To the nearest cent: for the distribution, whose steps are coarser.
        self.amount: Integers = np.rint(live["mean_cents"] * rate).astype(np.int64)
        self.variance, self.highest = (live["spread"] * rate) ** 2, live["highest"] * rate
        chance = self.probability * (1 - self.probability) * self.amount.astype(np.float64) ** 2
        self.chance = np.bincount(group, chance + self.probability * self.variance, starts.size)
        month = live["month"].astype(np.int64)
        shared = _row_hashes(live["segment"], shock, self.probability, self.amount, self.variance, self.highest)
        # By grain: the same rows of a month and of its quarter have shocks of different sizes.
        self.hashes = [
            mixed(shared + self.sizes(past_end).view(np.uint64))
            for past_end in (month + 1, _quarters(month, report.fiscal_start) + 3)
        ]

    def sizes(self, past_end: Integers) -> Floats:
        """Of the shock of periods, each by the month after it: it depends on how far away its end is."""
        return self.shock.size_at(days_of_months(past_end) - 1 - self.as_of)


def _measures(row: Mapping[str, NDArray[Any]], report: Reporting) -> Iterator[tuple[str, Integers]]:
    """What is summed of each row, by its column in ForecastLine."""
    timing, baseline, amount, category = (row[name] for name in ("timing", "baseline", "amount", "category"))
    is_open, is_won = timing <= TimingClass.OVERDUE, (timing >= TimingClass.EARLY) & (timing <= TimingClass.LATE)
    is_lost, is_overdue = ~(is_open | is_won), timing == TimingClass.OVERDUE
    renewed = amount * is_won
    kept = np.minimum(amount, baseline)
    yield "due_count", np.ones(timing.size, dtype=np.int64)
    yield "due_amount", baseline
    for state, is_in in (("won", is_won), ("lost", is_lost), ("open", is_open), ("overdue", is_overdue)):
        yield f"{state}_count", is_in.astype(np.int64)
        yield f"{state}_amount", renewed if state == "won" else baseline * is_in
    yield "won_baseline_amount", kept * is_won
    for code, name in enumerate(("commit", "best_case", "pipeline")):
        yield f"{name}_amount", amount * (is_open & (category == code))
    decided = split(baseline * ~is_open, renewed, np.minimum(row["cross_sell"], renewed))
    for name in ("renewal", "upsell", "cross_sell", "downsell", "churn"):
        yield f"{name}_amount", getattr(decided, name)
    for timing_class in (TimingClass.EARLY, TimingClass.ON_TIME, TimingClass.LATE, TimingClass.WIN_BACK):
        yield f"{timing_class.label}_count", (timing == timing_class).astype(np.int64)
        yield f"{timing_class.label}_amount", kept * (timing == timing_class)
    for name, past_end in (("month", row["month"] + 1), ("quarter", _quarters(row["month"], report.fiscal_start) + 3)):
        yield f"in_{name}", kept * (is_won & (row["ordered"] < days_of_months(past_end)))
    yield from _expected(row, renewed)


def _expected(row: Mapping[str, NDArray[Any]], won: Integers) -> Iterator[tuple[str, Integers]]:
    """Of each row, what is expected: the booking split of what it brings if it renews, times its probability.

    What is decided brings nothing here (its means are 0). What is not here is the rest of a total (`_add_rests`), so
    that the split adds up to the cent. `won` is what each row has brought: what is collected has both.
    """
    probability, baseline = row["probability"], row["baseline"]
    mean, upsell, cross_sell = (row[name] for name in MEANS)
    brought, grown = weighted(probability, mean), weighted(probability, upsell + cross_sell)
    # From rounded sums that hold each other, so that no part is below 0.
    crossed = weighted(probability, cross_sell)
    renewal = brought - grown
    yield "brought", brought
    yield "expected_upsell_amount", grown - crossed
    yield "expected_cross_sell_amount", crossed
    # A forecast of nothing is a churn by another name.
    is_kept = (mean > 0).astype(np.int64)
    yield "expected_downsell_amount", weighted(probability, (baseline - (mean - upsell - cross_sell)) * is_kept)
    for name in ("early", "on_time", "by_due", "by_30", "by_60", "by_90"):
        yield f"expected_{name}_amount", weighted(row[name] / WHOLE, renewal)
    yield "collected_amount", weighted(1 - row["default_rate"].astype(np.float64), won + brought)


def _add_rests(lines: Arrays) -> None:
    """renewed = renewal + upsell + cross-sell, baseline = renewal + downsell + churn, renewal = its timing classes."""
    brought = lines.pop("brought")
    renewal = brought - lines["expected_upsell_amount"] - lines["expected_cross_sell_amount"]
    lines["expected_renewal_amount"] = renewal
    lines["expected_amount"] = lines["won_amount"] + brought
    lines["expected_churn_amount"] = lines["open_amount"] - renewal - lines["expected_downsell_amount"]
    lines["expected_late_amount"] = renewal - lines["expected_early_amount"] - lines["expected_on_time_amount"]


def _lines_of_scope(base: _Base, report: Reporting, known: _Known, grain: int, keys: dict[str, Integers]) -> Arrays:
    """The lines of one kind of scope, such as team and segment; rows that have no team are in none of its lines."""
    period = _quarters(base.month, report.fiscal_start) if grain else base.month
    within = np.flatnonzero(np.logical_and.reduce([period >= 0, *(ids != NO_ID for ids in keys.values())]))
    parts = [period[within], *(ids[within] for ids in keys.values())]
    order = np.argsort(_joined([*parts, base.currency[within]]), kind="stable")
    within, parts = within[order], [part[order] for part in parts]
    scope = np.cumsum(_is_new(parts)) - 1
    # Sums by scope and currency, then by scope.
    pairs = np.flatnonzero(_is_new([*parts, base.currency[within]]))
    firsts = np.flatnonzero(_is_new(parts))
    lines: Arrays = {
        name: np.full(firsts.size, NO_ID, dtype=np.int64) for name in ("team_id", "owner_id", "segment_id")
    }
    lines |= {name: part[firsts] for name, part in zip(("month", *keys), parts, strict=True)}
    lines["grain"] = np.full(firsts.size, grain, dtype=np.int64)
    if not within.size:
        return _empty()
    sums = np.add.reduceat(base.sums[:, within], pairs, axis=1)
    amounts = _convert(sums, base.currency[within][pairs], np.searchsorted(pairs, firsts), report)
    counts = np.add.reduceat(sums, np.searchsorted(pairs, firsts), axis=1)
    for name, count, amount in zip(base.names, counts, amounts, strict=True):
        lines[name] = count if name.endswith("_count") else amount
    lines["in_period_amount"] = lines.pop("in_quarter") if grain else lines.pop("in_month")
    lines.pop("in_month" if grain else "in_quarter")
    lines["chance_amount"] = np.rint(np.sqrt(np.add.reduceat(base.chance[within], firsts))).astype(np.int64)
    _add_rests(lines)
    _add_quantiles(lines, base, known, grain, within, scope)
    return lines


def _add_quantiles(lines: Arrays, base: _Base, known: _Known, grain: int, within: Integers, scope: Integers) -> None:
    count = lines["month"].size
    scope_of_group = np.full(base.month.size, -1, dtype=np.int64)
    scope_of_group[within] = scope
    codes = scope_of_group[base.group]
    hashes = np.zeros(count, dtype=np.uint64)
    np.add.at(hashes, codes[codes >= 0], base.hashes[grain][codes >= 0])
    lines["open_hash"] = hashes.view(np.int64)
    found, is_found = known.find(lines["open_hash"])
    is_new = (codes >= 0) & ~is_found[codes]
    computed = quantiles_by_group(
        codes[is_new],
        base.probability[is_new],
        base.amount[is_new],
        count,
        listed_rows=LISTED_ROWS,
        most_frequencies=MOST_FREQUENCIES,
        negligible=NEGLIGIBLE,
    )
    p, mean = base.probability[is_new], base.amount[is_new].astype(np.float64)
    variance, highest = base.variance[is_new], base.highest[is_new]
    computed = widen(
        computed,
        codes[is_new],
        p,
        mean,
        variance,
        mean,
        highest,
        sizes=base.sizes(lines["month"] + np.where(lines["grain"], 3, 1)),
        segment_size=base.shock.segment_size,
        segment_codes=base.segment_codes[is_new],
    )
    for name, cents, before in zip(QUANTILES, (computed.p10, computed.p50, computed.p90), found, strict=True):
        lines[name] = lines["won_amount"] + np.where(is_found, before, cents)


class _Known:
    """Quantiles of the open rows of lines from before, by hash."""

    def __init__(self, stored: Arrays) -> None:
        self.hashes, first = np.unique(stored["open_hash"], return_index=True)
        self.quantiles = [(stored[name] - stored["won_amount"])[first] for name in QUANTILES]

    def find(self, hashes: Integers) -> tuple[list[Integers], Booleans]:
        """([P10, P50, P90] in cents, whether they are known) of each hash; 0 is the hash of no open row."""
        if not self.hashes.size:
            return [np.zeros_like(hashes) for _ in QUANTILES], hashes == 0
        place = np.minimum(np.searchsorted(self.hashes, hashes), self.hashes.size - 1)
        is_known = (self.hashes[place] == hashes) & (hashes != 0)
        return [np.where(is_known, cents[place], 0) for cents in self.quantiles], is_known | (hashes == 0)


def _row_hashes(segment: Integers, shock: Shock, *floats_or_cents: NDArray[Any]) -> NDArray[np.uint64]:
    """64 bits of each row but for the size of its period's shock; those of a group are added up, whatever their order.

    All that quantiles are made from: which rows share a segment's shock, too.
    """
    start = np.float64(shock.segment_size).view(np.uint64) + np.uint64(ARITHMETIC)
    words = [segment.astype(np.int64), *floats_or_cents]
    return chained((word.view(np.uint64) for word in words), np.full(segment.size, start))


def _is_new(parts: Sequence[Integers]) -> Booleans:
    """Where a sorted run of equal ids begins."""
    is_new = np.zeros(parts[0].size, dtype=np.bool_)
    is_new[:1] = True
    for part in parts:
        is_new[1:] |= part[1:] != part[:-1]
    return is_new


def _joined(parts: Sequence[Integers]) -> Integers:
    """One number for the row's ids, in their order. Ids are joined by their range, which for real ones is small."""
    code = np.zeros(len(parts[0]), dtype=np.int64)
    for part in parts:
        lowest, highest = (int(part.min()), int(part.max())) if part.size else (0, 0)
        code = code * (highest - lowest + 1) + (part.astype(np.int64) - lowest)
    return code


def _mapped(ids: Integers, table: Mapping[int, int]) -> Integers:
    known, place = np.unique(ids, return_inverse=True)
    return np.array([table.get(int(value), NO_ID) for value in known], dtype=np.int64)[place]


def _quarters(months: Integers, fiscal_start: int) -> Integers:
    return months - (months - (fiscal_start - 1)) % 3


def _convert(sums: Integers, currency: Integers, firsts: Integers, report: Reporting) -> Integers:
    """Sums int64[measures, pairs] of scopes and currencies as int64[measures, scopes] in the reporting currency.

    Each is converted and rounded, and then they are added up, as what each currency shows. `firsts` is where each
    scope's pairs begin.
    """
    converted: Integers = np.add.reduceat(converted_cents(sums, currency, report.rates), firsts, axis=1)
    return converted
