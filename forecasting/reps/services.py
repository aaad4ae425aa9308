"""Measure the calls of reps after a run; at most once an hour within a day, for what was decided long ago stays."""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.db import connection, transaction
from django.utils import timezone

from forecasting.frames import load_rules
from forecasting.frames.calls import read_tallies
from forecasting.models import CallRecord, Run
from forecasting.services.locks import Lock, try_lock

KEPT_FOR: Final = dt.timedelta(hours=1)


def measure_calls(*, now: dt.datetime | None = None) -> bool:
    """Bring the record of calls to the last published run; False when it is, or somebody is at it."""
    now = now or timezone.now()
    with transaction.atomic():
        run = Run.objects.latest_published()
        if run is None or not try_lock(Lock.CALLS):
            return False
        known = CallRecord.objects.first()
        if known and (
            known.run_id >= run.pk or (known.as_of_on == run.as_of_on and now - known.measured_at < KEPT_FOR)
        ):
            return False
        with connection.cursor() as cursor:
            tallies = read_tallies(cursor, load_rules(run), run.as_of_on)
        content = {
            str(horizon): {str(rep): tally.to_dict() for rep, tally in by_rep.items()}
            for horizon, by_rep in tallies.items()
        }
        CallRecord.objects.update_or_create(
            pk=1, defaults={"as_of_on": run.as_of_on, "run_id": run.pk, "measured_at": now, "content": content}
        )
    return True
