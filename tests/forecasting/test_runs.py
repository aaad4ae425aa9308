"""A run under what happens to runs: edits, readers, second workers, killed workers, a broker that is down."""

import datetime as dt
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections, transaction
from django.utils import timezone

from accounts.models import Company, User
from config.celery import app
from forecasting import services
from forecasting.models import ForecastLine, Run, RunChunk, StaleMonth
from forecasting.services.locks import Lock, hold_alone, take_lock
from renewals.models import Renewal, RenewalScore
from tests.cast import Cast, make_account, make_rate, make_renewal
from tests.forecasting.forecast_book import AS_OF, recompute
from tests.workers import kill, start_worker, wait_until

VALUES = [field.attname for field in RenewalScore._meta.concrete_fields if field.name != "edit_count"]
LINE_VALUES = [field.attname for field in ForecastLine._meta.concrete_fields if field.name != "id"]
NEXT_DAY = AS_OF + dt.timedelta(days=40)


def make_book(owner: User, accounts: int = 12) -> list[Renewal]:
    """Four renewals an account: two decided, two open."""
    book = []
    for number in range(accounts):
        account = make_account(owner=owner)
        for months, fields in (
            (-20, {"outcome": "renewed", "final_amount": 11_000, "ordered_on": AS_OF - dt.timedelta(days=600)}),
            (-8, {"outcome": "lost", "final_amount": 0} if number % 3 else {}),
            (1, {"confidence": 30 + number}),
            (6, {}),
        ):
            due_on = AS_OF + dt.timedelta(days=30 * months + number)
            book.append(make_renewal(owner=owner, account=account, due_on=due_on, **fields))
    return book


def begin(as_of: dt.date = AS_OF, chunk_rows: int = 8) -> tuple[Run, list[int]]:
    services.request_run(reason=Run.Reason.DEMAND, user=None)
    run = services.claim_run(as_of=as_of)
    assert run is not None
    return run, services.prepare_run(run_id=run.pk, chunk_rows=chunk_rows)


def published() -> tuple[list[object], list[object]]:
    """Everything that a run publishes."""
    return (
        list(RenewalScore.objects.order_by("renewal_id").values_list(*VALUES)),
        list(ForecastLine.objects.order_by("grain", "starts_on", "team", "owner", "segment").values_list(*LINE_VALUES)),
    )


def state_of(run: Run) -> str:
    return Run.objects.get(pk=run.pk).state


def stand_still(run: Run) -> None:
    """Let it be a minute ago that anything was sent or staged."""
    past = timezone.now() - dt.timedelta(minutes=1)
    Run.objects.filter(pk=run.pk).update(dispatched_at=past, started_at=past)
    RunChunk.objects.filter(run=run, staged_at__isnull=False).update(staged_at=past)


def test_chunks_of_any_size_give_the_same(cast: Cast) -> None:
    make_book(cast.rep)
    recompute()
    whole = published()
    RenewalScore.objects.all().delete()
    ForecastLine.objects.all().delete()
    run, chunk_ids = begin(chunk_rows=5)
    assert len(chunk_ids) > 5
    for chunk_id in reversed(chunk_ids):
        assert services.stage_chunk(chunk_id=chunk_id)
    assert services.publish_run(run_id=run.pk)
    assert published() == whole
    assert Run.objects.get(pk=run.pk).changed_count == 48


def test_chunk_and_publish_delivered_twice_count_once(cast: Cast) -> None:
    make_book(cast.rep)
    run, chunk_ids = begin()
    assert services.prepare_run(run_id=run.pk) == chunk_ids
    for chunk_id in chunk_ids:
        assert services.stage_chunk(chunk_id=chunk_id)
        assert not services.stage_chunk(chunk_id=chunk_id)
    assert services.publish_run(run_id=run.pk)
    before = published()
    assert not services.publish_run(run_id=run.pk)
    services.compute_chunk(run_id=run.pk, chunk_id=chunk_ids[0])
    assert published() == before
    assert state_of(run) == Run.State.PUBLISHED


