"""A playbook as somebody wrote it, in a form or a file, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from accounts.models import Segment, User
from engagement.models.plans import MOST_DAYS, PlanKind, PlaybookStep, PlaybookVersion
from engagement.models.tasks import MOST_MINUTES
from engagement.plans.fields import FIELDS, unknown_fields
from renewals.models import Stage

MOST_STEPS: Final = 30
MOST_CHECKS: Final = 20
NAME_LENGTH, TITLE_LENGTH, GUIDANCE_LENGTH, CHECK_LENGTH, CHOICE_LENGTH = 80, 160, 4000, 200, 80
MOST_WITHIN_DAYS: Final = 730
Owner, From, Outcome = PlaybookStep.Owner, PlaybookStep.From, PlaybookStep.Outcome
BASES: Final[dict[str, str]] = {
    From.START: "the plan's start",
    From.DECISION: "the decision date",
    From.DUE: "the due date",
}


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong. `step` is its number, 0 for the playbook itself; `field` as files call it."""

    step: int
    field: str
    value: object
    reason: str

    def __str__(self) -> str:
        place = f"Step {self.step}, {self.field}" if self.step else self.field.capitalize()
        shown = "" if self.value in ("", None, []) else f" {str(self.value)[:80]!r}"
        return f"{place}{shown}: {self.reason}"


