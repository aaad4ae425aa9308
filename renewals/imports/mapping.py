"""A mapping says what the columns of a file become. Written in TOML, kept with each batch as JSON, checked here.

Every error names the key that is wrong, as a person would write it: `contract.ends_on.dates`.
"""

from __future__ import annotations

import datetime as dt
import json
import tomllib
from collections.abc import Mapping as Dictionary
from dataclasses import dataclass
from dataclasses import field as made_by
from pathlib import Path
from typing import Any

from accounts.models import AttributeDefinition
from renewals.imports.dates import DateFormat, read_formats
from renewals.imports.fields import (
    FIELDS,
    HOLDERS,
    MANDATORY,
    MEASURES,
    NAMED_KINDS,
    OF_KNOWN_ACCOUNTS,
    ROW_KINDS,
    WITHOUT_ATTRIBUTES,
    Field,
    Kind,
)
from renewals.imports.keys import (
    MappingError,
    as_word,
    check_key,
    read_choice,
    read_flag,
    read_list,
    read_number,
    read_table,
    read_text,
    read_words,
    refuse_unknown,
)

ATTRIBUTE_KINDS = {"number": Kind.NUMBER, "category": Kind.TEXT, "date": Kind.DATE, "flag": Kind.FLAG}
COMBINES = ("last", "mean", "sum", "max", "change")
AMOUNTS = ("year", "month", "quarter", "total")


@dataclass(frozen=True)
class Rule:
    """How one field is filled: from which columns, read how."""

    field: Field
    columns: tuple[str, ...] = ()
    separator: str = " "
    value: str = ""  # the same for every row
    default: str = ""  # where the cell is blank
    dates: tuple[DateFormat, ...] = ()
    decimal: str = ""
    thousands: str = ""
    amount_is: str = "year"
    values: Dictionary[str, str] = made_by(default_factory=dict)  # lower-case word of the file -> word of the book
    refuse: Dictionary[str, str] = made_by(default_factory=dict)  # beginning of a cell, lower case -> reason
    sentinels: frozenset[dt.date] = frozenset()  # days that stand for "no end"
    strip: str = ""  # marks taken off both ends of a key
    shift_days: int = 0
    is_last_of_month: bool = False
    one_line: bool = False  # a cell of several lines names several things, and is refused
    overwrite: bool = True
    create_missing: bool = False
    combine: str = "last"
    window_days: int = 90
    stands_in: str = ""

    @property
    def source(self) -> str:
        """The column as findings name it."""
        return " + ".join(self.columns)


@dataclass(frozen=True)
class AttributeRule:
    key: str
    label: str
    kind: str
    holder: str
    rule: Rule


@dataclass(frozen=True)
class LeaveOut:
    """Rows that are no business of this mapping, by the words in one column."""

    column: str
    words: frozenset[str]
    is_keep: bool  # the words name the rows that stay
    reason: str


@dataclass(frozen=True)
class Mapping:
    name: str
    rows: str
    rules: Dictionary[str, Rule]
    description: str = ""
    attributes: tuple[AttributeRule, ...] = ()
    custom: tuple[AttributeRule, ...] = ()  # custom signals, by the key of their HealthFactor
    leave_out: tuple[LeaveOut, ...] = ()
    delimiter: str = ""
    encoding: str = ""
    header_row: int = 1
    sheet: str = ""
    file_on: dt.date | None = None
    file_on_in_name: str = ""
    unknown_account: str = "create"
    expiry_moved: str = "new_term"
    is_rolling: bool = False
    per: str = "day"
    near_days: int = 31

    def rule(self, path: str) -> Rule | None:
        return self.rules.get(path)

    @property
    def columns(self) -> set[str]:
        """Every column of the file that the mapping reads."""
        named = {column for rule in self.rules.values() for column in rule.columns}
        named |= {column for one in (*self.attributes, *self.custom) for column in one.rule.columns}
        return named | {rule.column for rule in self.leave_out}

    def is_mandatory(self, path: str) -> bool:
        """True where no other mapped field could stand in for this one."""
        groups = [group for group in MANDATORY[self.rows] if path in group]
        return any(sum(other in self.rules for other in group) == 1 for group in groups)


def read_mapping(path: Path) -> dict[str, Any]:
    """The TOML of a mapping, unchecked, and as JSON can keep it: dates as text."""
    try:
        data: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise MappingError(f"{path.name} is not UTF-8 text: {error}.") from None
    except tomllib.TOMLDecodeError as error:
        raise MappingError(f"{path.name} is not valid TOML: {error}.") from None
    except OSError as error:
        raise MappingError(f"{path} cannot be read: {error.strerror}.") from None
    return json.loads(json.dumps(data, default=str))  # type: ignore[no-any-return]