def test_run_that_somebody_prepares_is_left_to_them(cast: Cast) -> None:
    make_book(cast.rep)
    recompute()
    before = published()
    services.request_run(reason=Run.Reason.DEMAND, user=None)
    run = services.claim_run(as_of=NEXT_DAY)
    assert run is not None
    stand_still(run)
    with hold_alone(Lock.PREPARATION) as is_mine:
        assert is_mine
        assert services.prepare_run(run_id=run.pk) == []
        services.dispatch_runs()
        assert Run.objects.get(pk=run.pk).restart_count == 0
        services.continue_run(run_id=run.pk)
    assert state_of(run) == Run.State.RUNNING
    assert published() == before
    assert len(services.prepare_run(run_id=run.pk, chunk_rows=8)) > 1


def test_run_is_not_published_before_its_last_chunk(cast: Cast) -> None:
    make_book(cast.rep)
    run, chunk_ids = begin()
    for chunk_id in chunk_ids[1:]:
        services.compute_chunk(run_id=run.pk, chunk_id=chunk_id)
    assert not services.publish_run(run_id=run.pk)
    assert not RenewalScore.objects.exists()
    progress = run.progress()
    assert (progress.staged_chunk_count, progress.chunk_count) == (len(chunk_ids) - 1, len(chunk_ids))
    assert 0 < progress.done_rate < 1
    services.compute_chunk(run_id=run.pk, chunk_id=chunk_ids[0])
    assert state_of(run) == Run.State.PUBLISHED


def test_edit_during_the_run_survives_it(cast: Cast) -> None:
    book = make_book(cast.rep)
    recompute()
    edited = next(renewal for renewal in book if renewal.due_on > AS_OF)
    run, chunk_ids = begin(NEXT_DAY)
    for chunk_id in chunk_ids:
        services.stage_chunk(chunk_id=chunk_id)
    Renewal.objects.filter(pk=edited.pk).update(
        outcome="renewed", ordered_on=AS_OF, final_amount=Decimal(99_000), confidence=None
    )
    services.score_renewals(renewal_ids=[edited.pk], as_of=AS_OF)
    by_edit = RenewalScore.objects.filter(pk=edited.pk).values(*VALUES).get()
    # While it runs its lines are the newer ones to come: the refresh waits for it.
    assert services.refresh_stale_months() == 0
    services.publish_run(run_id=run.pk)
    assert RenewalScore.objects.filter(pk=edited.pk).values(*VALUES).get() == by_edit
    other = RenewalScore.objects.exclude(pk=edited.pk).filter(timing_class=0).first()
    assert other is not None
    assert other.timing_days == (NEXT_DAY - other.renewal.due_on).days
    whole = ForecastLine.objects.filter(team=None, owner=None, segment=None, grain="month")
    assert whole.filter(won_amount=99_000).count() == 0
    assert services.refresh_stale_months() > 0
    assert whole.filter(won_amount=99_000).count() == 1
    assert not StaleMonth.objects.exists()


def test_row_that_an_edit_scored_first_is_not_written_over(cast: Cast) -> None:
    renewal = make_renewal(owner=cast.rep)
    run, chunk_ids = begin()
    services.stage_chunk(chunk_id=chunk_ids[0])
    Renewal.objects.filter(pk=renewal.pk).update(confidence=1)
    services.score_renewals(renewal_ids=[renewal.pk], as_of=AS_OF)
    by_edit = RenewalScore.objects.get(pk=renewal.pk)
    services.publish_run(run_id=run.pk)
    found = RenewalScore.objects.get(pk=renewal.pk)
    assert (found.probability, found.edit_count) == (by_edit.probability, 1)


def test_renewal_deleted_during_the_run_is_left_out(cast: Cast) -> None:
    book = make_book(cast.rep, accounts=2)
    run, chunk_ids = begin()
    for chunk_id in chunk_ids:
        services.stage_chunk(chunk_id=chunk_id)
    book[0].delete()
    services.publish_run(run_id=run.pk)
    assert RenewalScore.objects.count() == 7


def test_renewal_that_moved_to_another_account_is_scored_there(cast: Cast) -> None:
    renewal = make_renewal(owner=cast.rep)
    services.score_renewals(renewal_ids=[renewal.pk], as_of=AS_OF)
    account = make_account(owner=cast.rep)
    Renewal.objects.filter(pk=renewal.pk).update(account=account, due_on=dt.date(2026, 1, 1))
    recompute()
    score = RenewalScore.objects.get(pk=renewal.pk)
    assert (score.account_id, score.timing_class) == (account.pk, 3)


