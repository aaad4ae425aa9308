"""A plan at work: what a step asks for before it is done, how a plan is changed, and how it ends."""

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from accounts.touches.services import log_touch
from engagement.models import Plan, PlanStep
from engagement.models.tasks import Task
from engagement.plans import services
from engagement.plans.drafts import StepDraft
from engagement.plans.passes import follow_decisions
from engagement.plans.reading import read_plan
from engagement.plans.services import PlanRefused
from engagement.tasks.services import TaskRefused, finish_task, finish_tasks
from renewals.models import Offer, Renewal, Stage
from tests.cast import Cast
from tests.engagement.plans.plan_book import decide, make_playbook, make_scored, run_rules, today


@pytest.fixture
def plan(cast: Cast) -> Plan:
    make_playbook(cast)
    make_scored(cast.rep)
    return run_rules()[0]


def step_of(plan: Plan, number: int) -> PlanStep:
    return PlanStep.objects.select_related("task", "asks", "plan").get(plan=plan, number=number)


def touch(cast: Cast, plan: Plan, days_ago: int = 0) -> None:
    now = timezone.now()
    log_touch(
        account_id=plan.account_id, user=cast.rep, kind="call", happened_at=now - dt.timedelta(days=days_ago), now=now
    )


def test_step_is_done_only_with_checks_touch_and_answer(cast: Cast, plan: Plan) -> None:
    first, second = step_of(plan, 1), step_of(plan, 2)
    since = f"No touch is logged since {today():%d %b %Y}."
    with pytest.raises(TaskRefused, match=f"Not checked yet: Agenda sent. {since}"):
        services.finish_step(user=cast.rep, step=first, checked={0})
    assert step_of(plan, 1).checked == []
    touch(cast, plan, days_ago=1)
    with pytest.raises(TaskRefused, match=since):
        services.finish_step(user=cast.rep, step=first, checked={0, 1})
    touch(cast, plan)
    with pytest.raises(TaskRefused, match="It waits for “Call"):
        services.finish_step(user=cast.rep, step=second, outcome="They agree")
    services.finish_step(user=cast.rep, step=first, checked={0, 1, 7})
    done = step_of(plan, 1)
    assert (done.checked, done.task.outcome, done.task.done_by) == ([0, 1], f"Call on {today():%d %b %Y}", cast.rep)
    with pytest.raises(TaskRefused, match="It is done with what came of it, in words"):
        services.finish_step(user=cast.rep, step=second, outcome="  ")
    services.finish_step(user=cast.rep, step=second, outcome="They agree")
    with pytest.raises(TaskRefused, match="is done already"):
        services.finish_step(user=cast.rep, step=second, outcome="Twice")
    services.finish_step(user=cast.manager, step=step_of(plan, 3))
    assert list(Task.objects.order_by("pk").values_list("outcome", flat=True)[1:]) == ["They agree", ""]


def test_list_of_tasks_asks_for_the_same(cast: Cast, plan: Plan) -> None:
    with pytest.raises(TaskRefused, match="Not checked yet: Prepared; Agenda sent"):
        finish_task(user=cast.rep, task=step_of(plan, 1).task, outcome="Done anyway")
    tasks = [step_of(plan, number).task_id for number in (2, 3)]
    refused = finish_tasks(user=cast.manager, task_ids=tasks, outcome="Anything").refused
    assert sorted(refused) == tasks
    assert Task.objects.done().count() == 0


@pytest.mark.parametrize(
    ("outcome", "missing", "fact"),
    [
        ("offer", "The renewal has no offer yet.", "Core"),
        ("confidence", "The renewal has no confidence yet.", "70%"),
        ("stage", "The renewal is at Not started, and has to reach Proposal.", "Negotiation"),
    ],
)
def test_facts_of_the_renewal_are_looked_up(cast: Cast, outcome: str, missing: str, fact: str) -> None:
    stage = Stage.objects.get(name="Proposal") if outcome == "stage" else None
    make_playbook(cast, steps=[StepDraft("See", outcome=outcome, stage=stage)])
    row = make_scored(cast.rep)
    (plan,) = run_rules()
    with pytest.raises(TaskRefused, match=missing):
        services.finish_step(user=cast.rep, step=step_of(plan, 1), outcome="It is so")
    Renewal.objects.filter(pk=row.pk).update(
        offer=Offer.objects.create(name="Core"), confidence=70, stage=Stage.objects.get(name="Negotiation")
    )
    services.finish_step(user=cast.rep, step=step_of(plan, 1), outcome="It is so")
    assert step_of(plan, 1).task.outcome == fact


def test_choice_is_one_of_its_answers(cast: Cast) -> None:
    make_playbook(cast, steps=[StepDraft("Ask", outcome="choice", choices=["Yes", "No"])])
    make_scored(cast.rep)
    (plan,) = run_rules()
    with pytest.raises(TaskRefused, match="The answer is one of Yes, No"):
        services.finish_step(user=cast.rep, step=step_of(plan, 1), outcome="Perhaps")
    services.finish_step(user=cast.rep, step=step_of(plan, 1), outcome="No")
    services.reopen_step(user=cast.rep, step=step_of(plan, 1))
    assert (step_of(plan, 1).task.outcome, step_of(plan, 1).task.done_at) == ("", None)


