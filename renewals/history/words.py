"""Columns and values of the history as people read them: names, not ids; 05 Nov 2026; € 96,500."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.db.models import DateField, DecimalField, Model

from accounts.models import AttributeDefinition, User
from accounts.templatetags.money import NOTHING, exact_money, money, percent
from renewals.history.kinds import READS, Kind
from renewals.models import ChangeBatch
from renewals.table.columns import DATE

State = Mapping[str, Any]
DATABASE = "Database"  # who did it where nobody said: a statement typed into the database itself
JOB = "Perennial"  # a job or a command of the product, done for nobody in particular


class Names:
    """Names of rows by model and id. Ask for all that is needed, then `read` once: one query per model."""

    def __init__(self) -> None:
        self._wanted: dict[type[Model], set[int]] = {}
        self._found: dict[type[Model], dict[int, str]] = {}

    def want(self, model: type[Model], ids: Iterable[Any]) -> None:
        self._wanted.setdefault(model, set()).update(int(pk) for pk in ids if pk is not None)

    def want_state(self, kind: Kind, state: State | None) -> None:
        for column, model in kind.foreign_keys().items():
            self.want(model, [(state or {}).get(column)])

    def read(self) -> None:
        for model, ids in self._wanted.items():
            rows = (
                model._default_manager.select_related(*READS.get(model, ())) if ids else model._default_manager.none()
            )
            found = rows.in_bulk(list(ids)) if ids else {}
            self._found.setdefault(model, {}).update({pk: str(row) for pk, row in found.items()})

    def of(self, model: type[Model], pk: Any) -> str:
        return self._found.get(model, {}).get(int(pk), f"{model._meta.verbose_name} {pk} (gone)")

    def has(self, model: type[Model], pk: int) -> bool:
        return pk in self._found.get(model, {})


def user_name(names: Names, user_id: int | None, how: str) -> str:
    if user_id is not None:
        return names.of(User, user_id)
    return JOB if how else DATABASE


def how_label(how: str) -> str:
    if not how:
        return "Database"
    return str(ChangeBatch.How(how).label) if how in ChangeBatch.How.values else how.replace("_", " ").capitalize()


def row_label(kind: Kind, names: Names, object_id: int, state: State) -> str:
    """What a row is called; from its last state where it is gone."""
    if names.has(kind.model, object_id):
        return names.of(kind.model, object_id)
    words = ", ".join(str(state[column]) for column in ("name", "number", "due_on") if state.get(column))
    return f"{kind.noun.capitalize()} {object_id}{f' ({words})' if words else ''}"


def value_text(kind: Kind, names: Names, column: str, state: State) -> str:
    value, field = state.get(column), kind.fields[column]
    if value is None or value in ("", []):
        return NOTHING
    if column in kind.foreign_keys():
        return names.of(kind.foreign_keys()[column], value)
    if field.choices:
        return str(dict(field.flatchoices).get(value, value))
    if isinstance(field, DateField):
        return dt.date.fromisoformat(str(value)[:10]).strftime(DATE)
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if column in {"confidence", "default_confidence"}:
        return percent(Decimal(value) / 100)
    if column.endswith("_rate"):
        return percent(Decimal(str(value)))
    if isinstance(field, DecimalField):
        return amount_text(value, state.get("currency", ""))
    if isinstance(value, list) and any(isinstance(part, (dict, list)) for part in value):
        return f"{len(value):,} {'entry' if len(value) == 1 else 'entries'}"
    if isinstance(value, list):
        return ", ".join(amount_text(part, state.get("currency", "")) for part in value)
    if isinstance(value, dict):
        return ", ".join(f"{key.replace('_', ' ')}: {part}" for key, part in value.items()) or NOTHING
    return str(value)


def amount_text(value: Any, currency: str) -> str:
    """Cents only where there are some: two amounts that differ never read the same."""
    amount = Decimal(str(value))
    return money(amount, currency) if amount == amount.to_integral_value() else exact_money(amount, currency)


def attribute_changes(old: Any, new: Any) -> list[tuple[str, str, str]]:
    """Key, old and new of each custom attribute that differs."""
    before, after = dict(old or {}), dict(new or {})
    keys = [key for key in {**before, **after} if before.get(key) != after.get(key)]
    return [(key, _attribute_text(before.get(key)), _attribute_text(after.get(key))) for key in keys]


def _attribute_text(value: Any) -> str:
    if value is None or value == "":
        return NOTHING
    return {True: "Yes", False: "No"}[value] if isinstance(value, bool) else str(value)


def attribute_labels(keys: Iterable[str]) -> dict[str, str]:
    wanted = set(keys)
    if not wanted:
        return {}
    return dict(AttributeDefinition.objects.filter(key__in=wanted).values_list("key", "label"))
