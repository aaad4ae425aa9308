"""The roll-ups under the dashboards. `dashboards.rollups` says what each word means."""

from __future__ import annotations

from decimal import Decimal
from typing import Final, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from accounts.models import Account, Segment, Team, User, owners_visible_to
from config.instances import read_instance


class Level(models.IntegerChoices):
    """Whose cells: of everybody, of the owners of a team, of an owner. Each renewal is in one cell of each level."""

    BOOK = 0, "Whole book"
    TEAM = 1, "Team"
    OWNER = 2, "Owner"


class ScopedQuerySet(models.QuerySet[models.Model]):
    """Rows of a level: of the book, of a team or of an owner."""

    def visible_to(self, user: User) -> Self:
        """Rows of what a user sees: all; or those of their team and of its members; or their own."""
        if user.sees_all:
            return self
        seen = Q(level=Level.OWNER, owner__in=owners_visible_to(user))
        if user.team_id is not None:
            seen |= Q(level=Level.TEAM, team_id=user.team_id)
        return self.filter(seen)

    def of(self, *, team: Team | None, owner: User | None) -> Self:
        """The rows that add up to an owner, or else a team, or else the book."""
        if owner:
            return self.filter(level=Level.OWNER, owner=owner)
        return self.filter(level=Level.TEAM, team=team) if team else self.filter(level=Level.BOOK)

    def by_owner(self, *, team: Team | None) -> Self:
        """The rows of each owner, of a team or of everybody."""
        rows = self.filter(level=Level.OWNER)
        return rows.filter(owner__team=team) if team else rows

    def by_team(self) -> Self:
        return self.filter(level=Level.TEAM)


def kept_key(model: type[models.Model]) -> models.ForeignKey[models.Model | None]:
    """A reference that the database does not check: all cells are made of its own rows."""
    return models.ForeignKey(
        model, on_delete=models.DO_NOTHING, null=True, related_name="+", db_constraint=False, db_index=False
    )


def sum_field() -> models.BigIntegerField[int, int]:
    return models.BigIntegerField(default=0)


def _sums() -> ArrayField[list[int], list[int]]:
    return ArrayField(models.BigIntegerField())


CARDED: Final = (
    "due_count", "due_cents", "kept_cents", "renewed_cents", "kept_in_time_cents", "upsell_cents", "cross_sell_cents",
    *(f"{way}_{one}_cents" for way in ("ordered", "hybrid") for one in ("kept", "renewed", "in_time")),
)  # fmt: skip


class Cell(models.Model):
    """A month of a level, team or owner, and segment. Amounts are cents of the reporting currency.

    Approved exceptions are in none, nor what is in a currency without a rate. An amount is converted, half to even,
    for each renewal by itself, so that every sum of cells is the sum of the rows behind it.
    """

    level = models.SmallIntegerField(choices=Level)
    team = kept_key(Team)
    owner = kept_key(User)
    segment = kept_key(Segment)
    month_on = models.DateField()
    # The cohort: what is due in the month. renewed + lost + past due + open = due, in baselines and in count.
    due_count = sum_field()
    due_cents = sum_field()
    renewed_count = sum_field()
    renewed_baseline_cents = sum_field()
    kept_cents = sum_field()  # min(R, B)
    renewed_cents = sum_field()  # R
    kept_in_time_cents = sum_field()  # of early and on time
    upsell_cents = sum_field()
    cross_sell_cents = sum_field()
    downsell_cents = sum_field()
    lost_count = sum_field()  # lost, lapsed and win-back
    lost_cents = sum_field()
    lapsed_count = sum_field()
    lapsed_cents = sum_field()
    win_back_count = sum_field()
    win_back_cents = sum_field()  # R
    open_count = sum_field()
    open_cents = sum_field()
    past_due_count = sum_field()
    past_due_cents = sum_field()
    early_count = sum_field()
    early_cents = sum_field()  # R, as of the two classes that follow
    on_time_count = sum_field()
    on_time_cents = sum_field()
    late_count = sum_field()
    late_cents = sum_field()
    # min(R, B) of what was ordered by the last day, and before the first day, of the month or its fiscal quarter.
    in_month_cents = sum_field()
    in_quarter_cents = sum_field()
    before_month_cents = sum_field()
    before_quarter_cents = sum_field()
    # Accounts, each once a month, or once a quarter in the first month in which it is due (or renewed).
    month_accounts = sum_field()
    quarter_accounts = sum_field()
    renewed_month_accounts = sum_field()
    renewed_quarter_accounts = sum_field()
    # What was ordered in the month, whenever it is due (attribution: order period).
    ordered_count = sum_field()
    ordered_kept_cents = sum_field()
    ordered_renewed_cents = sum_field()
    ordered_in_time_cents = sum_field()
    ordered_month_accounts = sum_field()
    ordered_quarter_accounts = sum_field()
    # Of that, min(R, B) of what is due before the month or quarter begins, and after it ends.
    ordered_overdue_month_cents = sum_field()
    ordered_overdue_quarter_cents = sum_field()
    ordered_ahead_month_cents = sum_field()
    ordered_ahead_quarter_cents = sum_field()
    # What is due or ordered in the month, whichever is later (attribution: hybrid).
    hybrid_count = sum_field()
    hybrid_kept_cents = sum_field()
    hybrid_renewed_cents = sum_field()
    hybrid_in_time_cents = sum_field()
    hybrid_month_accounts = sum_field()
    hybrid_quarter_accounts = sum_field()
    # Of the cohort's renewed ones by days from due to order (rollups.DELAYS), of its past due ones by age (AGES).
    delay_counts = _sums()
    delay_kept_cents = _sums()
    age_counts = _sums()
    age_cents = _sums()
    last_due_on = models.DateField(null=True)  # of the cohort
    row_hash = models.BigIntegerField(editable=False)  # of all of the above, to write only what changed

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["level", "team", "owner", "segment", "month_on"],
                nulls_distinct=False,
                name="dashboard_cell_once",
            )
        ]
        indexes = [
            models.Index(fields=["month_on"], name="dashboard_cell_month"),
            models.Index(fields=["owner"], name="dashboard_cell_owner", condition=Q(level=Level.OWNER)),
            # Scorecards add these up of every owner: from the index alone, as the rows are many times as wide. Without
            # what nobody owns: who asks for that and for few owners is better off with the index before.
            models.Index(
                fields=["month_on"],
                include=["owner", "segment", *CARDED],
                name="dashboard_cell_cards",
                condition=Q(level=Level.OWNER, owner__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_level_display()} in {self.month_on:%b %Y}"


class LateAccount(models.Model):
    """An account that, of what a level, team or owner works, orders late as a habit (`rollups.lateness`)."""

    level = models.SmallIntegerField(choices=Level)
    team = kept_key(Team)
    owner = kept_key(User)
    account = models.ForeignKey(
        Account, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    ordered_count = models.IntegerField()  # early, on time, late and win-back
    late_count = models.IntegerField()  # late and win-back
    late_cents = models.BigIntegerField()  # R
    late_days = models.IntegerField()  # calendar days after the due day, of the late ones together

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "level", "team", "owner"], nulls_distinct=False, name="late_account_once"
            )
        ]
        indexes = [
            models.Index(fields=["level", "team", "owner", "-late_cents", "account"], name="late_account_largest")
        ]

    def __str__(self) -> str:
        return f"lateness of account {self.account_id}"


