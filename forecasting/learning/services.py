"""A fit from its request to the version that the next recompute uses. Every step may be done again, by anybody.

As with runs, what holds a fit together is in the database: it is claimed by a conditional write, whoever is at it holds
its row, and the result is committed with the mark that it is done. Whatever goes wrong, the last good version stays.
"""

from __future__ import annotations

import datetime as dt
import logging
from typing import Final

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, InterfaceError, OperationalError, connection, transaction
from django.utils import timezone

from accounts.models import AttributeDefinition, Company, User, get_company
from config.history import recorded_as
from forecasting import services
from forecasting.learning.fit import Fitted, fit_as_of, measure
from forecasting.models import LikelihoodModel, Run
from forecasting.queue import send

log = logging.getLogger(__name__)
State, Reason = LikelihoodModel.State, LikelihoodModel.Reason
WEEK: Final = dt.timedelta(days=7)
# A fit is due again when this share more is decided than it rests on, and so many at least.
NEW_SHARE: Final = 0.1
LEAST_NEW: Final = 50
# Within this time a task that was sent is surely begun, unless its worker died or every worker is busy.
STILL_SECONDS: Final = 15
RESTARTS: Final = 3


def request_fit(*, reason: str, user: User | None) -> int:
    """Ask for a fit once the caller's transaction commits; the id of its version. One that waits already is reused."""
    waiting = LikelihoodModel.objects.filter(state=State.WAITING)
    with transaction.atomic():
        while (found := waiting.select_for_update().first()) is None:
            LikelihoodModel.objects.bulk_create(
                [LikelihoodModel(asked_because=reason, requested_by=user)], ignore_conflicts=True
            )
        transaction.on_commit(lambda: send("fit_likelihood"))
    return found.pk


def claim_fit() -> LikelihoodModel | None:
    """Make the waiting fit the running one; None when none waits or another still runs."""
    try:
        with transaction.atomic():
            found = LikelihoodModel.objects.select_for_update(skip_locked=True).filter(state=State.WAITING).first()
            if found is None:
                return None
            found.state = State.RUNNING
            found.started_at = found.dispatched_at = timezone.now()
            found.save(update_fields=["state", "started_at", "dispatched_at"])
    except IntegrityError:
        return None  # likelihood_running_once: it waits on
    return found


def execute_fit(*, model_id: int, cut_off: dt.date | None = None) -> bool:
    """Fit a running version and have the book scored by it; False when it is done, failed, or somebody is at it.

    A fault in it ends the version as failed, with its words; a lost connection leaves it for `dispatch_fits`.
    """
    try:
        with transaction.atomic():
            held = LikelihoodModel.objects.select_for_update(skip_locked=True).filter(pk=model_id, state=State.RUNNING)
            version = held.first()
            if version is None:
                return False
            company = get_company()
            found = fit_as_of(cut_off=cut_off or company.today(), horizon_days=company.likelihood_horizon_days)
            _store(version, found)
            services.request_run(reason=Run.Reason.MODEL, user=version.requested_by)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        log.exception("The fit %s of the likelihood failed", model_id)
        fail_fit(model_id=model_id, message=str(error) or type(error).__name__)
        return False
    return True


def _store(version: LikelihoodModel, found: Fitted) -> None:
    model = found.model
    version.state, version.finished_at = State.FITTED, timezone.now()
    version.cut_off_on, version.horizon_days = found.cut_off, found.inputs.horizon_days
    version.row_count, version.renewed_count = model.row_count, model.renewed_count
    version.left_out_count = found.training.left_out_count
    version.way, version.words, version.reason = model.way, model.words, model.reason
    version.is_signal, version.metrics, version.content = model.is_signal, measure(found), found.content()
    version.save()


def fail_fit(*, model_id: int, message: str) -> None:
    """End a fit without a result; the last good version stays in use."""
    running = LikelihoodModel.objects.filter(pk=model_id, state=State.RUNNING)
    running.update(state=State.FAILED, message=message, finished_at=timezone.now())


