"""Accounts that need attention: flagged by rule or by hand, and watched by people and teams."""

from __future__ import annotations

from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models import Q

from accounts.models import Account, Team, User, owners_visible_to
from config.history import track_history
from engagement.models.visible import is_account_visible
from renewals.models import Renewal


@track_history(is_making_kept=True)
class FlagRule(models.Model):
    """Flags an account while all of `conditions` hold of it and of one of its open renewals.

    `conditions` holds limits by the key of a measure; what each means: engagement.flags.measures.
    """

    name = models.CharField(max_length=80, unique=True, error_messages={"unique": "There is a rule of this name."})
    conditions = models.JSONField(default=dict)
    is_active = models.BooleanField("active", default=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.CheckConstraint(condition=~Q(name=""), name="flag_rule_has_name")]

    def __str__(self) -> str:
        return self.name


class FlagQuerySet(models.QuerySet["Flag"]):
    def visible_to(self, user: User) -> FlagQuerySet:
        """Flags of the accounts that a user may know of."""
        if user.sees_all:
            return self
        # The accounts first, by the indexes of owners: asked of each flag, who owns the account's renewals costs more.
        owners = owners_visible_to(user).order_by().values("pk")
        accounts = Account.objects.filter(owner__in=owners).order_by().values("pk")
        renewals = Renewal.objects.filter(owner__in=owners).order_by().values("account")
        return self.filter(account__in=accounts.union(renewals, all=True))

    def visible_one_by_one(self, user: User) -> FlagQuerySet:
        """The same, for who reads the first of many in their order."""
        return self.filter(is_account_visible(user))

    def open(self) -> FlagQuerySet:
        return self.filter(cleared_at__isnull=True)

    def cleared(self) -> FlagQuerySet:
        return self.filter(cleared_at__isnull=False)


# Who flagged and cleared, when and why, stands in the row itself. Rows are never deleted.
@track_history(exclude=("stake_amount",))
class Flag(models.Model):
    """That an account was flagged at a moment, and what cleared it.

    By a rule: `values` are what was measured and the limit, by measure; `renewal` is the one that it is about, blank
    where the rule asks of the account only. By hand (`rule` blank): `reason` is a person's.

    What a person clears stays cleared until its cause is new: until `cause_ended_at`, from when the rule's conditions
    once did not hold, or the renewal was decided.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="flags", db_index=False)
    renewal = models.ForeignKey(
        Renewal, on_delete=models.SET_NULL, null=True, blank=True, related_name="flags", db_index=False
    )
    rule = models.ForeignKey(
        FlagRule, on_delete=models.PROTECT, null=True, blank=True, related_name="flags", db_index=False
    )
    reason = models.CharField(max_length=1000, blank=True)
    values = models.JSONField(default=dict, blank=True)
    flagged_at = models.DateTimeField(db_default=TransactionNow())
    flagged_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    cleared_at = models.DateTimeField(null=True, blank=True)
    cleared_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    cleared_reason = models.CharField(max_length=1000, blank=True)
    cleared_values = models.JSONField(default=dict, blank=True)
    cause_ended_at = models.DateTimeField(null=True, blank=True)
    # Derived, as of tasks (engagement.tasks.stakes): what is expected to be lost of the account's open renewals.
    stake_amount = models.DecimalField(max_digits=20, decimal_places=2, default=0, editable=False)
    made_by_rule_where = "{row}.flagged_by_id IS NULL AND {row}.cleared_by_id IS NULL"  # as of plans

    objects = FlagQuerySet.as_manager()

    class Meta:
        ordering = ["-flagged_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "rule"],
                condition=Q(cleared_at__isnull=True),
                nulls_distinct=False,
                name="flag_open_once",
                violation_error_message="It is flagged already.",
            ),
            models.CheckConstraint(
                condition=Q(rule__isnull=False) | (Q(flagged_by__isnull=False) & ~Q(reason="")),
                name="flag_by_hand_has_reason",
                violation_error_message="A flag by hand needs who and why.",
            ),
            models.CheckConstraint(
                condition=Q(cleared_at__isnull=False) | Q(cleared_by__isnull=True, cleared_reason=""),
                name="flag_cleared_is_whole",
            ),
            models.CheckConstraint(
                condition=Q(cleared_by__isnull=True) | ~Q(cleared_reason=""),
                name="flag_cleared_has_reason",
                violation_error_message="Whoever clears a flag says why.",
            ),
        ]
        indexes = [
            models.Index(fields=["account", "-flagged_at"], name="flag_account"),
            models.Index(
                fields=["-stake_amount", "account", "id"], name="flag_order", condition=Q(cleared_at__isnull=True)
            ),
            models.Index(fields=["rule"], name="flag_open_rule", condition=Q(cleared_at__isnull=True)),
            models.Index(fields=["-cleared_at", "-id"], name="flag_cleared", condition=Q(cleared_at__isnull=False)),
            models.Index(
                fields=["account", "rule"],
                name="flag_held",
                condition=Q(cleared_by__isnull=False, rule__isnull=False, cause_ended_at__isnull=True),
            ),
            models.Index(fields=["renewal"], name="flag_renewal", condition=Q(renewal__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.rule or self.reason}"


@track_history(exclude=())
class Watch(models.Model):
    """An account on the watchlist of a person, or of a team: exactly one of `user` and `team` is set."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="watches")
    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, related_name="watches", db_index=False)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, null=True, related_name="watches", db_index=False)
    reason = models.CharField(max_length=200, blank=True)
    added_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    added_at = models.DateTimeField(db_default=TransactionNow(), editable=False)

    class Meta:
        ordering = ["-added_at", "-pk"]
        verbose_name_plural = "watches"
        constraints = [
            models.UniqueConstraint(fields=["user", "account"], name="watch_of_user", condition=Q(user__isnull=False)),
            models.UniqueConstraint(fields=["team", "account"], name="watch_of_team", condition=Q(team__isnull=False)),
            models.CheckConstraint(
                condition=Q(user__isnull=True, team__isnull=False) | Q(user__isnull=False, team__isnull=True),
                name="watch_of_one",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user or self.team} watches {self.account}"


class FlagPass(models.Model):
    """How far the rules have been asked: one row (engagement.flags.passes)."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    run_id = models.BigIntegerField(null=True)  # the last published run that the whole book was judged after
    judged_on = models.DateField(null=True)
    judged_at = models.DateTimeField(null=True)
    # Every transaction with a lower number had ended when the last pass began; it saw all of what they wrote.
    ended_below = models.BigIntegerField(null=True)
    is_due = models.BooleanField(default=True)  # a rule was saved: the whole book is judged anew

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="flag_pass_once")]

    def __str__(self) -> str:
        return f"judged on {self.judged_on}"
