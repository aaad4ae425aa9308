"""What a mapping that is changed on the page keeps beyond the catalogue of fields: columns as custom attributes of an
account or a renewal, and as custom signals of health."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Mapping as Dictionary
from dataclasses import dataclass
from typing import Any

from django.utils.text import slugify

from accounts.models import AttributeDefinition, HealthFactor
from renewals.imports.edit import AS_IN_MAPPING, DATE_FORMS, NUMBER_FORMS, forms_of, written_as
from renewals.imports.fields import Field, Kind
from renewals.imports.keys import MappingError
from renewals.imports.mapping import ATTRIBUTE_KINDS
from renewals.imports.reader import fold

NEW_KINDS = {"number": "number", "category": "category", "date": "date", "flag": "yes or no"}
KNOWN = "known:"
# A number or a date is never guessed; one list says both, as nobody knows yet what the column is kept as.
WAYS = {
    "": "as it stands, or 2026-11-30",
    **{pattern: shown for pattern, shown in (NUMBER_FORMS | DATE_FORMS).items() if pattern},
}


@dataclass(frozen=True)
class CustomChoice:
    """One line of the page: a column, what it is kept as (nothing, a kind, or what is there already), and how its cells
    are written."""

    column: str
    kept_as: str
    holder: str
    form: str
    forms: Dictionary[str, str]


def known_attributes(*, has_renewals: bool) -> list[AttributeDefinition]:
    """What a column may be kept as beside what is new."""
    known = AttributeDefinition.objects.all()
    return list(known if has_renewals else known.filter(holder=AttributeDefinition.Holder.ACCOUNT))


def known_signals() -> list[HealthFactor]:
    return list(HealthFactor.objects.filter(is_custom=True).order_by("label"))


def attribute_choices(
    mapping: Dictionary[str, Any], header: Sequence[str], known: Iterable[AttributeDefinition]
) -> list[CustomChoice]:
    keys, specs = {one.key for one in known}, _by_column(mapping.get("attributes", {}))
    choices = []
    for column in filter(None, header):
        key, spec = specs.get(fold(column), ("", {}))
        kind = str(spec.get("kind", ""))
        forms, form = _ways(_target("attribute", key, kind), spec, WAYS)
        kept_as = f"{KNOWN}{key}" if key in keys else kind
        choices.append(CustomChoice(column, kept_as, str(spec.get("holder", "account")), form, forms))
    return choices


def signal_choices(mapping: Dictionary[str, Any], header: Sequence[str]) -> list[CustomChoice]:
    specs = _by_column(mapping.get("custom", {}))
    choices = []
    for column in filter(None, header):
        key, spec = specs.get(fold(column), ("", {}))
        forms, form = _ways(_target("custom", key, "number"), spec, NUMBER_FORMS)
        choices.append(CustomChoice(column, key, "", form, forms))
    return choices


def edited_attributes(
    base: Dictionary[str, Any],
    data: Dictionary[str, str],
    header: Sequence[str],
    known: Iterable[AttributeDefinition],
) -> dict[str, Any]:
    """The attributes that the page asks for. Raises MappingError where two columns would fill the same one."""
    by_key, specs = {one.key: one for one in known}, _by_column(base.get("attributes", {}))
    attributes: dict[str, Any] = {}
    for column in filter(None, header):
        kept_as = data.get(f"attribute:{column}", "")
        found = by_key.get(kept_as.removeprefix(KNOWN)) if kept_as.startswith(KNOWN) else None
        old_key, spec = specs.get(fold(column), ("", {}))
        if found is not None:
            key, label, kind, holder = found.key, found.label, found.kind, found.holder
        elif kept_as in NEW_KINDS:
            key = old_key or slugify(column).replace("-", "_")[:40] or "attribute"
            label = str(spec.get("label", column[:80]))
            kind, holder = kept_as, data.get(f"holder:{column}", "account")
        else:
            continue
        _refuse_twice("attributes", key, attributes, column)
        written = written_as(_target("attribute", key, kind), dict(spec), data.get(f"form:attribute:{column}"))
        attributes[key] = {**written, "label": label, "column": column, "kind": kind, "holder": holder}
    return attributes


def edited_signals(
    base: Dictionary[str, Any], data: Dictionary[str, str], header: Sequence[str], known: Iterable[HealthFactor]
) -> dict[str, Any]:
    """The custom signals that the page asks for. Raises MappingError where two columns would fill the same one."""
    keys, specs = {one.key for one in known}, _by_column(base.get("custom", {}))
    signals: dict[str, Any] = {}
    for column in filter(None, header):
        key = data.get(f"signal:{column}", "")
        if key in keys:
            _refuse_twice("custom", key, signals, column)
            spec = dict(specs.get(fold(column), ("", {}))[1])
            written = written_as(_target("custom", key, "number"), spec, data.get(f"form:signal:{column}"))
            signals[key] = {**written, "column": column}
    return signals


def _refuse_twice(table: str, key: str, kept: Dictionary[str, Any], column: str) -> None:
    if key in kept:
        raise MappingError(f"{table}.{key}: read from “{kept[key]['column']}” and from “{column}”; it has one column.")


def _by_column(table: Dictionary[str, Any]) -> dict[str, tuple[str, dict[str, Any]]]:
    """Key and rule of each column that a table of a mapping reads."""
    specs = {key: {"column": spec} if isinstance(spec, str) else dict(spec) for key, spec in table.items()}
    return {fold(str(spec.get("column", ""))): (key, spec) for key, spec in specs.items()}


def _target(holder: str, key: str, kind: str) -> Field:
    return Field(holder, key, ATTRIBUTE_KINDS.get(kind, Kind.TEXT), key)


def _ways(target: Field, spec: Dictionary[str, Any], ways: Dictionary[str, str]) -> tuple[Dictionary[str, str], str]:
    """How cells of a column may be written, and how this mapping reads them."""
    _, form = forms_of(target, spec)
    return (ways, form) if form in ways else ({**ways, form: AS_IN_MAPPING}, form)