def test_plan_is_changed_with_history(cast: Cast, plan: Plan) -> None:
    values = {"title": "Ask legal", "owner": cast.team_mate, "due_on": today(), "outcome": "text"}
    added = services.add_step(user=cast.rep, plan_id=plan.pk, values=values)
    assert (added.number, added.position, added.task.title, added.asks.version) == (4, 4, "Ask legal", None)
    services.move_step(user=cast.rep, plan_id=plan.pk, number=4, by=-1)
    order = PlanStep.objects.filter(plan=plan).order_by("position").values_list("number", flat=True)
    assert list(order) == [1, 2, 4, 3]
    with pytest.raises(PlanRefused, match="and cannot come before it"):
        services.move_step(user=cast.rep, plan_id=plan.pk, number=2, by=-1)
    values = {"title": "Soon", "owner": cast.rep, "due_on": today() - dt.timedelta(days=1)}
    with pytest.raises(PlanRefused, match="is before the plan's start"):
        services.edit_step(user=cast.rep, plan_id=plan.pk, number=4, values=values)
    with pytest.raises(PlanRefused, match="Otto Outsider does not see this renewal"):
        services.set_owner(user=cast.rep, plan_id=plan.pk, owner=cast.outsider)
    services.set_owner(user=cast.rep, plan_id=plan.pk, owner=cast.team_mate)
    event = Plan(pk=plan.pk).events.order_by("pgh_id").last()  # type: ignore[attr-defined]
    assert (event.owner_id, event.pgh_context["user"], event.pgh_context["how"]) == (cast.rep.pk, cast.rep.pk, "page")
    services.remove_step(user=cast.rep, plan_id=plan.pk, number=1)
    assert services.finish_step(user=cast.rep, step=step_of(plan, 2), outcome="Nothing to wait for").task.done_at
    with pytest.raises(PermissionDenied):
        services.remove_step(user=cast.team_mate, plan_id=plan.pk, number=3)


def test_log_and_drawer_tell_of_a_plan_to_who_sees_its_renewal(cast: Cast, plan: Plan) -> None:
    services.set_owner(user=cast.rep, plan_id=plan.pk, owner=cast.team_mate)

    def page(name: str, address: str) -> str:
        return cast.client_of(name).get(address).content.decode()

    assert f"Renewal plan of {plan.account}" in page("manager", "/history/")
    assert f"Renewal plan of {plan.account}" not in page("other_manager", "/history/")
    drawer = page("viewer", f"/plans/of/{plan.renewal_id}/")
    assert "0 of 3 · next:" in " ".join(drawer.split())
    assert f'href="/plans/{plan.pk}/"' in page("rep", f"/accounts/{plan.account_id}/")


def test_page_says_what_can_be_done_next(cast: Cast, plan: Plan) -> None:
    shown = read_plan(plan, cast.rep, as_of=today() + dt.timedelta(days=3))
    assert [(one.state, one.is_next, one.is_overdue, one.may_work) for one in shown.steps] == [
        ("ready", True, True, True), ("waiting", False, False, True), ("waiting", False, False, True),
    ]  # fmt: skip
    assert (shown.row.done_percent, shown.row.overdue_count, shown.may_edit) == (0, 1, True)
    assert read_plan(plan, cast.team_mate, as_of=today()).may_edit is False


def test_close_by_hand_drops_what_is_open(cast: Cast, plan: Plan) -> None:
    with pytest.raises(PlanRefused, match="renewed is none of Reached its aim, Missed its aim, Not needed any more"):
        services.close_plan(user=cast.rep, plan_id=plan.pk, outcome="renewed")
    services.close_plan(user=cast.rep, plan_id=plan.pk, outcome="missed", note=" They left ")
    closed = Plan.objects.get(pk=plan.pk)
    assert (closed.outcome, closed.closed_by, closed.outcome_note) == ("missed", cast.rep, "They left")
    assert set(PlanStep.objects.values_list("is_dropped", "task__outcome")) == {(True, "Dropped: the plan was closed.")}
    with pytest.raises(PlanRefused, match="The plan is closed: missed its aim"):
        services.move_step(user=cast.rep, plan_id=plan.pk, number=2, by=1)


def test_plan_closes_with_its_renewal_and_opens_with_it(cast: Cast, plan: Plan) -> None:
    touch(cast, plan)
    services.finish_step(user=cast.rep, step=step_of(plan, 1), checked={0, 1})
    assert follow_decisions() == (0, 0)
    decide(plan.renewal, "renewed")
    assert follow_decisions() == (1, 0)
    assert follow_decisions() == (0, 0)
    closed = Plan.objects.get(pk=plan.pk)
    assert (closed.outcome, closed.closed_by, closed.is_open) == ("renewed", None, False)
    assert list(closed.steps.order_by("number").values_list("is_dropped", "task__done_by", "task__outcome")) == [
        (False, cast.rep.pk, f"Call on {today():%d %b %Y}"),
        (True, None, "Dropped: the renewal was decided."),
        (True, None, "Dropped: the renewal was decided."),
    ]
    decide(plan.renewal, "open")
    assert follow_decisions() == (0, 1)
    assert Plan.objects.get(pk=plan.pk).is_open
    assert list(plan.steps.order_by("number").values_list("is_dropped", "task__done_by")) == [
        (False, cast.rep.pk), (False, None), (False, None),
    ]  # fmt: skip


def test_plan_closed_by_hand_stays_closed(cast: Cast, plan: Plan) -> None:
    services.close_plan(user=cast.rep, plan_id=plan.pk, outcome="dropped")
    assert follow_decisions() == (0, 0)
    assert not Plan.objects.get(pk=plan.pk).is_open