TOP_KEYS = {
    *("name", "description", "rows", "file", "leave_out", "attributes", "custom", "unknown_account", "expiry_moved"),
    *("is_rolling", "per", "near_days"),
}
LARGEST_CUSTOM = 1e15  # as of signals that programs post
CHOICES = {
    "unknown_account": ("create", "refuse"),
    "expiry_moved": ("new_term", "renewed", "corrected"),
    "per": ("day", "month"),
}


def parse_mapping(data: Dictionary[str, Any], name: str = "") -> Mapping:
    """A checked mapping from its TOML. Raises MappingError, naming the key."""
    rows = read_choice(data, "rows", tuple(ROW_KINDS), "")
    if not rows:
        raise MappingError(f"rows: say what a row is, one of {', '.join(ROW_KINDS)}.")
    allowed = TOP_KEYS | set(HOLDERS[rows])
    for key in data:
        if key not in allowed:
            raise MappingError(f"{key}: not a key of a mapping of {rows}. Known: {', '.join(sorted(allowed))}.")
    rules = {
        path: rule for holder in HOLDERS[rows] for path, rule in _read_holder(holder, read_table(data, holder)).items()
    }
    mapping = Mapping(
        name=read_text(data, "name", "name") or name or "Own mapping",
        description=read_text(data, "description", "description"),
        rows=rows,
        rules=rules,
        attributes=tuple(_read_attribute(key, spec) for key, spec in read_table(data, "attributes").items()),
        custom=tuple(_read_custom(key, spec) for key, spec in read_table(data, "custom").items()),
        leave_out=tuple(_read_leave_out(number, spec) for number, spec in enumerate(read_list(data, "leave_out"), 1)),
        unknown_account=read_choice(data, "unknown_account", CHOICES["unknown_account"], _usual_stranger(rows)),
        expiry_moved=read_choice(data, "expiry_moved", CHOICES["expiry_moved"], _usual_move(data, rules)),
        per=read_choice(data, "per", CHOICES["per"], "day"),
        is_rolling=read_flag(data, "is_rolling", "is_rolling"),
        near_days=read_number(data, "near_days", "near_days", 31),
        **_read_file(read_table(data, "file")),
    )
    _check_whole(mapping)
    return mapping


def _usual_move(data: Dictionary[str, Any], rules: Dictionary[str, Rule]) -> str:
    """A term known by its first day is the same term with a corrected end; without that day, another end is another
    term."""
    return "corrected" if "contract.starts_on" in rules and not data.get("is_rolling") else "new_term"


def _usual_stranger(rows: str) -> str:
    return "refuse" if rows in OF_KNOWN_ACCOUNTS else "create"


def _check_whole(mapping: Mapping) -> None:
    for group in MANDATORY[mapping.rows]:
        if not any(path in mapping.rules for path in group):
            raise MappingError(f"{group[0]}: a mapping of {mapping.rows} needs {' or '.join(group)}.")
    if mapping.is_rolling and not {"contract.starts_on", "contract.term_months"} <= set(mapping.rules):
        raise MappingError("is_rolling: rolling terms need contract.starts_on and contract.term_months.")
    if "contract.ended_on" in mapping.rules and not mapping.is_rolling:
        raise MappingError("contract.ended_on: only read with is_rolling = true.")
    if mapping.custom and mapping.rows != "signals":
        raise MappingError(f'custom: only read with rows = "signals", not with {mapping.rows}.')
    has_measure = mapping.custom or any(f"signal.{measure}" in mapping.rules for measure in MEASURES)
    if mapping.rows == "signals" and not has_measure:
        raise MappingError(
            f"signal: map at least one of {', '.join(MEASURES)}, or a signal of your own under [custom]."
        )
    if "account.parent" in mapping.rules and mapping.rows != "accounts":
        raise MappingError(f'account.parent: only read with rows = "accounts", not with {mapping.rows}.')
    if mapping.attributes and mapping.rows in WITHOUT_ATTRIBUTES:
        raise MappingError(f"attributes: a mapping of {mapping.rows} has none; use signal fields, which are dated.")
    for attribute in mapping.attributes:
        if attribute.holder == "renewal" and mapping.rows == "accounts":
            raise MappingError(f"attributes.{attribute.key}.holder: a mapping of accounts has no renewals.")


