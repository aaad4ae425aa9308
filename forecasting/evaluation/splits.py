"""What is learned on and what is forecast."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from forecasting.engine.arrays import Integers
from forecasting.evaluation.files import LabelledFile, LabelledFileRejected, listed

TRAINED_SHARE: Final = 0.7
HISTORY_DRAWS: Final = 10
LEAST_ROWS: Final = 4


@dataclass(frozen=True, eq=False)
class Split:
    """Places of the rows to learn on and to forecast; `gap` as in `fitted.fit`."""

    name: str
    train: Integers
    test: Integers
    gap: int


def splits_by_time(file: LabelledFile, tests: Sequence[str], gap: int) -> Iterator[Split]:
    """Each test cohort, forecast from the cohorts that are more than `gap` before it."""
    for name in tests:
        if name not in file.cohorts:
            raise LabelledFileRejected(f"cohort {name} is not in {file.name}; it has {listed(file.cohorts)}")
        place = file.cohorts.index(name)
        train = np.flatnonzero(file.rows.cohorts < place - gap)
        if not train.size:
            raise LabelledFileRejected(
                f"cohort {name} has no cohort more than {gap} before it to learn from: {file.name} begins with "
                f"{file.cohorts[0]}"
            )
        yield Split(name, train, np.flatnonzero(file.rows.cohorts == place), gap)


def splits_by_chance(file: LabelledFile, seeds: Sequence[int]) -> Iterator[Split]:
    """70 % to learn on, 30 % to forecast. Not stratified: a book of known total would be easier than a real one."""
    if len(file.rows) < LEAST_ROWS:
        raise LabelledFileRejected(
            f"{file.name} has {len(file.rows)} rows: too few to learn on some and forecast others"
        )
    for seed in seeds:
        places = np.random.default_rng(seed).permutation(len(file.rows))
        count = round(TRAINED_SHARE * places.size)
        yield Split(f"seed {seed}", np.sort(places[:count]), np.sort(places[count:]), 0)


def with_history(splits: Iterator[Split], count: int, draws: int) -> Iterator[Split]:
    """Each split with only `count` training rows, drawn by chance `draws` times."""
    for number, split in enumerate(splits):
        for draw in range(draws):
            rng = np.random.default_rng([number, draw])
            kept = np.sort(rng.permutation(split.train)[:count])
            yield Split(f"{split.name} #{draw}" if draws > 1 else split.name, kept, split.test, split.gap)
