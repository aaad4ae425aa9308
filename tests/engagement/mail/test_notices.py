"""Renewal notices: proposed within the rule's days before the decision, and sent only where an admin said so."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Contact, Touch
from engagement.mail.notices import propose_notices, send_notices
from engagement.models import CustomerMail, MailTemplate, NoticeRule, OutgoingMail
from renewals.models import Renewal
from tests.cast import Cast, make_renewal

pytestmark = pytest.mark.django_db
TODAY = dt.date(2026, 11, 22)
DUE_ON = dt.date(2027, 1, 12)  # with 30 days of notice: the decision is on 13 December, in 21 days


def make(cast: Cast, *, email: str = "ana@example.org", **fields: Any) -> Renewal:
    contact = {name: fields.pop(name) for name in ("is_unmailed", "left_on") if name in fields}
    renewal = make_renewal(**{"owner": cast.rep, "due_on": DUE_ON, "notice_days": 30, **fields})
    Contact.objects.create(account=renewal.account, name="Ana Costa", email=email, **contact)
    return renewal


def propose(today: dt.date = TODAY) -> int:
    return propose_notices(today=today, now=timezone.now())


def send(today: dt.date = TODAY) -> int:
    return send_notices(today=today, now=timezone.now())


def be_automatic() -> None:
    NoticeRule.objects.update(is_automatic=True)


def test_a_notice_is_proposed_once_within_the_days_before_the_decision(cast: Cast) -> None:
    renewal = make(cast)
    assert (propose(TODAY - dt.timedelta(days=1)), propose(), propose()) == (0, 1, 0)
    mail = CustomerMail.objects.get()
    assert (mail.state, mail.renewal, mail.notice_for_on, mail.template.name, mail.author) == (
        "proposed", renewal, dt.date(2026, 12, 13), "Renewal notice", None
    )  # fmt: skip
    assert not OutgoingMail.objects.exists()


def test_who_cannot_be_written_to_gets_no_notice(cast: Cast) -> None:
    make(cast, email="")
    make(cast, is_unmailed=True)
    make(cast, left_on=TODAY)
    make(cast, owner=None)
    make(cast, is_excluded=True, excluded_reason="Bankrupt")
    make(cast, outcome="lost", declined_on=TODAY, final_amount=0)
    make(cast, due_on=DUE_ON - dt.timedelta(days=22))
    assert propose() == 0


def test_what_is_decided_or_moved_is_proposed_no_longer(cast: Cast) -> None:
    decided, moved = make(cast), make(cast)
    assert propose() == 2
    Renewal.objects.filter(pk=decided.pk).update(outcome="lost", declined_on=TODAY, final_amount=0)
    Renewal.objects.filter(pk=moved.pk).update(notice_days=35)
    assert propose() == 1
    rows = CustomerMail.objects.order_by("pk").values_list("renewal", "notice_for_on__day", "state")
    assert list(rows) == [(decided.pk, 13, "dismissed"), (moved.pk, 13, "dismissed"), (moved.pk, 8, "proposed")]


def test_a_rule_that_is_off_proposes_nothing(cast: Cast) -> None:
    make(cast)
    NoticeRule.objects.update(is_on=False, is_automatic=True)
    assert (propose(), send()) == (0, 0)


def test_nothing_is_sent_unless_the_rule_says_so(cast: Cast) -> None:
    make(cast)
    propose()
    assert (send(), OutgoingMail.objects.count()) == (0, 0)


def test_automatic_notices_go_out_once_to_champions_in_the_owner_s_name(cast: Cast) -> None:
    renewal = make(cast)
    Contact.objects.create(account=renewal.account, name="Ben Alm", email="ben@example.org", is_champion=True)
    be_automatic()
    propose()
    assert (send(), send()) == (1, 0)
    mail = OutgoingMail.objects.get()
    assert (mail.to, mail.subject, mail.reply_to) == (
        ["ben@example.org"],
        f"Your contract {renewal.contract.number} with Our company: a decision by 13 Dec 2026",
        "rhea.rep@example.com",
    )
    assert mail.text.startswith(f"Dear Ben,\n\nyour contract {renewal.contract.number} runs until 12 Jan 2027.")
    sent = CustomerMail.objects.get()
    assert (sent.state, sent.is_automatic, sent.author, sent.touch) == ("queued", True, cast.rep, None)
    assert not Touch.objects.exists()


def test_a_notice_that_cannot_be_sent_stays_proposed_and_says_why(cast: Cast) -> None:
    make(cast)
    MailTemplate.objects.filter(name="Renewal notice").update(text="For {renewal.offer}")
    be_automatic()
    propose()
    assert (send(), send()) == (0, 0)
    mail = CustomerMail.objects.get()
    assert (mail.state, mail.hindrance) == ("proposed", "No value for renewal.offer.")
    MailTemplate.objects.filter(name="Renewal notice").update(text="{no.such}")
    CustomerMail.objects.update(hindrance="")
    send()
    assert CustomerMail.objects.get().hindrance == "Template 'Renewal notice', line 1: there is no field {no.such}."
