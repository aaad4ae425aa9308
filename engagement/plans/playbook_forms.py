"""A playbook as a form: its rule and one block of fields a step, named as files name them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms

from accounts.models import Segment, User
from engagement.models.plans import PlanKind, PlaybookStep
from engagement.plans.drafts import (
    MOST_STEPS,
    NAME_LENGTH,
    PlaybookDraft,
    PlaybookRefused,
    StepDraft,
)
from renewals.models import Stage

From, Outcome, Owner = PlaybookStep.From, PlaybookStep.Outcome, PlaybookStep.Owner
# Code -> (what it is counted from, whether before it, how that reads)
WHENS = {
    "start": (From.START, False, "days after the plan's start"),
    "decision-before": (From.DECISION, True, "days before the decision date"),
    "decision": (From.DECISION, False, "days after the decision date"),
    "due-before": (From.DUE, True, "days before the due date"),
    "due": (From.DUE, False, "days after the due date"),
}
# Fields of the form for what files name otherwise, or not at all.
PLACES = {"from": "when", "step": "title"}


class BookForm(forms.Form):
    name = forms.CharField(
        label="Name", max_length=4 * NAME_LENGTH, error_messages={"required": "A playbook needs a name."}
    )
    kind = forms.ChoiceField(choices=PlanKind.choices, label="For")
    segment = forms.ModelChoiceField(
        Segment.objects.all(), required=False, label="Segment", empty_label="Every segment without its own"
    )
    risk = forms.FloatField(required=False, label="From risk", help_text="0 to 100. Protect plans need it.")
    days = forms.IntegerField(
        required=False,
        label="Days before the due date",
        help_text="Renewal plans begin there; protect plans have none.",
    )


class BlockForm(forms.Form):
    """One step. `place` is where it comes; numbers in `after` are those that the page shows."""

    title = forms.CharField(
        label="What is to be done",
        widget=forms.TextInput(attrs={"dir": "auto"}),
        error_messages={"required": "A step says what is to be done."},
    )
    guidance = forms.CharField(
        required=False, label="Guidance", widget=forms.Textarea(attrs={"rows": 2, "dir": "auto"})
    )
    owner = forms.ChoiceField(choices=Owner.choices, label="Who does it")
    person = forms.ModelChoiceField(
        User.objects.filter(is_active=True).exclude(role=User.Role.VIEWER), required=False, label="The person",
        empty_label="Nobody named",
    )  # fmt: skip
    days = forms.IntegerField(label="Due", initial=0)
    when = forms.ChoiceField(choices=[(code, label) for code, (_, _, label) in WHENS.items()], label="Counted in")
    minutes = forms.IntegerField(label="Minutes", initial=30)
    checks = forms.CharField(
        required=False, label="Checks, one a line", widget=forms.Textarea(attrs={"rows": 2, "dir": "auto"})
    )
    outcome = forms.ChoiceField(choices=Outcome.choices, label="What has to come of it")
    choices = forms.CharField(
        required=False, label="Answers, one a line", widget=forms.Textarea(attrs={"rows": 2, "dir": "auto"})
    )
    stage = forms.ModelChoiceField(Stage.objects.all(), required=False, label="Stage to reach", empty_label="No stage")
    after = forms.RegexField(
        r"^[\d\s,]*$", required=False, label="Waits for steps", help_text="Their numbers: 1, 2",
        error_messages={"invalid": "Write numbers of steps, with commas between."},
    )  # fmt: skip
    place = forms.IntegerField(label="Place", required=False)
    remove = forms.BooleanField(required=False, label="Leave this step out")


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.replace("\x00", "").splitlines() if line.strip()]


def block_initial(number: int, step: StepDraft) -> dict[str, Any]:
    when = next(
        code for code, (base, before, _) in WHENS.items() if base == step.due_from and before == (step.days < 0)
    )
    return {
        "title": step.title, "guidance": step.guidance, "owner": step.owner_is, "person": step.person,
        "days": abs(step.days), "when": when, "minutes": step.estimated_minutes, "checks": "\n".join(step.checks),
        "outcome": step.outcome, "choices": "\n".join(step.choices), "stage": step.stage,
        "after": ", ".join(str(other) for other in step.waits_for), "place": number,
    }  # fmt: skip


@dataclass
class PlaybookForm:
    """The head and its blocks, bound or not."""

    book: BookForm
    blocks: list[BlockForm]
    is_bound: bool = False

    @classmethod
    def of_draft(cls, draft: PlaybookDraft | None) -> PlaybookForm:
        if draft is None:
            return cls(BookForm(prefix="book"), [BlockForm(prefix="step-1", initial={"place": 1})])
        initial = {
            "name": draft.name, "kind": draft.kind, "segment": draft.segment, "risk": draft.risk_from,
            "days": draft.within_days,
        }  # fmt: skip
        blocks = [
            BlockForm(prefix=f"step-{number}", initial=block_initial(number, step))
            for number, step in enumerate(draft.steps, 1)
        ]
        return cls(BookForm(prefix="book", initial=initial), blocks)

    @classmethod
    def of_post(cls, data: Mapping[str, Any], *, kind: str = "") -> PlaybookForm:
        """`kind`: of a playbook that is there already, which stays."""
        count = data.get("count", "")
        number = min(int(count), MOST_STEPS + 1) if count.isascii() and count.isdigit() and len(count) < 4 else 0
        given = data if not kind else {**{name: data[name] for name in data}, "book-kind": kind}
        blocks = [BlockForm(data, prefix=f"step-{place}") for place in range(1, number + 1)]
        return cls(BookForm(given, prefix="book"), blocks, is_bound=True)

    def add_block(self) -> None:
        number = len(self.blocks) + 1
        self.blocks.append(BlockForm(prefix=f"step-{number}", initial={"place": number}))

    def draft(self) -> PlaybookDraft | None:
        """What was typed, in the order of the places; None where a field cannot be read."""
        are_valid = [form.is_valid() for form in (self.book, *self.blocks)]
        if not all(are_valid):
            return None
        head, order = self.book.cleaned_data, self._order()
        numbers = {old: new for new, (old, _) in enumerate(order, 1)}
        return PlaybookDraft(
            name=head["name"].replace("\x00", "").strip(),
            kind=head["kind"],
            segment=head["segment"],
            risk_from=head["risk"],
            within_days=head["days"],
            steps=[_step(block.cleaned_data, numbers, len(self.blocks)) for _, block in order],
        )

    def _order(self) -> list[tuple[int, BlockForm]]:
        """(number on the page, block) of those that stay."""
        kept = [(number, block) for number, block in enumerate(self.blocks, 1) if not block.cleaned_data["remove"]]
        return sorted(kept, key=lambda pair: (pair[1].cleaned_data["place"] or pair[0], pair[0]))

    def refuse(self, refused: PlaybookRefused) -> None:
        """Each problem at its field."""
        order = self._order()
        for problem in refused.problems:
            form: forms.Form = order[problem.step - 1][1] if problem.step else self.book
            name = PLACES.get(problem.field, problem.field)
            form.add_error(name if name in form.fields else None, str(problem))


def _step(data: Mapping[str, Any], numbers: Mapping[int, int], count: int) -> StepDraft:
    base, is_before, _ = WHENS[data["when"]]
    typed = [int(text) for text in data["after"].replace(",", " ").split()]
    # A step that is left out is waited for no more; one that never was stays, to be told of.
    after = [numbers.get(other, other) for other in typed if other in numbers or not 1 <= other <= count]
    return StepDraft(
        title=data["title"].replace("\x00", "").strip(),
        guidance=data["guidance"].replace("\x00", "").replace("\r\n", "\n").strip(),
        owner_is=data["owner"],
        person=data["person"] if data["owner"] == Owner.PERSON else None,
        due_from=base,
        days=-data["days"] if is_before else data["days"],
        estimated_minutes=data["minutes"],
        checks=_lines(data["checks"]),
        outcome=data["outcome"],
        choices=_lines(data["choices"]) if data["outcome"] == Outcome.CHOICE else [],
        stage=data["stage"] if data["outcome"] == Outcome.STAGE else None,
        waits_for=list(dict.fromkeys(after)),
    )
