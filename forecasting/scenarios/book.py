"""The renewals that a what-if is computed over: what a person sees, as arrays, kept by the process for a minute.

What is kept is bounded in bytes and is never older than a minute, nor than the newest run, rule, rate or edit. Two
people who see the same owners share it: it knows nothing of its reader, and no filter's answer is kept across readers.
"""

from __future__ import annotations

import datetime as dt
import time
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Final

import numpy as np
from django.db import connection

from accounts.models import Company, User, owners_visible_to
from forecasting.engine.arrays import NO_ID, Booleans, Floats, Integers
from forecasting.engine.risk import risk_band
from forecasting.engine.timing import TimingClass
from forecasting.frames import (
    SCORED,
    Arrays,
    Column,
    Reporting,
    Rules,
    add_account_facts,
    copy_out,
    current_rules,
    day_number,
    read_reporting,
    scored_columns,
)
from forecasting.frames.book import CONTRACT_COLUMNS, MISSING, OPEN, PIN_COLUMNS
from forecasting.frames.scoring import STEP_COLUMNS, pinned_rates
from forecasting.models import Run
from forecasting.periods import Grain, Period, first_day, month_number, period_of
from forecasting.scopes.scope import get_scope
from forecasting.services.store_lines import STORED, TABLE
from renewals.history.kinds import OVERRIDE, RENEWAL

# Periods shown before and after the current one. All of them are in whole quarters of the ones that are read.
SHOWN: Final = {Grain.QUARTER: (1, 4), Grain.MONTH: (1, 8)}
KEPT_SECONDS: Final = 60
MOST_BYTES: Final = 256 * 2**20
MOST_REMEMBERED: Final = 32  # answers to filters and computed scenarios, of one book
OWN_COLUMNS: Final = (
    Column("id", "int8", "r.id"),
    Column("expected", "date", "r.expected_order_on"),
    Column("confidence", "int2", "COALESCE(r.confidence, -1)"),
    Column("likelihood", "float8", "s.likelihood"),
    Column("risk", "float4", "COALESCE(s.risk_score, 'NaN')"),
    *PIN_COLUMNS,
    *(column for column in CONTRACT_COLUMNS if column.name in STEP_COLUMNS),
)
PINS: Final = "LEFT JOIN renewals_override o ON o.renewal_id = r.id AND o.ended_at IS NULL"
# What can change without a run or a rule; a deletion lowers no maximum, and is seen when the minute is over.
MARK: Final = (
    f"SELECT (SELECT max(pgh_id) FROM {RENEWAL.event_table}), (SELECT max(id) FROM {RENEWAL.table}),"
    f" (SELECT max(pgh_id) FROM {OVERRIDE.event_table})"
)


@dataclass(eq=False)
class ScenarioBook:
    """n renewals that count in forecast lines: open ones, and decided ones due since `first_on`.

    rows        columns of frames.line_rows, and OWN_COLUMNS; sorted by id
    orders      past orders of the accounts of open ones (frames.line_rows)
    published   the lines of the reader's own scope as the last run left them (lines.compute_lines), to start from
    unrated_count   open renewals whose currency has no rate: in no figure
    """

    rows: Arrays
    orders: Arrays
    rules: Rules
    report: Reporting
    run: Run
    today: dt.date
    first_on: dt.date
    published: Arrays
    unrated_count: int
    base_lines: Arrays = field(default_factory=dict)  # of the book as it is; filled by figures.base_figures
    read_at: float = field(default_factory=time.monotonic)
    _remembered: OrderedDict[Hashable, Any] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    @property
    def row_count(self) -> int:
        return int(self.rows["id"].size)

    @property
    def byte_count(self) -> int:
        return sum(values.nbytes for values in (*self.rows.values(), *self.orders.values()))

    @property
    def is_open(self) -> Booleans:
        """Without outcome, lapsed ones too."""
        return np.equal(self.rows["outcome"], OPEN)

    @property
    def is_live(self) -> Booleans:
        """Open and within tolerance."""
        return np.less_equal(self.rows["timing"], TimingClass.OVERDUE)

    @property
    def band(self) -> Integers:
        return risk_band(self.rows["risk"])

    @property
    def confidence(self) -> Floats:
        return np.where(self.rows["confidence"] == MISSING, np.nan, self.rows["confidence"] / 100)

    @property
    def pinned(self) -> Floats | None:
        """What is pinned in the place of the joined probability, NaN where nothing is; None where nowhere is."""
        return pinned_rates(self.rows, day_number(self.report.as_of))

    def places(self, ids: Integers) -> Booleans:
        """Which rows are among these ids."""
        return np.isin(self.rows["id"], ids, assume_unique=True)

    def remembered(self, key: Hashable, make: Any) -> Any:
        """What was made for this key before, or is made now."""
        with self._lock:
            if key in self._remembered:
                self._remembered.move_to_end(key)
                return self._remembered[key]
        made = make()
        with self._lock:
            self._remembered[key] = made
            while len(self._remembered) > MOST_REMEMBERED:
                self._remembered.popitem(last=False)
        return made


