"""What is wrong with a playbook is said step by step, with field, value and reason."""

import json

import pytest
from django.core.exceptions import PermissionDenied

from accounts.models import Segment
from engagement.models import Plan, Playbook, PlaybookStep, PlaybookVersion
from engagement.plans.drafts import PlaybookDraft, PlaybookRefused, StepDraft, check_playbook, draft_of
from engagement.plans.files import read_playbook, write_playbook
from engagement.plans.playbooks import PlaybookChanged, delete_playbook, save_playbook
from tests.cast import Cast
from tests.engagement.plans.plan_book import STEPS, make_playbook, make_scored, run_rules


def problems(*steps: StepDraft, **fields: object) -> list[str]:
    rule = {"name": "Renew", "kind": "renewal", "within_days": 180, **fields}
    with pytest.raises(PlaybookRefused) as refused:
        check_playbook(PlaybookDraft(**rule, steps=list(steps)))  # type: ignore[arg-type]
    return [str(problem) for problem in refused.value.problems]


def test_steps_before_the_start() -> None:
    early = StepDraft("Too early", due_from="due", days=-181)
    assert problems(StepDraft("Past", days=-3), early, StepDraft("Just", due_from="decision", days=-180)) == [
        "Step 1, days '-3': is before the plan's start.",
        "Step 2, days '-181': is before the plan's start, 180 days before the due date at the earliest.",
    ]


def test_waiting_for_what_comes_later_or_is_not_there() -> None:
    steps = [
        StepDraft("First", days=5, waits_for=[2]),
        StepDraft("Second", waits_for=[2, 9]),
        StepDraft("Third", days=4, waits_for=[1]),
    ]
    assert problems(*steps) == [
        "Step 1, after '2': is a later step; a step waits for earlier ones only.",
        "Step 2, after '2': a step cannot wait for itself.",
        "Step 2, after '9': there is no such step; there are 3.",
        "Step 3, days '4': is before step 1, for which it waits (5).",
    ]


def test_what_a_step_says_and_asks(cast: Cast) -> None:
    steps = [
        StepDraft(" "),
        StepDraft("Call {accnt}", guidance="Say {amount}"),
        StepDraft("Choose", outcome="choice", choices=["Yes"]),
        StepDraft("Reach", outcome="stage"),
        StepDraft("Theirs", owner_is="person"),
        StepDraft("Theirs", owner_is="person", person=cast.viewer),
        StepDraft("Long", estimated_minutes=0, checks=["x" * 201]),
    ]
    assert problems(*steps) == [
        "Step 1, title: a step says what is to be done.",
        "Step 2, title '{accnt}': is no field; known ones are due_on, decision_on, amount, contract, product, account.",
        "Step 3, choices 'Yes': a choice needs two answers or more.",
        "Step 4, stage: which stage the renewal has to reach is not said.",
        "Step 5, person: a step of a person names them.",
        "Step 6, person 'Vera Viewer': only looks, and cannot do steps.",
        f"Step 7, checks '{'x' * 80}': has 201 characters; 1 to 200 fit.",
        "Step 7, minutes '0': a step takes 1 to 2,400 minutes.",
    ]


def test_the_rule_itself() -> None:
    call = StepDraft("Call")
    assert problems(call, name=" ", within_days=0) == [
        "Name: a playbook needs a name.",
        "Days '0': a renewal playbook begins 1 to 730 days before the due date.",
    ]
    assert problems(call, kind="protect") == [
        "Risk: a protect playbook says from which risk on an account is at risk.",
        "Days '180': a protect plan is for the first half of the contract's duration,"
        " not for days before the due date.",
    ]
    assert problems(call, kind="win", risk_from=101) == [
        "Kind 'win': is none of protect, renewal.",
        "Risk '101': a risk is from 0 to 100.",
    ]
    assert problems() == ["Steps '0': a playbook has 1 to 30 steps."]


