"""Files kept in the database in parts, so that no process ever holds a large one as a single value."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from renewals.models import BulkEdit, Export, FilePart

PART_BYTES = 4 * 1024 * 1024


def keep_parts(path: Path, *, export: Export | None = None, edit: BulkEdit | None = None) -> int:
    """Keep a file for its export or its edit; how many bytes it has."""
    byte_count = 0
    with path.open("rb") as file:
        position = 0
        while content := file.read(PART_BYTES):
            FilePart.objects.create(export=export, edit=edit, position=position, content=content)
            position, byte_count = position + 1, byte_count + len(content)
    return byte_count


def read_parts(*, export: Export | None = None, edit: BulkEdit | None = None) -> Iterator[bytes]:
    """The parts in their order, one query each. Nothing where the file is no longer kept."""
    parts = FilePart.objects.filter(export=export, edit=edit)
    for position in list(parts.values_list("position", flat=True)):
        yield bytes(parts.values_list("content", flat=True).get(position=position))
