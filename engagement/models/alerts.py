"""Alerts: what they are raised by, the causes that were found, and whom they are told to."""

from __future__ import annotations

import datetime as dt

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import Account, Segment, User, owners_visible_to
from config.history import track_history
from forecasting.models import Target
from renewals.models import Renewal


@track_history(exclude=(), is_making_kept=True)
class AlertRule(models.Model):
    """What an alert is raised by. `parameters` holds the limits of its kind, see engagement.alerts.causes."""

    class Kind(models.TextChoices):
        RISK_JUMP = "risk_jump", "Risk jump"
        DECISION_NEAR = "decision_near", "Decision date near"
        OVERDUE = "overdue", "Overdue"
        SEVERE_TICKET = "severe_ticket", "Severe ticket, due soon"
        CHAMPION_LEFT = "champion_left", "Champion left"
        CONFIDENCE_CUT = "confidence_cut", "Confidence cut"
        BELOW_TARGET = "below_target", "Forecast below target"

    kind = models.CharField(max_length=14, choices=Kind)
    name = models.CharField(max_length=80, unique=True, error_messages={"unique": "Another rule has this name."})
    parameters = models.JSONField(default=dict)
    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    least_amount = models.DecimalField(
        "baseline at least",
        max_digits=14,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text="In the reporting currency; a renewal whose currency has no rate is never left out.",
    )
    is_active = models.BooleanField("on", default=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(name=""), name="alert_rule_has_name", violation_error_message="A rule needs a name."
            )
        ]

    def __str__(self) -> str:
        return self.name


class GroundedRule(models.Model):
    """That a rule, as it is now, was looked at once: what already was so by then was recorded, and nobody was told."""

    rule = models.OneToOneField(AlertRule, on_delete=models.CASCADE, primary_key=True, related_name="ground")

    def __str__(self) -> str:
        return f"ground of {self.rule_id}"


class AlertQuerySet(models.QuerySet["Alert"]):
    def visible_to(self, user: User) -> AlertQuerySet:
        """Those about renewals and targets that a user may know of."""
        if user.sees_all:
            return self
        # By the owner, as Renewal.visible_to: asked for whole renewals, PostgreSQL would list all that the user sees.
        owners, targets = owners_visible_to(user), Target.objects.visible_to(user)
        return self.filter(Q(renewal__owner__in=owners) | Q(target__in=targets))

    def open(self) -> AlertQuerySet:
        return self.filter(ended_at__isnull=True)


class Alert(models.Model):
    """A cause that a rule found, from when it was found until it went away.

    `cause_key` names the cause within its rule, of which at most one alert is open: what persists is one alert, until
    its `level` rose by the rule's step; then this one ends as `is_worse` and the next one begins.
    """

    # Found, and not written by people: who takes a renewal back takes its alerts along (renewals.history.removal). The
    # database itself deletes what was told of them.
    goes_with_its_rows = True

    rule = models.ForeignKey(AlertRule, on_delete=models.CASCADE, related_name="alerts", db_index=False)
    cause_key = models.CharField(max_length=80)
    renewal = models.ForeignKey(Renewal, on_delete=models.CASCADE, null=True, related_name="+")
    account = models.ForeignKey(Account, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    target = models.ForeignKey(Target, on_delete=models.CASCADE, null=True, related_name="+")
    level = models.FloatField()
    facts = models.JSONField()  # what was found, for its words; by kind, see engagement.alerts.words
    is_quiet = models.BooleanField(default=False)  # was so already when the rule was switched on or changed
    fired_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    is_worse = models.BooleanField(default=False)

    objects = AlertQuerySet.as_manager()

    class Meta:
        ordering = ["-fired_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["rule", "cause_key"], condition=Q(ended_at__isnull=True), name="alert_open_once"
            ),
            models.CheckConstraint(
                condition=Q(renewal__isnull=False, target__isnull=True) | Q(renewal__isnull=True, target__isnull=False),
                name="alert_of_renewal_or_target",
            ),
        ]
        indexes = [
            models.Index(fields=["-fired_at", "-id"], name="alert_newest"),
            models.Index(fields=["rule", "fired_at"], name="alert_of_rule"),
            models.Index(fields=["account"], name="alert_of_account", condition=Q(account__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.rule}: {self.cause_key}"


class Subscription(models.Model):
    """How one person wants to be told of one rule. Without a row: reps of what they own and managers of what they see,
    in the app; others of nothing."""

    class Scope(models.TextChoices):
        NONE = "none", "Nothing"
        OWN = "own", "What I own"
        SEEN = "seen", "All that I see"

    class Mail(models.TextChoices):
        OFF = "off", "No mail"
        AT_ONCE = "at_once", "At once"
        DAILY = "daily", "Once a day"
        WEEKLY = "weekly", "Once a week"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="alert_subscriptions", db_index=False)
    rule = models.ForeignKey(AlertRule, on_delete=models.CASCADE, related_name="subscriptions")
    scope = models.CharField(max_length=4, choices=Scope)
    in_app = models.BooleanField("in the app", default=True)
    mail = models.CharField(max_length=7, choices=Mail, default=Mail.OFF)
    webhook = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "rule"], name="alert_subscription_once")]

    def __str__(self) -> str:
        return f"{self.user}: {self.rule}"

    @classmethod
    def default_of(cls, user: User, rule: AlertRule) -> Subscription:
        """What counts while there is no row; engagement.alerts.recipients says the same in SQL."""
        scope = {User.Role.REP: cls.Scope.OWN, User.Role.MANAGER: cls.Scope.SEEN}.get(
            User.Role(user.role), cls.Scope.NONE
        )
        return cls(user=user, rule=rule, scope=scope)


