"""Taking rows away: recorded, in the background when there are many, kept for a day, for nobody else."""

import datetime as dt
import threading
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from config.celery import app
from renewals.exports import services
from renewals.exports.services import forget_old_files, process_export, request_export
from renewals.exports.tasks import dispatch_waiting_exports
from renewals.models import Export, FilePart, Renewal
from tests.cast import Cast, make_account, make_renewal
from tests.renewals.bulk.test_jobs import queue_length
from tests.renewals.exports.export_book import csv_lines


def few_rows(cast: Cast, count: int = 5) -> None:
    account = make_account(owner=cast.rep)
    for number in range(count):
        make_renewal(owner=cast.rep, account=account, confidence=number)


def kept(export: Export) -> bytes:
    return b"".join(bytes(part) for part in export.parts.values_list("content", flat=True))


def test_the_answer_is_the_file_with_its_count_in_name_and_header(cast: Cast) -> None:
    few_rows(cast)
    response = cast.client_of("rep").post("/exports/new/?sort=-due_on", {"format": "csv"})
    export = Export.objects.get()
    assert response.status_code == 200
    assert response.headers["X-Row-Count"] == "5"
    today = dt.date.today()
    assert response.headers["Content-Disposition"] == f'attachment; filename="renewals-5-rows-{today}.csv"'
    assert len(csv_lines(response.content)) == 5
    assert (export.requested_by, export.row_count, export.filters) == (cast.rep, 5, "")
    assert (export.state, export.query, export.kept_until) == ("done", "sort=-due_on", None)
    assert not FilePart.objects.exists()


def test_many_rows_are_written_by_a_worker_and_kept_for_a_day(cast: Cast, monkeypatch: Any) -> None:
    few_rows(cast)
    monkeypatch.setattr(services, "AT_ONCE", 3)
    client = cast.client_of("rep")
    response = client.post("/exports/new/?outcome=open", {"format": "csv"})
    export = Export.objects.get()
    assert response.headers["Location"] == f"/exports/{export.pk}/"
    assert "Waiting for a worker" in client.get(f"/exports/{export.pk}/").content.decode()
    assert client.get(f"/exports/{export.pk}/file/").status_code == 404
    process_export(export.pk)
    export.refresh_from_db()
    assert "5 rows" in client.get(f"/exports/{export.pk}/").content.decode()
    file = client.get(f"/exports/{export.pk}/file/")
    content = b"".join(file)  # type: ignore[arg-type]
    assert (len(content), len(csv_lines(content))) == (export.byte_count, 5)
    assert file.headers["X-Row-Count"] == "5"
    for other in ("admin", "manager", "team_mate", "outsider"):
        assert cast.client_of(other).get(f"/exports/{export.pk}/file/").status_code == 404
    forget_old_files(now=timezone.now() + dt.timedelta(hours=23))
    assert FilePart.objects.exists()
    forget_old_files(now=timezone.now() + dt.timedelta(hours=25))
    assert not FilePart.objects.exists()
    Export.objects.update(kept_until=timezone.now() - dt.timedelta(seconds=1))
    assert client.get(f"/exports/{export.pk}/file/").status_code == 404
    assert "no longer kept" in client.get(f"/exports/{export.pk}/").content.decode()


def test_a_file_of_many_parts_is_whole(cast: Cast, monkeypatch: Any) -> None:
    from renewals.exports import parts

    few_rows(cast, 30)
    monkeypatch.setattr(parts, "PART_BYTES", 500)
    export = request_export(query_string="", format="csv", user=cast.rep)
    process_export(export.pk)
    assert export.parts.count() >= 10
    assert [line["Confidence %"] for line in csv_lines(kept(export))] == [str(number) for number in range(30)]


def test_an_admin_sees_who_took_what_and_everybody_else_their_own(cast: Cast) -> None:
    few_rows(cast)
    cast.client_of("rep").post("/exports/new/?outcome=open&owner=me", {"format": "xlsx"})
    page = cast.client_of("admin").get("/exports/").content.decode()
    assert "Rhea Rep" in page
    assert "Owner: me; Outcome: Open" in page
    assert "Nothing was exported yet" in cast.client_of("manager").get("/exports/").content.decode()


def test_somebody_who_no_longer_signs_in_gets_no_file(cast: Cast) -> None:
    few_rows(cast)
    export = request_export(query_string="", format="csv", user=cast.rep)
    cast.rep.is_active = False
    cast.rep.save(update_fields=["is_active"])
    process_export(export.pk)
    export.refresh_from_db()
    assert (export.state, export.row_count) == ("failed", 0)
    assert not FilePart.objects.exists()


def test_what_stopped_is_done_again_from_its_beginning_and_not_for_ever(cast: Cast) -> None:
    few_rows(cast)
    export = request_export(query_string="", format="csv", user=cast.rep)
    Export.objects.update(attempt_count=2, row_count=3)
    process_export(export.pk)
    process_export(export.pk)  # a message that came twice
    export.refresh_from_db()
    assert (export.state, export.row_count, len(csv_lines(kept(export)))) == ("done", 5, 5)
    again = request_export(query_string="", format="csv", user=cast.rep)
    Export.objects.filter(pk=again.pk).update(attempt_count=3)
    process_export(again.pk)
    again.refresh_from_db()
    assert again.message == "The work stopped 3 times before its end. Filter the table and try fewer rows."


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_with_the_broker_away_the_export_waits_and_the_sweep_sends_it(cast: Cast, monkeypatch: Any) -> None:
    few_rows(cast)
    monkeypatch.setattr(services, "AT_ONCE", 3)
    there = app.conf.broker_url
    app.conf.broker_url = "redis://127.0.0.1:1/0"
    try:
        response = cast.client_of("rep").post("/exports/new/", {"format": "csv"})
    finally:
        app.conf.broker_url = there
    assert response.status_code == 302
    Export.objects.update(requested_at=timezone.now() - dt.timedelta(minutes=1))
    before = queue_length()
    dispatch_waiting_exports()
    assert queue_length() == before + 1


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_a_file_is_of_one_moment_while_the_data_changes(cast: Cast, monkeypatch: Any) -> None:
    """Somebody rewrites every row, adds one and removes one after the first block: none of it is in the file."""
    from renewals.exports import rows

    few_rows(cast, 12)
    monkeypatch.setattr(rows, "AT_ONCE", 2)
    export = request_export(query_string="sort=confidence", format="csv", user=cast.rep)
    changed = threading.Event()

    def change() -> None:
        Renewal.objects.order_by("-pk")[:1].get().delete()
        Renewal.objects.update(confidence=99)
        make_renewal(owner=cast.rep)
        connections.close_all()
        changed.set()

    def on_rows(count: int) -> None:
        if count == 2:
            thread = threading.Thread(target=change)
            thread.start()
            thread.join()

    with TemporaryDirectory() as folder:
        count, _ = services._write(export, Path(folder) / "export", on_rows)
        lines = csv_lines((Path(folder) / "export").read_bytes())
    assert changed.is_set()
    assert (count, [line["Confidence %"] for line in lines]) == (12, [str(number) for number in range(12)])
    assert set(Renewal.objects.values_list("confidence", flat=True)) == {99, None}
