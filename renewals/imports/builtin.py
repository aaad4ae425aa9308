"""The mappings that come with Perennial, and which of them fits a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from renewals.imports.fields import MANDATORY
from renewals.imports.keys import MappingError
from renewals.imports.mapping import Mapping, parse_mapping, read_mapping
from renewals.imports.reader import fold

FOLDER = Path(__file__).parent / "mappings"


@cache
def builtin_names() -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


@cache
def builtin_mapping(name: str) -> Mapping:
    return parse_mapping(read_mapping(FOLDER / f"{name}.toml"), name)


def load_mapping(name_or_path: str) -> dict[str, Any]:
    """The TOML of a mapping that comes with Perennial, by name, or of a file. Raises MappingError."""
    if name_or_path in builtin_names():
        return read_mapping(FOLDER / f"{name_or_path}.toml")
    path = Path(name_or_path)
    if not path.exists():
        raise MappingError(
            f"{name_or_path} is neither a file nor the name of a mapping. Known: {', '.join(builtin_names())}."
        )
    return read_mapping(path)


@dataclass(frozen=True)
class Fit:
    """How a mapping fits a file: how many of the file's columns it reads, and whether all that rows need is there."""

    name: str
    read_count: int
    is_whole: bool


def rank_mappings(header: Sequence[str]) -> list[Fit]:
    """The mappings that come with Perennial, the one that reads most of a file with these headings first."""
    fits = [fit_of(name, builtin_mapping(name), header) for name in builtin_names()]
    return sorted(fits, key=lambda fit: (not fit.is_whole, -fit.read_count, fit.name))


def fit_of(name: str, mapping: Mapping, header: Sequence[str]) -> Fit:
    has = {fold(column) for column in header}

    def is_there(path: str) -> bool:
        rule = mapping.rule(path)
        return rule is not None and {fold(column) for column in rule.columns} <= has

    return Fit(
        name=name,
        read_count=len({fold(column) for column in mapping.columns} & has),
        is_whole=all(any(is_there(path) for path in group) for group in MANDATORY[mapping.rows])
        and {fold(rule.column) for rule in mapping.leave_out} <= has,
    )