def test_staging_that_a_crash_emptied_is_done_again(cast: Cast) -> None:
    make_book(cast.rep)
    run, chunk_ids = begin()
    for chunk_id in chunk_ids:
        services.stage_chunk(chunk_id=chunk_id)
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE forecasting_stagedframe")
    assert not services.publish_run(run_id=run.pk)
    assert run.chunks.filter(staged_at__isnull=True).count() == len(chunk_ids)
    for chunk_id in chunk_ids:
        services.compute_chunk(run_id=run.pk, chunk_id=chunk_id)
    assert RenewalScore.objects.count() == 48


def add_rates() -> None:
    make_rate("AUD", "0.5")
    make_rate("USD", "0.8", AS_OF)


def change_fiscal_year() -> None:
    Company.objects.update(fiscal_year_start_month=5)


def change_reporting_currency() -> None:
    Company.objects.update(reporting_currency="USD")


def dissolve_teams() -> None:
    User.objects.filter(role=User.Role.REP).update(team=None)


@pytest.mark.parametrize("change", [add_rates, change_fiscal_year, change_reporting_currency, dissolve_teams])
def test_settings_that_change_during_the_run_count_in_the_next_one(cast: Cast, change: Callable[[], None]) -> None:
    """Staged rows name a currency by its place among the rates, and are staged by fiscal quarter."""
    make_rate("USD", "0.9")
    for number in range(12):
        make_renewal(owner=cast.rep, due_on=AS_OF + dt.timedelta(days=30 * number), currency=("EUR", "USD")[number % 2])
    recompute()
    right = published()
    ForecastLine.objects.all().delete()
    run, chunk_ids = begin(chunk_rows=3)
    for chunk_id in chunk_ids:
        services.stage_chunk(chunk_id=chunk_id)
    change()
    assert services.publish_run(run_id=run.pk)
    assert published() == right
    recompute()
    after = published()
    assert after != right
    ForecastLine.objects.all().delete()
    recompute()
    assert published() == after


def test_failed_run_says_why_and_leaves_the_numbers(cast: Cast) -> None:
    book = make_book(cast.rep)
    recompute()
    before = published()
    run, chunk_ids = begin(NEXT_DAY)
    # A weight that no form would take, as somebody may write it by hand.
    Company.objects.update(reporting_currency="EUR")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE renewals_riskweightversion SET weights = '{\"usage_trend\": -1}'")
    services.compute_chunk(run_id=run.pk, chunk_id=chunk_ids[0])
    run.refresh_from_db()
    assert run.state == Run.State.FAILED
    assert "weight below 0" in run.message
    assert published() == before
    services.compute_chunk(run_id=run.pk, chunk_id=chunk_ids[1])
    assert len(book) == RenewalScore.objects.count()
    assert services.request_run(reason=Run.Reason.DEMAND, user=None) != run.pk


def test_waiting_run_is_reused_and_a_running_one_is_not(cast: Cast) -> None:
    first = services.request_run(reason=Run.Reason.RULE, user=cast.admin)
    assert services.request_run(reason=Run.Reason.IMPORT, user=None) == first
    assert services.claim_run() == Run.objects.get(pk=first)
    second = services.request_run(reason=Run.Reason.DEMAND, user=None)
    assert second != first
    assert services.claim_run() is None
    assert [run.pk for run in Run.objects.active()] == [first, second]
    assert Run.objects.get(pk=first).requested_by == cast.admin


def test_nightly_run_is_asked_for_once_a_business_day(cast: Cast) -> None:
    today = Company.objects.get().today()
    recompute(today - dt.timedelta(days=1))
    asked = services.request_nightly()
    assert asked is not None
    assert services.request_nightly() == asked
    recompute(today)
    assert services.request_nightly() is None


def test_empty_book_is_published_too(cast: Cast) -> None:
    run = recompute()
    assert (run.state, run.row_count, run.message) == (Run.State.PUBLISHED, 0, "")
    assert Run.objects.latest_published() == run
    assert run.minutes_old(run.published_at + dt.timedelta(minutes=7, seconds=59)) == 7  # type: ignore[operator]


def test_command_says_what_it_did(cast: Cast, capsys: pytest.CaptureFixture[str]) -> None:
    make_book(cast.rep, accounts=1)
    call_command("recompute", "--as-of", "2026-11-21")
    printed = capsys.readouterr().out
    assert "4 renewals in 1 of 1 parts" in printed
    assert "as of 2026-11-21: 4 renewals, 4 changed" in printed
    begin()
    with pytest.raises(CommandError, match="Another recompute is running"):
        call_command("recompute")


