"""Handing waiting mail to the mail server: at least once, and once unless a process dies at the worst moment.

A mail is claimed in a short transaction that gives it a lease, sent outside of any, and then marked. A process killed
before the server took the mail costs the rest of the lease; one killed between the server's answer and the mark costs
a second copy, with the same Message-ID, by which mail programs know it for one they have. Nothing can be lost.
"""

from __future__ import annotations

import datetime as dt
import logging
import smtplib
import time
from email.mime.image import MIMEImage
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.smtp import EmailBackend as SmtpBackend
from django.core.mail.message import sanitize_address
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from engagement.back_off import next_try_at
from engagement.models import MailImage, OutgoingMail

log = logging.getLogger(__name__)
State, Problem = OutgoingMail.State, OutgoingMail.Problem
# A task claims for BATCH_SECONDS and is killed after TASK_SECONDS (engagement.mail.tasks), which is before a lease that
# it gave can end: nobody else sends what it still may be sending.
BATCH_SECONDS, TASK_SECONDS = 45, 150
LEASE = dt.timedelta(seconds=200)
ERROR_LENGTH = 500
PERMANENT_FROM = 500


def send_waiting_mail() -> int:
    """Send what is due, for at most BATCH_SECONDS. How many the server took."""
    if not OutgoingMail.objects.due(timezone.now()).exists():
        return 0
    until = time.monotonic() + BATCH_SECONDS
    link = get_connection()
    try:
        link.open()
    except OSError as error:
        _hold_all(_said(error))
        return 0
    sent_count = 0
    try:
        while time.monotonic() < until and (mail := claim_mail(now=timezone.now())):
            sent_count += _send_claimed(mail, link)
            if mail.problem == Problem.SERVER:
                break
    finally:
        _close(link)
    if sent_count:
        _release_held()
    return sent_count


def claim_mail(*, now: dt.datetime) -> OutgoingMail | None:
    """The longest waiting mail that nobody else has, ours until the lease ends."""
    with transaction.atomic():
        mail = OutgoingMail.objects.due(now).select_for_update(skip_locked=True).first()
        if mail:
            mail.try_count, mail.next_try_at, mail.problem = mail.try_count + 1, now + LEASE, Problem.NONE
            mail.save(update_fields=["try_count", "next_try_at", "problem"])
    return mail


def _send_claimed(mail: OutgoingMail, link: BaseEmailBackend) -> bool:
    """Send it and mark what came of it; whether the server took it."""
    try:
        refused = hand_over(mail, link)
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        is_final = all(code >= PERMANENT_FROM for code in codes)
        _mark_failed(mail, _refusals(error.recipients), Problem.REFUSED if is_final else Problem.DEFERRED)
    except smtplib.SMTPResponseException as error:
        is_final = error.smtp_code >= PERMANENT_FROM
        _mark_failed(mail, _said(error), Problem.REFUSED if is_final else Problem.DEFERRED)
    except OSError as error:  # smtplib's own are among them: the connection is gone
        _mark_failed(mail, _said(error), Problem.SERVER)
    except ValueError as error:  # nothing that a server would ever be given; it must not stop the others
        _mark_failed(mail, str(error)[:ERROR_LENGTH], Problem.REFUSED)
    else:
        _mark(mail, state=State.SENT, sent_at=timezone.now(), problem=Problem.NONE, error=_refusals(refused))
        return True
    return False


def hand_over(mail: OutgoingMail, link: BaseEmailBackend) -> dict[str, tuple[int, bytes]]:
    """Give one mail to the server; the recipients that it refused while it took the mail for others.

    Raises: OSError, smtplib's errors among them, where the server does not take it for anybody.
    """
    message = build_message(mail)
    if isinstance(link, SmtpBackend) and link.connection:
        # The backend's own send_messages would swallow who was refused.
        sender = sanitize_address(message.from_email, "utf-8")
        content = message.message().as_bytes(linesep="\r\n")  # type: ignore[call-arg]  # Django's own
        return link.connection.sendmail(sender, mail.to, content)
    link.send_messages([message])
    return {}


