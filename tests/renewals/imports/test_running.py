"""Work in the background: two at once, killed in the middle, cancelled, delivered twice, without a broker."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections
from django.db.models import Max
from django.utils import timezone
from pytest_django.fixtures import DjangoAssertNumQueries

from accounts.models import Account, Segment
from config.celery import app
from renewals.imports import files, services, tasks
from renewals.jobs import is_worked_on
from renewals.models import Contract, ImportBatch, ImportPart, Renewal
from tests.renewals.imports.conftest import CONTRACTS, HEADING

State = ImportBatch.State
TEXT = HEADING + "".join(f"A{n},Name {n},C{n},2026-01-01,2026-12-31,{n}\n" for n in range(200))


def waiting_batch(text: str = TEXT, state: str = State.IMPORTING) -> ImportBatch:
    batch = services.receive_file(file_name="file.csv", chunks=[text.encode()], user=None)
    batch.mapping, batch.mapping_name, batch.state = CONTRACTS, "Test", state
    batch.save()
    return batch


def counts() -> tuple[int, int, int]:
    return Account.objects.count(), Contract.objects.count(), Renewal.objects.count()


@pytest.mark.django_db
def test_a_kept_file_comes_back_byte_for_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "PART_BYTES", 1000)
    content = bytes(range(256)) * 10 + b"\\N\t\\x00\n\xff\xff"
    (path := tmp_path / "file").write_bytes(content)
    batch = ImportBatch.objects.create(file_name="file.csv", content_hash="")
    files.keep_file(batch=batch, path=path)
    assert list(batch.parts.values_list("position", flat=True)) == [0, 1, 2]
    with files.kept_file(batch) as kept:
        assert kept.read_bytes() == content


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_two_imports_at_once_make_each_record_once() -> None:
    batches = [waiting_batch(), waiting_batch()]
    work_at_once(batches)
    assert sorted(batch.result["contracts"]["created"] for batch in batches) == [0, 200]
    assert counts() == (200, 200, 200)


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_two_imports_at_once_share_the_names_that_are_new_to_both() -> None:
    heading = HEADING.replace("\n", ",Segment\n")
    batches = []
    for letter in "AB":
        rows = (f"{letter}{n},Name {letter}{n},C{n},2026-01-01,2026-12-31,1,New {n % 3}\n" for n in range(200))
        batches.append(waiting_batch(heading + "".join(rows)))
    segment = {"column": "Segment", "create_missing": True}
    mapping = {**CONTRACTS, "account": {**CONTRACTS["account"], "segment": segment}}
    ImportBatch.objects.update(mapping=mapping)
    work_at_once(batches)
    last = Segment.objects.exclude(name__startswith="New").aggregate(last=Max("position"))["last"] or 0
    new = Segment.objects.filter(name__startswith="New")
    assert list(new.values_list("name", "position")) == [(f"New {n}", last + 1 + n) for n in range(3)]
    assert Account.objects.filter(segment__in=new).count() == 400


def work_at_once(batches: list[ImportBatch]) -> None:
    """Works on each in a thread of its own; all are done well."""
    barrier = threading.Barrier(len(batches))

    def work(batch: ImportBatch) -> None:
        barrier.wait()
        services.process_batch(batch.pk)
        connections.close_all()

    threads = [threading.Thread(target=work, args=[batch]) for batch in batches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for batch in batches:
        batch.refresh_from_db()
    assert [(batch.state, batch.message) for batch in batches] == [("done", "")] * len(batches)


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_one_batch_delivered_twice_at_once_is_worked_on_once() -> None:
    batch = waiting_batch()
    barrier = threading.Barrier(2)

    def work() -> None:
        barrier.wait()
        services.process_batch(batch.pk)
        connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    batch.refresh_from_db()
    assert (batch.state, batch.attempt_count, counts()) == ("done", 1, (200, 200, 200))
    services.process_batch(batch.pk)
    batch.refresh_from_db()
    assert batch.attempt_count == 1


@pytest.fixture
def slow_contracts(transactional_db: None) -> Iterator[None]:
    """The database takes a while over each contract, so that there is a middle to be killed in."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            CREATE FUNCTION test_slow() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN PERFORM pg_sleep(0.05); RETURN NEW; END $$;
            CREATE TRIGGER test_slow BEFORE INSERT ON renewals_contract FOR EACH ROW EXECUTE FUNCTION test_slow();
            ALTER TABLE renewals_contract ENABLE ALWAYS TRIGGER test_slow;
            """
        )
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP FUNCTION test_slow() CASCADE")


WORKER = """
import django, sys
django.setup()
from django.conf import settings
from django.db import connection
settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = sys.argv[1]
from renewals.imports.services import process_batch
process_batch(int(sys.argv[2]))
"""


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_a_worker_killed_while_it_writes_changes_nothing_and_the_next_one_finishes(slow_contracts: None) -> None:
    batch = waiting_batch()
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, connection.settings_dict["NAME"], str(batch.pk)],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"},
        cwd=Path(settings.BASE_DIR),
    )
    wait_until(is_writing, "the worker never came to write")
    assert is_worked_on(services.BATCH_LOCK, batch.pk)
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    wait_until(lambda: not is_worked_on(services.BATCH_LOCK, batch.pk), "the lock outlived the worker")
    batch.refresh_from_db()
    assert (batch.state, batch.attempt_count, counts()) == (State.IMPORTING, 1, (0, 0, 0))
    services.process_batch(batch.pk)
    batch.refresh_from_db()
    assert (batch.state, batch.attempt_count, counts()) == (State.DONE, 2, (200, 200, 200))


def is_writing() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%INSERT INTO renewals_contract%' AND pid <> "
            "pg_backend_pid() AND datname = current_database()"
        )
        return bool(cursor.fetchone()[0])


def wait_until(is_so, complaint: str) -> None:  # type: ignore[no-untyped-def]
    end = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < end, complaint
        time.sleep(0.05)


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_an_import_cancelled_while_it_writes_is_taken_back(slow_contracts: None) -> None:
    batch = waiting_batch()

    def work() -> None:
        services.process_batch(batch.pk)
        connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    wait_until(is_writing, "the import never came to write")
    services.cancel_import(batch=batch)
    thread.join()
    batch.refresh_from_db()
    assert (batch.state, counts(), ImportPart.objects.count()) == (State.CANCELLED, (0, 0, 0), 0)
    with pytest.raises(services.ImportRejected, match="This import is cancelled already"):
        services.cancel_import(batch=batch)


@pytest.mark.django_db
def test_work_that_never_ends_well_is_not_tried_for_ever() -> None:
    batch = waiting_batch()
    batch.attempt_count = services.MOST_ATTEMPTS
    batch.save()
    services.process_batch(batch.pk)
    batch.refresh_from_db()
    assert (batch.state, batch.message) == (
        "failed",
        "The work stopped 3 times before its end. Split the file, or ask your administrator.",
    )


@pytest.mark.django_db
def test_the_sweeper_sends_what_nobody_works_on(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[int] = []
    monkeypatch.setattr(tasks, "send", lambda task, batch_id: sent.append(batch_id))
    waiting, working, checked = waiting_batch(), waiting_batch(state=State.CHECKING), waiting_batch(state=State.CHECKED)
    ImportBatch.objects.update(requested_at=timezone.now() - tasks.WAITING_FOR * 2)
    with connections["default"].copy().cursor() as other:  # the lock of another process
        other.execute("SELECT pg_advisory_lock(%s, %s)", [services.BATCH_LOCK, working.pk])
        tasks.dispatch_waiting_imports()
        other.connection.close()
    assert (sent, checked.state) == ([waiting.pk], State.CHECKED)


@pytest.fixture(params=["refuses", "hangs"])
def broker(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of one that is away, or takes connections and never says a word."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        if request.param == "hangs":
            listener.listen()
        yield f"redis://127.0.0.1:{listener.getsockname()[1]}/0"


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_without_a_broker_a_batch_waits(monkeypatch: pytest.MonkeyPatch, broker: str) -> None:
    monkeypatch.setattr(app.conf, "broker_url", broker)
    batch = waiting_batch(state=State.UPLOADED)
    began = time.monotonic()
    services.choose_mapping(batch=batch, mapping=CONTRACTS, name="Test")
    assert time.monotonic() - began < 4
    batch.refresh_from_db()
    assert batch.state == State.CHECKING


@pytest.mark.django_db
def test_files_are_forgotten_after_a_month() -> None:
    old, fresh = waiting_batch(state=State.DONE), waiting_batch(state=State.DONE)
    ImportBatch.objects.filter(pk=old.pk).update(requested_at=timezone.now() - services.KEPT_FOR * 1.1)
    assert services.forget_old_files(now=timezone.now()) == 1
    assert list(ImportPart.objects.values_list("batch", flat=True)) == [fresh.pk]


@pytest.mark.django_db
def test_the_number_of_statements_does_not_depend_on_the_number_of_rows(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    services.process_batch(waiting_batch(HEADING + "A,Acme,C,2026-01-01,2026-12-31,1\n").pk)  # fills caches
    with django_assert_max_num_queries(120) as few:
        services.process_batch(waiting_batch(HEADING + "B,Beta,D,2026-01-01,2026-12-31,1\n").pk)
    with django_assert_max_num_queries(120) as many:
        services.process_batch(waiting_batch().pk)
    assert len(few) == len(many)


@pytest.mark.django_db
def test_command_prints_json_and_a_dry_run_leaves_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "accounts.csv"
    path.write_text("Account id,Account,Customer since\nA1,Acme,2020-01-01\nA2,,31/12/2020\n")
    call_command("import_csv", path, mapping="accounts", dry_run=True)
    printed = capsys.readouterr().out
    assert "2 rows read, 1 good, 1 refused, 0 repeated, 0 left out (nothing written)" in printed
    assert "row 3 [refused] Customer since “31/12/2020” is not a date written as YYYY-MM-DD" in printed
    assert (ImportBatch.objects.count(), Account.objects.count()) == (0, 0)
    call_command("import_csv", path, mapping="accounts", json=True)
    answer = json.loads(capsys.readouterr().out)
    assert (answer["state"], answer["row_count"], answer["refused_count"]) == ("done", 2, 1)
    assert answer["result"] == {"accounts": {"created": 1, "changed": 0, "unchanged": 0}}
    assert Account.objects.get().name == "Acme"
