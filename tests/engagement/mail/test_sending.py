"""Mail through a real SMTP server: sent once, delayed while the server is away, never lost."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import transaction
from django.utils import timezone

from engagement.mail.outbox import PNG_SIGNATURE, InlineImage, queue_mail
from engagement.mail.sending import LEASE, claim_mail, forget_old_mail, send_waiting_mail, try_mail_again
from engagement.models import OutgoingMail
from tests.engagement.mail.sink import Sink, smtp_sink

pytestmark = pytest.mark.django_db


def queued(**fields: object) -> OutgoingMail:
    return queue_mail(**{"to": ["a@example.com"], "subject": "Hello", "text": "Text", **fields})


def make_due() -> None:
    OutgoingMail.objects.update(next_try_at=timezone.now())


def test_a_mail_is_sent_once_with_its_own_message_id(sink: Sink) -> None:
    mail = queued(to=["a@example.com", "b@example.com"], html="<p>Text</p>", reply_to="rep@example.com")
    assert (send_waiting_mail(), send_waiting_mail()) == (1, 0)
    (came,) = sink.mails
    assert (came["Message-ID"], came["Subject"], came["To"], came["Reply-To"], came["Auto-Submitted"]) == (
        mail.message_id, "Hello", "a@example.com, b@example.com", "rep@example.com", "auto-generated"
    )  # fmt: skip
    assert [part.get_content().strip() for part in came.iter_parts()] == ["Text", "<p>Text</p>"]
    assert sink.recipients == [["a@example.com", "b@example.com"]]
    mail.refresh_from_db()
    assert (mail.state, mail.try_count, mail.problem, mail.error) == ("sent", 1, "", "")


def test_pictures_go_with_the_html_and_are_let_go_once_sent(sink: Sink) -> None:
    images = [InlineImage("rates", PNG_SIGNATURE + b"1"), InlineImage("risk", PNG_SIGNATURE + b"2")]
    html = f'<img src="{images[0].url}"><img src="{images[1].url}">'
    mail = queued(html=html, images=images, dedup_key="once")
    assert queued(html=html, images=images, dedup_key="once").pk == mail.pk
    forget_old_mail(before=timezone.now())
    assert mail.images.count() == 2  # of what waits, all stays
    assert send_waiting_mail() == 1
    (came,) = sink.mails
    assert came.get_content_type() == "multipart/related"
    body, *pictures = came.iter_parts()
    assert [part.get_content().strip() for part in body.iter_parts()] == ["Text", html]
    assert [
        (part.get_content_type(), part["Content-ID"], part.get_content_disposition(), part.get_content())
        for part in pictures
    ] == [
        ("image/png", "<rates@perennial>", "inline", PNG_SIGNATURE + b"1"),
        ("image/png", "<risk@perennial>", "inline", PNG_SIGNATURE + b"2"),
    ]
    forget_old_mail(before=mail.created_at)
    assert (OutgoingMail.objects.count(), mail.images.count()) == (1, 0)


def test_mail_of_a_transaction_that_is_taken_back_is_not_sent(sink: Sink) -> None:
    with transaction.atomic():
        queued()
        transaction.set_rollback(True)
    assert (send_waiting_mail(), sink.mails) == (0, [])


def test_a_server_that_is_down_delays_and_loses_nothing(server_address: int) -> None:
    first, second = queued(subject="First"), queued(subject="Second")
    before = timezone.now()
    assert (send_waiting_mail(), send_waiting_mail()) == (0, 0)
    mails = list(OutgoingMail.objects.order_by("pk"))
    assert [(mail.state, mail.try_count, mail.problem) for mail in mails] == [("waiting", 1, "server")] * 2
    assert all("refused" in mail.error for mail in mails)
    pauses = [(mail.next_try_at - before).total_seconds() for mail in mails]
    assert all(60 <= pause <= 125 for pause in pauses)
    assert pauses[0] != pauses[1]
    with smtp_sink(server_address) as sink:
        OutgoingMail.objects.filter(pk=first.pk).update(next_try_at=timezone.now())
        assert send_waiting_mail() == 1  # the second waits out its pause no longer: the server is back
        assert send_waiting_mail() == 1
        assert [mail["Subject"] for mail in sink.mails] == ["First", "Second"]
        assert [mail["Message-ID"] for mail in sink.mails] == [first.message_id, second.message_id]


def test_pauses_grow_to_six_hours(server_address: int) -> None:
    queued()
    pauses = []
    for _ in range(13):
        make_due()
        now = timezone.now()
        send_waiting_mail()
        pauses.append((OutgoingMail.objects.get().next_try_at - now).total_seconds())
    least = [60, 120, 240, 480, 960, 1920, 3840, 7680, 10_800, 10_800, 10_800, 10_800, 10_800]
    most = [2 * 60 * 2**n if n < 8 else 21_600 for n in range(13)]
    assert all(low <= pause <= high + 5 for low, pause, high in zip(least, pauses, most, strict=True)), pauses


def test_an_address_that_the_server_refuses_fails_with_its_reason(sink: Sink) -> None:
    sink.refusals["gone@example.com"] = "550 5.1.1 No such person"
    mail = queued(to=["gone@example.com"])
    queued(subject="Next")
    assert send_waiting_mail() == 1
    mail.refresh_from_db()
    assert (mail.state, mail.problem, mail.error) == (
        "failed", "refused", "gone@example.com: 550 5.1.1 No such person"
    )  # fmt: skip
    assert [mail["Subject"] for mail in sink.mails] == ["Next"]
    sink.refusals.clear()
    assert try_mail_again(mail_id=mail.pk, now=timezone.now())
    assert send_waiting_mail() == 1
    assert not try_mail_again(mail_id=mail.pk, now=timezone.now())


def test_who_was_refused_among_others_is_told(sink: Sink) -> None:
    sink.refusals["gone@example.com"] = "550 No such person"
    mail = queued(to=["a@example.com", "gone@example.com"])
    assert send_waiting_mail() == 1
    mail.refresh_from_db()
    assert (mail.state, mail.error, sink.recipients) == (
        "sent", "gone@example.com: 550 No such person", [["a@example.com"]]
    )  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "state", "problem"),
    [("451 Try later", "waiting", "deferred"), ("554 No spam here", "failed", "refused")],
)
def test_what_the_server_says_of_the_text_decides(sink: Sink, answer: str, state: str, problem: str) -> None:
    sink.data_answer = answer
    mail = queued()
    assert send_waiting_mail() == 0
    mail.refresh_from_db()
    assert (mail.state, mail.problem, mail.error) == (state, problem, answer)


def test_a_claimed_mail_is_nobody_elses_until_its_lease_ends() -> None:
    mail, now = queued(), timezone.now()
    assert claim_mail(now=now) == mail
    assert claim_mail(now=now + LEASE - dt.timedelta(seconds=1)) is None
    again = claim_mail(now=now + LEASE)
    assert again is not None
    assert (again.pk, again.try_count, again.message_id) == (mail.pk, 2, mail.message_id)


def test_old_mail_is_forgotten_unless_it_waits(sink: Sink) -> None:
    queued(subject="Sent")
    send_waiting_mail()
    queued(subject="Waits")
    later = timezone.now() + dt.timedelta(days=1)
    assert forget_old_mail(before=later) == 1
    assert [mail.subject for mail in OutgoingMail.objects.all()] == ["Waits"]