class PlaybookRefused(ValueError):
    """This cannot be a playbook; `problems` says why, one by one."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(" ".join(str(problem) for problem in problems))
        self.problems = list(problems)


@dataclass(frozen=True)
class StepDraft:
    """As PlaybookStep; its number is its place in the list, from 1."""

    title: str
    guidance: str = ""
    owner_is: str = Owner.RENEWAL
    person: User | None = None
    due_from: str = From.START
    days: int = 0
    estimated_minutes: int = 30
    checks: list[str] = field(default_factory=list)
    outcome: str = Outcome.NONE
    choices: list[str] = field(default_factory=list)
    stage: Stage | None = None
    waits_for: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class PlaybookDraft:
    name: str
    kind: str
    steps: list[StepDraft]
    segment: Segment | None = None
    risk_from: float | None = None
    within_days: int | None = None


def draft_of(version: PlaybookVersion) -> PlaybookDraft:
    """A stored version as a draft. Two queries."""
    steps = version.steps.select_related("person", "stage").order_by("number")
    return PlaybookDraft(
        name=version.playbook.name,
        kind=version.playbook.kind,
        segment=version.segment,
        risk_from=version.risk_from,
        within_days=version.within_days,
        steps=[StepDraft(**{name: getattr(step, name) for name in StepDraft.__dataclass_fields__}) for step in steps],
    )


def check_playbook(draft: PlaybookDraft) -> None:
    """Raises PlaybookRefused with all that is wrong."""
    problems = [*_rule_problems(draft)]
    for number, step in enumerate(draft.steps, 1):
        problems += _text_problems(number, step)
        problems += _owner_problems(number, step)
        problems += _day_problems(number, step, draft)
        problems += _outcome_problems(number, step)
        problems += _order_problems(number, step, draft.steps)
    if problems:
        raise PlaybookRefused(problems)


def _rule_problems(draft: PlaybookDraft) -> Iterator[Problem]:
    if not draft.name.strip():
        yield Problem(0, "name", "", "a playbook needs a name.")
    if len(draft.name) > NAME_LENGTH:
        yield Problem(0, "name", draft.name, f"has {len(draft.name)} characters; at most {NAME_LENGTH} fit.")
    if draft.kind not in PlanKind.values:
        yield Problem(0, "kind", draft.kind, f"is none of {', '.join(PlanKind.values)}.")
    if draft.risk_from is not None and not 0 <= draft.risk_from <= 100:
        yield Problem(0, "risk", draft.risk_from, "a risk is from 0 to 100.")
    if draft.kind == PlanKind.PROTECT:
        if draft.risk_from is None:
            yield Problem(0, "risk", "", "a protect playbook says from which risk on an account is at risk.")
        if draft.within_days is not None:
            yield Problem(
                0, "days", draft.within_days,
                "a protect plan is for the first half of the contract's duration, not for days before the due date.",
            )  # fmt: skip
    elif draft.kind == PlanKind.RENEWAL and not 1 <= (draft.within_days or 0) <= MOST_WITHIN_DAYS:
        yield Problem(
            0, "days", draft.within_days, f"a renewal playbook begins 1 to {MOST_WITHIN_DAYS} days before the due date."
        )
    if not 1 <= len(draft.steps) <= MOST_STEPS:
        yield Problem(0, "steps", len(draft.steps), f"a playbook has 1 to {MOST_STEPS} steps.")


def _text_problems(number: int, step: StepDraft) -> Iterator[Problem]:
    if not step.title.strip():
        yield Problem(number, "title", "", "a step says what is to be done.")
    for name, text, most in (("title", step.title, TITLE_LENGTH), ("guidance", step.guidance, GUIDANCE_LENGTH)):
        if len(text) > most:
            yield Problem(number, name, text, f"has {len(text):,} characters; at most {most:,} fit.")
        if unknown := unknown_fields(text):
            yield Problem(number, name, f"{{{unknown[0]}}}", f"is no field; known ones are {', '.join(FIELDS)}.")
    if len(step.checks) > MOST_CHECKS:
        yield Problem(number, "checks", len(step.checks), f"at most {MOST_CHECKS} fit.")
    for text in step.checks:
        if not 1 <= len(text) <= CHECK_LENGTH:
            yield Problem(number, "checks", text, f"has {len(text)} characters; 1 to {CHECK_LENGTH} fit.")
    if not 1 <= step.estimated_minutes <= MOST_MINUTES:
        yield Problem(number, "minutes", step.estimated_minutes, f"a step takes 1 to {MOST_MINUTES:,} minutes.")


def _owner_problems(number: int, step: StepDraft) -> Iterator[Problem]:
    if step.owner_is not in Owner.values:
        yield Problem(number, "owner", step.owner_is, f"is none of {', '.join(Owner.values)}.")
    if step.owner_is == Owner.PERSON and step.person is None:
        yield Problem(number, "person", "", "a step of a person names them.")
    if step.owner_is != Owner.PERSON and step.person is not None:
        yield Problem(number, "person", step.person, "is named, and the step is not a person's.")
    if step.person is not None and not step.person.is_active:
        yield Problem(number, "person", step.person, "has left.")
    elif step.person is not None and step.person.role == User.Role.VIEWER:
        yield Problem(number, "person", step.person, "only looks, and cannot do steps.")


def _day_problems(number: int, step: StepDraft, draft: PlaybookDraft) -> Iterator[Problem]:
    if step.due_from not in From.values:
        yield Problem(number, "from", step.due_from, f"is none of {', '.join(From.values)}.")
    elif abs(step.days) > MOST_DAYS:
        yield Problem(number, "days", step.days, f"at most {MOST_DAYS:,} days before or after {BASES[step.due_from]}.")
    elif step.due_from == From.START and step.days < 0:
        yield Problem(number, "days", step.days, "is before the plan's start.")
    elif draft.kind == PlanKind.RENEWAL and draft.within_days and -step.days > draft.within_days:
        yield Problem(
            number, "days", step.days,
            f"is before the plan's start, {draft.within_days} days before the due date at the earliest.",
        )  # fmt: skip


def _outcome_problems(number: int, step: StepDraft) -> Iterator[Problem]:
    if step.outcome not in Outcome.values:
        yield Problem(number, "outcome", step.outcome, f"is none of {', '.join(Outcome.values)}.")
    if step.outcome == Outcome.CHOICE and len(set(step.choices)) < 2:
        yield Problem(number, "choices", ", ".join(step.choices), "a choice needs two answers or more.")
    if step.outcome != Outcome.CHOICE and step.choices:
        yield Problem(number, "choices", ", ".join(step.choices), "only a choice has answers.")
    for text in step.choices:
        if not 1 <= len(text) <= CHOICE_LENGTH:
            yield Problem(number, "choices", text, f"has {len(text)} characters; 1 to {CHOICE_LENGTH} fit.")
    if step.outcome == Outcome.STAGE and step.stage is None:
        yield Problem(number, "stage", "", "which stage the renewal has to reach is not said.")


def _order_problems(number: int, step: StepDraft, steps: Sequence[StepDraft]) -> Iterator[Problem]:
    for other in step.waits_for:
        if other == number:
            yield Problem(number, "after", other, "a step cannot wait for itself.")
        elif not 1 <= other <= len(steps):
            yield Problem(number, "after", other, f"there is no such step; there are {len(steps)}.")
        elif other > number:
            yield Problem(number, "after", other, "is a later step; a step waits for earlier ones only.")
        elif (before := steps[other - 1]).due_from == step.due_from and before.days > step.days:
            yield Problem(number, "days", step.days, f"is before step {other}, for which it waits ({before.days}).")
