"""Playbooks as admins write them, and the plans that are run by them."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.functions import TransactionNow
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Exists, OuterRef, Q

from accounts.models import Account, Segment, User, owners_visible_to
from config.history import track_history
from engagement.models.tasks import MOST_MINUTES, Task
from forecasting.models import Run
from renewals.models import Renewal, RiskBand, Stage

MOST_DAYS = 1000


class PlanKind(models.TextChoices):
    PROTECT = "protect", "Protect"
    RENEWAL = "renewal", "Renewal"


@track_history(exclude=(), is_making_kept=True)
class Playbook(models.Model):
    """What to do in a case that comes again and again. Its rule and steps are those of its newest version."""

    class Use(models.TextChoices):
        RULE = "rule", "By rule and by hand"
        HAND = "hand", "By hand only"
        RETIRED = "retired", "Not any more"

    name = models.CharField(max_length=80, unique=True)
    kind = models.CharField(max_length=7, choices=PlanKind)
    use = models.CharField(max_length=7, choices=Use, default=Use.HAND)

    class Meta:
        ordering = ["kind", "name"]
        constraints = [models.CheckConstraint(condition=~Q(name=""), name="playbook_has_name")]

    def __str__(self) -> str:
        return self.name


class PlaybookVersion(models.Model):
    """Never changed once it is written: a running plan keeps the steps that it was started with.

    The rule: a renewal playbook is for renewals due within `within_days`, a protect one for contracts in the first half
    of their duration; of `segment` alone and from `risk_from` on where these are given. For a protect one a flagged
    account is at risk, whatever the scores of its renewals.
    """

    playbook = models.ForeignKey(Playbook, on_delete=models.CASCADE, related_name="versions", db_index=False)
    number = models.PositiveSmallIntegerField()
    segment = models.ForeignKey(Segment, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    risk_from = models.FloatField(null=True, blank=True, validators=[MinValueValidator(0), MaxValueValidator(100)])
    within_days = models.PositiveSmallIntegerField(null=True, blank=True)
    # Blank: came with the product.
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=TransactionNow(), editable=False)

    class Meta:
        ordering = ["playbook", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["playbook", "number"], name="playbook_version_once"),
            models.CheckConstraint(
                condition=Q(risk_from__isnull=True) | Q(risk_from__gte=0, risk_from__lte=100),
                name="playbook_risk",
                violation_error_message="A risk is from 0 to 100.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.playbook}, version {self.number}"


class PlaybookStep(models.Model):
    """What one step asks for. Never changed either; without a version it is a step that was added to one plan by hand.

    `waits_for` holds numbers of steps that have to be done before. Title and guidance may name fields in braces.
    """

    class Owner(models.TextChoices):
        RENEWAL = "renewal", "Owner of the renewal"
        ACCOUNT = "account", "Owner of the account"
        MANAGER = "manager", "Manager of the owner's team"
        PERSON = "person", "A person"

    class From(models.TextChoices):
        START = "start", "the plan's start"
        DECISION = "decision", "the decision date"
        DUE = "due", "the due date"

    class Outcome(models.TextChoices):
        NONE = "none", "Nothing"
        TEXT = "text", "What came of it, in words"
        CHOICE = "choice", "One of several answers"
        TOUCH = "touch", "A touch logged since the plan's start"
        OFFER = "offer", "The renewal has an offer"
        STAGE = "stage", "The renewal has reached a stage"
        CONFIDENCE = "confidence", "The renewal has a confidence"

    version = models.ForeignKey(
        PlaybookVersion, on_delete=models.CASCADE, null=True, related_name="steps", db_index=False
    )
    number = models.PositiveSmallIntegerField()
    title = models.CharField(max_length=160)
    guidance = models.CharField(max_length=4000, blank=True)
    owner_is = models.CharField(max_length=8, choices=Owner, default=Owner.RENEWAL)
    person = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    due_from = models.CharField(max_length=8, choices=From, default=From.START)
    days = models.SmallIntegerField(default=0)  # after that date; before it where negative
    estimated_minutes = models.PositiveSmallIntegerField(default=30)
    checks = ArrayField(models.CharField(max_length=200), default=list, blank=True)
    outcome = models.CharField(max_length=10, choices=Outcome, default=Outcome.NONE)
    choices = ArrayField(models.CharField(max_length=80), default=list, blank=True)
    stage = models.ForeignKey(Stage, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    waits_for = ArrayField(models.PositiveSmallIntegerField(), default=list, blank=True)

    class Meta:
        ordering = ["version", "number"]
        constraints = [
            models.UniqueConstraint(fields=["version", "number"], name="playbook_step_once"),
            models.CheckConstraint(
                condition=Q(days__gte=-MOST_DAYS, days__lte=MOST_DAYS)
                & (~Q(due_from="start") | Q(days__gte=0))
                & Q(estimated_minutes__gte=1, estimated_minutes__lte=MOST_MINUTES),
                name="playbook_step_days",
                violation_error_message="No step is due before the plan's start.",
            ),
            models.CheckConstraint(
                condition=(~Q(owner_is="person") | Q(person__isnull=False))
                & (~Q(outcome="stage") | Q(stage__isnull=False)),
                name="playbook_step_is_whole",
                violation_error_message="A step for a person names them, and one that waits for a stage names it.",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class PlanQuerySet(models.QuerySet["Plan"]):
    def visible_to(self, user: User) -> PlanQuerySet:
        """Plans of the renewals that a user may know of."""
        return self if user.sees_all else self.filter(renewal__owner__in=owners_visible_to(user))

    def open(self) -> PlanQuerySet:
        return self.filter(closed_at__isnull=True)

    def closed(self) -> PlanQuerySet:
        return self.filter(closed_at__isnull=False)

    def of_person(self, user: User) -> PlanQuerySet:
        """Those a user owns, or has a step of."""
        steps = PlanStep.objects.filter(plan=OuterRef("pk"), task__owner=user)
        return self.filter(Q(owner=user) | Exists(steps))


# Who made it and when stands in the row itself.
@track_history(exclude=("default_rate",))
class Plan(models.Model):
    """A playbook at work on one renewal.

    What begins with `start_` is frozen: how the renewal stood on `started_on`, money in cents of its currency.
    """

    class Outcome(models.TextChoices):
        RENEWED = "renewed", "Renewed"
        LOST = "lost", "Lost"
        REACHED = "reached", "Reached its aim"
        MISSED = "missed", "Missed its aim"
        DROPPED = "dropped", "Not needed any more"

    kind = models.CharField(max_length=7, choices=PlanKind)
    renewal = models.ForeignKey(Renewal, on_delete=models.CASCADE, related_name="plans", db_index=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="plans", db_index=False)
    version = models.ForeignKey(PlaybookVersion, on_delete=models.PROTECT, related_name="plans")
    owner = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="plans", db_index=False
    )
    started_on = models.DateField("started")
    # Blank: started by its rule.
    created_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    created_at = models.DateTimeField(db_default=TransactionNow(), editable=False)
    closed_at = models.DateTimeField("closed", null=True, blank=True)
    # Blank where it is closed: it closed by itself, when the renewal was decided.
    closed_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    outcome = models.CharField(max_length=7, choices=Outcome, blank=True)
    outcome_note = models.CharField(max_length=1000, blank=True)
    start_segment = models.ForeignKey(Segment, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    start_band = models.CharField(max_length=6, choices=RiskBand, blank=True)
    start_stretch = models.PositiveSmallIntegerField()  # of days left: see PeerStanding
    start_probability = models.FloatField()
    start_default_rate = models.FloatField()
    start_collected_cents = models.BigIntegerField()
    # How likely what is booked is not paid, as of the last run: derived, never history.
    default_rate = models.FloatField()
    # An undo that takes back the renewal takes such rows with it, where nobody has touched them (history/removal.py).
    made_by_rule_where = "{row}.created_by_id IS NULL"

    objects = PlanQuerySet.as_manager()

    class Meta:
        ordering = ["-started_on", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["renewal", "kind"],
                condition=Q(closed_at__isnull=True),
                name="plan_open_once_per_renewal",
                violation_error_message="An open plan of this kind is there already.",
            ),
            models.UniqueConstraint(
                fields=["account"],
                condition=Q(closed_at__isnull=True, kind="protect"),
                name="plan_protects_account_once",
                violation_error_message="An open protect plan of this account is there already.",
            ),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True, closed_by__isnull=True, outcome="")
                | (Q(closed_at__isnull=False) & ~Q(outcome="")),
                name="plan_closed_with_outcome",
                violation_error_message="A plan is closed with what came of it.",
            ),
        ]
        indexes = [
            models.Index(fields=["renewal", "kind"], name="plan_renewal"),
            models.Index(fields=["account", "-id"], name="plan_account"),
            models.Index(fields=["owner", "-id"], name="plan_owner"),
            models.Index(fields=["closed_at"], name="plan_closed", condition=Q(closed_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} plan of {self.account}"

    @property
    def is_open(self) -> bool:
        return self.closed_at is None


class PlanStepQuerySet(models.QuerySet["PlanStep"]):
    def open(self) -> PlanStepQuerySet:
        return self.filter(task__done_at__isnull=True)


@track_history(exclude=())
class PlanStep(models.Model):
    """A step of a plan; title, owner, day and whether it is done are those of its task.

    `number` is what other steps wait for, and stays; `position` is where it stands. One that is dropped was still open
    when its plan was closed.
    """

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="steps", db_index=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    task = models.OneToOneField(Task, on_delete=models.CASCADE, related_name="plan_step")
    asks = models.ForeignKey(PlaybookStep, on_delete=models.PROTECT, related_name="+", db_index=False)
    number = models.PositiveSmallIntegerField()
    position = models.PositiveSmallIntegerField()
    checked = ArrayField(models.PositiveSmallIntegerField(), default=list, blank=True)  # places in asks.checks
    is_dropped = models.BooleanField(default=False)
    made_by_rule_where = "true"  # whoever made its plan

    objects = PlanStepQuerySet.as_manager()

    class Meta:
        ordering = ["plan", "position", "number"]
        constraints = [models.UniqueConstraint(fields=["plan", "number"], name="plan_step_once")]
        indexes = [models.Index(fields=["account"], name="plan_step_account")]

    def __str__(self) -> str:
        return str(self.task)


class PeerStanding(models.Model):
    """How an open renewal stood when it was first seen in a stretch of days left, whether it has a plan or not.

    Those with a plan are compared with those without that stood alike: same segment, risk band and stretch.
    """

    pk = models.CompositePrimaryKey("renewal", "stretch")
    renewal = models.ForeignKey(Renewal, on_delete=models.CASCADE, related_name="+", db_index=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    stretch = models.PositiveSmallIntegerField()
    segment = models.ForeignKey(Segment, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    band = models.CharField(max_length=6, choices=RiskBand, blank=True)
    seen_on = models.DateField()

    def __str__(self) -> str:
        return f"renewal {self.renewal_id} on {self.seen_on:%d %b %Y}"


class PlanPass(models.Model):
    """The rules of the playbooks were applied to what this run published."""

    run = models.OneToOneField(Run, on_delete=models.CASCADE, primary_key=True, related_name="+")
    started_count = models.PositiveIntegerField(default=0)
    finished_at = models.DateTimeField(db_default=TransactionNow(), editable=False)

    class Meta:
        ordering = ["-run"]

    def __str__(self) -> str:
        return f"plans after run {self.run_id}"
