"""Arrays as the content of a frame and back: columns side by side, compressed; a renewal takes about 20 bytes."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

LEVEL: Final = 1  # three times as fast as the default, and a tenth larger
Layout = Sequence[Sequence[str]]  # (name, NumPy type) by column


def layout_of(rows: NDArray[Any]) -> list[list[str]]:
    return [[name, rows.dtype[name].str] for name in rows.dtype.names or ()]


def encode(rows: NDArray[Any]) -> bytes:
    return zlib.compress(b"".join(rows[name].tobytes() for name in rows.dtype.names or ()), LEVEL)


def decode(content: bytes | memoryview, layout: Layout, row_count: int) -> NDArray[Any]:
    """Structured rows. ValueError where the content is not of that layout and count."""
    plain = zlib.decompress(content)
    dtype = np.dtype([(name, kind) for name, kind in layout])
    if len(plain) != dtype.itemsize * row_count:
        raise ValueError(f"A frame of {row_count} rows has {len(plain)} bytes, not {dtype.itemsize * row_count}.")
    rows = np.empty(row_count, dtype=dtype)
    offset = 0
    for name in dtype.names or ():
        rows[name] = np.frombuffer(plain, dtype[name], row_count, offset)
        offset += dtype[name].itemsize * row_count
    return rows
