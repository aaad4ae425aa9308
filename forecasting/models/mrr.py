"""Monthly recurring revenue as rows (`forecasting.mrr` says what each word means): movements, and their roll-ups."""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.db import models
from django.db.models import Q

from accounts.models import Account, Segment, Team, User, owners_visible_to
from forecasting.engine import recurring_kinds as recurring  # without the arithmetic
from renewals.models import Contract, Renewal

# In place of an owner of MrrLevel.
NOBODY: Final = 0
EVERYBODY: Final = -1


class OwnedQuerySet(models.QuerySet[models.Model]):
    """Rows that name an owner and a segment."""

    def visible_to(self, user: User) -> OwnedQuerySet:
        """Those of the owners whose renewals a user sees; without an owner: those who see all."""
        return self if user.sees_all else self.filter(owner__in=owners_visible_to(user))

    def of(self, *, team: Team | None, owner: User | None, segment: Segment | None) -> OwnedQuerySet:
        """Of an owner, or else a team, or else everybody; of a segment, or all."""
        rows = self.filter(owner=owner) if owner else self.filter(owner__team=team) if team else self
        return rows.filter(segment=segment) if segment else rows


def _kept_key(model: type[models.Model], *, is_blank: bool = False) -> models.ForeignKey[models.Model]:
    """A reference that the database does not check: a million of these rows are written at once, all from its own."""
    return models.ForeignKey(
        model, on_delete=models.DO_NOTHING, null=is_blank, related_name="+", db_constraint=False, db_index=False
    )


class MrrMovement(models.Model):
    """One line's change at one month's end; or what an open decision is expected to change."""

    class Kind(models.IntegerChoices):
        OPENING = recurring.Kind.OPENING, "Opening"
        NEW = recurring.Kind.NEW, "New"
        EXPANSION = recurring.Kind.EXPANSION, "Expansion"
        REACTIVATION = recurring.Kind.REACTIVATION, "Reactivation"
        CONTRACTION = recurring.Kind.CONTRACTION, "Contraction"
        CHURN = recurring.Kind.CHURN, "Churn"

    class State(models.IntegerChoices):
        ACTUAL = recurring.State.ACTUAL, "In effect"
        COMMITTED = recurring.State.COMMITTED, "Signed"
        EXPECTED = recurring.State.EXPECTED, "Expected"

    account = _kept_key(Account)
    contract = _kept_key(Contract)
    renewal = _kept_key(Renewal, is_blank=True)
    owner = _kept_key(User, is_blank=True)
    segment = _kept_key(Segment, is_blank=True)
    month_on = models.DateField()
    state = models.SmallIntegerField(choices=State)
    kind = models.SmallIntegerField(choices=Kind)
    amount = models.DecimalField(max_digits=18, decimal_places=2)  # 0 or more; taken off for contraction and churn
    cross_sell_amount = models.DecimalField(max_digits=18, decimal_places=2)  # part of an expansion
    # Of an expected churn, which each open decision has: what is at stake, what is kept if it renews, how probably.
    open_amount = models.DecimalField(max_digits=18, decimal_places=2)
    kept_amount = models.DecimalField(max_digits=18, decimal_places=2)
    probability = models.FloatField()

    objects = OwnedQuerySet.as_manager()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(amount__gte=0), name="mrr_movement_amount")]
        indexes = [
            models.Index(fields=["account"], name="mrr_movement_account"),
            models.Index(fields=["owner", "segment"], name="mrr_movement_scope"),
            models.Index(fields=["month_on", "kind", "-amount"], name="mrr_movement_month"),
            models.Index(fields=["-kept_amount"], name="mrr_movement_open", condition=Q(state=2, kind=5)),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.amount} in {self.month_on:%b %Y}"


class MrrLine(models.Model):
    """The movements of a month by owner, segment and state; other scopes are sums of these."""

    month_on = models.DateField()
    owner = _kept_key(User, is_blank=True)
    segment = _kept_key(Segment, is_blank=True)
    state = models.SmallIntegerField(choices=MrrMovement.State)
    opening_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)  # at the end of the first month
    new_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    expansion_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    reactivation_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    contraction_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    churn_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    cross_sell_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    open_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    # Of what is open: sums of p (1 - p) a^2 and of p (1 - p) a, for the band of whatever scope these are added up in.
    variance = models.FloatField(default=0)
    response = models.FloatField(default=0)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "segment", "month_on", "state"], nulls_distinct=False, name="mrr_line_once"
            )
        ]

    def __str__(self) -> str:
        return f"recurring revenue of {self.month_on}"