def _read_file(table: Dictionary[str, Any]) -> dict[str, Any]:
    known = {"delimiter", "encoding", "header_row", "sheet", "file_on", "file_on_in_name"}
    refuse_unknown(table, known, "file")
    delimiter = read_text(table, "delimiter", "file.delimiter")
    if len(delimiter) > 1:
        raise MappingError("file.delimiter: one character, such as ; or a tab.")
    encoding = read_text(table, "encoding", "file.encoding")
    try:
        "".encode(encoding or "utf-8")
    except LookupError:
        raise MappingError(f"file.encoding: {encoding!r} is no encoding that Python knows.") from None
    file_on = table.get("file_on")
    if file_on is not None and (not isinstance(file_on, dt.date) or isinstance(file_on, dt.datetime)):
        try:
            file_on = dt.date.fromisoformat(str(file_on))
        except ValueError:
            raise MappingError("file.file_on: a date such as 2026-10-31.") from None
    header_row = read_number(table, "header_row", "file.header_row", 1)
    if not 1 <= header_row <= 100:
        raise MappingError("file.header_row: from 1 to 100.")
    return {
        "delimiter": delimiter,
        "encoding": encoding,
        "header_row": header_row,
        "sheet": read_text(table, "sheet", "file.sheet"),
        "file_on": file_on,
        "file_on_in_name": read_text(table, "file_on_in_name", "file.file_on_in_name"),
    }


RULE_KEYS = {
    *("column", "columns", "separator", "value", "default", "dates", "decimal", "thousands", "amount_is", "values"),
    *("refuse", "sentinels", "strip", "shift_days", "is_last_of_month", "overwrite", "create_missing", "combine"),
    *("window_days", "stands_in", "one_line"),
}


def _read_holder(holder: str, table: Dictionary[str, Any]) -> dict[str, Rule]:
    rules = {}
    for key, spec in table.items():
        path = f"{holder}.{key}"
        if path not in FIELDS:
            known = ", ".join(known.name for known in FIELDS.values() if known.holder == holder)
            raise MappingError(f"{path}: not a field. {holder} has {known}.")
        rules[path] = _read_rule(FIELDS[path], spec, path)
    return rules


def _read_rule(target: Field, spec: Any, path: str) -> Rule:
    if isinstance(spec, str):
        spec = {"column": spec}
    elif isinstance(spec, bool | int | float):
        spec = {"value": spec}
    if not isinstance(spec, dict):
        raise MappingError(f'{path}: a column\'s name, a number, or a table such as {{ column = "Ends" }}.')
    refuse_unknown(spec, RULE_KEYS, path)
    columns = tuple(read_words(spec, "columns", path)) or (
        (read_text(spec, "column", f"{path}.column"),) if "column" in spec else ()
    )
    rule = Rule(
        field=target,
        columns=columns,
        separator=str(spec.get("separator", " ")),
        value=as_word(spec.get("value", "")),
        default=as_word(spec.get("default", "")),
        dates=_dates(spec, target, path),
        decimal=read_choice(spec, "decimal", (".", ","), "", path),
        thousands=read_choice(spec, "thousands", (",", ".", " ", "'"), "", path),
        amount_is=read_choice(spec, "amount_is", AMOUNTS, "year", path),
        values={key.strip().casefold(): as_word(word) for key, word in read_table(spec, "values", path).items()},
        refuse={key.strip().casefold(): str(reason) for key, reason in read_table(spec, "refuse", path).items()},
        sentinels=_sentinels(spec, target, path),
        strip=read_text(spec, "strip", f"{path}.strip"),
        shift_days=read_number(spec, "shift_days", f"{path}.shift_days", 0),
        is_last_of_month=read_flag(spec, "is_last_of_month", f"{path}.is_last_of_month"),
        one_line=read_flag(spec, "one_line", f"{path}.one_line"),
        overwrite=read_flag(spec, "overwrite", f"{path}.overwrite", target.is_overwriting),
        create_missing=read_flag(spec, "create_missing", f"{path}.create_missing"),
        combine=read_choice(spec, "combine", COMBINES, "last", path),
        window_days=read_number(spec, "window_days", f"{path}.window_days", 90),
        stands_in=read_choice(spec, "stands_in", ("due_on", "file_on"), "", path),
    )
    _check_rule(rule, path)
    return rule


