"""What follows a publication: the book is judged by the data rules. No reader of the numbers waits for that."""

import logging

from django.db import transaction
from django.utils import timezone

from forecasting.models import Run
from forecasting.services.locks import Lock, try_lock
from renewals.quality.evaluate import evaluate_all
from renewals.quality.failures import forget_failure, may_try, note_failure, read_failure

log = logging.getLogger(__name__)


def judge_data_rules() -> bool:
    """Judge the book after the last published run; False when that is done already, cannot be done, or somebody is
    at it.

    The run is marked with the judgement: after a worker that was killed in between, or one that failed, the next call
    finds it still to be done. One that fails again and again is given up until the next run; an admin is told why. What
    was published before it needs none of its own any more.
    """
    run = Run.objects.latest_published()
    if run is None or run.rules_judged_at is not None or not may_try(run.pk):
        return False
    try:
        is_judged = _judge(run.pk)
    except Exception as error:  # whatever it is, the work that follows in the same task must not wait for it
        log.exception("The book could not be judged by the data rules after run %s.", run.pk)
        note_failure(run.pk, error)
        return False
    if is_judged and read_failure() is not None:
        forget_failure()
    return is_judged


def _judge(run_id: int) -> bool:
    with transaction.atomic():
        if not try_lock(Lock.DATA_RULES):
            return False
        run = Run.objects.latest_published()
        if run is None or run.pk != run_id or run.rules_judged_at is not None:
            return False
        evaluate_all(as_of=run.as_of_on)
        Run.objects.filter(
            state=Run.State.PUBLISHED, published_at__lte=run.published_at, rules_judged_at__isnull=True
        ).update(rules_judged_at=timezone.now())
    return True
