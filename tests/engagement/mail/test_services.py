"""Mail to a customer: queued and logged as a touch together, to people who may be written to, within limits."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils import timezone

from accounts.models import Account, Contact, Touch, get_company
from engagement.mail.outbox import MailRefused
from engagement.mail.sending import claim_mail, send_waiting_mail
from engagement.mail.services import (
    MailGone,
    cancel_mail,
    dismiss_proposal,
    send_mail_to_customer,
    sender_of,
)
from engagement.models import CustomerMail, OutgoingMail
from renewals.models import Renewal
from tests.cast import Cast, make_renewal
from tests.engagement.mail.sink import Sink

pytestmark = pytest.mark.django_db


@pytest.fixture
def renewal(cast: Cast) -> Renewal:
    return make_renewal(owner=cast.rep, due_on=get_company().today() + dt.timedelta(days=30))


def contact(renewal: Renewal, name: str = "Ana Costa", **fields: Any) -> Contact:
    email = fields.pop("email", f"{name.split()[0].lower()}@example.org")
    return Contact.objects.create(account=renewal.account, name=name, email=email, **fields)


def send(cast: Cast, renewal: Renewal, *contacts: Contact, **fields: Any) -> CustomerMail:
    values = {"user": cast.rep, "subject": "Your contract", "text": "Dear Ana", "key": "k1", "now": timezone.now()}
    values |= {"renewal_id": renewal.pk, "contact_ids": [each.pk for each in contacts], **fields}
    return send_mail_to_customer(**values)


def test_a_mail_goes_out_in_the_rep_s_name_and_is_a_touch(
    cast: Cast, renewal: Renewal, sink: Sink, settings: Any
) -> None:
    settings.DEFAULT_FROM_EMAIL = "Perennial <renewals@mail.example.net>"
    ana = contact(renewal)
    mail = send(cast, renewal, ana)
    assert send_waiting_mail() == 1
    (came,) = sink.mails
    assert [came[name] for name in ("From", "Reply-To", "To", "Subject", "Auto-Submitted")] == [
        "Rhea Rep <renewals@mail.example.net>", "rhea.rep@example.com", "ana@example.org", "Your contract", None
    ]  # fmt: skip
    touch = Touch.objects.get()
    assert (touch.kind, touch.note, touch.contact, touch.author, touch.account) == (
        "mail", "Your contract", ana, cast.rep, renewal.account
    )  # fmt: skip
    assert Account.objects.get(pk=renewal.account_id).last_touch_on == get_company().today()
    mail.refresh_from_db()
    assert (mail.state, mail.touch, mail.outgoing.state) == ("queued", touch, "sent")


def test_the_rep_s_own_address_stands_in_from_where_the_domain_is_ours(cast: Cast, settings: Any) -> None:
    settings.DEFAULT_FROM_EMAIL = "Perennial <renewals@EXAMPLE.com>"
    assert sender_of(cast.rep) == "Rhea Rep <rhea.rep@example.com>"
    cast.rep.name = "Rhea\r\nBcc: x@example.com, Rep"
    assert sender_of(cast.rep) == '"Rhea Bcc: x@example.com, Rep" <rhea.rep@example.com>'


def test_sent_twice_by_one_form_it_is_one_mail(cast: Cast, renewal: Renewal) -> None:
    ana = contact(renewal)
    assert send(cast, renewal, ana) == send(cast, renewal, ana)
    assert (OutgoingMail.objects.count(), Touch.objects.count()) == (1, 1)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"is_unmailed": True}, "Ana Costa wants no mail."),
        ({"email": ""}, "Ana Costa has no mail address."),
        ({"left_on": dt.date(2026, 1, 5)}, "Ana Costa has left the customer."),
    ],
)
def test_who_may_not_be_written_to_is_not(cast: Cast, renewal: Renewal, fields: dict[str, Any], message: str) -> None:
    ana = contact(renewal, **fields)
    with pytest.raises(MailRefused) as refused:
        send(cast, renewal, ana)
    assert (refused.value.field, str(refused.value)) == ("to", message)
    assert not OutgoingMail.objects.exists()


def test_nobody_of_another_customer_is_written_to(cast: Cast, renewal: Renewal) -> None:
    other = contact(make_renewal(owner=cast.rep))
    with pytest.raises(MailRefused, match=r"One of them is no contact of this customer\."):
        send(cast, renewal, other)
    with pytest.raises(MailRefused, match=r"Choose at least one contact\."):
        send(cast, renewal)


def test_a_subject_with_a_second_line_is_refused_and_nothing_is_kept(cast: Cast, renewal: Renewal) -> None:
    ana = contact(renewal)
    with pytest.raises(MailRefused, match=r"A subject is one line\."):
        send(cast, renewal, ana, subject="Hello\r\nBcc: all@example.com")
    assert (OutgoingMail.objects.count(), CustomerMail.objects.count(), Touch.objects.count()) == (0, 0, 0)


def test_limits_hold(cast: Cast, renewal: Renewal, settings: Any) -> None:
    settings.MAIL_HOURLY_LIMIT, settings.MAIL_DAILY_LIMIT_OF_CONTACT = 3, 2
    ana, ben = contact(renewal), contact(renewal, "Ben Alm")
    send(cast, renewal, ana, key="1")
    send(cast, renewal, ana, key="2")
    with pytest.raises(MailRefused, match=r"Ana Costa got 2 mails within a day, which is the limit\."):
        send(cast, renewal, ana, ben, key="3")
    send(cast, renewal, ben, key="4")
    with pytest.raises(MailRefused, match=r"You sent 3 mails within an hour, which is the limit\. Try again later\."):
        send(cast, renewal, ben, key="5")
    send(cast, renewal, ben, key="6", now=timezone.now() + dt.timedelta(hours=1, minutes=1))


def test_who_may_not_edit_the_renewal_sends_nothing(cast: Cast, renewal: Renewal) -> None:
    ana = contact(renewal)
    for user, error in ((cast.team_mate, PermissionDenied), (cast.viewer, PermissionDenied), (cast.outsider, Http404)):
        with pytest.raises(error):
            send(cast, renewal, ana, user=user)
    assert not OutgoingMail.objects.exists()


def test_a_proposal_is_sent_or_dismissed_once(cast: Cast, renewal: Renewal) -> None:
    ana = contact(renewal)
    proposal = CustomerMail.objects.create(
        state="proposed", account=renewal.account, renewal=renewal, notice_for_on=renewal.due_on
    )
    assert send(cast, renewal, ana, proposal_id=proposal.pk) == proposal
    with pytest.raises(MailGone):
        send(cast, renewal, ana, proposal_id=proposal.pk, key="k2")
    with pytest.raises(MailGone):
        dismiss_proposal(user=cast.rep, mail=proposal)


def test_a_mail_is_called_back_until_somebody_sends_it(cast: Cast, renewal: Renewal, sink: Sink) -> None:
    ana = contact(renewal)
    first, second = send(cast, renewal, ana, key="1"), send(cast, renewal, ana, key="2")
    cancel_mail(mail=first)
    assert claim_mail(now=timezone.now()) == second.outgoing
    with pytest.raises(MailGone):
        cancel_mail(mail=second)
    assert (send_waiting_mail(), sink.mails) == (0, [])