def build_message(mail: OutgoingMail) -> EmailMultiAlternatives:
    headers = {"Message-ID": mail.message_id}
    if mail.user_id is None:
        headers["Auto-Submitted"] = "auto-generated"  # keeps answering machines from answering
    message = EmailMultiAlternatives(
        mail.subject,
        mail.text,
        mail.sender or settings.DEFAULT_FROM_EMAIL,
        mail.to,
        reply_to=[mail.reply_to] if mail.reply_to else None,
        headers=headers,
    )
    if mail.html:
        message.attach_alternative(mail.html, "text/html")
    for image in mail.images.all():
        # It belongs to the HTML, and is no attachment beside it. The attribute is missing in the stubs.
        message.mixed_subtype = "related"  # type: ignore[attr-defined]
        part = MIMEImage(bytes(image.content), "png")
        part["Content-ID"] = f"<{image.content_id}>"
        part.add_header("Content-Disposition", "inline", filename=image.name)
        message.attach(part)
    return message


def try_mail_again(*, mail_id: int, now: dt.datetime) -> bool:
    """Put a failed or waiting mail at the head of the queue; False where it was sent or cancelled."""
    rows = OutgoingMail.objects.filter(pk=mail_id).filter(
        Q(state=State.FAILED) | Q(state=State.WAITING) & ~Q(problem=Problem.NONE)
    )
    return bool(rows.update(state=State.WAITING, next_try_at=now))


def forget_old_mail(*, before: dt.datetime) -> int:
    """Drop what was sent, failed or cancelled before a moment, and the pictures of all that is done with.

    What waits stays, and what customers were told. How many rows went.
    """
    # What was sent is not sent again: its pictures have no reader left.
    MailImage.objects.filter(mail__state__in=(State.SENT, State.CANCELLED)).delete()
    rows = OutgoingMail.objects.exclude(state=State.WAITING).filter(created_at__lt=before)
    return rows.filter(customer_mail__isnull=True).delete()[0]


def _mark_failed(mail: OutgoingMail, error: str, problem: str) -> None:
    mail.problem = problem
    if problem == Problem.REFUSED:
        _mark(mail, state=State.FAILED, problem=problem, error=error)
    else:
        _mark(mail, problem=problem, error=error, next_try_at=next_try_at(timezone.now()))
    log.warning("Mail %s was not sent: %s", mail.pk, error)


def _mark(mail: OutgoingMail, **values: Any) -> None:
    """Unless somebody else has claimed it since."""
    OutgoingMail.objects.filter(pk=mail.pk, state=State.WAITING, try_count=mail.try_count).update(**values)


def _hold_all(error: str) -> None:
    """The server is away: one try for all that is due, so that a long queue does not knock once for each mail."""
    now = timezone.now()
    log.warning("The mail server cannot be reached: %s", error)
    with transaction.atomic():
        due = OutgoingMail.objects.due(now).select_for_update(skip_locked=True).values_list("pk", flat=True)
        held = OutgoingMail.objects.filter(pk__in=list(due))
        held.update(try_count=F("try_count") + 1, problem=Problem.SERVER, error=error)
        held.update(next_try_at=next_try_at(now))


def _release_held() -> None:
    """The server is back: what only waited for it need not sit out its pause. A lease has no problem and stays."""
    waiting = OutgoingMail.objects.filter(state=State.WAITING, problem=Problem.SERVER)
    waiting.update(next_try_at=timezone.now(), problem=Problem.NONE)


def _close(link: BaseEmailBackend) -> None:
    try:
        link.close()
    except OSError:
        log.info("The mail server hung up first.")


def _refusals(recipients: dict[str, tuple[int, bytes]]) -> str:
    return "; ".join(f"{address}: {_text(code, said)}" for address, (code, said) in recipients.items())[:ERROR_LENGTH]


def _said(error: OSError) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return _text(error.smtp_code, error.smtp_error)[:ERROR_LENGTH]
    return (str(error) or type(error).__name__)[:ERROR_LENGTH]


def _text(code: int, said: bytes | str) -> str:
    words = said.decode(errors="replace") if isinstance(said, bytes) else said
    return f"{code} {words}".replace("\x00", "")
