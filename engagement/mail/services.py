"""Writes to what customers are mailed: sent by a rep from a row, or dismissed; templates; the rule of notices."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from email.utils import formataddr, parseaddr

from django.conf import settings
from django.db import transaction

from accounts.models import Contact, Touch, User
from accounts.touches.services import log_touch
from config.history import recorded_as
from engagement.mail.fields import TemplateWrong, check_template
from engagement.mail.outbox import MailRefused, queue_mail
from engagement.models import CustomerMail, MailTemplate, NoticeRule, OutgoingMail
from renewals.access import lock_editable_renewal
from renewals.models import Renewal

State = CustomerMail.State
DAY, HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)


class MailGone(LookupError):
    """The proposal was sent or dismissed meanwhile, or the mail can no longer be called back."""


def send_mail_to_customer(
    *,
    user: User,
    renewal_id: int,
    contact_ids: Collection[int],
    subject: str,
    text: str,
    key: str,
    now: dt.datetime,
    template_id: int | None = None,
    proposal_id: int | None = None,
) -> CustomerMail:
    """Queue a mail about a renewal and log it as a touch; both are kept, or neither.

    Args:
        key: of the form that was filled in; sent twice, it is one mail.
        proposal_id: the proposed notice that this mail is.

    Raises:
        MailRefused: nobody to write to, somebody who wants no mail, a limit is reached, a line break in the subject.
        MailGone: the proposal was dealt with meanwhile.
        Http404, PermissionDenied: the user does not see, or not edit, the renewal.
    """
    with transaction.atomic(), recorded_as(user_id=user.pk, how="cell"):
        User.objects.select_for_update(no_key=True).get(pk=user.pk)  # one at a time, so that limits hold
        before = CustomerMail.objects.filter(outgoing__dedup_key=_dedup_key(user, key)).first()
        if before:
            return before
        renewal = lock_editable_renewal(user, renewal_id)
        mail = _locked_proposal(proposal_id, renewal) if proposal_id else CustomerMail(renewal=renewal)
        contacts = _checked_contacts(renewal.account_id, contact_ids)
        check_limits(user, contacts, now)
        queue_for_customer(
            mail, renewal=renewal, user=user, contacts=contacts, subject=subject, text=text, key=key, now=now
        )
        mail.template_id = template_id
        mail.touch = _log(mail, user, contacts, now)
        mail.save()
    return mail


def queue_for_customer(
    mail: CustomerMail,
    *,
    renewal: Renewal,
    user: User,
    contacts: Sequence[Contact],
    subject: str,
    text: str,
    key: str,
    now: dt.datetime,
) -> None:
    """Put it into the outbox and note that on `mail`, which is not saved yet. Raises MailRefused."""
    mail.outgoing = queue_mail(
        to=[contact.email for contact in contacts],
        subject=subject,
        text=text,
        sender=sender_of(user),
        reply_to=user.email,
        dedup_key=_dedup_key(user, key),
        user=user,
    )
    mail.state, mail.account_id, mail.author, mail.queued_at = State.QUEUED, renewal.account_id, user, now
    mail.to, mail.subject, mail.text, mail.hindrance = mail.outgoing.to, mail.outgoing.subject, mail.outgoing.text, ""


def sender_of(user: User) -> str:
    """From: the rep's own address where the installation's is of the same domain, so that it does not look forged.

    Elsewhere the installation's address under the rep's name; answers go to the rep by Reply-To in either case.
    """
    own = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    is_same_domain = user.email.rpartition("@")[2].lower() == own.rpartition("@")[2].lower()
    return formataddr((" ".join(user.name.split()), user.email if is_same_domain else own))


def recipients_among(contacts: Sequence[Contact]) -> list[Contact]:
    """Those who may be written to: they are there, have an address, and did not ask for no mail."""
    return [contact for contact in contacts if contact.email and not contact.is_unmailed and contact.left_on is None]


def check_limits(user: User, contacts: Sequence[Contact], now: dt.datetime) -> None:
    """Raises MailRefused with the limit that is reached, and when it ends."""
    sent = CustomerMail.objects.filter(state=State.QUEUED)
    by_user = sent.filter(author=user, is_automatic=False, queued_at__gt=now - HOUR).count()
    if by_user >= settings.MAIL_HOURLY_LIMIT:
        raise MailRefused("to", f"You sent {by_user} mails within an hour, which is the limit. Try again later.")
    for contact in contacts:
        count = sent.filter(to__contains=[contact.email], queued_at__gt=now - DAY).count()
        if count >= settings.MAIL_DAILY_LIMIT_OF_CONTACT:
            raise MailRefused("to", f"{contact.name} got {count} mails within a day, which is the limit.")


def dismiss_proposal(*, user: User, mail: CustomerMail) -> None:
    """Raises MailGone where it was sent or dismissed meanwhile."""
    with transaction.atomic(), recorded_as(user_id=user.pk, how="cell"):
        if not CustomerMail.objects.filter(pk=mail.pk, state=State.PROPOSED).update(state=State.DISMISSED, author=user):
            raise MailGone


def cancel_mail(*, mail: CustomerMail) -> None:
    """Call a queued mail back before it is sent; its touch stays and can be deleted.

    Raises MailGone where it was sent, or is being sent at this moment.
    """
    waiting = OutgoingMail.objects.filter(customer_mail=mail, state=OutgoingMail.State.WAITING)
    not_claimed = waiting.exclude(problem="", try_count__gt=0)
    if not not_claimed.update(state=OutgoingMail.State.CANCELLED):
        raise MailGone


def save_template(*, user: User, template: MailTemplate) -> None:
    """Raises TemplateWrong, naming template, line and field; nothing is kept then."""
    check_template(template.subject, name=template.name)
    check_template(template.text, name=template.name)
    if len(template.subject.splitlines()) > 1:
        raise TemplateWrong(f"Template {template.name!r}: a subject is one line.")
    with transaction.atomic(), recorded_as(user_id=user.pk, how="rule"):
        template.save()


def save_notice_rule(*, user: User, rule: NoticeRule) -> None:
    with transaction.atomic(), recorded_as(user_id=user.pk, how="rule"):
        rule.save()


def _locked_proposal(pk: int, renewal: Renewal) -> CustomerMail:
    rows = CustomerMail.objects.select_for_update(of=("self",)).filter(pk=pk, renewal=renewal, state=State.PROPOSED)
    mail = rows.first()
    if mail is None:
        raise MailGone
    return mail


def _checked_contacts(account_id: int, ids: Collection[int]) -> list[Contact]:
    contacts = list(Contact.objects.filter(account=account_id, pk__in=ids).order_by("name", "pk"))
    if len(contacts) != len(set(ids)):
        raise MailRefused("to", "One of them is no contact of this customer.")
    if not contacts:
        raise MailRefused("to", "Choose at least one contact.")
    for contact in contacts:
        if contact.is_unmailed:
            raise MailRefused("to", f"{contact.name} wants no mail.")
        if not contact.email:
            raise MailRefused("to", f"{contact.name} has no mail address.")
        if contact.left_on:
            raise MailRefused("to", f"{contact.name} has left the customer.")
    return contacts


def _log(mail: CustomerMail, user: User, contacts: Sequence[Contact], now: dt.datetime) -> Touch:
    names = f" to {', '.join(contact.name for contact in contacts)}" if len(contacts) > 1 else ""
    return log_touch(
        account_id=mail.account_id,
        user=user,
        kind=Touch.Kind.MAIL,
        happened_at=now,
        now=now,
        contact=contacts[0] if len(contacts) == 1 else None,
        note=f"{mail.subject}{names}",
    )


def _dedup_key(user: User, key: str) -> str:
    return f"customer-mail:{user.pk}:{key}"