def test_file_goes_out_and_comes_back_the_same(cast: Cast) -> None:
    segment = Segment.objects.create(name="Small")
    steps = [*STEPS, StepDraft("Theirs", owner_is="person", person=cast.team_mate)]
    version = make_playbook(cast, segment=segment, risk_from=12.5, steps=steps)
    draft = draft_of(version)
    assert read_playbook(write_playbook(draft)) == draft
    assert draft.steps == steps


def test_file_with_unknown_fields_and_wrong_types(cast: Cast) -> None:
    book = {
        "name": "Ours", "kind": "renewal", "days": 90, "colour": "red", "segment": "Nowhere",
        "steps": [{"title": "Call", "dueday": 3}, {"title": 7, "after": ["1"]}, "Write", {"stage": "Gone"}],
    }  # fmt: skip
    with pytest.raises(PlaybookRefused) as refused:
        read_playbook(json.dumps(book))
    step = "title, guidance, owner, person, from, days, minutes, checks, outcome, choices, stage, after"
    assert [str(problem) for problem in refused.value.problems] == [
        "Colour 'red': is an unknown field; known ones are name, kind, segment, risk, days, steps.",
        "Segment 'Nowhere': there is no such segment.",
        f"Step 1, dueday '3': is an unknown field; known ones are {step}.",
        "Step 2, title '7': has to be text.",
        "Step 2, after \"['1']\": is a list, of a whole number each.",
        "Step 3, step 'Write': is an object with a title.",
        "Step 4, stage 'Gone': there is no such stage.",
    ]
    with pytest.raises(PlaybookRefused, match="File: is no JSON"):
        read_playbook("{")
    with pytest.raises(PlaybookRefused, match="has to be one object"):
        read_playbook("[]")


def test_each_save_is_a_version_and_the_same_again_is_none(cast: Cast) -> None:
    version = make_playbook(cast)
    draft = draft_of(version)
    assert save_playbook(by=cast.admin, draft=draft, playbook_id=version.playbook_id) == version
    shorter = PlaybookDraft("Renew", "renewal", STEPS[:1], within_days=60)
    newer = save_playbook(by=cast.admin, draft=shorter, playbook_id=version.playbook_id, seen_version=1)
    assert (newer.number, draft_of(newer), draft_of(version)) == (2, shorter, draft)
    with pytest.raises(PlaybookChanged, match="Version 2 of Renew was saved meanwhile"):
        save_playbook(by=cast.admin, draft=draft, playbook_id=version.playbook_id, seen_version=1)
    with pytest.raises(PlaybookRefused, match="another playbook is called so"):
        save_playbook(by=cast.admin, draft=draft)
    with pytest.raises(PermissionDenied):
        save_playbook(by=cast.manager, draft=shorter)
    assert PlaybookVersion.objects.filter(playbook=version.playbook).count() == 2


def test_playbook_that_plans_were_run_by_stays(cast: Cast) -> None:
    version = make_playbook(cast)
    make_scored(cast.rep)
    run_rules()
    with pytest.raises(PlaybookRefused, match="1 plan was run by it; let it be used no more instead"):
        delete_playbook(by=cast.admin, playbook_id=version.playbook_id)
    Plan.objects.all().delete()
    assert delete_playbook(by=cast.admin, playbook_id=version.playbook_id) == "Renew"


def test_playbooks_that_come_with_the_product_are_sound_and_by_hand(db: None) -> None:
    versions = list(PlaybookVersion.objects.select_related("playbook", "segment").order_by("pk"))
    for version in versions:
        check_playbook(draft_of(version))
    assert [(str(version), version.playbook.use, version.steps.count()) for version in versions] == [
        ("Protect an account at risk, version 1", "hand", 5),
        ("Renew in 180 days, version 1", "hand", 6),
        ("Renew in 60 days, the short way, version 1", "hand", 3),
    ]
    assert PlaybookStep.objects.filter(version=None).count() == 0
    assert Playbook.objects.count() == 3