def shown_periods(grain: str, today: dt.date, fiscal_start: int) -> list[Period]:
    before, after = SHOWN[Grain(grain)]
    current = period_of(grain, today, fiscal_start)
    first, step = month_number(current.starts_on), current.month_count
    return [Period(grain, first_day(first + step * at)) for at in range(-before, after + 1)]


# By database and mark: what this process has read, the one asked for last at the end.
_kept: OrderedDict[Hashable, ScenarioBook] = OrderedDict()
_reading = Lock()


def read_scenario_book(user: User, company: Company, *, is_fresh: bool = False) -> ScenarioBook | None:
    """What the user sees of the book, of this minute; with `is_fresh`, of this moment. None before the first run."""
    run = Run.objects.only("as_of_on", "published_at", "message").latest_published()
    if run is None:
        return None
    report, rules = read_reporting(as_of=run.as_of_on), current_rules()
    owner_ids = None if user.sees_all else tuple(owners_visible_to(user).order_by("pk").values_list("pk", flat=True))
    with connection.cursor() as cursor:
        cursor.execute(MARK)
        mark = cursor.fetchone()
    rates = tuple(report.rates.items())
    key = (
        connection.settings_dict["NAME"],
        owner_ids,
        run.pk,
        id(rules),
        mark,
        rates,
        report.fiscal_start,
        company.today(),
    )
    with _reading:
        book = _kept.get(key)
        if book is None or is_fresh or time.monotonic() - book.read_at > KEPT_SECONDS:
            book = _read(user, company, run, rules, report, owner_ids)
        _keep(key, book)
    return book


def _keep(key: Hashable, book: ScenarioBook) -> None:
    """At the end, as the newest; the oldest go until all that are kept fit, but for this one."""
    _kept[key] = book
    _kept.move_to_end(key)
    now = time.monotonic()
    for other in [other for other, kept in _kept.items() if now - kept.read_at > KEPT_SECONDS]:
        if other != key:
            del _kept[other]
    while len(_kept) > 1 and sum(kept.byte_count for kept in _kept.values()) > MOST_BYTES:
        _kept.popitem(last=False)


def _read(
    user: User, company: Company, run: Run, rules: Rules, report: Reporting, owner_ids: tuple[int, ...] | None
) -> ScenarioBook:
    today = company.today()
    first_on = shown_periods(Grain.QUARTER, today, report.fiscal_start)[0].starts_on
    seen, parameters = ("TRUE", ()) if owner_ids is None else ("r.owner_id = ANY(%s)", (list(owner_ids),))
    condition = f"NOT r.is_excluded AND (r.outcome = 'open' OR r.due_on >= %s) AND {seen}"
    values = (first_on, *parameters)
    with connection.cursor() as cursor:
        rows = copy_out(cursor, [*scored_columns(report), *OWN_COLUMNS], f"{SCORED} {PINS} WHERE {condition}", values)
        orders = add_account_facts(cursor, rows, rules, condition, values)
        published = _read_published(cursor, user, first_on)
    order = np.argsort(rows["id"], kind="stable")
    order = order[rows["currency"][order] != MISSING]
    unrated = np.count_nonzero((rows["currency"] == MISSING) & (rows["outcome"] == OPEN))
    return ScenarioBook(
        rows={name: values[order] for name, values in rows.items()},
        orders=orders,
        rules=rules,
        report=report,
        run=run,
        today=today,
        first_on=first_on,
        published=published,
        unrated_count=int(unrated),
    )


def _read_published(cursor: Any, user: User, first_on: dt.date) -> Arrays:
    """The stored lines of all that the user sees."""
    scope = get_scope(user, {}).line_key
    same = " AND ".join(f"{name} IS NOT DISTINCT FROM %s" for name in scope)
    lines = copy_out(cursor, STORED, f"{TABLE} WHERE starts_on >= %s AND {same}", (first_on, *scope.values()))
    return {name: values for name, values in lines.items() if name != "id"} | {
        name: np.full(lines["grain"].size, NO_ID, dtype=np.int64) for name in scope
    }