def _check_rule(rule: Rule, path: str) -> None:
    if not (rule.columns or rule.value or rule.stands_in):
        raise MappingError(f"{path}: name its column, or give a value.")
    if any(not column.strip() for column in rule.columns):
        raise MappingError(f"{path}.column: a column without a name.")
    if rule.stands_in and path != "renewal.ordered_on":
        raise MappingError(f"{path}.stands_in: only for renewal.ordered_on.")
    if rule.decimal and rule.decimal == rule.thousands:
        raise MappingError(f"{path}.thousands: the same sign as the decimal mark.")
    if rule.create_missing and rule.field.kind not in NAMED_KINDS:
        raise MappingError(f"{path}.create_missing: only for lists such as segments.")
    if rule.create_missing and rule.field.kind in (Kind.USER, Kind.STAGE):
        raise MappingError(f"{path}.create_missing: an import makes no {rule.field.kind}s.")
    if rule.combine == "change" and path != "signal.usage_change_rate":
        raise MappingError(f"{path}.combine: change is for signal.usage_change_rate.")
    if rule.amount_is != "year" and path not in ("contract.recurring_amount", "renewal.baseline_amount"):
        raise MappingError(f"{path}.amount_is: only for recurring amounts.")
    if rule.amount_is == "total" and path != "contract.recurring_amount":
        raise MappingError(f"{path}.amount_is: a total over the term is spread for contract.recurring_amount only.")


def _dates(spec: Dictionary[str, Any], target: Field, path: str) -> tuple[DateFormat, ...]:
    formats = read_words(spec, "dates", path)
    if formats and target.kind is not Kind.DATE:
        raise MappingError(f"{path}.dates: {target.name} is not a date.")
    try:
        return read_formats(formats) if target.kind is Kind.DATE else ()
    except ValueError as error:
        raise MappingError(f"{path}.dates: {error}") from None


def _sentinels(spec: Dictionary[str, Any], target: Field, path: str) -> frozenset[dt.date]:
    words = [str(day) for day in spec.get("sentinels", [])] if isinstance(spec.get("sentinels", []), list) else [""]
    try:
        return frozenset(dt.date.fromisoformat(word) for word in words)
    except ValueError:
        raise MappingError(f"{path}.sentinels: a list of dates such as 2050-12-31.") from None


def _read_attribute(key: str, spec: Any) -> AttributeRule:
    path = f"attributes.{key}"
    if not isinstance(spec, dict):
        raise MappingError(f"{path}: a table with column, kind and holder.")
    check_key(key, path)
    kind = read_choice(spec, "kind", tuple(ATTRIBUTE_KINDS), "", path)
    if not kind:
        raise MappingError(f"{path}.kind: one of {', '.join(ATTRIBUTE_KINDS)}.")
    target = Field("attribute", key, ATTRIBUTE_KINDS[kind], key, length=200)
    rule = _read_rule(target, {name: spec[name] for name in spec if name not in ("label", "kind", "holder")}, path)
    return AttributeRule(
        key=key,
        label=read_text(spec, "label", f"{path}.label")[:80] or key.replace("_", " ").capitalize(),
        kind=kind,
        holder=read_choice(spec, "holder", tuple(AttributeDefinition.Holder.values), "account", path),
        rule=rule,
    )


def _read_custom(key: str, spec: Any) -> AttributeRule:
    """A number that a company measures itself: the newest one of a day, or of a month."""
    path = f"custom.{key}"
    check_key(key, path)
    target = Field("custom", key, Kind.NUMBER, key, lowest=-LARGEST_CUSTOM, highest=LARGEST_CUSTOM)
    rule = _read_rule(target, spec, path)
    if rule.combine != "last":
        raise MappingError(f"{path}.combine: only last.")
    return AttributeRule(key=key, label=key, kind="number", holder="signal", rule=rule)


def _read_leave_out(number: int, spec: Any) -> LeaveOut:
    path = f"leave_out[{number}]"
    if not isinstance(spec, dict):
        raise MappingError(f"{path}: a table with column and either where or unless.")
    refuse_unknown(spec, {"column", "where", "unless", "reason"}, path)
    if ("where" in spec) == ("unless" in spec):
        raise MappingError(f"{path}: give where (rows left out) or unless (rows kept), one of them.")
    key = "where" if "where" in spec else "unless"
    column = read_text(spec, "column", f"{path}.column")
    if not column:
        raise MappingError(f"{path}.column: name the column.")
    words = read_words(spec, key, path)
    reason = (
        read_text(spec, "reason", f"{path}.reason")
        or f"{column} {'is' if key == 'where' else 'is not'} {' or '.join(words)}"
    )
    return LeaveOut(column, frozenset(word.casefold() for word in words), key == "unless", reason)
