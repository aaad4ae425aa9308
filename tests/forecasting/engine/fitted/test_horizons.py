import numpy as np
import pytest

from forecasting.engine.fitted.horizons import told_shift, with_horizons
from forecasting.engine.fitted.shock import Shock, widening
from forecasting.engine.log_odds import expit, logit
from forecasting.engine.survivors import Survivors, Waits

QUARTERS, ROWS = 12, 600
WHOLE = Shock(0.2, QUARTERS)


def learned(
    *,
    spread: float,
    lean: float = 0.0,
    late: float = 1.0,
    early: int = 120,
    seed: int = 0,
    quarters: int = QUARTERS,
    tail: float = 0.1,
    last_due: int = 91,
) -> Shock:
    """Of quarters whose levels stray by `spread`, forecast too low by `lean` in log-odds.

    What is decided in the last 30 days of a quarter, or later, strays by `late` times that. All are due in the first
    `last_due` days; all but the `tail` decide within `early` days before, those who renew as those who leave.
    """
    rng = np.random.default_rng(seed)
    shocks = rng.normal(size=quarters)
    shocks = spread * (shocks - shocks.mean()) / max(shocks.std(), 1e-9)
    quarter = np.repeat(np.arange(quarters), ROWS)
    due = 91 * quarter + rng.integers(0, last_due, quarter.size)
    none = np.zeros(quarter.size, dtype=np.int64)
    nothing = np.zeros_like(Survivors.without_history().steps)
    decided = due + np.where(rng.random(due.size) < 1 - tail, -rng.integers(0, early, due.size), 20)
    share = np.where(decided > 91 * quarter + 60, late, 1.0)
    waits = Waits(
        segment_ids=none,
        kind=none,
        due=due,
        decided=decided,
        ran_out=none > 0,
        notice_days=none,
        late_days=none + 30,
    )
    return with_horizons(
        WHOLE,
        log_odds=np.full(quarter.size, float(logit(0.8)) - lean),
        level=0.0,
        is_renewed=rng.random(quarter.size) < expit(float(logit(0.8)) + share * shocks[quarter]),
        periods=quarter,
        ends=91 * quarter + 90,
        waits=waits,
        # Of overdue ones too, being open says nothing here.
        survivors=Survivors(np.empty(0, dtype=np.int64), nothing, 0, nothing),
        ahead=1,
    )


def size_at_90(*, spread: float, lean: float = 0.0, early: int = 1) -> float:
    """With `early` 1 nothing is decided by then."""
    return float(
        np.mean([learned(spread=spread, lean=lean, early=early, seed=seed).by_horizon[-1] for seed in (0, 1, 2)])
    )


def test_the_size_is_what_quarters_strayed_by() -> None:
    assert size_at_90(spread=0.25) == pytest.approx(0.26, abs=0.03)
    # Twelve quarters are not enough to be sure of so little.
    assert size_at_90(spread=0.0) == pytest.approx(0.15, abs=0.03)


def test_what_is_decided_by_then_leaves_less_of_it() -> None:
    assert size_at_90(spread=0.25, early=120) < size_at_90(spread=0.25) - 0.05


def test_what_forecasts_leaned_by_is_allowed_for() -> None:
    assert size_at_90(spread=0.1, lean=0.2) > size_at_90(spread=0.1) + 0.05


def test_one_quarter_tells_nothing_of_the_next() -> None:
    assert learned(spread=0.0, quarters=1) == WHOLE


def test_a_period_tells_of_no_more_than_three_sizes() -> None:
    came = np.arange(400) < 300
    assert told_shift(np.full(400, float(logit(0.75))), came, 0.2) == pytest.approx(0.0, abs=1e-6)
    # 300 of 400 for 80 %: the shift x that makes 300 = 400 expit(logit(0.8) + x) + x / 0.2^2.
    shift = told_shift(np.full(400, float(logit(0.8))), came, 0.2)
    assert 400 * expit(float(logit(0.8)) + shift) + shift / 0.04 == pytest.approx(300, abs=1e-6)
    assert told_shift(np.full(400, 4.0), ~came, 0.2) == pytest.approx(-0.6)
    assert told_shift(np.empty(0), np.empty(0, dtype=bool), 0.2) == 0.0


def test_where_nothing_was_open_the_size_is_that_of_a_whole_period() -> None:
    """Two quarters in which all was decided before the last 30 days."""
    found = learned(spread=0.1, quarters=2, tail=0.0, early=1, last_due=50)
    assert found.by_horizon[:2] == (WHOLE.size * widening(2),) * 2


def test_decided_renewals_tell_of_the_open_ones_as_far_as_they_did() -> None:
    alike = [learned(spread=0.25, seed=seed) for seed in range(3)]
    apart = [learned(spread=0.25, late=-1.0, seed=seed) for seed in range(3)]
    assert np.mean([one.told for one in alike]) > 0.9
    assert np.mean([one.told for one in apart]) < 0.75
    # What they tell is known by then: less of the shock is left near the end.
    assert np.mean([one.by_horizon[1] for one in alike]) < np.mean([one.by_horizon[1] for one in apart])
