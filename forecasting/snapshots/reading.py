"""A frozen call as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecasting.as_at.lines import as_line
from forecasting.as_at.standing import ROW, Standing
from forecasting.engine.arrays import NO_ID
from forecasting.frames import Arrays
from forecasting.lines import AMOUNTS, COUNTS
from forecasting.models import ForecastLine, Snapshot, SnapshotFrame
from forecasting.periods import Grain, first_day
from forecasting.scopes.scope import Scope
from forecasting.snapshots.content import decode


def read_standing(snapshot: Snapshot, *, months: Sequence[int] | None = None) -> Standing:
    """How the renewals stood that are due in some months, or in all that the call holds."""
    frames = snapshot.frames.filter(kind=SnapshotFrame.Kind.ROWS).order_by("month_on")
    if months is not None:
        frames = frames.filter(month_on__in=[first_day(month) for month in months])
    parts = [_current(decode(frame.content, frame.layout, frame.row_count)) for frame in frames]
    rows = np.concatenate([np.empty(0, dtype=ROW), *parts])
    return Standing(
        snapshot.moment,
        snapshot.as_of_on,
        snapshot.reporting_currency,
        {currency: Decimal(rate) for currency, rate in snapshot.rates},
        snapshot.fiscal_start,
        rows[np.argsort(rows["renewal"], kind="stable")],
    )


def _current(rows: NDArray[Any]) -> NDArray[Any]:
    """In the present layout; a column that the call was frozen without is 0."""
    if rows.dtype == ROW:
        return rows
    current = np.zeros(rows.size, dtype=ROW)
    for name in set(rows.dtype.names or ()) & set(ROW.names or ()):
        current[name] = rows[name]
    return current


def read_call_lines(snapshot: Snapshot, *, months: Sequence[int] | None = None) -> Arrays:
    """Its lines of every scope, as lines.compute_lines returned them; those of periods that begin in some months."""
    frames = snapshot.frames.filter(kind=SnapshotFrame.Kind.LINES).order_by("month_on")
    if months is not None:
        frames = frames.filter(month_on__in=[first_day(month) for month in months])
    parts = [decode(frame.content, frame.layout, frame.row_count) for frame in frames]
    if not parts:
        none = np.empty(0, dtype=np.int64)
        return dict.fromkeys(("grain", "month", "team_id", "owner_id", "segment_id", *COUNTS, *AMOUNTS), none)
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0].dtype.names or ()}


def lines_of_scope(lines: Arrays, scope: Scope, grain: str) -> dict[int, ForecastLine]:
    """By the period's first month; empty for an owner within a segment, whose lines are kept nowhere."""
    wanted = {"grain": int(grain == Grain.QUARTER)}
    wanted |= {name: NO_ID if pk is None else pk for name, pk in scope.line_key.items()}
    found = np.flatnonzero(np.logical_and.reduce([lines[name] == value for name, value in wanted.items()]))
    return {int(lines["month"][at]): as_line(lines, int(at), grain) for at in found}
