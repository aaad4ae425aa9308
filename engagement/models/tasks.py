"""What a person has to do for a customer, by when."""

from __future__ import annotations

import datetime as dt

from django.contrib.postgres.functions import TransactionNow
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Func, IntegerField, Q, Value
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Cast, Coalesce, Greatest, Ln

from accounts.models import Account, User
from config.history import track_history
from engagement.models.visible import is_account_visible
from renewals.models import Renewal

DAYS_THAT_DOUBLE = 14  # a task that is due this much earlier weighs as much as one with twice as much at stake
MOST_MINUTES = 2400
LN_2 = 0.6931471805599453


class DaysSince2000(Func):
    """Whole days from the first of 2000 to a date."""

    template = "(%(expressions)s - DATE '2000-01-01')"
    output_field = IntegerField()


def priority_of(stake: str, due_on: str) -> CombinedExpression:
    """Base-2 logarithm of stake x 2 ^ (-days left / 14), less a constant that is the same for all tasks of a day.

    Which of two tasks comes first is therefore the same on every day, and an index can hold the order.
    """
    doublings = Ln(Cast(Greatest(F(stake), Value(1)), models.FloatField())) / Value(LN_2)
    elapsed = Cast(DaysSince2000(F(due_on)), models.FloatField()) / Value(float(DAYS_THAT_DOUBLE))
    return CombinedExpression(doublings, "-", elapsed)


def taken_minutes() -> Coalesce:
    """Minutes that a done task took: those that were recorded, or what it was estimated at."""
    return Coalesce("spent_minutes", "estimated_minutes")


class TaskQuerySet(models.QuerySet["Task"]):
    def visible_to(self, user: User) -> TaskQuerySet:
        """Tasks of the accounts that a user may know of, whoever has to do them."""
        return self.filter(is_account_visible(user))

    def editable_by(self, user: User) -> TaskQuerySet:
        """Those a user has to do, and those of the accounts that they write to; a manager's team's; nobody else's."""
        if user.role == User.Role.ADMIN:
            return self
        if user.role == User.Role.MANAGER and user.team_id is not None:
            writable = Q(owner__team_id=user.team_id)
        elif user.role == User.Role.REP:
            writable = Q(owner=user)
        else:
            return self.none()
        accounts = Account.objects.editable_by(user).values("pk")
        return self.visible_to(user).filter(writable | Q(account__in=accounts))

    def open(self) -> TaskQuerySet:
        return self.filter(done_at__isnull=True)

    def done(self) -> TaskQuerySet:
        return self.filter(done_at__isnull=False)

    def awake(self, today: dt.date) -> TaskQuerySet:
        """Open, and not put off to a later day."""
        return self.open().filter(Q(snoozed_until__isnull=True) | Q(snoozed_until__lte=today))

    def snoozed(self, today: dt.date) -> TaskQuerySet:
        return self.open().filter(snoozed_until__gt=today)


# Who made it and when stands in the row itself, so history needs no event of the making.
@track_history(exclude=("stake_amount", "priority"))
class Task(models.Model):
    """One thing to do, of an account and perhaps of one of its renewals.

    Open until `done_at` is set; put off while `snoozed_until` is to come, which moves nothing else. Where
    `required_outcome` says what has to come of it, it is done only with an `outcome`.
    """

    class Kind(models.TextChoices):
        MANUAL = "manual", "By hand"
        PLAN = "plan", "Plan"
        ALERT = "alert", "Alert"

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="tasks", db_index=False)
    renewal = models.ForeignKey(
        Renewal, on_delete=models.CASCADE, null=True, blank=True, related_name="tasks", db_index=False
    )
    title = models.CharField(max_length=200)
    note = models.CharField(max_length=4000, blank=True)
    # Blank where the customer has no owner either: for a manager to hand out.
    owner = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="tasks", db_index=False
    )
    due_on = models.DateField("due")
    kind = models.CharField(max_length=6, choices=Kind, default=Kind.MANUAL)
    estimated_minutes = models.PositiveSmallIntegerField(
        "minutes", default=30, validators=[MinValueValidator(1), MaxValueValidator(MOST_MINUTES)]
    )
    # Blank: it is open, or nobody wrote down how long it took.
    spent_minutes = models.PositiveSmallIntegerField(
        "minutes it took", null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(MOST_MINUTES)]
    )
    snoozed_until = models.DateField(null=True, blank=True)
    required_outcome = models.CharField(max_length=200, blank=True)
    outcome = models.CharField(max_length=4000, blank=True)
    done_at = models.DateTimeField("done", null=True, blank=True)
    done_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    # Blank: made by a rule.
    created_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    created_at = models.DateTimeField(db_default=TransactionNow(), editable=False)
    # Derived (engagement.tasks.stakes): what is expected to be lost of the renewal, or of the account's open ones, in
    # the reporting currency. Never history.
    stake_amount = models.DecimalField(max_digits=20, decimal_places=2, default=0, editable=False)
    priority = models.GeneratedField(
        expression=priority_of("stake_amount", "due_on"), output_field=models.FloatField(), db_persist=True
    )
    made_by_rule_where = "{row}.created_by_id IS NULL"  # as of plans

    objects = TaskQuerySet.as_manager()

    class Meta:
        ordering = ["-priority", "pk"]
        constraints = [
            models.CheckConstraint(condition=~Q(title=""), name="task_has_title"),
            models.CheckConstraint(
                condition=Q(done_at__isnull=False) | Q(done_by__isnull=True), name="task_done_is_whole"
            ),
            models.CheckConstraint(
                condition=Q(done_at__isnull=True) | Q(required_outcome="") | ~Q(outcome=""),
                name="task_done_with_outcome",
                violation_error_message="This task is done only with what came of it.",
            ),
            models.CheckConstraint(
                condition=Q(estimated_minutes__gte=1, estimated_minutes__lte=MOST_MINUTES),
                name="task_minutes",
                violation_error_message=f"A task takes 1 to {MOST_MINUTES:,} minutes.",
            ),
            models.CheckConstraint(
                condition=Q(spent_minutes__isnull=True)
                | Q(spent_minutes__gte=1, spent_minutes__lte=MOST_MINUTES, done_at__isnull=False),
                name="task_spent_minutes",
                violation_error_message=f"A task that is done took 1 to {MOST_MINUTES:,} minutes;"
                " an open one none yet.",
            ),
        ]
        # One for each way in: a person's list and everybody's in its order, what was done, an account, a renewal.
        indexes = [
            models.Index("owner", F("priority").desc(), "id", name="task_list", condition=Q(done_at__isnull=True)),
            models.Index(F("priority").desc(), "id", name="task_order", condition=Q(done_at__isnull=True)),
            models.Index(fields=["owner", "due_on"], name="task_due", condition=Q(done_at__isnull=True)),
            models.Index(fields=["-done_at", "-id"], name="task_done", condition=Q(done_at__isnull=False)),
            models.Index(fields=["owner", "-done_at"], name="task_done_of", condition=Q(done_at__isnull=False)),
            models.Index(fields=["account"], name="task_account"),
            models.Index(fields=["renewal"], name="task_renewal", condition=Q(renewal__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.title
