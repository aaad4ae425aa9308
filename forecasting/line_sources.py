"""What the lines of a quarter are computed from, as one number: while it stays the same, so do the lines."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from forecasting.engine.bits import chained
from forecasting.engine.fitted.shock import Shock
from forecasting.engine.timing import TimingClass
from forecasting.frames import LINE_ROW, Reporting
from forecasting.lines import ARITHMETIC

WORD_BYTES: Final = 8


class RowSums(NamedTuple):
    """Some rows of one quarter. Those of its parts added up are those of the quarter, whatever the parts."""

    row_count: int
    open_count: int
    hash: int  # modulo 2**64

    @classmethod
    def of(cls, rows: NDArray[Any]) -> RowSums:
        """Of LINE_ROW[n]."""
        is_open = rows["timing"] <= TimingClass.OVERDUE
        return cls(rows.size, int(np.count_nonzero(is_open)), int(_row_hashes(rows).sum(dtype=np.uint64)))

    def plus(self, other: RowSums) -> RowSums:
        return RowSums(
            self.row_count + other.row_count, self.open_count + other.open_count, (self.hash + other.hash) % 2**64
        )


def source_hash(sums: RowSums, report: Reporting, shock: Shock) -> int:
    """64 bits, signed, of all that `lines.compute_lines` makes the lines of a quarter from.

    The day and the shock are among it only where something is open, so that what is decided stays as it is for ever.
    """
    # Rows name a currency by its place among the rates.
    parts: list[object] = [ARITHMETIC, LINE_ROW.descr, tuple(sums), report.fiscal_start, list(report.rates.items())]
    parts.append(sorted(report.team_of_owner.items()))
    if sums.open_count:
        parts += [report.as_of, shock]
    digest = blake2b(repr(parts).encode(), digest_size=WORD_BYTES).digest()
    return int.from_bytes(digest, "big", signed=True)


def _row_hashes(rows: NDArray[Any]) -> NDArray[np.uint64]:
    """uint64[n] of all bytes of each row; they are padded to whole words."""
    width = rows.dtype.itemsize
    held = np.zeros((rows.size, -(-width // WORD_BYTES) * WORD_BYTES), dtype=np.uint8)
    held[:, :width] = np.ascontiguousarray(rows).view(np.uint8).reshape(rows.size, width)
    return chained(held.view(np.uint64).T, np.zeros(rows.size, dtype=np.uint64))
