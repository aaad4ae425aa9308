"""Which renewals get a plan by rule, once, and what a plan starts with."""

import datetime as dt
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.models import AccountSignal, Segment
from engagement.models import Flag, PeerStanding, Plan, PlanPass
from engagement.models.tasks import Task
from engagement.plans.drafts import PlaybookDraft, StepDraft
from engagement.plans.passes import apply_rules
from engagement.plans.playbooks import save_playbook
from engagement.plans.services import PlanRefused, start_plan
from renewals.models import Contract, Renewal
from tests.cast import Cast, make_account
from tests.engagement.plans.plan_book import make_playbook, make_scored, publish, run_rules, today


def test_plan_of_a_rule_starts_whole(cast: Cast) -> None:
    make_playbook(cast)
    account = make_account(owner=cast.rep, name="Halden {contract}")
    row = make_scored(cast.rep, account=account, notice_days=60)
    AccountSignal.objects.create(account=account, measured_on=today(), late_payment_days=0, failed_payment_count=1)
    (plan,) = run_rules()
    assert (plan.kind, plan.renewal, plan.account, plan.owner, plan.created_by, plan.started_on, plan.is_open) == (
        "renewal", row, row.account, cast.rep, None, today(), True,
    )  # fmt: skip
    # Log-odds of 1 in 100, and 0.5 for a failed payment: 1.638 %.
    assert (plan.start_probability, plan.start_default_rate, plan.start_collected_cents) == (0.8, 0.016381, 944_274)
    assert (plan.start_band, plan.start_stretch, plan.start_segment) == ("low", 3, row.account.segment)
    steps = plan.steps.select_related("task").order_by("position")
    assert [(step.number, step.position, step.task.title, step.task.owner, step.task.due_on) for step in steps] == [
        (1, 1, "Call Halden {contract}", cast.rep, today() + dt.timedelta(days=2)),
        (2, 2, "Agree on terms", cast.rep, today() + dt.timedelta(days=70)),
        (3, 3, f"Ask for {row.contract.number}", cast.manager, today() + dt.timedelta(days=30)),
    ]
    tasks = list(Task.objects.order_by("pk").values_list("kind", "required_outcome", "stake_amount", "renewal"))
    assert tasks == [("plan", required, Decimal("2400.00"), row.pk) for required in ("", "What came of it", "")]


def test_step_that_would_be_past_is_due_on_the_day_of_the_start(cast: Cast) -> None:
    make_playbook(cast, steps=[StepDraft("Early", due_from="due", days=-150)])
    make_scored(cast.rep, days=40)
    (plan,) = run_rules()
    assert plan.steps.get().task.due_on == today()


def test_bounds_of_the_renewal_rule(cast: Cast) -> None:
    make_playbook(cast, risk_from=25)
    wanted = [make_scored(cast.rep, days=180, risk=25), make_scored(cast.rep, days=0, risk=90)]
    make_scored(cast.rep, days=181, risk=90)
    make_scored(cast.rep, days=-1, risk=90)
    make_scored(cast.rep, days=90, risk=24.9)
    make_scored(cast.rep, days=90, risk=None)
    make_scored(cast.rep, days=90, risk=90, is_excluded=True, excluded_reason="Merged")
    make_scored(cast.rep, days=90, risk=90, outcome="lost", final_amount=Decimal(0))
    assert [plan.renewal for plan in run_rules()] == wanted


def of_term(cast: Cast, begun: int, left: int, **fields: object) -> Renewal:
    """On a contract that began so many days ago and ends in so many."""
    account = fields.pop("account", None) or make_account(owner=cast.rep)
    starts_on, ends_on = today() - dt.timedelta(days=begun), today() + dt.timedelta(days=left)
    contract = Contract.objects.create(
        account=account, number=f"T-{begun}-{left}", starts_on=starts_on, ends_on=ends_on, currency="EUR"
    )
    return make_scored(cast.rep, days=left, account=account, contract=contract, **fields)  # type: ignore[arg-type]


def test_protect_rule_is_for_the_first_half_of_the_contract(cast: Cast) -> None:
    make_playbook(cast, name="Protect", kind="protect", within_days=None, risk_from=40, steps=[StepDraft("Call")])
    wanted = [of_term(cast, 0, 365, risk=40), of_term(cast, 182, 183, risk=55)]
    of_term(cast, 183, 182, risk=55)
    of_term(cast, -1, 365, risk=55)
    of_term(cast, 10, 355, risk=39.9)
    assert [plan.renewal for plan in run_rules()] == wanted


def test_flagged_account_is_at_risk_whatever_its_score(cast: Cast) -> None:
    make_playbook(cast, name="Protect", kind="protect", within_days=None, risk_from=40, steps=[StepDraft("Call")])
    flagged, cleared, late = of_term(cast, 10, 355), of_term(cast, 11, 354), of_term(cast, 200, 165)
    for row in (flagged, cleared, late):
        Flag.objects.create(account=row.account, reason="They asked for a copy of all data", flagged_by=cast.rep)
    Flag.objects.filter(account=cleared.account).update(cleared_at=timezone.now())
    assert [plan.renewal for plan in run_rules()] == [flagged]


