"""Freezing calls, when they are due and by hand, and drawing them again."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone
from numpy.typing import NDArray

from accounts.models import User, get_company
from forecasting.as_at import known_since, lines_of, score_at, settled_moment
from forecasting.as_at.standing import Standing, is_open, standing_of
from forecasting.engine.arrays import Integers
from forecasting.frames import Arrays
from forecasting.lines import ARITHMETIC
from forecasting.models import Run, Snapshot, SnapshotFrame
from forecasting.periods import first_day, month_number, quarter_start
from forecasting.snapshots.content import encode, layout_of
from forecasting.snapshots.reading import read_call_lines, read_standing
from forecasting.snapshots.schedule import CAUGHT_UP_DAYS, calls_between
from renewals.models import RiskWeightVersion, TimingPolicyVersion

LATE_AFTER: Final = dt.timedelta(days=1)
# Decided renewals are kept from six fiscal quarters back, as far as the forecast page looks.
MONTHS_BACK: Final = 18
Reason = Snapshot.Reason


class CallRefused(ValueError):
    """Why a call cannot be frozen, in words for the person."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """A call before it is written: how the renewals stood that it keeps, its lines, and the run it rests on."""

    standing: Standing
    lines: Arrays
    run_id: int | None


def draw_call(moment: dt.datetime) -> Drawn:
    """The call of a moment: whenever it is drawn, the same."""
    book = score_at(moment)
    standing = standing_of(book)
    first = quarter_start(month_number(standing.as_of) - MONTHS_BACK, standing.fiscal_start)
    is_kept = is_open(standing.rows["timing"]) | (standing.month >= first)
    lines = lines_of(book, with_scopes=True)
    in_view = lines["month"] >= first
    kept_lines = {name: values[in_view] for name, values in lines.items() if name != "open_hash"}
    return Drawn(standing.only(is_kept), kept_lines, book.run_id)


def freeze_snapshot(*, reason: str, user: User | None, note: str = "", moment: dt.datetime | None = None) -> Snapshot:
    """Freeze the call of a moment, or of now; a past one is drawn from history, and late after a day.

    Raises:
        CallRefused: by hand without a note, of a moment that is not past, or before anything was recorded.
    """
    note = note.strip()
    if reason == Reason.HAND and not note:
        raise CallRefused("A call that is frozen by hand needs a note: why, or for whom.")
    settled = settled_moment()
    moment = settled if moment is None else moment
    if moment > settled:
        raise CallRefused(f"{moment:%d %b %Y %H:%M} is not over yet: changes may still be on their way.")
    since = known_since()
    if since is None:
        raise CallRefused("Nothing was recorded by then.")
    if moment < since.at:
        raise CallRefused(f"The book is known since {since.at:%d %b %Y}: {since.because}.")
    with transaction.atomic():
        return _write(draw_call(moment), reason=reason, user=user, note=note)


def freeze_due_calls(*, now: dt.datetime | None = None) -> list[Snapshot]:
    """Freeze every scheduled call that is over and was not made: called by a beat, any number of times."""
    now, since = now or timezone.now(), known_since()
    if since is None:
        return []
    after = max(since.at, now - dt.timedelta(days=CAUGHT_UP_DAYS))
    due = calls_between(get_company(), after, now)
    made = set(Snapshot.objects.filter(moment__gt=after).values_list("reason", "moment"))
    missing = [call for call in due if (call.reason, call.moment) not in made]
    if not missing:
        return []
    settled = settled_moment()
    return [
        snapshot
        for call in missing
        if call.moment <= settled and (snapshot := freeze_once(reason=call.reason, moment=call.moment)) is not None
    ]


def freeze_once(*, reason: str, moment: dt.datetime) -> Snapshot | None:
    """A scheduled call; None where another worker was first."""
    try:
        return freeze_snapshot(reason=reason, user=None, moment=moment)
    except IntegrityError:
        return None


def _write(drawn: Drawn, *, reason: str, user: User | None, note: str) -> Snapshot:
    standing = drawn.standing
    snapshot = Snapshot.objects.create(
        moment=standing.moment,
        as_of_on=standing.as_of,
        reason=reason,
        is_late=timezone.now() - standing.moment > LATE_AFTER,
        note=note,
        made_by=user,
        run_id=drawn.run_id,
        versions=_versions(drawn.run_id, standing.moment),
        reporting_currency=standing.reporting_currency,
        rates=[[currency, str(rate)] for currency, rate in standing.rates.items()],
        fiscal_start=standing.fiscal_start,
        row_count=standing.rows.size,
        open_count=int(np.count_nonzero(is_open(standing.rows["timing"]))),
    )
    lines = _structured(drawn.lines)
    frames = [
        _frame(snapshot, kind, month, rows)
        for kind, all_rows, months in (
            (SnapshotFrame.Kind.ROWS, standing.rows, standing.month),
            (SnapshotFrame.Kind.LINES, lines, lines["month"]),
        )
        for month, rows in _by_month(all_rows, months)
    ]
    SnapshotFrame.objects.bulk_create(frames)
    return snapshot


def _by_month(rows: NDArray[Any], month: Integers) -> list[tuple[int, NDArray[Any]]]:
    order = np.argsort(month, kind="stable")
    months, firsts = np.unique(month[order], return_index=True)
    return list(zip(months.tolist(), np.split(rows[order], firsts[1:]), strict=True)) if months.size else []


def _structured(lines: Arrays) -> NDArray[Any]:
    rows = np.empty(lines["month"].size, dtype=[(name, "<i8") for name in lines])
    for name, values in lines.items():
        rows[name] = values
    return rows


def _frame(snapshot: Snapshot, kind: str, month: int, rows: NDArray[Any]) -> SnapshotFrame:
    return SnapshotFrame(
        snapshot=snapshot,
        kind=kind,
        month_on=first_day(month),
        row_count=rows.size,
        layout=layout_of(rows),
        content=encode(rows),
    )


def _versions(run_id: int | None, moment: dt.datetime) -> dict[str, int | None]:
    """What the call rests on, by id of the newest of its kind at the moment."""
    recorded = {"created_at__lte": moment}
    model = Run.objects.filter(pk=run_id).values_list("likelihood_model_id", flat=True).first() if run_id else None
    return {
        "run": run_id,
        "likelihood_model": model,
        "timing_policy": TimingPolicyVersion.objects.filter(**recorded).aggregate(pk=Max("pk"))["pk"],
        "risk_weights": RiskWeightVersion.objects.filter(**recorded).aggregate(pk=Max("pk"))["pk"],
        "arithmetic": int(ARITHMETIC),
    }


def verify_snapshot(snapshot: Snapshot) -> list[str]:
    """Draw the call again from history: what differs from what was frozen, in words; nothing where it is the same.

    Raises:
        CallRefused: the history of its moment is no longer kept.
    """
    since = known_since()
    if since is not None and since.hides(snapshot.moment):
        raise CallRefused(f"The call cannot be drawn again: history before {since.at:%d %b %Y} is no longer kept.")
    drawn, frozen, lines = draw_call(snapshot.moment), read_standing(snapshot), read_call_lines(snapshot)
    found = []
    if [[currency, str(rate)] for currency, rate in drawn.standing.rates.items()] != snapshot.rates:
        found.append("The exchange rates differ.")
    found += _differences("renewals", frozen.rows, drawn.standing.rows)
    found += _differences("lines", _structured(lines), _structured(_ordered(drawn.lines)))
    return found


def _ordered(lines: Arrays) -> Arrays:
    """As they are read back: by month, each month's in the order that they were drawn in."""
    order = np.argsort(lines["month"], kind="stable")
    return {name: values[order] for name, values in lines.items()}


def _differences(what: str, frozen: NDArray[Any], drawn: NDArray[Any]) -> list[str]:
    if frozen.size != drawn.size:
        return [f"{frozen.size:,} {what} were frozen, {drawn.size:,} are drawn."]
    names = [name for name in frozen.dtype.names or () if name in (drawn.dtype.names or ())]
    counts = {name: int(np.count_nonzero(frozen[name] != drawn[name])) for name in names}
    return [f"{name} differs in {count:,} of the {what}." for name, count in counts.items() if count]
