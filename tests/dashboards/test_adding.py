"""Rows are told apart by one number, however far their ids lie from each other."""

import numpy as np

from dashboards.rollups.adding import joined


def test_keys_whose_ranges_are_beyond_64_bits_together_are_still_told_apart() -> None:
    """Five keys of 65,536 numbers each: without care the first is multiplied by 2 to the 64, which leaves nothing."""
    first = np.arange(16_384) % 4 * 21_845
    wide = np.where(np.arange(16_384) < 8, [0], [65_535])
    keys = [first, wide, wide, wide, wide]

    codes = joined(keys)

    assert len(set(zip(first.tolist(), wide.tolist(), strict=True))) == 8
    assert np.unique(codes).size == 8


def test_no_rows_have_no_numbers() -> None:
    assert joined([np.empty(0, dtype=np.int64)] * 2).size == 0
