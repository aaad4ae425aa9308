"""What the forecast dashboard reads of the whole book: see `dashboards.rollups.pacing`."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from accounts.models import Segment
from dashboards.models.cells import kept_key


class Pace(models.Model):
    """Of what is due in a month or fiscal quarter of a segment in a currency, how much was kept by each day of a row of
    days: cents of that currency, min(R, B), ordered by then."""

    grain = models.CharField(max_length=7)
    starts_on = models.DateField()
    segment = kept_key(Segment)
    currency = models.CharField(max_length=3)
    from_start_cents = ArrayField(models.BigIntegerField())  # rollups.pacing.FROM_START
    to_end_cents = ArrayField(models.BigIntegerField())  # rollups.pacing.TO_END

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["grain", "starts_on", "segment", "currency"], nulls_distinct=False, name="pace_once"
            )
        ]

    def __str__(self) -> str:
        return f"pace of {self.starts_on:%b %Y}"


class LikelyCell(models.Model):
    """What the open ones due in a month bring by likelihood alone: whole cents of each, in their currency."""

    month_on = models.DateField()
    segment = kept_key(Segment)
    currency = models.CharField(max_length=3)
    cents = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["month_on", "segment", "currency"], nulls_distinct=False, name="likely_cell_once"
            )
        ]

    def __str__(self) -> str:
        return f"likely of {self.month_on:%b %Y}"


class StaleLikely(models.Model):
    """A month in which an open renewal was scored anew since, by triggers. What else changes marks cells."""

    month_on = models.DateField()

    def __str__(self) -> str:
        return f"stale: {self.month_on:%b %Y}"
