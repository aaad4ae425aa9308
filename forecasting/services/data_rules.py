"""What follows a publication: the book is judged by the data rules. No reader of the numbers waits for that."""

from django.db import transaction
from django.utils import timezone

from forecasting.models import Run
from forecasting.services.locks import Lock, try_lock
from renewals.quality.evaluate import evaluate_all


def judge_data_rules() -> bool:
    """Judge the book after the last published run; False when that is done already, or somebody is at it.

    The run is marked with the judgement: after a worker that was killed in between, or one that failed, the next call
    finds it still to be done. What was published before it needs none of its own any more.
    """
    with transaction.atomic():
        if not try_lock(Lock.DATA_RULES):
            return False
        run = Run.objects.latest_published()
        if run is None or run.rules_judged_at is not None:
            return False
        evaluate_all(as_of=run.as_of_on)
        Run.objects.filter(
            state=Run.State.PUBLISHED, published_at__lte=run.published_at, rules_judged_at__isnull=True
        ).update(rules_judged_at=timezone.now())
    return True