def fit_likelihood() -> None:
    """Claim the waiting fit and do it: what a worker does when it is told that there is one.

    A task that comes again, because its worker was killed, takes up the one that was left running.
    """
    found = claim_fit() or LikelihoodModel.objects.filter(state=State.RUNNING).first()
    if found is not None:
        execute_fit(model_id=found.pk)


def dispatch_fits() -> None:
    """Send a fit that waits, and one whose worker was lost, anew; not for ever."""
    found = LikelihoodModel.objects.light().active().first()
    if found is None:
        if _is_first_due():
            request_fit(reason=Reason.FIRST, user=None)
        return
    sent_at = found.dispatched_at or found.requested_at
    if timezone.now() - sent_at < dt.timedelta(seconds=STILL_SECONDS) or not _is_free(found):
        return
    if found.restart_count >= RESTARTS:
        fail_fit(model_id=found.pk, message=f"It was started {RESTARTS + 1} times and did not get to its end.")
        return
    is_running = found.state == State.RUNNING
    LikelihoodModel.objects.filter(pk=found.pk, state=found.state).update(
        dispatched_at=timezone.now(), restart_count=found.restart_count + is_running
    )
    send("fit_likelihood")


def _is_free(found: LikelihoodModel) -> bool:
    with transaction.atomic():
        return LikelihoodModel.objects.select_for_update(skip_locked=True).filter(pk=found.pk).exists()


def _is_first_due() -> bool:
    """The book was scored, something is decided, and nothing was ever learned from it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT NOT EXISTS (SELECT 1 FROM forecasting_likelihoodmodel)"
            " AND EXISTS (SELECT 1 FROM forecasting_run WHERE state = 'published')"
            " AND EXISTS (SELECT 1 FROM renewals_renewal WHERE outcome <> 'open')"
        )
        return bool(cursor.fetchone()[0])


def request_due_fit() -> int | None:
    """From beat, every hour: a week after the last fit, or when enough was decided since. The id, or None."""
    last = LikelihoodModel.objects.light().order_by("-pk").first()
    good = LikelihoodModel.objects.light().newest_fitted()
    if last is None or good is None or last.state in {State.WAITING, State.RUNNING}:
        return None
    if timezone.now() - last.requested_at >= WEEK:
        return request_fit(reason=Reason.WEEKLY, user=None)
    # After a failure the same would most likely fail again: that waits for its week, or for somebody who asks.
    if last.state == State.FITTED and _new_decisions(good) >= max(LEAST_NEW, NEW_SHARE * good.row_count):
        return request_fit(reason=Reason.DECISIONS, user=None)
    return None


def _new_decisions(good: LikelihoodModel) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM renewals_renewal WHERE outcome <> 'open'"
            " AND COALESCE(ordered_on, declined_on, due_on) >= %s",
            [good.cut_off_on],
        )
        return int(cursor.fetchone()[0])


def save_settings(*, horizon_days: int, steady_ids: set[int], user: User) -> None:
    """Set the horizon, and which attributes of accounts no outcome changes; what differs asks for a fit.

    Raises PermissionDenied unless the user is an admin.
    """
    if not user.is_admin:
        raise PermissionDenied
    accounts = AttributeDefinition.objects.filter(holder=AttributeDefinition.Holder.ACCOUNT)
    with transaction.atomic(), recorded_as(user_id=user.pk, how="rule"):
        changed = Company.objects.exclude(likelihood_horizon_days=horizon_days).update(
            likelihood_horizon_days=horizon_days
        )
        changed += accounts.filter(pk__in=steady_ids, is_steady=False).update(is_steady=True)
        changed += accounts.filter(is_steady=True).exclude(pk__in=steady_ids).update(is_steady=False)
        if changed:
            request_fit(reason=Reason.SETTING, user=user)
