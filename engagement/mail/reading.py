"""What is read of mail to customers: of one renewal, of everybody's, and of the outbox as a whole."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Count, Min, Q, QuerySet

from accounts.models import User
from engagement.models import CustomerMail, OutgoingMail

State, Sending = CustomerMail.State, OutgoingMail.State
SHOWN_OF_RENEWAL = 8
VIEWS = {"proposed": "Proposed notices", "waiting": "Queued", "sent": "Sent", "failed": "Failed"}
OF_VIEW = {
    "proposed": Q(state=State.PROPOSED, renewal__outcome="open"),
    "waiting": Q(outgoing__state=Sending.WAITING),
    "sent": Q(outgoing__state=Sending.SENT),
    "failed": Q(outgoing__state__in=(Sending.FAILED, Sending.CANCELLED)),
}
# Icon and tone of each state.
LOOKS = {
    Sending.WAITING: ("clock", "quiet"),
    Sending.SENT: ("check", "good"),
    Sending.FAILED: ("alert-circle", "bad"),
    Sending.CANCELLED: ("x", "quiet"),
}


@dataclass(frozen=True)
class ShownMail:
    """A mail with what became of it, in words."""

    mail: CustomerMail
    icon: str
    tone: str
    word: str
    detail: str
    may_cancel: bool
    may_retry: bool


def show(mail: CustomerMail, *, may_write: bool) -> ShownMail:
    outgoing = mail.outgoing
    if outgoing is None:
        return ShownMail(mail, "bell", "warn", "Proposed", mail.hindrance, False, False)
    icon, tone = LOOKS[Sending(outgoing.state)]
    detail = outgoing.error if outgoing.state != Sending.CANCELLED else ""
    if outgoing.state == Sending.WAITING and outgoing.problem:
        icon, tone = "alert-triangle", "warn"
        detail = f"{OutgoingMail.Problem(outgoing.problem).label}; tried {outgoing.try_count} times. {outgoing.error}"
    is_waiting = outgoing.state == Sending.WAITING
    may_retry = outgoing.state == Sending.FAILED or (is_waiting and bool(outgoing.problem))
    return ShownMail(
        mail, icon, tone, str(Sending(outgoing.state).label), detail, may_write and is_waiting, may_write and may_retry
    )


def mails_of_renewal(renewal_id: int, *, may_write: bool) -> list[ShownMail]:
    """The newest, proposals among them; not those that were dismissed."""
    rows = CustomerMail.objects.filter(renewal=renewal_id).exclude(state=State.DISMISSED)
    newest = rows.select_related("outgoing", "author", "template").order_by("-pk")[:SHOWN_OF_RENEWAL]
    return [show(mail, may_write=may_write) for mail in newest]


def mails_of_view(user: User, view: str, *, is_mine: bool) -> QuerySet[CustomerMail]:
    rows = CustomerMail.objects.visible_to(user).filter(OF_VIEW[view])
    if is_mine:
        rows = rows.filter(renewal__owner=user)
    order = ("notice_for_on", "pk") if view == "proposed" else ("-queued_at", "-pk")
    return rows.select_related(
        "outgoing", "author", "template", "account", "renewal__contract", "renewal__owner"
    ).order_by(*order)


def count_views(user: User, *, is_mine: bool) -> dict[str, int]:
    rows = CustomerMail.objects.visible_to(user)
    if is_mine:
        rows = rows.filter(renewal__owner=user)
    return rows.aggregate(**{view: Count("pk", filter=condition) for view, condition in OF_VIEW.items()})


@dataclass(frozen=True)
class Outbox:
    """How mail leaves: through which server, what waits, and what is wrong with it."""

    server: str  # blank: mail is written to the log
    sender: str
    waiting_count: int
    oldest_at: dt.datetime | None
    problem: str


def read_outbox() -> Outbox:
    waiting = OutgoingMail.objects.filter(state=Sending.WAITING)
    counted = waiting.aggregate(count=Count("pk"), oldest=Min("created_at"))
    stuck = waiting.exclude(problem="").order_by("-next_try_at").values_list("error", flat=True).first()
    is_smtp = settings.EMAIL_BACKEND.endswith("smtp.EmailBackend")
    server = f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}" if is_smtp else ""
    return Outbox(server, settings.DEFAULT_FROM_EMAIL, counted["count"], counted["oldest"], stuck or "")
