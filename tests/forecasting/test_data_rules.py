"""What follows a publication: it is done once, and found again where a worker did not get to it."""

import datetime as dt
import threading

import pytest
from django.core.management import call_command
from django.db import connection, connections, transaction

from forecasting import services, tasks
from forecasting.models import Run
from forecasting.services.locks import Lock, take_lock
from renewals.models import DataRule, RenewalQuality
from renewals.quality.failures import MOST_ATTEMPTS, read_failure
from tests.cast import Cast, make_renewal
from tests.forecasting.forecast_book import AS_OF


def publish(as_of: dt.date = AS_OF) -> Run:
    services.request_run(reason=Run.Reason.DEMAND, user=None)
    run = services.claim_run(as_of=as_of)
    assert run is not None
    services.execute_run(run_id=run.pk)
    return Run.objects.get(pk=run.pk)


def open_past_due(cast: Cast) -> int:
    return make_renewal(owner=cast.rep, due_on=AS_OF - dt.timedelta(days=1)).pk


def test_publication_does_not_wait_for_the_data_rules(cast: Cast) -> None:
    broken = open_past_due(cast)
    run = publish()
    assert (run.state, run.rules_judged_at) == (Run.State.PUBLISHED, None)
    assert not RenewalQuality.objects.exists()
    assert services.judge_data_rules()
    assert [quality.pk for quality in RenewalQuality.objects.all()] == [broken]
    assert Run.objects.get(pk=run.pk).rules_judged_at is not None


def test_book_is_judged_once_after_a_run(cast: Cast) -> None:
    assert not services.judge_data_rules()
    publish()
    assert services.judge_data_rules()
    assert not services.judge_data_rules()
    publish()
    assert services.judge_data_rules()


def test_newest_run_is_judged_for_those_before_it(cast: Cast) -> None:
    broken = open_past_due(cast)
    earlier = publish(AS_OF - dt.timedelta(days=30))
    newest = publish()
    assert services.judge_data_rules()
    assert RenewalQuality.objects.filter(pk=broken).exists()
    assert not Run.objects.filter(pk__in=[earlier.pk, newest.pk], rules_judged_at=None).exists()


def test_beat_finds_what_a_lost_worker_left_to_do(cast: Cast) -> None:
    broken = open_past_due(cast)
    publish()
    tasks.dispatch_waiting_runs()
    assert RenewalQuality.objects.filter(pk=broken).exists()


def test_judgement_that_fails_is_done_again(cast: Cast) -> None:
    broken = open_past_due(cast)
    run = publish()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE renewals_qualitysnapshot RENAME TO gone")
    assert not services.judge_data_rules()
    page = cast.client_of("admin").get("/quality/").content.decode()
    assert "it is tried again in a moment" in page
    assert "relation &quot;renewals_qualitysnapshot&quot; does not exist" in page
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE gone RENAME TO renewals_qualitysnapshot")
    assert Run.objects.get(pk=run.pk).rules_judged_at is None
    assert not RenewalQuality.objects.exists()
    assert services.judge_data_rules()
    assert RenewalQuality.objects.filter(pk=broken).exists()
    assert read_failure() is None


def test_judgement_that_always_fails_is_given_up_until_the_next_run(cast: Cast) -> None:
    broken = open_past_due(cast)
    publish()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE renewals_qualitysnapshot RENAME TO gone")
    for _ in range(MOST_ATTEMPTS + 2):
        tasks.dispatch_waiting_runs()  # and what follows it in the same task is done
    failure = read_failure()
    assert failure is not None
    assert (failure.attempt_count, failure.is_given_up) == (MOST_ATTEMPTS, True)
    for path in ("/quality/", "/quality/rules/"):
        assert f"tried {MOST_ATTEMPTS} times" in cast.client_of("admin").get(path).content.decode()
    assert "could not be judged" not in cast.client_of("manager").get("/quality/").content.decode()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE gone RENAME TO renewals_qualitysnapshot")
    assert not services.judge_data_rules()
    publish()
    assert services.judge_data_rules()
    assert RenewalQuality.objects.filter(pk=broken).exists()
    assert read_failure() is None


def test_last_chunk_publishes_and_then_judges(cast: Cast) -> None:
    broken = open_past_due(cast)
    services.request_run(reason=Run.Reason.DEMAND, user=None)
    services.start_run()
    run = Run.objects.get()
    services.compute_chunk(run_id=run.pk, chunk_id=run.chunks.get().pk)
    assert Run.objects.get().state == Run.State.PUBLISHED
    assert RenewalQuality.objects.filter(pk=broken).exists()


@pytest.mark.parametrize(("options", "count"), [([], 1), (["--no-data-rules"], 0)])
def test_command_judges_unless_a_worker_shall(cast: Cast, options: list[str], count: int) -> None:
    open_past_due(cast)
    call_command("recompute", "--as-of", AS_OF.isoformat(), "--json", *options)
    assert RenewalQuality.objects.count() == count


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_second_worker_leaves_it_to_the_first(cast: Cast) -> None:
    assert DataRule.objects.filter(is_active=True).exists()
    publish()
    done: list[bool] = []

    def judge() -> None:
        try:
            done.append(services.judge_data_rules())
        finally:
            connections.close_all()

    with transaction.atomic():
        take_lock(Lock.DATA_RULES)
        other = threading.Thread(target=judge)
        other.start()
        other.join(20)
    assert done == [False]
    assert services.judge_data_rules()