def test_run_whose_tasks_were_lost_goes_on_and_at_last_fails(cast: Cast) -> None:
    make_book(cast.rep, accounts=2)
    run, chunk_ids = begin(chunk_rows=4)
    services.stage_chunk(chunk_id=chunk_ids[0])
    services.dispatch_runs()
    assert Run.objects.get(pk=run.pk).restart_count == 0
    for count in range(1, 6):
        stand_still(run)
        services.dispatch_runs()
        assert Run.objects.get(pk=run.pk).restart_count == count
    stand_still(run)
    services.dispatch_runs()
    run.refresh_from_db()
    assert (run.state, run.message) == (Run.State.FAILED, "It was started 6 times and did not get to its end.")


def test_run_that_only_lacks_its_publication_is_published_by_dispatch(cast: Cast) -> None:
    make_book(cast.rep, accounts=2)
    run, chunk_ids = begin()
    for chunk_id in chunk_ids:
        services.stage_chunk(chunk_id=chunk_id)
    stand_still(run)
    services.dispatch_runs()
    assert state_of(run) == Run.State.PUBLISHED


@pytest.fixture
def dead_broker() -> Iterator[None]:
    before = app.conf.broker_url
    app.conf.broker_url = "redis+socket:///nowhere/valkey.sock?virtual_host=0"
    yield
    app.conf.broker_url = before


@pytest.mark.usefixtures("dead_broker")
def test_dead_broker_delays_a_run_and_holds_nobody_up(
    cast: Cast, django_capture_on_commit_callbacks: Callable[..., AbstractContextManager[object]]
) -> None:
    make_renewal(owner=cast.rep)
    began = time.monotonic()
    with django_capture_on_commit_callbacks(execute=True):
        run_id = services.request_run(reason=Run.Reason.DEMAND, user=None)
    assert time.monotonic() - began < 2
    run = Run.objects.get(pk=run_id)
    assert run.state == Run.State.WAITING
    services.dispatch_runs()
    assert state_of(run) == Run.State.RUNNING
    # Its one chunk could not be sent; whoever gets hold of it finishes the run.
    services.compute_chunk(run_id=run.pk, chunk_id=run.chunks.get().pk)
    assert state_of(run) == Run.State.PUBLISHED


def in_thread(work: Callable[[], object]) -> threading.Thread:
    """Run with a connection of its own, closed at the end."""

    def body() -> None:
        try:
            work()
        finally:
            connections.close_all()

    thread = threading.Thread(target=body)
    thread.start()
    return thread


SIGNATURE = (
    "SELECT (SELECT md5(string_agg(s::text, ';' ORDER BY renewal_id)) FROM renewals_renewalscore s),"
    " (SELECT md5(string_agg(l::text, ';' ORDER BY id)) FROM forecasting_forecastline l),"
    " (SELECT max(as_of_on) FROM forecasting_run WHERE state = 'published')"
)


