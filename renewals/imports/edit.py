"""A mapping changed on the page: which column each field is read from, and how its cells are written."""

from __future__ import annotations

from collections.abc import Mapping as Dictionary
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from dataclasses import field as made_by
from typing import Any

from renewals.imports.fields import HOLDERS, Field, Kind, fields_of
from renewals.imports.reader import fold

# How a page offers what a mapping writes as a pattern.
DATE_FORMS = {
    "": "2026-11-30",
    "%d/%m/%Y": "30/11/2026",
    "%m/%d/%Y": "11/30/2026",
    "%d.%m.%Y": "30.11.2026",
    "%d-%m-%Y": "30-11-2026",
    "%m/%d/%y": "11/30/26",
    "%d/%m/%y": "30/11/26",
    "%Y%m%d": "20261130",
    "%d %b %Y": "30 Nov 2026",
    "%Y-%m-%d %H:%M:%S": "2026-11-30 15:30:00",
}
NUMBER_FORMS = {"": "as it stands", ".,": "1,234.50", ",.": "1.234,50", ". ": "1 234.50", ", ": "1 234,50"}
AS_IN_MAPPING = "as in the mapping"
CREATING = (Kind.SEGMENT, Kind.INDUSTRY, Kind.OFFER, Kind.CHURN_REASON)
NUMBERS = (Kind.AMOUNT, Kind.NUMBER)
MANDATORY_VALUES = ("contract.currency", "contract.term_months", "invoice.currency")


@dataclass(frozen=True)
class FieldChoice:
    """One line of the page: a field, the column it is read from, and the ways its cells can be written."""

    field: Field
    column: str
    value: str
    forms: dict[str, str] = made_by(default_factory=dict)
    form: str = ""

    @property
    def takes_value(self) -> bool:
        return self.field.path in MANDATORY_VALUES


def field_choices(mapping: Dictionary[str, Any]) -> list[FieldChoice]:
    choices = []
    for one in fields_of(mapping["rows"]):
        spec = _spec(mapping, one)
        forms, chosen = forms_of(one, spec)
        choices.append(FieldChoice(one, str(spec.get("column", "")), str(spec.get("value", "")), forms, chosen))
    return choices


def _spec(mapping: Dictionary[str, Any], one: Field) -> dict[str, Any]:
    spec = mapping.get(one.holder, {}).get(one.name, {})
    if isinstance(spec, str):
        return {"column": spec}
    return spec if isinstance(spec, dict) else {"value": spec}


def forms_of(one: Field, spec: Dictionary[str, Any]) -> tuple[dict[str, str], str]:
    """The ways to write a cell of this kind, and the one that the mapping has; its own where the page offers no
    such."""
    if one.kind is Kind.DATE:
        forms, chosen = DATE_FORMS, ",".join(spec.get("dates", []))
    elif one.kind in NUMBERS:
        forms, chosen = NUMBER_FORMS, f"{spec.get('decimal', '')}{spec.get('thousands', '')}"
    else:
        return {}, ""
    return (forms, chosen) if chosen in forms else ({**forms, chosen: AS_IN_MAPPING}, chosen)


def edited_mapping(base: Dictionary[str, Any], data: Dictionary[str, str], header: Sequence[str]) -> dict[str, Any]:
    """The fields that the page asks for. What the page does not show of one (words, refusals) stays with it."""
    mapping = {key: deepcopy(value) for key, value in base.items() if key not in HOLDERS[base["rows"]]}
    names = {fold(column): column for column in header}
    for one in fields_of(base["rows"]):
        spec = deepcopy(_spec(base, one))
        column = names.get(fold(data.get(f"column:{one.path}", "")), "")
        value = (
            data.get(f"value:{one.path}", "").strip() if one.path in MANDATORY_VALUES else str(spec.get("value", ""))
        )
        spec.pop("column", None)
        spec.pop("value", None)
        if column:
            spec["column"] = column
            if one.kind in CREATING and not _spec(base, one):
                spec["create_missing"] = True
        elif value:
            spec["value"] = value
        elif "stands_in" not in spec:
            continue
        mapping.setdefault(one.holder, {})[one.name] = written_as(one, spec, data.get(f"form:{one.path}"))
    return mapping


def written_as(one: Field, spec: dict[str, Any], form: str | None) -> dict[str, Any]:
    """The rule of a field with its cells written as the page says; None: it was not asked."""
    if form is None:
        return spec
    if one.kind is Kind.DATE and form in DATE_FORMS:
        spec.pop("dates", None)
        if form:
            spec["dates"] = [form]
    elif one.kind in NUMBERS and form in NUMBER_FORMS:
        for key in ("decimal", "thousands"):
            spec.pop(key, None)
        if form:
            spec |= {"decimal": form[0], "thousands": form[1]}
    return spec


def blank_mapping(rows: str) -> dict[str, Any]:
    """A mapping to start from where none fits."""
    return {"name": "Own mapping", "rows": rows}
