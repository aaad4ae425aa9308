"""A run from its request to its publication. Every step may be done again, by anybody, at any time.

What holds a run together is in the database: a step is claimed by a conditional write or a row lock that others skip,
and its result is committed with the mark that it is done. The broker only says "there is work"; when it is down,
or a worker dies, `dispatch_runs` finds the work and says so again.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from multiprocessing import get_context
from typing import Any, Final

from django.db import IntegrityError, InterfaceError, OperationalError, connection, transaction
from django.db.models import Max
from django.utils import timezone

from accounts.models import Company, get_company
from accounts.signals_refresh import mark_what_came_due, refresh_signals
from forecasting.engine.payments import PaymentTerms
from forecasting.frames import fit_history, load_likelihood, load_rules, read_reporting
from forecasting.frames.payments import learn_payment_terms
from forecasting.health import refresh_health
from forecasting.models import LikelihoodModel, Run, RunChunk
from forecasting.mrr import services as mrr
from forecasting.queue import send
from forecasting.requests import request_run
from forecasting.services.chunks import stage_chunk
from forecasting.services.data_rules import judge_data_rules
from forecasting.services.locks import Lock, hold_alone, try_lock
from forecasting.services.publish import publish_run
from forecasting.services.staging import clear_staging

log = logging.getLogger(__name__)
CHUNK_ROWS: Final = 50_000
# Within this time a task that was sent is surely begun, unless its worker died or every worker is busy.
STILL_SECONDS: Final = 15
RESTARTS: Final = 5
# Between two looks at a step that somebody else is at.
PAUSE_SECONDS: Final = 0.2


def request_nightly() -> int | None:
    """Ask for a run unless one was published for the present business date; its id, or None."""
    if Run.objects.filter(state=Run.State.PUBLISHED, as_of_on__gte=get_company().today()).exists():
        return None
    return request_run(reason=Run.Reason.NIGHTLY, user=None)


def claim_run(*, as_of: dt.date | None = None) -> Run | None:
    """Make the waiting run the running one; None when none waits or another still runs."""
    try:
        with transaction.atomic():
            run = Run.objects.select_for_update(skip_locked=True).filter(state=Run.State.WAITING).first()
            if run is None:
                return None
            run.state, run.started_at = Run.State.RUNNING, timezone.now()
            run.dispatched_at = run.started_at
            run.as_of_on = as_of or get_company().today()
            run.save(update_fields=["state", "started_at", "dispatched_at", "as_of_on"])
    except IntegrityError:
        return None  # run_running_once: it waits on
    return run


def prepare_run(*, run_id: int, chunk_rows: int = CHUNK_ROWS) -> list[int]:
    """Learn from history and split the book; the ids of the chunks, or none when somebody else is at it.

    Before that, the signals of accounts with new tickets or invoices: what is read must be what is known. Those are
    many transactions, so the row of the run alone would not keep a second worker from going on without them. Rates,
    fiscal year and teams are kept on the run, so that all of it adds up by the same ones.
    """
    with hold_alone(Lock.PREPARATION) as is_mine:
        if not is_mine:
            return []
        _refresh_signals(get_company())
        terms = learn_payment_terms(as_of=get_company().today())
        return _split_book(run_id, terms, chunk_rows)


def _split_book(run_id: int, terms: PaymentTerms, chunk_rows: int) -> list[int]:
    with transaction.atomic():
        run = Run.objects.select_for_update(skip_locked=True).filter(pk=run_id, state=Run.State.RUNNING).first()
        if run is None:
            return []
        if not run.is_prepared():
            run.likelihood_model = LikelihoodModel.objects.light().newest_fitted()
            with connection.cursor() as cursor:
                clear_staging(cursor)
                inputs, model, survivors = load_likelihood(run.likelihood_model_id)
                rules = replace(load_rules(None), inputs=inputs, likelihood=model, survivors=survivors)
                learned = fit_history(cursor, rules, run.as_of_on)
                ranges, run.row_count = _account_ranges(cursor, chunk_rows)
            kept = {"likelihood_table": learned.rates.to_dict(), "rep_records": learned.records.to_dict()}
            kept["reporting"] = read_reporting(as_of=run.as_of_on).for_run()
            kept |= replace(learned.outlook, payments=terms).for_run()
            for name, value in kept.items():
                setattr(run, name, value)
            run.save(update_fields=[*kept, "likelihood_model", "row_count"])
            RunChunk.objects.bulk_create(
                RunChunk(run=run, first_account_id=first, last_account_id=last) for first, last in ranges
            )
        return list(run.chunks.values_list("pk", flat=True))


def _refresh_signals(company: Company) -> None:
    """Of accounts with news, and of those of which a day has come since the signals of the last run were made."""
    before, today = Run.objects.latest_published(), company.today()
    if before is not None:
        made_on = company.today(before.started_at) if before.started_at else before.as_of_on
        mark_what_came_due(after=min(made_on, before.as_of_on), as_of=today)
    refresh_signals(as_of=today)


def _account_ranges(cursor: Any, chunk_rows: int) -> tuple[list[tuple[int, int]], int]:
    """(ranges of accounts with about `chunk_rows` renewals each, renewals in all).

    Each step walks as many rows of the index on the account; an account whose renewals it cuts belongs to that range.
    """
    cursor.execute("SELECT max(account_id), count(*) FROM renewals_renewal")
    newest, row_count = cursor.fetchone()
    ranges: list[tuple[int, int]] = []
    first = 0
    while newest is not None and first <= newest:
        cursor.execute(
            "SELECT account_id FROM renewals_renewal WHERE account_id >= %s ORDER BY account_id OFFSET %s LIMIT 1",
            [first, chunk_rows - 1],
        )
        found = cursor.fetchone()
        last = found[0] if found else newest
        ranges.append((first, last))
        first = last + 1
    return ranges, row_count


def start_run() -> None:
    """Claim the waiting run, prepare it and send its chunks: what a worker does when it is told that there is a run."""
    run = claim_run()
    if run is not None:
        continue_run(run_id=run.pk)


def continue_run(*, run_id: int) -> None:
    """Prepare a running run if that is not done, and send every chunk that is not staged."""
    if not guarded(run_id, lambda: prepare_run(run_id=run_id)):
        return
    Run.objects.filter(pk=run_id).update(dispatched_at=timezone.now())
    waiting = list(RunChunk.objects.filter(run_id=run_id, staged_at__isnull=True).values_list("pk", flat=True))
    for chunk_id in waiting:
        if not send("compute_chunk", run_id, chunk_id):
            return
    if not waiting:
        _publish(run_id)


def compute_chunk(*, run_id: int, chunk_id: int) -> None:
    """Stage one chunk, and publish the run when it was the last."""
    guarded(run_id, lambda: stage_chunk(chunk_id=chunk_id))
    if not RunChunk.objects.filter(run_id=run_id, staged_at__isnull=True).exists():
        _publish(run_id)


def _publish(run_id: int) -> None:
    """Publish, then see to data rules, recurring revenue and health. What is lost in between the next beat finds."""
    guarded(run_id, lambda: publish_run(run_id=run_id))
    judge_data_rules()
    mrr.roll_up_mrr()
    refresh_health(as_of=get_company().today())


def execute_run(*, run_id: int, processes: int = 1, on_progress: Callable[[Run], None] | None = None) -> None:
    """The whole run, to its end, in this process and its children; `judge_data_rules` is to follow.

    Whatever stops it ends the run as failed and is raised. A step that a worker has taken up meanwhile, because
    nothing seemed to move, is waited for, and done here after all if it was not.

    With more than one process the caller has no transaction open, for the children bring connections of their own.
    """
    running = Run.objects.filter(pk=run_id, state=Run.State.RUNNING)
    try:
        while (run := running.first()) is not None:
            for _ in _stage_all(prepare_run(run_id=run_id), processes):
                if on_progress is not None:
                    on_progress(run)
            if not publish_run(run_id=run_id):
                time.sleep(PAUSE_SECONDS)
    except BaseException as error:
        fail_run(run_id=run_id, message=str(error) or type(error).__name__)
        raise


def _stage_all(chunk_ids: list[int], processes: int) -> Iterator[None]:
    """Stage every chunk, and say so after each."""
    if min(processes, len(chunk_ids)) < 2:
        for chunk_id in chunk_ids:
            stage_chunk(chunk_id=chunk_id)
            yield
        return
    connection.close()
    with ProcessPoolExecutor(max_workers=processes, mp_context=get_context("fork")) as pool:
        staged = [pool.submit(stage_chunk, chunk_id=chunk_id) for chunk_id in chunk_ids]
        for done in as_completed(staged):
            done.result()
            yield


def dispatch_runs() -> None:
    """Start the run that waits, and go on with one whose tasks were lost with their worker or their broker."""
    running = Run.objects.filter(state=Run.State.RUNNING).first()
    if running is None:
        start_run()
    elif _stands_still(running):
        if running.restart_count >= RESTARTS:
            fail_run(run_id=running.pk, message=f"It was started {RESTARTS + 1} times and did not get to its end.")
            return
        Run.objects.filter(pk=running.pk).update(restart_count=running.restart_count + 1)
        continue_run(run_id=running.pk)


def _stands_still(run: Run) -> bool:
    """Nothing was sent or staged for a while, and nobody is at work on it.

    Whoever is holds its row, that of a chunk, or the lock of its preparation.
    """
    staged_at = run.chunks.aggregate(newest=Max("staged_at"))["newest"]
    moved_at = max(moment for moment in (run.dispatched_at, staged_at, run.started_at) if moment is not None)
    if timezone.now() - moved_at < dt.timedelta(seconds=STILL_SECONDS):
        return False
    with transaction.atomic():
        is_free = (
            try_lock(Lock.PREPARATION) and Run.objects.select_for_update(skip_locked=True).filter(pk=run.pk).exists()
        )
        unstaged = run.chunks.filter(staged_at__isnull=True)
        return is_free and len(unstaged.select_for_update(skip_locked=True)) == unstaged.count()


def guarded(run_id: int, step: Callable[[], Any]) -> bool:
    """Do a step; a fault in it ends the run with its words. False when it failed.

    A lost connection or a deadlock is no fault of the run: it is left as it is, for `dispatch_runs` to go on with.
    """
    try:
        step()
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        log.exception("Run %s failed", run_id)
        fail_run(run_id=run_id, message=str(error) or type(error).__name__)
        return False
    return True


def fail_run(*, run_id: int, message: str) -> None:
    """End a run without publishing; what readers see stays as it is."""
    failed = Run.objects.filter(pk=run_id, state=Run.State.RUNNING)
    if failed.update(state=Run.State.FAILED, message=message):
        RunChunk.objects.filter(run_id=run_id).delete()
