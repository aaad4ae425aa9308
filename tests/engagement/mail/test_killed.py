"""A worker that is killed in the middle of sending, against a real mail server and with real workers.

Killed before the server has the mail: the mail goes out once, after the lease. Killed between the server's having it
and our knowing: it goes out a second time after the lease, with the same Message-ID. It is never lost.
"""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.utils import timezone

from config.celery import app
from engagement.mail.outbox import queue_mail
from engagement.models import OutgoingMail
from tests.engagement.mail.sink import smtp_sink, wait_for_mail
from tests.workers import kill, start_worker, wait_until

TASK = "engagement.mail.tasks.send_waiting_mail"


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
@pytest.mark.parametrize(("has_server_got_it", "copies"), [(False, 1), (True, 2)])
def test_killed_worker_loses_no_mail(monkeypatch: Any, has_server_got_it: bool, copies: int) -> None:
    with smtp_sink() as sink:
        monkeypatch.setenv("EMAIL_URL", f"smtp://127.0.0.1:{sink.port}?tls=no")
        sink.delay_seconds, sink.greeting_seconds = (30, 0) if has_server_got_it else (0, 30)
        mail = queue_mail(to=["a@example.com"], subject="Hello", text="Text")
        app.send_task(TASK)
        workers = [start_worker()]
        try:
            if has_server_got_it:
                wait_for_mail(sink)
            else:
                wait_until(lambda: OutgoingMail.objects.get().try_count == 1)
                time.sleep(0.5)
            kill(workers[0])
            mail.refresh_from_db()
            assert (mail.state, mail.try_count, mail.next_try_at > timezone.now()) == ("waiting", 1, True)
            sink.delay_seconds = sink.greeting_seconds = 0
            OutgoingMail.objects.update(next_try_at=timezone.now())  # the lease is over
            app.send_task(TASK)
            workers.append(start_worker())
            wait_until(lambda: OutgoingMail.objects.get().state == "sent")
        finally:
            for worker in workers:
                kill(worker)
            app.control.purge()
    assert [came["Message-ID"] for came in sink.mails] == [mail.message_id] * copies
    assert OutgoingMail.objects.get().try_count == 2