class RollUp(models.Model):
    """Of which run the cells are, in one row; without it there are none."""

    run_id = models.BigIntegerField()
    as_of_on = models.DateField()
    rolled_up_at = models.DateTimeField()
    fiscal_start = models.SmallIntegerField()
    currency = models.CharField(max_length=3)
    rates = models.JSONField(default=dict)  # by currency, as text: what every amount was converted by
    unrated = models.JSONField(default=dict)  # renewals in a currency without a rate, by currency
    regions = models.JSONField(default=list)  # of the accounts there were

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="dashboard_roll_up_is_one_row")]

    def __str__(self) -> str:
        return f"dashboards as of {self.as_of_on}"

    @property
    def exact_rates(self) -> dict[str, Decimal]:
        return {currency: Decimal(rate) for currency, rate in self.rates.items()}


def get_roll_up() -> RollUp | None:
    return read_instance(RollUp, "id = %s", [1])


class StaleCell(models.Model):
    """A month and an account that something was changed in since; neither: everything is to be added up anew.

    An account without a month: only what is open of it is. Triggers write these with every change, whoever makes it and
    however, raw SQL included. Rows are only ever added, so that no edit waits for another one or for who adds up.
    """

    month_on = models.DateField(null=True)
    account_id = models.BigIntegerField(null=True)

    def __str__(self) -> str:
        return f"stale: {self.month_on}"


class MovedRenewal(models.Model):
    """A renewal that once had another owner than it has, or had when it last changed hands; few ever do.

    A trigger writes these with the history of renewals, whoever changes one and however, so that who owned a renewal
    on a day is asked of the history of these alone.
    """

    renewal_id = models.BigIntegerField(primary_key=True)

    def __str__(self) -> str:
        return f"renewal {self.renewal_id}"


class BookChange(models.Model):
    """Statements that changed what a dashboard reads of the rows themselves; their sum only ever grows.

    Triggers write these, one for each statement and whoever sends it; the background makes one row of many. A sum, and
    not the newest number, because transactions do not commit in the order in which they were given their numbers.
    """

    count = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.count} changes"


# What is added up, in the order of the table; the engine of the roll-ups has one array for each.
SUMS: Final = tuple(field.name for field in Cell._meta.local_fields if type(field) is models.BigIntegerField)[:-1]


class MixCell(models.Model):
    """What is decided of a level, team or owner, segment and risk band that is due in a month, cents of the reporting
    currency."""

    level = models.SmallIntegerField(choices=Level)
    team = kept_key(Team)
    owner = kept_key(User)
    segment = kept_key(Segment)
    band = models.SmallIntegerField()  # of the risk as known before the decision: 0 unknown, 1 low, 2 medium, 3 high
    month_on = models.DateField()
    count = models.IntegerField()
    baseline_cents = models.BigIntegerField()
    kept_cents = models.BigIntegerField()  # min(R, B) of renewed
    squares = models.FloatField()  # sum of the squared baselines

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["month_on", "level", "team", "owner", "segment", "band"],
                nulls_distinct=False,
                name="mix_cell_once",
            )
        ]

    def __str__(self) -> str:
        return f"decided of {self.month_on:%b %Y}"
