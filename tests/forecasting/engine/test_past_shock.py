"""The shock that is learned from past periods: recovered where it was put in, the stated one where nothing is known."""

import numpy as np
import pytest

from forecasting.engine.fitted.shock import PRIOR_SIZE
from forecasting.engine.log_odds import expit
from forecasting.engine.past_shock import learn_past_shock


def draw(size: float, seed: int, cohorts: int = 13, rows: int = 3_000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    chance = np.random.default_rng(seed)
    cohort = np.repeat(np.arange(cohorts), rows)
    segment = chance.integers(1, 4, cohort.size)
    log_odds = 1.4 + 0.3 * segment + size * chance.normal(size=cohorts)[cohort]
    return segment, cohort, chance.random(cohort.size) < expit(log_odds)


def learned(size: float) -> float:
    found = [
        learn_past_shock(segment_ids=segment, cohort=cohort, is_renewed=came).size
        for segment, cohort, came in (draw(size, seed) for seed in range(8))
    ]
    return float(np.mean(found))


def test_it_is_recovered() -> None:
    # Twelve periods beside two of 0.175. A forecast carries the miss of the period before on, as a level: of shocks
    # that know nothing of each other it then misses by both, 0.15 x sqrt(2) = 0.21.
    assert learned(0.0) < 0.10
    assert learned(0.15) == pytest.approx(0.15 * np.sqrt(2), abs=0.05)
    assert learned(0.0) < learned(0.1) < learned(0.2)


@pytest.mark.parametrize("rows", [0, 1, 30])
def test_little_history_leaves_the_stated_one(rows: int) -> None:
    segment, cohort, came = (values[:rows] for values in draw(0.2, 1))
    found = learn_past_shock(segment_ids=segment, cohort=cohort, is_renewed=came)
    assert found.size == pytest.approx(PRIOR_SIZE)
    assert found.period_count == 0
    assert found.unknown == pytest.approx(0.8, abs=0.06) if rows < 2 else 0.3 < found.unknown < 0.5


def test_one_class_only_says_little() -> None:
    segment, cohort, _ = draw(0.2, 1)
    found = learn_past_shock(segment_ids=segment, cohort=cohort, is_renewed=np.ones(segment.size, dtype=bool))
    assert 0.03 <= found.size <= 0.3


def test_order_of_rows_is_irrelevant() -> None:
    segment, cohort, came = draw(0.15, 2)
    order = np.random.default_rng(0).permutation(segment.size)
    assert learn_past_shock(
        segment_ids=segment[order], cohort=cohort[order], is_renewed=came[order]
    ).size == pytest.approx(learn_past_shock(segment_ids=segment, cohort=cohort, is_renewed=came).size)
