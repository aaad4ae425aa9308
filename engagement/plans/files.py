"""Playbooks as files: JSON out and in, for keeping, sharing, and writing many steps at once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from accounts.models import Segment, User
from engagement.models.plans import PlaybookStep
from engagement.plans.drafts import PlaybookDraft, PlaybookRefused, Problem, StepDraft
from renewals.models import Stage

MOST_BYTES: Final = 200_000
# As the file calls it -> (as the draft does, the type it has to have)
BOOK: Final[dict[str, tuple[str, tuple[type, ...]]]] = {
    "name": ("name", (str,)),
    "kind": ("kind", (str,)),
    "segment": ("segment", (str,)),
    "risk": ("risk_from", (int, float)),
    "days": ("within_days", (int,)),
}
STEP: Final[dict[str, tuple[str, tuple[type, ...]]]] = {
    "title": ("title", (str,)),
    "guidance": ("guidance", (str,)),
    "owner": ("owner_is", (str,)),
    "person": ("person", (str,)),
    "from": ("due_from", (str,)),
    "days": ("days", (int,)),
    "minutes": ("estimated_minutes", (int,)),
    "checks": ("checks", (list,)),
    "outcome": ("outcome", (str,)),
    "choices": ("choices", (list,)),
    "stage": ("stage", (str,)),
    "after": ("waits_for", (list,)),
}
ITEMS: Final[dict[str, type]] = {"checks": str, "choices": str, "after": int}
WORDS: Final[dict[type, str]] = {str: "text", int: "a whole number", float: "a number", list: "a list"}


def write_playbook(draft: PlaybookDraft) -> str:
    """What `read_playbook` reads; people are named by email."""
    book = {name: _plain(getattr(draft, attribute)) for name, (attribute, _) in BOOK.items()}
    steps = [{name: _plain(getattr(step, attribute)) for name, (attribute, _) in STEP.items()} for step in draft.steps]
    kept = [{name: value for name, value in step.items() if value not in (None, "", [])} for step in steps]
    whole = {name: value for name, value in book.items() if value is not None} | {"steps": kept}
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, User):
        return value.email
    return value.name if isinstance(value, Segment | Stage) else value


def read_playbook(text: str) -> PlaybookDraft:
    """The draft that a file holds; whether it is a sound one, `check_playbook` says.

    Raises:
        PlaybookRefused: naming each field that is unknown or of the wrong type, with its step.
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise PlaybookRefused([Problem(0, "file", "", f"is no JSON: {error}.")]) from error
    if not isinstance(data, dict):
        raise PlaybookRefused([Problem(0, "file", "", "has to be one object with name, kind and steps.")])
    steps = data.get("steps", [])
    problems: list[Problem] = []
    if not isinstance(steps, list):
        raise PlaybookRefused([Problem(0, "steps", steps, "is a list.")])
    book = _values(0, {name: value for name, value in data.items() if name != "steps"}, BOOK, problems)
    read = [_step(number, step, problems) for number, step in enumerate(steps, 1)]
    if problems:
        raise PlaybookRefused(problems)
    drafts = [StepDraft(**{"title": "", **step}) for step in read]
    return PlaybookDraft(**{"name": "", "kind": "", **book}, steps=drafts)


def _step(number: int, data: object, problems: list[Problem]) -> dict[str, Any]:
    if not isinstance(data, dict):
        problems.append(Problem(number, "step", data, "is an object with a title."))
        return {}
    step = _values(number, data, STEP, problems)
    if "person" in step:
        step.setdefault("owner_is", PlaybookStep.Owner.PERSON)
    return step


def _values(
    number: int, data: Mapping[str, Any], known: Mapping[str, tuple[str, tuple[type, ...]]], problems: list[Problem]
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in data.items():
        if name not in known:
            listed = ", ".join([*known, *([] if number else ["steps"])])
            problems.append(Problem(number, name, value, f"is an unknown field; known ones are {listed}."))
            continue
        attribute, types = known[name]
        if value is None:
            continue
        if not isinstance(value, types) or isinstance(value, bool):
            problems.append(Problem(number, name, value, f"has to be {WORDS[types[-1]]}."))
        elif isinstance(value, list) and not all(type(item) is ITEMS[name] for item in value):
            problems.append(Problem(number, name, value, f"is a list, of {WORDS[ITEMS[name]]} each."))
        elif found := _resolved(number, name, value, problems):
            values[attribute] = found[0]
    return values


def _resolved(number: int, name: str, value: Any, problems: list[Problem]) -> tuple[Any] | None:
    """The value, or the row that it names; None where there is no such row."""
    row: Segment | Stage | User | None
    if name == "segment":
        row = Segment.objects.filter(name=value).first()
    elif name == "stage":
        row = Stage.objects.filter(name=value).first()
    elif name == "person":
        row = User.objects.filter(email=value.lower()).first()
    else:
        return (value,)
    if row is None:
        problems.append(Problem(number, name, value, f"there is no such {name}."))
        return None
    return (row,)