def signature() -> tuple[object, ...]:
    """Scores, lines and run in one statement, as one reader sees them at one moment."""
    with connection.cursor() as cursor:
        cursor.execute(SIGNATURE)
        return tuple(cursor.fetchone())


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_readers_see_the_run_before_or_the_new_one(cast: Cast) -> None:
    make_book(cast.rep, accounts=40)
    recompute()
    before = signature()
    run, chunk_ids = begin(NEXT_DAY, chunk_rows=40)
    seen: set[tuple[object, ...]] = set()
    is_over = threading.Event()

    def read() -> None:
        while not is_over.is_set():
            seen.add(signature())

    readers = [in_thread(read) for _ in range(2)]
    for chunk_id in chunk_ids:
        services.stage_chunk(chunk_id=chunk_id)
    services.publish_run(run_id=run.pk)
    time.sleep(0.1)
    is_over.set()
    for reader in readers:
        reader.join()
    after = signature()
    assert all(one != other for one, other in zip(before, after, strict=True))
    assert seen == {before, after}


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_two_publishers_at_once_publish_once(cast: Cast) -> None:
    make_book(cast.rep)
    run, chunk_ids = begin()
    for chunk_id in chunk_ids:
        services.stage_chunk(chunk_id=chunk_id)
    done: list[bool] = []
    threads = [in_thread(lambda: done.append(services.publish_run(run_id=run.pk))) for _ in range(3)]
    for thread in threads:
        thread.join()
    assert sorted(done) == [False, False, True]
    assert RenewalScore.objects.count() == 48


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_chunk_that_another_worker_has_in_hand_is_left_to_it(cast: Cast) -> None:
    make_book(cast.rep, accounts=2)
    run, chunk_ids = begin()
    results: list[bool] = []
    with transaction.atomic():
        RunChunk.objects.select_for_update().get(pk=chunk_ids[0])
        in_thread(lambda: results.append(services.stage_chunk(chunk_id=chunk_ids[0]))).join()
    assert results == [False]
    stand_still(run)
    assert services.stage_chunk(chunk_id=chunk_ids[0])


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_edit_does_not_wait_for_a_publication_but_is_scored_after_it(cast: Cast) -> None:
    renewal = make_renewal(owner=cast.rep)
    recompute()
    before = RenewalScore.objects.get(pk=renewal.pk).probability
    took: list[float] = []

    def edit() -> None:
        began = time.monotonic()
        with transaction.atomic():
            Renewal.objects.select_for_update().filter(pk=renewal.pk).update(confidence=3)
            services.score_renewals(renewal_ids=[renewal.pk], as_of=AS_OF)
        took.append(time.monotonic() - began)

    with transaction.atomic():
        take_lock(Lock.SCORES)
        in_thread(edit).join()
        in_thread(lambda: took.append(services.score_stale_renewals(as_of=AS_OF))).join()
    assert took[0] < 2
    assert took[1] == 0
    assert RenewalScore.objects.get(pk=renewal.pk).probability == before
    assert services.score_stale_renewals(as_of=AS_OF) == 1
    assert RenewalScore.objects.get(pk=renewal.pk).probability < before
    assert services.score_stale_renewals(as_of=AS_OF) == 0


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_processes_of_the_command_give_the_same(cast: Cast) -> None:
    make_book(cast.rep)
    recompute()
    expected = published()
    RenewalScore.objects.all().delete()
    services.request_run(reason=Run.Reason.DEMAND, user=None)
    run = services.claim_run(as_of=AS_OF)
    assert run is not None
    services.prepare_run(run_id=run.pk, chunk_rows=8)
    services.execute_run(run_id=run.pk, processes=2)
    assert published() == expected


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_command_waits_for_the_steps_that_a_worker_took_up(cast: Cast) -> None:
    make_book(cast.rep)
    services.request_run(reason=Run.Reason.DEMAND, user=None)
    run = services.claim_run(as_of=AS_OF)
    assert run is not None
    is_held, is_asked = threading.Event(), threading.Event()

    def prepare_and_die() -> None:
        with suppress(OSError), transaction.atomic():
            Run.objects.select_for_update().get(pk=run.pk)
            is_held.set()
            is_asked.wait(5)
            raise OSError

    worker = in_thread(prepare_and_die)
    assert is_held.wait(5)
    assert services.prepare_run(run_id=run.pk) == []
    in_thread(lambda: time.sleep(0.5) or is_asked.set())
    services.execute_run(run_id=run.pk)
    worker.join()
    assert state_of(run) == Run.State.PUBLISHED
    assert Run.objects.get(pk=run.pk).row_count == 48


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_worker_killed_in_the_middle_changes_nothing_in_the_result(cast: Cast) -> None:
    make_book(cast.rep, accounts=30)
    recompute()
    expected = published()
    RenewalScore.objects.all().delete()
    ForecastLine.objects.all().delete()
    run, chunk_ids = begin(chunk_rows=2)
    services.continue_run(run_id=run.pk)
    workers = [start_worker()]
    try:
        wait_until(lambda: run.chunks.filter(staged_at__isnull=False).exists())
        kill(workers[0])
        staged = run.chunks.filter(staged_at__isnull=False).count()
        assert 0 < staged < len(chunk_ids)
        assert not RenewalScore.objects.exists()
        workers.append(start_worker())
        # The killed worker took its task along; beat notices that nothing moves.
        stand_still(run)
        services.dispatch_runs()
        wait_until(lambda: state_of(run) == Run.State.PUBLISHED)
    finally:
        for worker in workers:
            kill(worker)
        app.control.purge()
    assert published() == expected