def test_account_is_protected_once_where_most_is_at_stake(cast: Cast) -> None:
    make_playbook(cast, name="Protect", kind="protect", within_days=None, risk_from=40, steps=[StepDraft("Call")])
    account = make_account(owner=cast.rep)
    of_term(cast, 5, 360, risk=90, account=account)
    large = of_term(cast, 5, 361, risk=41, account=account, baseline_amount=Decimal(50_000))
    assert [plan.renewal for plan in run_rules()] == [large]
    assert [plan.renewal for plan in run_rules()] == [large]


def test_rule_of_the_segment_goes_before_the_one_for_all(cast: Cast) -> None:
    small = Segment.objects.create(name="Small")
    whole = make_playbook(cast)
    own = make_playbook(cast, name="Small ones", segment=small)
    make_playbook(cast, name="Retired", segment=small, use="retired")
    first = make_scored(cast.rep)
    second = make_scored(cast.rep, account=make_account(owner=cast.rep, segment=small))
    assert {plan.renewal: plan.version for plan in run_rules()} == {first: whole, second: own}


def test_pass_is_done_once_a_run_and_a_closed_plan_is_not_started_again(cast: Cast) -> None:
    make_playbook(cast)
    make_scored(cast.rep)
    (plan,) = run_rules()
    assert (apply_rules(), PlanPass.objects.get().started_count) == (None, 1)
    Plan.objects.filter(pk=plan.pk).update(closed_at=plan.created_at, closed_by=cast.rep, outcome="dropped")
    assert [found.pk for found in run_rules()] == [plan.pk]
    assert Task.objects.count() == 3


def test_running_plan_keeps_its_steps_when_the_playbook_changes(cast: Cast) -> None:
    version = make_playbook(cast)
    make_scored(cast.rep)
    run_rules()
    draft = PlaybookDraft("Renew", "renewal", [StepDraft("Only this")], within_days=180)
    newer = save_playbook(by=cast.admin, draft=draft, playbook_id=version.playbook_id)
    make_scored(cast.rep)
    first, second = run_rules()
    assert (newer.number, first.version, second.version) == (2, version, newer)
    assert [plan.steps.count() for plan in (first, second)] == [3, 1]


def test_owner_of_a_step_who_does_not_see_the_renewal_gives_way(cast: Cast) -> None:
    steps = [
        StepDraft("Theirs", owner_is="person", person=cast.outsider),
        StepDraft("Ours", owner_is="person", person=cast.team_mate),
        StepDraft("Of the account", owner_is="account"),
        StepDraft("Of an admin", owner_is="person", person=cast.admin),
    ]
    make_playbook(cast, steps=steps)
    make_scored(cast.rep, account=make_account(owner=cast.outsider))
    (plan,) = run_rules()
    owners = [step.task.owner for step in plan.steps.select_related("task__owner").order_by("position")]
    assert owners == [cast.rep, cast.team_mate, cast.rep, cast.admin]


def test_by_hand_once_and_only_what_can_be_judged(cast: Cast) -> None:
    version = make_playbook(cast, use="hand")
    row = Renewal.objects.select_related("score", "owner").get(pk=make_scored(cast.rep).pk)
    plan = start_plan(user=cast.rep, renewal=row, version=version, as_of=today())
    assert (plan.created_by, plan.start_default_rate, plan.start_collected_cents) == (cast.rep, 0.02, 940_800)
    with pytest.raises(PlanRefused, match="There is an open renewal plan already"):
        start_plan(user=cast.manager, renewal=row, version=version, as_of=today())
    lost = make_scored(cast.rep, outcome="lost", final_amount=Decimal(0))
    with pytest.raises(PlanRefused, match="It is decided: lost"):
        start_plan(user=cast.rep, renewal=Renewal.objects.get(pk=lost.pk), version=version, as_of=today())
    assert Plan.objects.count() == 1


def test_peers_are_seen_once_in_each_stretch(cast: Cast) -> None:
    near, far = make_scored(cast.rep, days=30, risk=30), make_scored(cast.rep, days=400, risk=None)
    publish()
    apply_rules()
    publish()
    apply_rules()
    seen = list(PeerStanding.objects.order_by("pk").values_list("renewal", "stretch", "band", "seen_on"))
    assert sorted(seen) == sorted([(near.pk, 0, "medium", today()), (far.pk, 5, "", today())])
    Renewal.objects.filter(pk=far.pk).update(due_on=today() + dt.timedelta(days=200))
    publish()
    apply_rules()
    assert PeerStanding.objects.filter(renewal=far).count() == 2
