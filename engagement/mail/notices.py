"""Renewal notices: proposed some days before the decision date, and sent by themselves only where an admin said so."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import F, Q

from accounts.models import Company, get_company
from accounts.touches.reading import contacts_of
from config.history import recorded_as
from engagement.mail.fields import Facts, TemplateWrong, fill
from engagement.mail.outbox import MailRefused
from engagement.mail.services import check_limits, queue_for_customer, recipients_among
from engagement.models import CustomerMail, MailTemplate, NoticeRule
from renewals.models import Renewal

State = CustomerMail.State
AT_ONCE = 100
PROPOSE = """
    INSERT INTO engagement_customermail (state, account_id, renewal_id, template_id, notice_for_on, is_automatic, "to",
        subject, text, hindrance, created_at)
    SELECT 'proposed', r.account_id, r.id, %(template)s, r.decision_on, false, '{}', '', '', '', %(now)s
    FROM renewals_renewal r
    WHERE r.outcome = 'open' AND NOT r.is_excluded AND r.owner_id IS NOT NULL
        AND r.decision_on BETWEEN %(today)s AND %(last)s
        AND NOT EXISTS (
            SELECT FROM engagement_customermail m WHERE m.renewal_id = r.id AND m.notice_for_on = r.decision_on)
        AND EXISTS (
            SELECT FROM accounts_contact c
            WHERE c.account_id = r.account_id AND c.email <> '' AND NOT c.is_unmailed AND c.left_on IS NULL)
    ORDER BY r.decision_on, r.id
    ON CONFLICT (renewal_id, notice_for_on) WHERE notice_for_on IS NOT NULL DO NOTHING
"""


@dataclass(frozen=True)
class Letter:
    """A template filled in for a renewal. `blank_fields`: those for which it has no value."""

    subject: str
    text: str
    blank_fields: tuple[str, ...]


def write_letter(template: MailTemplate, facts: Facts) -> Letter:
    """Raises TemplateWrong, naming template, line and field."""
    subject, text = fill(template.subject, facts, name=template.name), fill(template.text, facts, name=template.name)
    return Letter(subject.text, text.text, tuple(dict.fromkeys(subject.blank_fields + text.blank_fields)))


def propose_notices(*, today: dt.date, now: dt.datetime) -> int:
    """One proposal for each open renewal whose decision date is within the rule's days; how many are new.

    Approved exceptions, renewals without an owner and accounts with nobody to write to are left out. What is decided
    since, or has another decision date, is proposed no longer. Two statements, whatever the book.
    """
    rule = NoticeRule.objects.get()
    with transaction.atomic(), recorded_as(user_id=None, how="job"):
        over = ~Q(renewal__outcome=Renewal.Outcome.OPEN) | ~Q(renewal__decision_on=F("notice_for_on"))
        past = CustomerMail.objects.filter(over | Q(notice_for_on__lt=today), state=State.PROPOSED)
        CustomerMail.objects.filter(pk__in=past.values("pk")).update(state=State.DISMISSED)
        if not rule.is_on:
            return 0
        last = today + dt.timedelta(days=rule.days_before)
        with connection.cursor() as cursor:
            cursor.execute(PROPOSE, {"template": rule.template_id, "now": now, "today": today, "last": last})
            return int(cursor.rowcount)


def send_notices(*, today: dt.date, now: dt.datetime) -> int:
    """Where the rule says so, send the next AT_ONCE proposed notices in the name of the renewals' owners.

    One that cannot be sent as it is (a field has no value, a limit is reached) stays proposed and says why. What goes
    out by itself is no touch: nobody was in touch with the customer.
    """
    rule = NoticeRule.objects.get()
    if not (rule.is_on and rule.is_automatic):
        return 0
    waiting = CustomerMail.objects.proposed().filter(hindrance="", notice_for_on__gte=today)
    ids = list(waiting.order_by("notice_for_on", "pk").values_list("pk", flat=True)[:AT_ONCE])
    company = get_company()
    return sum(_send_notice(pk, company, today=today, now=now) for pk in ids)


def _send_notice(pk: int, company: Company, *, today: dt.date, now: dt.datetime) -> bool:
    with transaction.atomic(), recorded_as(user_id=None, how="job"):
        rows = CustomerMail.objects.proposed().select_for_update(of=("self",), skip_locked=True)
        rows = rows.select_related(
            "renewal__account__segment", "renewal__contract", "renewal__offer", "renewal__owner", "template"
        )
        mail = rows.filter(pk=pk).first()
        if mail is None:  # somebody is sending or dismissing it
            return False
        try:
            with transaction.atomic():
                _queue_notice(mail, company, today, now)
        except (MailRefused, TemplateWrong) as problem:
            mail.hindrance, mail.state = str(problem)[:300], State.PROPOSED
            mail.save(update_fields=["hindrance"])
            return False
    return True


def _queue_notice(mail: CustomerMail, company: Company, today: dt.date, now: dt.datetime) -> None:
    renewal = mail.renewal
    owner = renewal.owner
    if owner is None or not owner.is_active:
        raise MailRefused("user", "The renewal has no owner who works here.")
    contacts = recipients_among(list(contacts_of(renewal.account_id)))
    contacts = [contact for contact in contacts if contact.is_champion] or contacts[:1]
    if mail.template is None or not contacts:
        raise MailRefused("to", "There is nobody to write to, or no template.")
    letter = write_letter(mail.template, Facts(renewal.account, renewal, contacts, owner, company, today))
    if letter.blank_fields:
        raise MailRefused("text", f"No value for {', '.join(letter.blank_fields)}.")
    check_limits(owner, contacts, now)
    mail.is_automatic = True
    queue_for_customer(
        mail, renewal=renewal, user=owner, contacts=contacts, subject=letter.subject, text=letter.text,
        key=f"notice:{mail.pk}", now=now,
    )  # fmt: skip
    mail.save()
