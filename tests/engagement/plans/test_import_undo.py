"""An import is taken back though rules have worked on what it brought; but not once people have."""

import datetime as dt

import pytest

from engagement.models import Flag, FlagRule, Plan, PlanStep
from engagement.models.tasks import Task
from engagement.plans.drafts import StepDraft
from engagement.plans.services import start_plan
from engagement.tasks.services import finish_task
from forecasting.models import Run
from renewals.history.kinds import KINDS
from renewals.history.undo import undo_batch
from renewals.models import ChangeBatch, Contract, ImportBatch, Renewal
from renewals.scoring import scoring
from tests.cast import Cast
from tests.engagement.plans.plan_book import make_playbook, run_rules, today
from tests.renewals.imports.conftest import HEADING, Import, run_import

__all__ = ["run_import"]
pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


def import_two(run_import: Import, cast: Cast) -> ImportBatch:
    ends_on = today() + dt.timedelta(days=100)
    starts_on = ends_on - dt.timedelta(days=364)
    rows = "".join(f"A-{number},Name {number},C-{number},{starts_on},{ends_on},1200\n" for number in (1, 2))
    batch = run_import(HEADING + rows, user=cast.manager)
    scoring().score_renewals(list(Renewal.objects.values_list("pk", flat=True)), as_of=today())
    return batch


def undo(batch: ImportBatch, cast: Cast) -> str:
    assert batch.step_id is not None
    return undo_batch(batch_id=batch.step_id, user=cast.manager, as_of=today()).text


def test_what_rules_made_goes_with_the_renewals_and_is_in_history(cast: Cast, run_import: Import) -> None:
    batch = import_two(run_import, cast)
    make_playbook(cast)
    assert len(run_rules()) == 2
    renewal = Renewal.objects.first()
    assert renewal is not None
    Flag.objects.create(account=renewal.account, renewal=renewal, rule=FlagRule.objects.first())

    assert undo(batch, cast) == "Undone: 6 new rows removed"

    left = [model.objects.count() for model in (Renewal, Contract, Plan, PlanStep, Task, Flag)]
    assert left == [0] * 6
    gone = [
        KINDS[code]
        .event_model._default_manager.filter(
            pgh_label="before_delete", pgh_context__user=cast.manager.pk, pgh_context__how="undo"
        )
        .count()
        for code in ("plan", "plan_step", "task", "flag")
    ]
    assert gone == [2, 6, 6, 1]


def test_plans_of_what_a_redo_brings_back_begin_with_the_run_that_it_asks_for(cast: Cast, run_import: Import) -> None:
    batch = import_two(run_import, cast)
    make_playbook(cast)
    run_rules()
    undo(batch, cast)
    Run.objects.exclude(state="published").delete()  # what the import and its undo asked for is done by now
    step = ChangeBatch.objects.get(undoes=batch.step_id)
    assert undo_batch(batch_id=step.pk, user=cast.manager, as_of=today()).text == "Redone: 6 rows brought back"
    assert (Renewal.objects.count(), Plan.objects.count()) == (2, 0)
    assert Run.objects.exclude(state="published").count() == 1
    assert len(run_rules()) == 2


def test_plan_that_somebody_worked_on_keeps_its_renewal(cast: Cast, run_import: Import) -> None:
    batch = import_two(run_import, cast)
    make_playbook(cast, steps=[StepDraft("Call", outcome="none"), StepDraft("Call again", outcome="none")])
    first, _ = run_rules()
    finish_task(user=cast.manager, task=first.steps.get(number=1).task, outcome="Called")
    assert batch.step_id is not None

    answer = undo_batch(batch_id=batch.step_id, user=cast.manager, as_of=today())

    assert answer.text == "Undone: 3 new rows removed; kept 3"
    assert [(kept.kind, kept.reason) for kept in answer.kept] == [
        ("renewal", "It has tasks."),
        ("contract", "It has renewals."),
        ("account", "It has contracts and renewals and tasks."),
    ]
    assert list(Plan.objects.all()) == [first]
    assert first.steps.count() == 2


def test_plan_by_hand_keeps_its_renewal(cast: Cast, run_import: Import) -> None:
    batch = import_two(run_import, cast)
    renewal = Renewal.objects.order_by("pk")[0]
    start_plan(user=cast.manager, renewal=renewal, version=make_playbook(cast, use="hand"), as_of=today())
    assert undo(batch, cast) == "Undone: 3 new rows removed; kept 3"
    assert list(Renewal.objects.all()) == [renewal]
