"""The uploaded file: into the database in parts, and back to a temporary file where it is read."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from renewals.imports.reader import FileRejected
from renewals.models import ImportBatch, ImportPart

PART_BYTES = 4 * 1024 * 1024


@contextmanager
def spooled(chunks: Iterable[bytes]) -> Iterator[tuple[Path, str]]:
    """A temporary file with these bytes, and their SHA-256. Raises FileRejected past the size limit, before more is
    read."""
    digest, size = hashlib.sha256(), 0
    with tempfile.NamedTemporaryFile(prefix="perennial-") as file:
        for chunk in chunks:
            size += len(chunk)
            if size > settings.IMPORT_MAX_BYTES:
                raise FileRejected(
                    f"The file is larger than {settings.IMPORT_MAX_BYTES / 2**20:,.0f} MB. Split it by rows, each "
                    f"part with the headings."
                )
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        yield Path(file.name), digest.hexdigest()


def keep_file(*, batch: ImportBatch, path: Path) -> None:
    with path.open("rb") as file:
        position = 0
        while content := file.read(PART_BYTES):
            ImportPart.objects.create(batch=batch, position=position, content=content)
            position += 1


@contextmanager
def kept_file(batch: ImportBatch) -> Iterator[Path]:
    """The file of a batch. Raises FileRejected where it has been cleared away already."""
    positions = list(batch.parts.values_list("position", flat=True))
    if not positions:
        raise FileRejected("The file of this import is no longer kept. Upload it again.")
    parts = (bytes(batch.parts.values_list("content", flat=True).get(position=position)) for position in positions)
    with spooled(parts) as (path, _):
        yield path
