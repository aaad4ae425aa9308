"""How good the calls of reps were, measured after a run and kept until the next measurement."""

from __future__ import annotations

from django.db import models


class CallRecord(models.Model):
    """The one measurement that pages read: sums over closed calls by days before the decision and rep."""

    as_of_on = models.DateField()
    run_id = models.BigIntegerField()  # the run that it followed; a plain number, so that runs come and go without it
    measured_at = models.DateTimeField()
    content = models.JSONField()  # {horizon: {rep id: engine.calls.Tally}}

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="call_record_once")]

    def __str__(self) -> str:
        return f"calls as of {self.as_of_on}"
