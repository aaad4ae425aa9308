"""The uploaded file: into the database in parts, and back to a temporary file where it is read."""

from __future__ import annotations

import hashlib
import io
import struct
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connection

from renewals.imports.reader import FileRejected
from renewals.models import ImportBatch, ImportPart

PART_BYTES = 4 * 1024 * 1024
# What COPY begins a binary stream with: a signature, no flags, no more of a header.
BINARY = b"PGCOPY\n\xff\r\n\0" + struct.pack("!ii", 0, 0)


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
    """The bytes as they are: as text of an INSERT they would be twice as long, and be read three times on the way."""
    table = ImportPart._meta.db_table
    with path.open("rb") as file, connection.cursor() as cursor:
        position = 0
        while content := file.read(PART_BYTES):
            row = struct.pack("!hiqiii", 3, 8, batch.pk, 4, position, len(content))  # each value after its length
            stream = io.BytesIO(b"".join((BINARY, row, content, struct.pack("!h", -1))))
            cursor.copy_expert(f"COPY {table} (batch_id, position, content) FROM STDIN (FORMAT binary)", stream)
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
