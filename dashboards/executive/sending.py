"""The executive page's mail on its way to the outbox: once for each day and hour that somebody chose.

The mail, and the day of the next one, are written in one transaction that holds the person's row: a worker killed in
between leaves neither, and a second worker passes the row by. The outbox keeps a day and hour only once besides.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Hashable
from typing import Final

from django.db import transaction
from django.utils import timezone

from dashboards.executive.letter import Letter, read_letter
from dashboards.executive.services import company_clock
from dashboards.frame import audience_of
from dashboards.models import ExecutiveMail
from engagement.mail.outbox import MailRefused, queue_mail
from engagement.models import OutgoingMail

log = logging.getLogger(__name__)
# A task works for BATCH_SECONDS and is killed after TASK_SECONDS (dashboards.tasks); what is left is due at the next.
BATCH_SECONDS: Final = 45
TASK_SECONDS: Final = 150
Letters = dict[Hashable, Letter | None]


def send_due(*, now: dt.datetime | None = None) -> int:
    """Queue the mail of everybody whose day and hour have come, or who asked for one; how many that were."""
    clock = company_clock(now or timezone.now())
    until = time.monotonic() + BATCH_SECONDS
    due = ExecutiveMail.objects.due(clock.date(), clock.hour).values_list("pk", flat=True)
    letters: Letters = {}
    count = 0
    for pk in list(due):
        if time.monotonic() > until:
            break
        try:
            count += _send(pk, clock, letters)
        except Exception:  # whatever one person's page fails at, the others must not wait for it
            log.exception("The executive page of mail %s could not be made; it stays due.", pk)
    return count


def _send(pk: int, clock: dt.datetime, letters: Letters) -> bool:
    with transaction.atomic():
        due = ExecutiveMail.objects.due(clock.date(), clock.hour).select_related("user__team")
        mail = due.filter(pk=pk).select_for_update(of=("self",), skip_locked=True).first()
        if mail is None:
            return False  # another worker has it, or had it
        audience = audience_of(mail.user)
        if audience not in letters:
            letters[audience] = read_letter(mail.user)
        letter = letters[audience]
        if letter is None:
            return False  # due until there are figures
        queued = _queue(mail, letter, clock)
        mail.last_mail, mail.asked_at = queued or mail.last_mail, None
        if _is_scheduled(mail, clock):
            mail.next_on = mail.next_day(clock.date(), clock.hour)
        mail.save(update_fields=["last_mail", "asked_at", "next_on"])
    return queued is not None


def _is_scheduled(mail: ExecutiveMail, clock: dt.datetime) -> bool:
    return mail.is_on and (mail.next_on, mail.hour) <= (clock.date(), clock.hour)


def _queue(mail: ExecutiveMail, letter: Letter, clock: dt.datetime) -> OutgoingMail | None:
    """None where the address is none: somebody may sign in with what no mail server knows, and others must not wait."""
    is_scheduled = _is_scheduled(mail, clock)
    moment = f"{mail.next_on}-{mail.hour}" if is_scheduled or mail.asked_at is None else mail.asked_at.isoformat()
    try:
        return queue_mail(
            to=[mail.user.email],
            subject=letter.subject,
            text=letter.text,
            html=letter.html,
            images=letter.images,
            dedup_key=f"executive-{mail.user_id}-{moment}",
        )
    except MailRefused as refused:
        log.warning("The executive page cannot be mailed to %s: %s", mail.user, refused)
        return None