class MrrLevel(models.Model):
    """What the movements in effect of an owner came to by the end of a month, cents of all of them from the first on.

    A month in which nothing moved has no row: the one before it holds. What moved in a period is the difference of two.
    """

    owner_id = models.BigIntegerField()  # or NOBODY, or EVERYBODY, who owns what anybody or nobody does
    month_on = models.DateField()
    opening_cents = models.BigIntegerField()
    new_cents = models.BigIntegerField()
    expansion_cents = models.BigIntegerField()
    reactivation_cents = models.BigIntegerField()
    contraction_cents = models.BigIntegerField()
    churn_cents = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner_id", "month_on"], name="mrr_level_once")]

    def __str__(self) -> str:
        return f"recurring revenue by the end of {self.month_on:%b %Y}"


class MrrOfferLine(models.Model):
    """The expansion of a month by what was sold: the renewal's offer, else the contract's product."""

    month_on = models.DateField()
    owner = _kept_key(User, is_blank=True)
    segment = _kept_key(Segment, is_blank=True)
    state = models.SmallIntegerField(choices=MrrMovement.State)
    name = models.CharField(max_length=200)
    upsell_amount = models.DecimalField(max_digits=18, decimal_places=2)
    cross_sell_amount = models.DecimalField(max_digits=18, decimal_places=2)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["owner", "segment"], name="mrr_offer_line_scope")]

    def __str__(self) -> str:
        return f"{self.name} in {self.month_on}"


class MrrCohort(models.Model):
    """What a quarter changed of recurring value and of customers, by when they came (`forecasting.mrr.cohorts`).

    Levels at a quarter's end are sums of it and of all before it.
    """

    owner = _kept_key(User, is_blank=True)
    segment = _kept_key(Segment, is_blank=True)
    came_on = models.DateField(null=True)  # first day of a fiscal quarter; None: before the ledger begins
    quarter_on = models.DateField()
    amount = models.DecimalField(max_digits=18, decimal_places=2)
    account_count = models.IntegerField()

    objects = OwnedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "segment", "came_on", "quarter_on"], nulls_distinct=False, name="mrr_cohort_once"
            )
        ]

    def __str__(self) -> str:
        return f"customers since {self.came_on} in {self.quarter_on}"


class MrrTriangle(models.Model):
    """The cohorts of the whole book: sums of `MrrCohort`, which has a row for each owner and segment."""

    came_on = models.DateField(null=True)
    quarter_on = models.DateField()
    amount = models.DecimalField(max_digits=18, decimal_places=2)
    account_count = models.IntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["came_on", "quarter_on"], nulls_distinct=False, name="mrr_triangle_once")
        ]

    def __str__(self) -> str:
        return f"customers since {self.came_on} in {self.quarter_on}"


class MrrCall(models.Model):
    """What was expected three months ahead, kept from the first roll-up of each month, to be measured when it comes."""

    called_on = models.DateField()
    month_on = models.DateField()  # whose closing this is
    owner = _kept_key(User, is_blank=True)
    segment = _kept_key(Segment, is_blank=True)
    closing_amount = models.DecimalField(max_digits=18, decimal_places=2)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["month_on", "owner", "segment"], nulls_distinct=False, name="mrr_call_once")
        ]

    def __str__(self) -> str:
        return f"call of {self.called_on} for {self.month_on:%b %Y}"


class MrrRollUp(models.Model):
    """Of which run the movements are, in one row; without it there are none."""

    run_id = models.BigIntegerField()
    as_of_on = models.DateField()
    rolled_up_at = models.DateTimeField()
    # The probability of what ends ahead without a renewal row, and how many such there are.
    assumed_rate = models.FloatField()
    unrated = models.JSONField(default=dict)  # contracts in a currency without a rate, by currency

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="mrr_roll_up_is_one_row")]

    def __str__(self) -> str:
        return f"recurring revenue as of {self.as_of_on}"

    @property
    def month_on(self) -> dt.date:
        return self.as_of_on.replace(day=1)
