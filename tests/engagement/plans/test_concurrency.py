"""Two workers apply the rules at once, and a person starts a plan meanwhile: one plan of a kind, whole."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections, transaction

from engagement.models import Plan, PlanKind, PlanPass, PlanStep
from engagement.models.tasks import Task
from engagement.plans import passes
from engagement.plans.services import PlanRefused, start_plan
from engagement.plans.starting import start_fitting
from renewals.models import Renewal
from tests.cast import Cast
from tests.engagement.plans.plan_book import make_playbook, make_scored, publish, today

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


def elsewhere(work: object) -> object:
    try:
        return work()  # type: ignore[operator]
    finally:
        connections.close_all()


def test_two_workers_start_each_plan_once(transactional_db: None, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passes, "PLANS_AT_ONCE", 3)  # several turns each, so that they take turns
    make_playbook(cast)
    for _ in range(20):
        make_scored(cast.rep)
    publish()
    with ThreadPoolExecutor(max_workers=3) as workers:
        counts = list(workers.map(elsewhere, [passes.apply_rules] * 3))
    assert sum(count for count in counts if isinstance(count, int)) == 20
    assert Plan.objects.values("renewal").distinct().count() == Plan.objects.count() == 20
    assert (PlanStep.objects.count(), Task.objects.count(), PlanPass.objects.count()) == (60, 60, 1)


def test_person_and_rule_at_once_make_one_plan(transactional_db: None, cast: Cast) -> None:
    version = make_playbook(cast)
    rows = [make_scored(cast.rep) for _ in range(12)]
    publish()

    def by_hand() -> int:
        count = 0
        for row in rows:
            renewal = Renewal.objects.select_related("score", "owner").get(pk=row.pk)
            try:
                start_plan(user=cast.rep, renewal=renewal, version=version, as_of=today())
            except PlanRefused:
                continue
            count += 1
        return count

    with ThreadPoolExecutor(max_workers=2) as workers:
        by_person, by_rule = workers.submit(elsewhere, by_hand), workers.submit(elsewhere, passes.apply_rules)
        counts = [by_person.result(), by_rule.result()]
    assert sum(counts) == Plan.objects.count() == 12  # type: ignore[arg-type]
    assert Task.objects.count() == 36


def test_pass_goes_on_where_a_killed_one_ended(
    transactional_db: None, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passes, "PLANS_AT_ONCE", 4)
    make_playbook(cast)
    for _ in range(10):
        make_scored(cast.rep)
    publish()
    # All that a worker leaves that is killed in its second turn: the first, whole.
    with transaction.atomic():
        assert start_fitting(kind=PlanKind.RENEWAL, as_of=today(), limit=4) == 4
    assert (passes.apply_rules(), passes.apply_rules()) == (6, None)
    assert (Plan.objects.count(), Task.objects.count(), PlanPass.objects.count()) == (10, 30, 1)
