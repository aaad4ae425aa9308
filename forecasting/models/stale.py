"""What an edit leaves for the next beat to bring up to date."""

from __future__ import annotations

from django.db import models


class StaleScore(models.Model):
    """A renewal that was edited while a run was being published: it is scored when that is over, so nobody waits."""

    renewal_id = models.BigIntegerField()  # no foreign key, which would have to be checked

    def __str__(self) -> str:
        return f"score of {self.renewal_id}"


class StaleMonth(models.Model):
    """A month whose forecast lines an edit has made stale. Written with the edit, removed when the lines are refreshed.

    Rows are only ever added, never updated, so that no edit waits for another one or for a refresh; the same month may
    be here many times.
    """

    month_on = models.DateField()

    def __str__(self) -> str:
        return f"{self.month_on:%b %Y}"


class FreshScore(models.Model):
    """A renewal that an edit has scored. Written with the score, taken away by whoever looks at what scores became.

    Rows are only ever added, never updated, as those of StaleMonth. A published run leaves none: it scores everything.
    """

    renewal_id = models.BigIntegerField()  # no foreign key, which would have to be checked

    def __str__(self) -> str:
        return f"new score of {self.renewal_id}"
