"""What each owner has to do, added up by week: open renewals in counts and hours, tasks in minutes, accounts; and how
much of the open book is to be trusted, flagged or unmonitored.

Rows follow every change: triggers mark owners, whose rows are made anew before the next reader reads. Of another day,
run or other terms than the page's all of them are.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import numpy as np
from django.db import connection, transaction
from django.db.models import Count
from numpy.typing import NDArray

from accounts.models import Account, get_company
from dashboards.models import BookChange, CapacityTerms, OwnerWork, RenewalHours, StaleWork, WorkRollUp
from dashboards.models.work import EVERYBODY, NOBODY
from engagement.models import Task
from engagement.monitoring.unmonitored import read_terms as read_monitoring
from engagement.tasks.workload import workload
from forecasting.engine.arrays import NO_DAY, NO_ID, Integers
from forecasting.frames import Arrays, Column, copy_out
from forecasting.models import Run
from renewals.models.quality import DataRule

# Advisory lock, held until the transaction ends: whoever writes rows of work.
LOCK: Final = 7_010_021
WEEKS: Final = 26
WEEK: Final = dt.timedelta(weeks=1)
WORK_DAYS: Final = 5
STARTING_HOURS: Final = Decimal(16)
HUNDREDTHS: Final = 100
# Of more marked owners than these no page waits: they are added up in the background.
OWNERS_AT_ONCE: Final = 200
EPOCH: Final = dt.date(1970, 1, 1)
PLAN_KINDS: Final = (Task.Kind.PLAN,)
TASK_KINDS: Final = (Task.Kind.MANUAL, Task.Kind.ALERT)
HoursTable = Mapping[tuple[int | None, int | None], Decimal]

SOURCE: Final = """renewals_renewal r JOIN accounts_account a ON a.id = r.account_id
    LEFT JOIN renewals_renewalquality q ON q.renewal_id = r.id
    LEFT JOIN (SELECT DISTINCT account_id FROM engagement_flag WHERE cleared_at IS NULL) f
        ON f.account_id = r.account_id
    WHERE r.outcome = 'open'"""
COLUMNS: Final = (
    Column("owner_id", "int8", f"COALESCE(r.owner_id, {NOBODY})"),
    Column("account_id", "int8", "r.account_id"),
    Column("segment_id", "small_id", f"COALESCE(a.segment_id, {NO_ID})"),
    Column("stage_id", "small_id", "r.stage_id"),
    Column("due", "date", "r.due_on"),
    Column("touched", "date", "a.last_touch_on"),
    Column("baseline", "int8", "r.baseline_amount * 100"),
    Column("is_excluded", "bool", "r.is_excluded"),
    Column("is_broken", "bool", f"COALESCE(q.worst_severity >= {int(DataRule.Severity.WARNING)}, FALSE)"),
    Column("is_flagged", "bool", "f.account_id IS NOT NULL"),
    # Three letters as a number: what has no rate is kept too.
    *(Column(f"letter_{at}", "int2", f"ascii(substr(r.currency, {at + 1}, 1))") for at in range(3)),
)


def weeks_from(as_of: dt.date) -> list[dt.date]:
    """The Mondays of the horizon. The running week counts as a whole; on a weekend the next one is the first."""
    ahead = as_of + dt.timedelta(days=2 if as_of.weekday() >= WORK_DAYS else 0)
    first = ahead - dt.timedelta(days=ahead.weekday())
    return [first + WEEK * at for at in range(WEEKS)]


def read_terms() -> CapacityTerms:
    return CapacityTerms.objects.first() or CapacityTerms(pk=1)


def read_hours() -> dict[tuple[int | None, int | None], Decimal]:
    found = {(one.segment_id, one.stage_id): one.hours for one in RenewalHours.objects.all()}
    return {(None, None): STARTING_HOURS, **found}


def hours_by(table: HoursTable) -> Callable[[int | None, int | None], Decimal]:
    """Of a segment and stage: their own, else the segment's, else the stage's, else those of all."""

    def hours(segment_id: int | None, stage_id: int | None) -> Decimal:
        keys = ((segment_id, stage_id), (segment_id, None), (None, stage_id), (None, None))
        return next(table[key] for key in keys if key in table)

    return hours


def keep_work(*, as_of: dt.date) -> bool:
    """Make the rows true to the book as of a day; False where that is left to the background.

    Who finds nothing of the day waits for whoever is at it: there is nothing older to show.
    """
    wanted = _wanted(as_of)
    done = WorkRollUp.objects.first()
    is_known = done is not None and done.is_of(**wanted)
    marks = _read_marks()
    if is_known and not marks:
        return True
    if is_known and (EVERYBODY in marks.values() or len(set(marks.values())) > OWNERS_AT_ONCE):
        return False
    return add_up_work(as_of=as_of, is_waiting=not is_known)


def follow_work() -> None:
    """From the background: what was changed, or another day, run or other terms, is added up. Pages that were set
    meanwhile are of an older version then."""
    run = Run.objects.latest_published()
    if run is None:
        return
    done = WorkRollUp.objects.first()
    if done is not None and done.is_of(**_wanted(run.as_of_on)) and not StaleWork.objects.exists():
        return
    if add_up_work(as_of=run.as_of_on):
        BookChange.objects.create(count=1)


def add_up_work(*, as_of: dt.date, is_waiting: bool = False) -> bool:
    """All rows where they are of another day, run or terms, else those of marked owners. False: somebody is at it."""
    with transaction.atomic(), connection.cursor() as cursor:
        if not _lock(cursor, is_waiting=is_waiting):
            return False
        wanted, marks = _wanted(as_of), _read_marks()
        done = WorkRollUp.objects.first()
        if done is None or not done.is_of(**wanted) or EVERYBODY in marks.values():
            _replace(cursor, as_of, wanted["today"], None)
            fields = {"run_id": wanted["run_id"], "as_of_on": as_of, "today_on": wanted["today"]}
            WorkRollUp.objects.update_or_create(pk=1, defaults={**fields, "terms": wanted["terms"]})
        elif marks:
            _replace(cursor, as_of, wanted["today"], sorted(set(marks.values())))
        StaleWork.objects.filter(pk__in=list(marks)).delete()
    return True


def _wanted(as_of: dt.date) -> dict[str, Any]:
    run = Run.objects.only("pk").latest_published()
    terms = {
        "weeks": read_terms().work_weeks,
        "hours": sorted([str(segment), str(stage), str(hours)] for (segment, stage), hours in read_hours().items()),
        "monitoring": sorted(
            [str(segment), one.due_within_days, one.silent_days] for segment, one in read_monitoring().items()
        ),
    }
    return {"run_id": run.pk if run else None, "as_of": as_of, "today": get_company().today(), "terms": terms}


def _read_marks() -> dict[int, int]:
    return dict(StaleWork.objects.values_list("pk", "owner_id"))


def _lock(cursor: Any, *, is_waiting: bool) -> bool:
    if is_waiting:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        return True
    cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
    return bool(cursor.fetchone()[0])


def _replace(cursor: Any, as_of: dt.date, today: dt.date, owner_ids: Sequence[int] | None) -> None:
    rows = _added_up(cursor, as_of, today, owner_ids)
    stored = OwnerWork.objects.all() if owner_ids is None else OwnerWork.objects.filter(pk__in=owner_ids)
    stored.delete()
    OwnerWork.objects.bulk_create(rows, batch_size=500)


def _added_up(cursor: Any, as_of: dt.date, today: dt.date, owner_ids: Sequence[int] | None) -> list[OwnerWork]:
    where, parameters = "", ()  # type: str, tuple[object, ...]
    if owner_ids is not None:
        where, parameters = f" AND COALESCE(r.owner_id, {NOBODY}) = ANY(%s)", (list(owner_ids),)
        if NOBODY not in owner_ids:  # as an index has it
            where = " AND r.owner_id = ANY(%s)"
    facts = copy_out(cursor, COLUMNS, SOURCE + where, parameters)
    found: dict[int, OwnerWork] = defaultdict(OwnerWork)
    _add_renewals(found, facts, as_of)
    _add_trust(found, facts)
    _add_accounts(found, facts, today)
    _add_owned(found, owner_ids)
    _add_tasks(found, as_of, owner_ids)
    for owner_id, row in found.items():
        row.owner_id = owner_id
    return list(found.values())


def _add_renewals(found: dict[int, OwnerWork], facts: Arrays, as_of: dt.date) -> None:
    first, work_weeks = weeks_from(as_of)[0], read_terms().work_weeks
    week = (facts["due"].astype(np.int64) - (first - EPOCH).days) // 7
    place = np.maximum(week, -1) + 1  # what is past due waits before the first
    size = 1 + WEEKS - 1 + work_weeks
    is_in = place < size
    owners, owner = np.unique(facts["owner_id"][is_in], return_inverse=True)
    hours = hours_by(read_hours())
    keys = np.stack([facts[name][is_in].astype(np.int64) for name in ("segment_id", "stage_id")])
    kinds, kind = np.unique(keys, axis=1, return_inverse=True)
    each = [_hundredths(hours(_blank(segment), stage)) for segment, stage in kinds.T.tolist()]
    counts, hundredths = (np.zeros((owners.size, size), dtype=np.int64) for _ in range(2))
    np.add.at(counts, (owner, place[is_in]), 1)
    np.add.at(hundredths, (owner, place[is_in]), np.array(each, dtype=np.int64)[kind.reshape(-1)])
    for at, owner_id in enumerate(owners.tolist()):
        found[owner_id].due_counts, found[owner_id].due_hundredths = counts[at].tolist(), hundredths[at].tolist()


def _hundredths(hours: Decimal) -> int:
    return int(hours * HUNDREDTHS)


def _blank(key: int) -> int | None:
    return None if key == NO_ID else key


def _add_trust(found: dict[int, OwnerWork], facts: Arrays) -> None:
    """Baselines by owner and currency, all and broken."""
    counted = ~facts["is_excluded"]
    own = {name: values[counted] for name, values in facts.items()}
    letters = [own[f"letter_{at}"].astype(np.int64) for at in range(3)]
    code = (letters[0] * 128 + letters[1]) * 128 + letters[2]
    keys, place = np.unique(np.stack([own["owner_id"], code]), axis=1, return_inverse=True)
    place, size = place.reshape(-1), keys.shape[1]
    sums = np.zeros((2, size), dtype=np.int64)
    np.add.at(sums[0], place, own["baseline"])
    np.add.at(sums[1], place, own["baseline"] * own["is_broken"])
    for at, (owner_id, one) in enumerate(keys.T.tolist()):
        currency = chr(one // 128**2) + chr(one // 128 % 128) + chr(one % 128)
        found[owner_id].open_cents[currency] = sums[:, at].tolist()


def _add_accounts(found: dict[int, OwnerWork], facts: Arrays, today: dt.date) -> None:
    """Accounts with open renewals that count, each once an owner: flagged, unmonitored, both."""
    terms = read_monitoring()
    day = (today - EPOCH).days
    due_within = np.full(facts["due"].size, terms[None].due_within_days, dtype=np.int64)
    silent_days = np.full(facts["due"].size, terms[None].silent_days, dtype=np.int64)
    for segment_id, one in terms.items():
        if segment_id is not None:
            is_own = facts["segment_id"] == segment_id
            due_within[is_own], silent_days[is_own] = one.due_within_days, one.silent_days
    touched = facts["touched"].astype(np.int64)
    is_silent = (touched == NO_DAY) | (touched < day - silent_days)
    is_due, is_flagged = facts["due"] <= day + due_within, facts["is_flagged"]
    for name, is_in in (
        ("flagged_count", is_flagged),
        ("silent_count", is_silent & (is_due | is_flagged)),
        ("both_count", is_silent & is_flagged),
    ):
        is_in = is_in & ~facts["is_excluded"]
        for owner_id, count in _distinct(facts["owner_id"][is_in], facts["account_id"][is_in]):
            setattr(found[owner_id], name, count)


def _distinct(owners: NDArray[Any], accounts: Integers) -> list[tuple[int, int]]:
    """How many different accounts each owner has."""
    pairs = np.unique(np.stack([owners.astype(np.int64), accounts.astype(np.int64)]), axis=1)
    ids, counts = np.unique(pairs[0], return_counts=True)
    return list(zip(ids.tolist(), counts.tolist(), strict=True))


def _add_owned(found: dict[int, OwnerWork], owner_ids: Collection[int] | None) -> None:
    rows = Account.objects.filter(owner__isnull=False)
    if owner_ids is not None:
        rows = rows.filter(owner__in=owner_ids)
    for owner_id, count in rows.order_by().values_list("owner_id").annotate(count=Count("pk")):
        found[owner_id].account_count = count


def _add_tasks(found: dict[int, OwnerWork], as_of: dt.date, owner_ids: Collection[int] | None) -> None:
    mondays = weeks_from(as_of)
    asked = owner_ids
    if asked is None:
        asked = list(
            Task.objects.open().filter(owner__isnull=False).order_by().values_list("owner", flat=True).distinct()
        )
    to_on = mondays[-1] + WEEK - dt.timedelta(days=1)
    for name, kinds in (("plan", PLAN_KINDS), ("task", TASK_KINDS)):
        for week in workload(asked, max(as_of, mondays[0]), to_on, kinds=kinds):
            row, at = found[week.owner_id], (week.monday - mondays[0]).days // 7
            for column, number in ((f"{name}_minutes", week.minutes), (f"{name}_counts", week.task_count)):
                if not getattr(row, column):
                    setattr(row, column, [0] * WEEKS)
                getattr(row, column)[at] = number
