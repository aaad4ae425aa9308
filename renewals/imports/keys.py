"""Readers of one key of a mapping, each with the message for a person who mistyped it."""

from __future__ import annotations

import re
from collections.abc import Mapping as Dictionary
from typing import Any


class MappingError(ValueError):
    """The mapping itself is wrong; the text names the key."""


def key_at(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def refuse_unknown(table: Dictionary[str, Any], known: set[str], path: str) -> None:
    for key in table:
        if key not in known:
            raise MappingError(f"{path}.{key}: not known here. Known: {', '.join(sorted(known))}.")


def as_word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def read_text(table: Dictionary[str, Any], key: str, path: str) -> str:
    value = table.get(key, "")
    if not isinstance(value, str):
        raise MappingError(f"{path}: text in quotes, not {value!r}.")
    return value


def read_flag(table: Dictionary[str, Any], key: str, path: str, default: bool = False) -> bool:
    value = table.get(key, default)
    if not isinstance(value, bool):
        raise MappingError(f"{path}: true or false, not {value!r}.")
    return value


def read_number(table: Dictionary[str, Any], key: str, path: str, default: int) -> int:
    value = table.get(key, default)
    if not isinstance(value, int) or isinstance(value, bool):
        raise MappingError(f"{path}: a whole number, not {value!r}.")
    return value


def read_choice(table: Dictionary[str, Any], key: str, choices: tuple[str, ...], default: str, path: str = "") -> str:
    value = table.get(key, default)
    if value != default and value not in choices:
        raise MappingError(f"{key_at(path, key)}: one of {', '.join(map(repr, choices))}, not {value!r}.")
    return str(value)


def read_table(data: Dictionary[str, Any], key: str, path: str = "") -> dict[str, Any]:
    value = data.get(key, {})
    if not isinstance(value, dict):
        raise MappingError(f"{key_at(path, key)}: a table, not {value!r}.")
    return value


def read_list(data: Dictionary[str, Any], key: str) -> list[Any]:
    value = data.get(key, [])
    if not isinstance(value, list):
        raise MappingError(f"{key}: a list of tables.")
    return value


def read_words(table: Dictionary[str, Any], key: str, path: str) -> list[str]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(word, str | bool | int) for word in value):
        raise MappingError(f"{key_at(path, key)}: a list of words in brackets.")
    return [as_word(word) for word in value]


def check_key(key: str, path: str) -> None:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,40}", key):
        raise MappingError(f"{path}: a key has letters, digits, _ and -, 40 at most.")
