"""Mail on its way out of the house, and what customers are written from."""

from __future__ import annotations

import datetime as dt

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import Account, Touch, User
from config.history import track_history
from renewals.models import Renewal

TEMPLATE_TEXT_LENGTH = 20_000


class OutgoingMailQuerySet(models.QuerySet["OutgoingMail"]):
    def due(self, now: dt.datetime) -> OutgoingMailQuerySet:
        """What waits and may be tried now, the longest waiting first."""
        return self.filter(state=OutgoingMail.State.WAITING, next_try_at__lte=now).order_by("next_try_at", "pk")


class OutgoingMail(models.Model):
    """One mail, kept until a mail server has taken it.

    Whoever sends it moves `next_try_at` to the end of a lease first: a mail whose sender was killed is due again then,
    with the same Message-ID.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Queued"
        SENT = "sent", "Sent"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    class Problem(models.TextChoices):
        """What the last try failed by."""

        NONE = "", ""
        SERVER = "server", "No mail server answers"
        DEFERRED = "deferred", "The mail server asks to try later"
        REFUSED = "refused", "The mail server refuses it"

    state = models.CharField(max_length=9, choices=State, default=State.WAITING)
    to = ArrayField(models.EmailField())
    subject = models.CharField(max_length=200)
    text = models.TextField()
    html = models.TextField(blank=True)
    sender = models.CharField(max_length=400, blank=True)  # as in From; blank: the installation's own address
    reply_to = models.EmailField(blank=True)
    user = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    message_id = models.CharField(max_length=200, unique=True)
    dedup_key = models.CharField(max_length=200, blank=True)
    try_count = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField(default=timezone.now)
    problem = models.CharField(max_length=8, choices=Problem, blank=True, default=Problem.NONE)
    error = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    sent_at = models.DateTimeField(null=True, blank=True)

    objects = OutgoingMailQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["dedup_key"], condition=~Q(dedup_key=""), name="outgoing_mail_once"),
            models.CheckConstraint(condition=~Q(to=[]), name="outgoing_mail_has_recipient"),
            models.CheckConstraint(
                condition=Q(state="sent", sent_at__isnull=False) | (~Q(state="sent") & Q(sent_at__isnull=True)),
                name="outgoing_mail_sent_at",
            ),
        ]
        indexes = [
            models.Index(fields=["next_try_at", "id"], name="outgoing_mail_due", condition=Q(state="waiting")),
            models.Index(fields=["created_at"], name="outgoing_mail_created"),
        ]

    def __str__(self) -> str:
        return f"{self.subject} to {', '.join(self.to)}"


class MailImage(models.Model):
    """A picture that a mail's HTML shows as `cid:` and its content id. Those of sent mails are let go every night."""

    mail = models.ForeignKey(OutgoingMail, on_delete=models.CASCADE, related_name="images", db_index=False)
    content_id = models.CharField(max_length=100)
    name = models.CharField(max_length=100)
    content = models.BinaryField()  # PNG

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["mail", "content_id"], name="mail_image_once"),
        ]

    def __str__(self) -> str:
        return self.name


@track_history(is_making_kept=True)
class MailTemplate(models.Model):
    """A mail to write customers from. Subject and text hold fields such as {account.name} (engagement.mail.fields)."""

    name = models.CharField(max_length=80, unique=True, error_messages={"unique": "Another template has this name."})
    subject = models.CharField(max_length=200)
    text = models.TextField(max_length=TEMPLATE_TEXT_LENGTH)
    is_active = models.BooleanField("offered", default=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(name="") & ~Q(subject="") & ~Q(text=""),
                name="mail_template_is_whole",
                violation_error_message="A template needs a name, a subject and a text.",
            )
        ]

    def __str__(self) -> str:
        return self.name


@track_history(is_making_kept=True)
class NoticeRule(models.Model):
    """Whether, when and by which template customers are reminded of their decision; one row, made by a migration.

    A notice is proposed `days_before` the decision date, to the renewal's owner. It goes out by itself only while
    `is_automatic`.
    """

    is_on = models.BooleanField("propose notices", default=True)
    is_automatic = models.BooleanField("send them without asking", default=False)
    days_before = models.PositiveSmallIntegerField(
        "days before the decision date", default=21, validators=[MinValueValidator(1), MaxValueValidator(365)]
    )
    template = models.ForeignKey(MailTemplate, on_delete=models.PROTECT, related_name="+")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(pk=1), name="notice_rule_is_one_row"),
            models.CheckConstraint(
                condition=Q(days_before__gte=1, days_before__lte=365),
                name="notice_rule_days",
                violation_error_message="A notice is proposed 1 to 365 days before the decision date.",
            ),
        ]

    def __str__(self) -> str:
        return "Renewal notices"


class CustomerMailQuerySet(models.QuerySet["CustomerMail"]):
    def visible_to(self, user: User) -> CustomerMailQuerySet:
        return self if user.sees_all else self.filter(renewal__in=Renewal.objects.visible_to(user))

    def editable_by(self, user: User) -> CustomerMailQuerySet:
        return self if user.is_admin else self.filter(renewal__in=Renewal.objects.editable_by(user))

    def proposed(self) -> CustomerMailQuerySet:
        """Notices that wait for somebody to look at them, while their renewal is still open."""
        return self.filter(state=CustomerMail.State.PROPOSED, renewal__outcome=Renewal.Outcome.OPEN)


class CustomerMail(models.Model):
    """A mail about a renewal to people of its account: proposed by the rule of notices, or written by a rep.

    A proposed one has no text yet: it is made from the template when somebody looks at it, with the values of then.
    """

    class State(models.TextChoices):
        PROPOSED = "proposed", "Proposed"
        QUEUED = "queued", "Queued"
        DISMISSED = "dismissed", "Dismissed"

    state = models.CharField(max_length=9, choices=State)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="mails", db_index=False)
    renewal = models.ForeignKey(Renewal, on_delete=models.CASCADE, related_name="mails", db_index=False)
    template = models.ForeignKey(MailTemplate, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    # The decision that a notice reminds of; blank for what a rep wrote on their own.
    notice_for_on = models.DateField(null=True, blank=True)
    is_automatic = models.BooleanField(default=False)
    author = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    to = ArrayField(models.EmailField(), default=list, blank=True)
    subject = models.CharField(max_length=200, blank=True)
    text = models.TextField(blank=True)
    outgoing = models.OneToOneField(
        OutgoingMail, on_delete=models.PROTECT, null=True, blank=True, related_name="customer_mail"
    )
    touch = models.ForeignKey(
        Touch, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )  # fmt: skip
    # Why the rule could not send it by itself.
    hindrance = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    queued_at = models.DateTimeField(null=True, blank=True)

    objects = CustomerMailQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["renewal", "notice_for_on"], condition=Q(notice_for_on__isnull=False), name="notice_once"
            ),
            models.CheckConstraint(
                condition=Q(state="queued", outgoing__isnull=False, queued_at__isnull=False)
                | (~Q(state="queued") & Q(outgoing__isnull=True, queued_at__isnull=True)),
                name="customer_mail_queued",
            ),
        ]
        indexes = [
            models.Index(fields=["renewal", "-id"], name="customer_mail_of_renewal"),
            models.Index(fields=["account", "-id"], name="customer_mail_of_account"),
            models.Index(fields=["author", "queued_at"], name="customer_mail_of_author"),
            models.Index(fields=["state", "id"], name="customer_mail_proposed", condition=Q(state="proposed")),
        ]

    def __str__(self) -> str:
        return self.subject or f"Notice for {self.renewal}"
