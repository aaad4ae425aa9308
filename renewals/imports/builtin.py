"""The mappings that come with Perennial, and which of them fits a file."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from renewals.imports.mapping import Mapping, MappingError, parse_mapping, read_mapping
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


def rank_mappings(header: Sequence[str]) -> list[tuple[str, float]]:
    """Names of the mappings, the one whose columns the file has most of first, with that share; ties to the larger one."""
    has = {fold(column) for column in header}

    def share(name: str) -> tuple[float, int]:
        columns = {fold(column) for column in builtin_mapping(name).columns}
        return len(columns & has) / max(len(columns), 1), len(columns)

    ranked = sorted(builtin_names(), key=lambda name: (-share(name)[0], -share(name)[1], name))
    return [(name, share(name)[0]) for name in ranked]
