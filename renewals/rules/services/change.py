"""What every change of a rule has in common."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction
from django.db.models import F

from accounts.models import Company, User
from config.history import recorded_as
from renewals.scoring import scoring


@contextmanager
def rule_written(by: User) -> Iterator[None]:
    """One transaction, in the history as the change of a rule by this user."""
    with transaction.atomic(), recorded_as(user_id=by.pk, how="rule"):
        yield


def request_scores(by: User) -> int:
    """Inside the transaction of a change that scoring reads: let go of what processes cached, and ask for a recompute.

    Answers the id of the run, which may be one that waits already.
    """
    Company.objects.filter(pk=1).update(rules_version=F("rules_version") + 1)
    return scoring().request_run(reason="rule", user=by)