class AlertPreference(models.Model):
    """When one person is told, in the company's time zone; without a row nobody is disturbed by quiet hours."""

    class Weekday(models.IntegerChoices):
        MONDAY = 0, "Monday"
        TUESDAY = 1, "Tuesday"
        WEDNESDAY = 2, "Wednesday"
        THURSDAY = 3, "Thursday"
        FRIDAY = 4, "Friday"
        SATURDAY = 5, "Saturday"
        SUNDAY = 6, "Sunday"

    user = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="alert_preference")
    quiet_from = models.TimeField("quiet from", null=True, blank=True)
    quiet_until = models.TimeField("quiet until", null=True, blank=True)
    digest_at = models.TimeField("digests at", default=dt.time(8))
    digest_weekday = models.PositiveSmallIntegerField("weekly digests on", choices=Weekday, default=Weekday.MONDAY)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(quiet_from__isnull=True, quiet_until__isnull=True)
                | Q(quiet_from__isnull=False, quiet_until__isnull=False),
                name="alert_quiet_hours_whole",
                violation_error_message="Quiet hours need a beginning and an end, or neither.",
            )
        ]

    def __str__(self) -> str:
        return f"alerts of {self.user}"


class AlertMute(models.Model):
    """That somebody wants to hear nothing more of one rule for one account."""

    goes_with_its_rows = True

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="alert_mutes", db_index=False)
    rule = models.ForeignKey(AlertRule, on_delete=models.CASCADE, related_name="+")
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["-pk"]
        constraints = [models.UniqueConstraint(fields=["user", "rule", "account"], name="alert_mute_once")]

    def __str__(self) -> str:
        return f"{self.user}: {self.rule}, {self.account}"


class Notification(models.Model):
    """An alert for one person by one channel. In the app it waits to be read; by others it is handed to an outbox.

    `sent_at`: when it was handed over. `dropped_at`: when it was not, because by then the person could no longer see
    what it is about, was gone, or had muted it.
    """

    class Channel(models.TextChoices):
        APP = "app", "In the app"
        MAIL = "mail", "Mail"
        WEBHOOK = "webhook", "Webhook"

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="notifications", db_index=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notifications", db_index=False)
    channel = models.CharField(max_length=7, choices=Channel)
    made_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)  # not before; null in the app
    sent_at = models.DateTimeField(null=True)
    dropped_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [models.UniqueConstraint(fields=["alert", "user", "channel"], name="notification_once")]
        indexes = [
            models.Index(fields=["user", "-id"], name="notification_of_user", condition=Q(channel="app")),
            models.Index(fields=["user"], name="notification_unread", condition=Q(channel="app", read_at__isnull=True)),
            models.Index(
                fields=["due_at"],
                name="notification_due",
                condition=Q(due_at__isnull=False, sent_at__isnull=True, dropped_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel} for {self.user_id} of {self.alert_id}"


class RiskMark(models.Model):
    """What the risk of an open renewal is measured against: its lowest of the last days, see engagement.alerts.risk."""

    renewal_id = models.BigIntegerField(primary_key=True)  # no foreign key: what is no longer open is cleared away
    reference_risk = models.FloatField()
    reference_on = models.DateField()
    risk = models.FloatField()
    jump = models.FloatField(default=0)
    # The largest jump since the reference, and the risk that it led to.
    peak_jump = models.FloatField(default=0)
    peak_risk = models.FloatField(default=0)

    class Meta:
        indexes = [models.Index(fields=["jump"], name="risk_mark_jump", condition=Q(jump__gte=1))]

    def __str__(self) -> str:
        return f"risk of {self.renewal_id}"


class AlertPass(models.Model):
    """The one row that says how far causes were looked for; whoever looks holds its lock."""

    observed_run_id = models.BigIntegerField(default=0)
    passed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="alert_pass_once")]

    def __str__(self) -> str:
        return f"causes as of {self.passed_at}"
