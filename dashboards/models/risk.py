"""What is open, and what was lost, as the risk page reads it: see `dashboards.rollups.opened` and `.lost`."""

from __future__ import annotations

from typing import Final

from django.db import models
from django.db.models import F, Q

from accounts.models import Account, Segment, Team, User
from dashboards.models.cells import Level, ScopedQuerySet, kept_key, sum_field


class Side(models.IntegerChoices):
    """Whether health and forecast contradict each other."""

    AGREED = 0, "They agree"
    OVER = 1, "Poor health, but forecast"
    UNDER = 2, "Healthy, but doubted"


class OpenRenewal(models.Model):
    """An open renewal that counts and has not lapsed, narrow and indexed by what pages rank it by.

    Amounts are cents of the reporting currency at the rates of the run's day, each renewal converted by itself.
    """

    renewal_id = models.BigIntegerField(primary_key=True)
    account = kept_key(Account)
    owner = kept_key(User)
    segment = kept_key(Segment)
    due_on = models.DateField()
    decision_on = models.DateField()
    risk_score = models.FloatField(null=True)
    probability = models.FloatField()
    health_score = models.FloatField(null=True)
    health_band = models.SmallIntegerField(null=True)
    side = models.SmallIntegerField(choices=Side)
    baseline_cents = models.BigIntegerField()
    doubt_cents = (
        models.BigIntegerField()
    )  # what it would add to the forecast if it were sure: (1 - probability) x mean
    stake_cents = models.BigIntegerField()  # baseline x (1 - probability)
    expected_cents = models.BigIntegerField()  # probability x mean
    collected_cents = models.BigIntegerField()  # less what is expected not to be paid
    grown_cents = models.BigIntegerField()  # probability x mean of upsell and cross-sell
    row_hash = models.BigIntegerField(editable=False)  # of all of the above, to write only what changed

    class Meta:
        indexes = [
            models.Index(fields=["account"], name="open_renewal_account"),
            models.Index(fields=["owner"], name="open_renewal_owner"),
            models.Index(
                fields=["due_on"],
                include=["owner", "segment", "risk_score", "baseline_cents"],
                name="open_renewal_due",
            ),
            models.Index(
                F("baseline_cents").desc(), F("renewal_id"), name="open_renewal_largest", condition=Q(risk_score__gte=0)
            ),
            models.Index(F("baseline_cents").desc(), F("renewal_id"), name="open_renewal_side", condition=~Q(side=0)),
            models.Index(
                F("doubt_cents").desc(), F("renewal_id"), name="open_renewal_doubt", condition=Q(doubt_cents__gt=0)
            ),
            models.Index(
                F("stake_cents").desc(), F("renewal_id"), name="open_renewal_stake", condition=Q(stake_cents__gt=0)
            ),
        ]

    def __str__(self) -> str:
        return f"open renewal {self.renewal_id}"


class OpenCell(models.Model):
    """The open renewals of a level, team or owner, and segment, added up. Amounts are cents as in `OpenRenewal`."""

    level = models.SmallIntegerField(choices=Level)
    team = kept_key(Team)
    owner = kept_key(User)
    segment = kept_key(Segment)
    open_count = sum_field()
    open_cents = sum_field()
    # By the band of the risk score; together they are the open ones.
    high_count = sum_field()
    high_cents = sum_field()
    medium_count = sum_field()
    medium_cents = sum_field()
    low_count = sum_field()
    low_cents = sum_field()
    unscored_count = sum_field()
    unscored_cents = sum_field()
    poor_count = sum_field()  # of accounts of poor health
    poor_cents = sum_field()
    over_count = sum_field()  # of Side.OVER
    over_cents = sum_field()
    under_count = sum_field()  # of Side.UNDER
    under_cents = sum_field()
    # Accounts with something open, each once, by their health.
    poor_accounts = sum_field()
    watch_accounts = sum_field()
    healthy_accounts = sum_field()
    unknown_accounts = sum_field()

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["level", "team", "owner", "segment"], nulls_distinct=False, name="open_cell_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_level_display()}, open"


class OpenDay(models.Model):
    """The open renewals of the whole book that are due on a day, of a segment, by the band of the risk score."""

    due_on = models.DateField()
    segment = kept_key(Segment)
    high_count = sum_field()
    high_cents = sum_field()
    medium_count = sum_field()
    medium_cents = sum_field()
    low_count = sum_field()
    low_cents = sum_field()
    unscored_count = sum_field()
    unscored_cents = sum_field()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["due_on", "segment"], nulls_distinct=False, name="open_day_once")
        ]

    def __str__(self) -> str:
        return f"open, due on {self.due_on}"


class LostMonth(models.Model):
    """What was lost or given up of what was due in a month, by all that it is told by: `rollups.lost.CELL` in a row of
    bytes. A page reads every cell of its periods: 27,000 of them in 4 ms, 9 ms as rows of a table."""

    month_on = models.DateField(primary_key=True)
    cells = models.BinaryField()

    def __str__(self) -> str:
        return f"lost in {self.month_on:%b %Y}"


# What is added up of open ones, in the order of the table.
OPEN_SUMS: Final = tuple(field.name for field in OpenCell._meta.local_fields if type(field) is models.BigIntegerField)
DAY_SUMS: Final = tuple(field.name for field in OpenDay._meta.local_fields if type(field) is models.BigIntegerField)
