"""What is open: its rows, narrow, and their sums; those of some accounts are made anew by what changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from accounts.models import HealthBand
from dashboards.models import Level
from dashboards.models.risk import OPEN_SUMS, OpenRenewal, Side
from dashboards.rollups.adding import Calendar, added, joined, scope_of, teams_of
from dashboards.rollups.days import BANDS, change_days, in_band, replace_days
from dashboards.rollups.facts import SOURCE
from dashboards.rollups.store import created, hashes_of
from forecasting.engine.arrays import NO_ID
from forecasting.engine.booking import weighted
from forecasting.engine.timing import TimingClass
from forecasting.frames import Arrays, Column, Reporting, copy_in, copy_out, current_rules
from forecasting.frames.book import MISSING, currency_column
from forecasting.frames.converted import converted_cents
from forecasting.frames.line_rows import add_default_rates
from forecasting.scopes.scope import Scope

UNKNOWN: Final = -1  # of a health band, a health score and a risk score
SURE_FROM, DOUBTED_BELOW = 0.7, 0.5  # forecast probability that contradicts poor health, or good health
COLUMNS: Final = (
    Column("renewal_id", "int8", "r.id"),
    Column("account_id", "int8", "r.account_id"),
    Column("owner_id", "small_id", f"COALESCE(r.owner_id, {NO_ID})"),
    Column("segment_id", "small_id", f"COALESCE(a.segment_id, {NO_ID})"),
    Column("due", "date", "r.due_on"),
    Column("decision", "date", "r.decision_on"),
    Column("timing", "int2", "s.timing_class"),
    Column("baseline", "int8", "r.baseline_amount * 100"),
    Column("mean", "int8", "s.mean_cents"),
    Column("upsell", "int8", "s.mean_upsell_cents"),
    Column("cross_sell", "int8", "s.mean_cross_sell_cents"),
    Column("risk_score", "float8", f"COALESCE(s.risk_score, {UNKNOWN})"),
    Column("probability", "float8", "s.probability"),
    Column("health_score", "float8", f"COALESCE(h.score, {UNKNOWN})"),
    Column("health_band", "int2", f"COALESCE(h.band, {UNKNOWN})"),
    Column("is_commit", "bool", "(g.forecast_category = 'commit')"),
)
ROWS: Final = (
    f"{SOURCE} JOIN renewals_stage g ON g.id = r.stage_id LEFT JOIN accounts_accounthealth h ON h.account_id = a.id"
)
IS_OPEN: Final = "r.outcome = 'open' AND NOT r.is_excluded"
# As they are stored, which is how they are read back: the sums of what was stored are taken off again.
STORED: Final = (
    Column("renewal_id", "int8", "renewal_id"),
    Column("account_id", "int8", "account_id"),
    Column("owner_id", "small_id", f"COALESCE(owner_id, {NO_ID})"),
    Column("segment_id", "small_id", f"COALESCE(segment_id, {NO_ID})"),
    Column("due", "date", "due_on"),
    Column("decision", "date", "decision_on"),
    Column("risk_score", "float8", f"COALESCE(risk_score, {UNKNOWN})"),
    Column("probability", "float8", "probability"),
    Column("health_score", "float8", f"COALESCE(health_score, {UNKNOWN})"),
    Column("health_band", "int2", f"COALESCE(health_band, {UNKNOWN})"),
    Column("side", "int2", "side"),
    Column("baseline_cents", "int8", "baseline_cents"),
    Column("doubt_cents", "int8", "doubt_cents"),
    Column("stake_cents", "int8", "stake_cents"),
    Column("expected_cents", "int8", "expected_cents"),
    Column("collected_cents", "int8", "collected_cents"),
    Column("grown_cents", "int8", "grown_cents"),
)
NAMES: Final = tuple(column.name for column in STORED)
SCORES: Final = ("risk_score", "probability", "health_score")
BLANK: Final = {
    "owner_id": NO_ID,
    "segment_id": NO_ID,
    **dict.fromkeys(("risk_score", "health_score", "health_band"), UNKNOWN),
}
HEALTH: Final = {
    "poor": HealthBand.POOR,
    "watch": HealthBand.WATCH,
    "healthy": HealthBand.HEALTHY,
    "unknown": UNKNOWN,
}
KEYS: Final = ("level", "team_id", "owner_id", "segment_id")
STAGED_ROWS: Final = created(
    "staged_open",
    *(f"{name} {'float8' if name in SCORES else 'bigint'} NOT NULL" for name in (*NAMES, "row_hash")),
)
STAGED_CELLS: Final = created("staged_open_cell", *(f"{name} bigint NOT NULL" for name in (*KEYS, *OPEN_SUMS)))


def _inserted(names: Sequence[str]) -> str:
    days = {"due": "due_on", "decision": "decision_on"}
    values = [
        f"DATE '1970-01-01' + {name}::int" if name in days
        else f"NULLIF({name}, {BLANK[name]})" if name in BLANK
        else name
        for name in names
    ]  # fmt: skip
    return f"({', '.join(days.get(name, name) for name in names)}) SELECT {', '.join(values)}"


# In the order of the days, which is the one that most pages read them in.
INSERT_ROWS: Final = (
    f"INSERT INTO dashboards_openrenewal {_inserted((*NAMES, 'row_hash'))} FROM staged_open ORDER BY due, renewal_id"
)
ADD_CELLS: Final = (
    "INSERT INTO dashboards_opencell AS c"
    f" (level, team_id, owner_id, segment_id, {', '.join(OPEN_SUMS)})"
    f" SELECT level, {', '.join(f'NULLIF({name}, {NO_ID})' for name in KEYS[1:])}, {', '.join(OPEN_SUMS)}"
    " FROM staged_open_cell ON CONFLICT (level, team_id, owner_id, segment_id) DO UPDATE SET "
    + ", ".join(f"{name} = c.{name} + excluded.{name}" for name in OPEN_SUMS)
)


def read_open_rows(
    cursor: Any, report: Reporting, condition: str = "TRUE", parameters: Sequence[object] = ()
) -> Arrays:
    """NAMES of every open renewal `r` that counts, has a rate, has not lapsed and meets a condition."""
    columns = [*COLUMNS, currency_column(report.currencies)]
    # What has lapsed is left out here: said to the database too, it takes the two for independent, expects a fifth of
    # the rows, and looks up each one's account by itself.
    condition = f"{IS_OPEN} AND {condition}"
    rows = copy_out(cursor, columns, f"{ROWS} WHERE {condition}", parameters)
    add_default_rates(cursor, rows, current_rules(), condition, parameters)
    is_counted = (rows["currency"] != MISSING) & (rows["timing"] <= TimingClass.OVERDUE)
    rows = {name: values[is_counted] for name, values in rows.items()}
    rows |= {"side": _sides(rows), **_amounts(rows, report)}
    return {name: rows[name] for name in NAMES}


def _amounts(rows: Arrays, report: Reporting) -> Arrays:
    currency, probability = rows["currency"].astype(np.int64), rows["probability"]
    baseline, mean = (converted_cents(rows[name], currency, report.rates) for name in ("baseline", "mean"))
    # The two are converted apart, as forecasts have them.
    upsell, cross_sell = (converted_cents(rows[name], currency, report.rates) for name in ("upsell", "cross_sell"))
    expected = weighted(probability, mean)
    return {
        "baseline_cents": baseline,
        "doubt_cents": weighted(1 - probability, mean),
        "stake_cents": weighted(1 - probability, baseline),
        "expected_cents": expected,
        "collected_cents": weighted(1 - rows["default_rate"].astype(np.float64), expected),
        "grown_cents": weighted(probability, upsell + cross_sell),
    }


def _sides(rows: Arrays) -> NDArray[np.int16]:
    """Poor health, and in commit or with a high forecast probability; healthy, and forecast to be rather lost."""
    band, probability = rows["health_band"], rows["probability"]
    is_over = (band == HealthBand.POOR) & (rows["is_commit"].astype(np.bool_) | (probability >= SURE_FROM))
    is_under = (band == HealthBand.HEALTHY) & (probability < DOUBTED_BELOW)
    return np.select([is_over, is_under], [Side.OVER, Side.UNDER], Side.AGREED).astype(np.int16)


def add_up_open(rows: Arrays, calendar: Calendar) -> Arrays:
    """Cells of every level: one array for each of KEYS and OPEN_SUMS."""
    rows = rows | {"team_id": teams_of(rows["owner_id"], calendar)}
    every, sums = np.arange(rows["renewal_id"].size), _sums(rows)
    parts = []
    for level in Level:
        keys = [np.full(every.size, level, dtype=np.int64), *scope_of(rows, every, level)]
        codes, first, place = np.unique(joined(keys), return_index=True, return_inverse=True)
        part = {name: key[first] for name, key in zip(KEYS, keys, strict=True)}
        part |= {name: added(place, amounts, codes.size) for name, amounts in sums.items()}
        once = np.unique(joined([place, rows["account_id"]]), return_index=True)[1]
        for word, band in HEALTH.items():
            part[f"{word}_accounts"] = added(place[once], rows["health_band"][once] == band, codes.size)
        parts.append(part)
    return {name: np.concatenate([part[name] for part in parts]) for name in (*KEYS, *OPEN_SUMS)}


def _sums(rows: Arrays) -> Arrays:
    """What each row adds, but for the accounts."""
    baseline = rows["baseline_cents"]
    chosen = {
        "open": np.ones(baseline.size, dtype=np.bool_),
        **{band: in_band(rows["risk_score"], band) for band in BANDS},
        "poor": rows["health_band"] == HealthBand.POOR,
        "over": rows["side"] == Side.OVER,
        "under": rows["side"] == Side.UNDER,
    }
    sums: Arrays = {}
    for name, is_in in chosen.items():
        sums |= {f"{name}_count": is_in, f"{name}_cents": baseline * is_in}
    return sums


def stored_within(scope: Scope) -> tuple[str, list[object]]:
    """The rows of a scope among those that are stored by owner and segment; none is wider than its reader may see."""
    conditions, values = ["TRUE"], list[object]()
    if scope.owner:
        conditions.append("owner_id = %s")
        values.append(scope.owner.pk)
    elif scope.team:
        conditions.append("owner_id IN (SELECT id FROM accounts_user WHERE team_id = %s)")
        values.append(scope.team.pk)
    if scope.segment:
        conditions.append("segment_id = %s")
        values.append(scope.segment.pk)
    return " AND ".join(conditions), values


def replace_open(cursor: Any, rows: Arrays, calendar: Calendar) -> bool:
    """Make the stored ones, of the whole book, those that are given; whether any was written."""
    columns = [Column("id", "int8", "renewal_id"), Column("row_hash", "int8", "row_hash")]
    is_changed = _replace_rows(cursor, rows, copy_out(cursor, columns, "dashboards_openrenewal"))
    cursor.execute("DELETE FROM dashboards_opencell")
    _add_cells(cursor, add_up_open(rows, calendar))
    replace_days(cursor, rows)
    return is_changed


def replace_open_of(cursor: Any, rows: Arrays, calendar: Calendar, account_ids: list[int]) -> None:
    """The same of some accounts: what was stored of them is taken off the sums, and what is given added to them."""
    stored = copy_out(cursor, STORED, "dashboards_openrenewal WHERE account_id = ANY(%s)", [account_ids])
    stored["id"], stored["row_hash"] = stored["renewal_id"], hashes_of(stored, NAMES)
    if not _replace_rows(cursor, rows, stored):
        return
    change_days(cursor, less=stored, more=rows)
    less, more = add_up_open(stored, calendar), add_up_open(rows, calendar)
    keys = [np.concatenate([less[name], more[name]]) for name in KEYS]
    codes, first, place = np.unique(joined(keys), return_index=True, return_inverse=True)
    cells = {name: key[first] for name, key in zip(KEYS, keys, strict=True)}
    for name in OPEN_SUMS:
        cells[name] = added(place, np.concatenate([-less[name], more[name]]), codes.size)
    _add_cells(cursor, cells)
    cursor.execute("DELETE FROM dashboards_opencell WHERE open_count = 0")


def _replace_rows(cursor: Any, rows: Arrays, stored: Arrays) -> bool:
    hashes = hashes_of(rows, NAMES)
    new, gone = ~np.isin(hashes, stored["row_hash"]), ~np.isin(stored["row_hash"], hashes)
    if gone.any():
        ids = stored["id"][gone].tolist()
        cursor.execute(f"DELETE FROM {OpenRenewal._meta.db_table} WHERE renewal_id = ANY(%s)", [ids])
    if new.any():
        cursor.execute(STAGED_ROWS)
        cursor.execute("DELETE FROM staged_open")
        held = rows | {"row_hash": hashes}
        kinds = {name: np.float64 if name in SCORES else np.int64 for name in (*NAMES, "row_hash")}
        copy_in(cursor, "staged_open", {name: held[name][new].astype(kind) for name, kind in kinds.items()})
        cursor.execute(INSERT_ROWS)
    return bool(gone.any() or new.any())


def _add_cells(cursor: Any, cells: Arrays) -> None:
    cursor.execute(STAGED_CELLS)
    cursor.execute("DELETE FROM staged_open_cell")
    copy_in(cursor, "staged_open_cell", {name: cells[name].astype(np.int64) for name in (*KEYS, *OPEN_SUMS)})
    cursor.execute(ADD_CELLS)
