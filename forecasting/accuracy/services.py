"""A backtest from its request to its scopes. Whatever is lost on the way, another worker takes it up.

It reads for minutes, so no transaction is held: a running one says after each period that it is alive, and what it
found is written once, by whoever still holds the claim that it began with.
"""

from __future__ import annotations

import datetime as dt
import logging
from typing import Final

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import User, get_company
from forecasting.accuracy.backtest import MOST_ORIGINS, ORIGINS, Found, run_backtest
from forecasting.models import Backtest, BacktestScope, Run
from forecasting.queue import send
from renewals.models import Renewal

log = logging.getLogger(__name__)
State, Reason = Backtest.State, Backtest.Reason
# A waiting one is sent again after this; a running one that was not heard of for so long has lost its worker.
STILL: Final = dt.timedelta(seconds=30)
SILENT: Final = dt.timedelta(minutes=15)
RESTARTS: Final = 2
FIRST_ORIGINS: Final = 4  # quarters of the first: a new book has figures soon, and its next month replays more
MAY_REQUEST: Final = (User.Role.ADMIN, User.Role.MANAGER)


def request_backtest(*, reason: str, user: User | None, origin_count: int = ORIGINS) -> int:
    """Ask for a backtest once the caller's transaction commits; its id. One that waits or runs already is that one.

    Raises PermissionDenied unless the user is an admin or a manager, ValueError for a count out of bounds.
    """
    if user is not None and user.role not in MAY_REQUEST:
        raise PermissionDenied
    if not 1 <= origin_count <= MOST_ORIGINS:
        raise ValueError(f"origins: {origin_count} is not between 1 and {MOST_ORIGINS}.")
    with transaction.atomic():
        while (found := Backtest.objects.active().order_by("pk").first()) is None:
            Backtest.objects.bulk_create(
                [Backtest(asked_because=reason, requested_by=user, origin_count=origin_count)], ignore_conflicts=True
            )
        transaction.on_commit(lambda: send("run_waiting_backtest"))
    return found.pk


def claim_backtest() -> Backtest | None:
    """Make the waiting backtest the running one; None when none waits or another one runs."""
    now = timezone.now()
    try:
        with transaction.atomic():
            waiting = Backtest.objects.select_for_update(skip_locked=True).filter(state=State.WAITING).first()
            if waiting is None:
                return None
            waiting.state, waiting.started_at, waiting.heard_at, waiting.done_count = State.RUNNING, now, now, 0
            waiting.save(update_fields=["state", "started_at", "heard_at", "done_count"])
    except IntegrityError:
        return None  # backtest_running_once: it waits on
    return waiting


def execute_backtest(claimed: Backtest, *, as_of: dt.date | None = None) -> bool:
    """Replay and write; False when it failed, or somebody else took it up meanwhile.

    A fault ends it with its words; a lost connection leaves it for `dispatch_backtests`.
    """
    mine = Backtest.objects.filter(pk=claimed.pk, state=State.RUNNING, started_at=claimed.started_at)

    def progress(done_count: int) -> None:
        mine.update(done_count=done_count, heard_at=timezone.now())

    try:
        found = run_backtest(origin_count=claimed.origin_count, as_of=as_of, progress=progress)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        log.exception("Backtest %s failed", claimed.pk)
        mine.update(state=State.FAILED, message=str(error) or type(error).__name__, finished_at=timezone.now())
        return False
    with transaction.atomic():
        is_mine = mine.update(
            state=State.DONE,
            finished_at=timezone.now(),
            as_of_on=found.as_of,
            reporting_currency=found.reporting_currency,
            periods=found.periods,
            done_count=len(found.periods),
        )
        if is_mine:
            _write_scopes(claimed.pk, found)
    return bool(is_mine)


def _write_scopes(backtest_id: int, found: Found) -> None:
    BacktestScope.objects.bulk_create(
        [
            BacktestScope(backtest_id=backtest_id, kind=kind, group_id=group_id, content=content)
            for (kind, group_id), content in sorted(found.scopes.items())
        ],
        batch_size=500,
    )


def run_waiting_backtest() -> None:
    """What a worker does when it is told that there is one; delivered twice, the second finds nothing to claim."""
    claimed = claim_backtest()
    if claimed is not None:
        execute_backtest(claimed)


def dispatch_backtests() -> None:
    """From beat, every few seconds: send what waits, and take up what lost its worker; not for ever."""
    now = timezone.now()
    lost = Backtest.objects.filter(state=State.RUNNING, heard_at__lt=now - SILENT)
    lost.filter(restart_count__gte=RESTARTS).update(
        state=State.FAILED,
        finished_at=now,
        message=f"It was started {RESTARTS + 1} times and did not get to its end.",
    )
    try:
        with transaction.atomic():
            lost.update(state=State.WAITING, restart_count=F("restart_count") + 1, heard_at=None)
    except IntegrityError:
        return  # another one waits: that goes first
    waiting = Backtest.objects.filter(state=State.WAITING).exclude(heard_at__gt=now - STILL)
    if waiting.update(heard_at=now):
        send("run_waiting_backtest")
    elif _is_first_due():
        request_backtest(reason=Reason.MONTHLY, user=None, origin_count=FIRST_ORIGINS)


def _is_first_due() -> bool:
    """Nothing was ever replayed, a likelihood was learned, and the book is scored by it: nobody waits for a run."""
    if Backtest.objects.exists():
        return False
    published = Run.objects.latest_published()
    return published is not None and published.likelihood_model_id is not None and not Run.objects.active().exists()


def request_monthly_backtest() -> int | None:
    """From beat, every hour: once in a calendar month of the company's time zone, when there is something decided."""
    today = get_company().today()
    last = Backtest.objects.order_by("-pk").first()
    if last is not None and get_company().today(last.requested_at).replace(day=1) == today.replace(day=1):
        return None
    if not Renewal.objects.exclude(outcome=Renewal.Outcome.OPEN).exists():
        return None
    return request_backtest(reason=Reason.MONTHLY, user=None)
