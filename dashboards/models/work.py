"""What each owner has to do, added up: see `dashboards.rollups.work`."""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from accounts.models import User, owners_visible_to

NOBODY: Final = 0  # in place of an owner: what nobody owns
EVERYBODY: Final = -1  # of a mark: all are to be added up anew


def _by_week() -> ArrayField[list[int], list[int]]:
    return ArrayField(models.BigIntegerField(), default=list)


class OwnerWorkQuerySet(models.QuerySet["OwnerWork"]):
    def visible_to(self, user: User) -> OwnerWorkQuerySet:
        return self if user.sees_all else self.filter(owner_id__in=owners_visible_to(user).values("pk"))


class OwnerWork(models.Model):
    """The open renewals, open tasks and accounts of an owner; NOBODY's where there is none.

    Arrays are by week. Of renewals the first entry is what was due before the first week, and there are as many weeks
    as bring work to the horizon; of tasks the weeks of the horizon, and nothing where there are none.
    """

    owner_id = models.BigIntegerField(primary_key=True)
    account_count = models.IntegerField(default=0)  # that the owner owns
    due_counts = _by_week()
    due_hundredths = _by_week()  # of an hour, by what a renewal of the segment and stage takes
    plan_counts = _by_week()
    plan_minutes = _by_week()
    task_counts = _by_week()
    task_minutes = _by_week()
    # Of renewals that count: [baseline, baseline of those that break a rule of weight] in cents, by currency.
    open_cents = models.JSONField(default=dict)
    flagged_count = models.IntegerField(default=0)  # accounts, each once an owner
    silent_count = models.IntegerField(default=0)  # unmonitored ones
    both_count = models.IntegerField(default=0)  # of those the flagged ones

    objects = OwnerWorkQuerySet.as_manager()

    def __str__(self) -> str:
        return f"work of {self.owner_id}"


class WorkRollUp(models.Model):
    """By what the work of owners was added up, in one row: of another day or by other terms it is added up anew."""

    run_id = models.BigIntegerField(null=True)
    as_of_on = models.DateField()  # the first week holds it
    today_on = models.DateField()  # by which an account is silent, and due soon
    terms = models.JSONField(default=dict)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="work_roll_up_is_one_row")]

    def __str__(self) -> str:
        return f"work as of {self.as_of_on}"

    def is_of(self, *, run_id: int | None, as_of: dt.date, today: dt.date, terms: object) -> bool:
        return (self.run_id, self.as_of_on, self.today_on, self.terms) == (run_id, as_of, today, terms)


class StaleWork(models.Model):
    """An owner of whose work something was changed since; EVERYBODY: all of them. As StaleCell, by triggers."""

    owner_id = models.BigIntegerField()

    def __str__(self) -> str:
        return f"stale work of {self.owner_id}"
