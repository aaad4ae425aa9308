"""Asking for a run. Apart from the work on it (`forecasting.services`): who only asks loads no arithmetic."""

from __future__ import annotations

from django.db import transaction

from accounts.models import User, get_company
from forecasting.models import Run
from forecasting.queue import send


def request_run(*, reason: str, user: User | None) -> int:
    """Ask for a recompute of the whole book once the caller's transaction commits; the run's id.

    A waiting run is reused, and held until the commit: whoever starts it then reads what the caller wrote.
    """
    with transaction.atomic():
        run = hold_waiting_run(reason=reason, user=user)
        transaction.on_commit(lambda: send("start_run"))
    return run.pk


def hold_waiting_run(*, reason: str, user: User | None) -> Run:
    """The run that waits, made where none does, locked until the caller's transaction ends; no worker is told of it."""
    waiting = Run.objects.filter(state=Run.State.WAITING)
    # Again while the one that was there, or kept ours out, is started before we hold it.
    while (run := waiting.select_for_update().first()) is None:
        asked = Run(reason=reason, requested_by=user, as_of_on=get_company().today())
        Run.objects.bulk_create([asked], ignore_conflicts=True)
    return run
