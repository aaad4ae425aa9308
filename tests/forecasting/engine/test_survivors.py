import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.engine.survivors import (
    DUE,
    KINDS,
    MOST,
    NEVER,
    OVERDUE_STEP,
    TICKS,
    Survivors,
    clock,
    fit_survivors,
    kind_of,
)


def learned(*groups, segment=1, kind=0):
    """Each group: (how many, place of the clock at which they were decided, whether they were renewed)."""
    counts = [count for count, _, _ in groups]
    return fit_survivors(
        segment_ids=np.full(sum(counts), segment),
        kind=np.full(sum(counts), kind),
        decided=np.repeat([float(place) for _, place, _ in groups], counts),
        is_renewed=np.repeat([came for _, _, came in groups], counts),
    )


def step(survivors, place, *, segment=1, kind=0):
    return float(
        survivors.log_odds(segment_ids=np.array([segment]), kind=np.array([kind]), place=np.array([float(place)]))[0]
    )


@pytest.mark.parametrize(
    ("days_left", "notice_days", "late_days", "place"),
    [
        (0, 0, 30, 73.0),
        (5, 0, 30, 72.0),
        (12, 0, 30, 70.6),
        (365, 0, 30, 0.0),
        (900, 0, 30, 0.0),
        (65, 60, 30, 60.0),  # a tick before the decision day
        (60, 60, 30, 61.0),
        (30, 60, 30, 67.0),  # half of the notice is over
        (15, 30, 30, 67.0),
        (0, 60, 30, 73.0),
        (-15, 60, 30, 83.0),  # half of the tolerance is used up
        (-60, 0, 120, 83.0),
        (-30, 0, 30, 93.0),
        (-400, 0, 30, 93.0),
        (-1, 0, 0, 93.0),
    ],
)
def test_the_clock_counts_to_the_decision_then_the_due_day_then_the_tolerance(days_left, notice_days, late_days, place):
    found = clock(days_left=np.array([days_left]), notice_days=np.array([notice_days]), late_days=np.array([late_days]))
    assert found[0] == pytest.approx(place, abs=1e-12)


def test_kinds_are_told_by_renewing_by_itself_and_by_notice():
    kinds = kind_of(is_auto_renewing=np.array([False, False, True, True]), notice_days=np.array([0, 30, 0, 90]))
    assert kinds.tolist() == [0, 1, 2, 3]


def test_without_history_only_being_overdue_costs():
    none = Survivors.without_history()
    assert none.row_count == 0
    assert none.steps.shape == (1, KINDS, TICKS)
    assert (none.steps[..., : int(DUE) + 1] == 0).all()
    assert (none.steps[..., int(DUE) + 1 :] == OVERDUE_STEP).all()
    assert step(none, DUE + 0.5, segment=7) == pytest.approx(OVERDUE_STEP / 2)


def test_who_declines_early_leaves_the_better_ones():
    """Half of 1,000 lost ones were declined at tick 50, all else was decided on the due day: by the formula."""
    found = learned((500, 50, False), (500, DUE, False), (3_000, DUE, True))
    book = 500 / 4_000  # what tick 50 decides, whatever the outcome
    renewed, lost = (0 + 20 * book) / (3_000 + 20), (500 + 20 * book) / (1_000 + 20)
    of_kind = (0 + 20 * renewed) / (3_000 + 20), (500 + 20 * lost) / (1_000 + 20)
    of_segment = (0 + 50 * of_kind[0]) / (3_000 + 50), (500 + 50 * of_kind[1]) / (1_000 + 50)
    expected = np.log(1 - of_segment[0]) - np.log(1 - of_segment[1])
    assert step(found, 49) == 0.0
    assert step(found, 50) == pytest.approx(expected, abs=1e-4)
    assert step(found, 72) == pytest.approx(expected, abs=1e-4)
    assert step(found, 49.5) == pytest.approx(expected / 2, abs=1e-4)
    assert expected == pytest.approx(np.log(2), abs=0.07)


def test_who_orders_early_leaves_the_worse_ones():
    found = learned((2_000, 60, True), (1_000, DUE, True), (1_000, NEVER, False))
    assert step(found, 65) == pytest.approx(np.log(1 / 3), abs=0.12)
    assert step(found, DUE + 10) < -3


def test_bayes_gives_back_the_share_that_came_of_what_was_open():
    """On its own book, to within what drawing to the wider group takes: said is what came, at each tick."""
    rng = np.random.default_rng(3)
    came = rng.random(40_000) < 0.75
    decided = np.where(came, rng.normal(66, 6, came.size), rng.normal(55, 8, came.size)).clip(0, DUE)
    none = np.zeros(came.size, dtype=np.int64)
    found = fit_survivors(segment_ids=none + 1, kind=none, decided=decided, is_renewed=came)
    for place in (40, 50, 55, 60, 65, 68):
        is_open = decided > place
        said = 1 / (1 + np.exp(-np.log(0.75 / 0.25) - step(found, place)))
        assert said == pytest.approx(came[is_open].mean(), abs=0.01)


def test_a_segment_and_a_kind_with_little_follow_the_wider_ones():
    ids = np.array([1] * 4_000 + [2] * 3)
    decided = np.array([50.0] * 1_000 + [DUE] * 3_000 + [60.0] * 3)
    found = fit_survivors(
        segment_ids=ids, kind=np.zeros(ids.size, int), decided=decided, is_renewed=np.arange(ids.size) >= 1_000
    )
    assert step(found, 55, segment=2) == pytest.approx(step(found, 55, segment=99), abs=0.03)
    assert step(found, 55, segment=1, kind=3) == pytest.approx(step(found, 55, segment=99, kind=3))
    assert step(found, 55, segment=99, kind=3) == pytest.approx(step(found, 55, segment=99), abs=0.05)


@pytest.mark.parametrize("came", [True, False])
def test_one_outcome_alone_says_nothing_before_the_due_day(came):
    """Nothing is known of how the other outcome would have been decided: the same way, as far as anybody knows."""
    found = learned((1_000, 60, came))
    assert step(found, DUE) == 0.0
    assert step(found, DUE + 5) == OVERDUE_STEP


def test_few_say_little():
    """Three of ten declined early: by plain shares all others would come."""
    renewed, lost = 20 * 0.3 / 27, (3 + 20 * 0.3) / 23
    renewed, lost = 20 * renewed / 27, (3 + 20 * lost) / 23
    renewed, lost = 50 * renewed / 57, (3 + 50 * lost) / 53
    expected = np.log(1 - renewed) - np.log(1 - lost)
    assert expected == pytest.approx(0.5385, abs=1e-4)
    assert step(learned((3, 50, False), (7, 72, True)), 55) == pytest.approx(expected, abs=1e-4)


def test_it_is_stored_as_plain_numbers_and_reads_back():
    found = learned((40, 50, False), (100, 70, True), segment=5, kind=2)
    again = Survivors.from_dict(found.to_dict())
    assert (again.segment_ids.tolist(), again.row_count) == ([5], 140)
    assert (again.steps == found.steps).all()
    with pytest.raises(ValueError, match="shape"):
        Survivors.from_dict(found.to_dict() | {"segment_ids": []})


@given(
    st.lists(st.tuples(st.integers(0, TICKS), st.booleans(), st.integers(-1, 2), st.integers(0, 3)), max_size=60),
    st.randoms(use_true_random=False),
)
def test_any_history_gives_bounded_steps_in_any_order_of_its_rows(rows, shuffler):
    def fit(rows):
        place, came, segment, kind = (np.array([row[at] for row in rows]) for at in range(4))
        return fit_survivors(
            segment_ids=segment.astype(np.int64),
            kind=kind.astype(np.int64),
            decided=place.astype(np.float64),
            is_renewed=came.astype(np.bool_),
        )

    found, mixed = fit(rows), list(rows)
    shuffler.shuffle(mixed)
    assert (np.abs(found.steps) <= MOST).all()
    assert (found.steps == fit(mixed).steps).all()


def test_having_been_decided_by_then_says_what_bayes_rule_says():
    """Of 8,000 renewed and 2,000 lost, a quarter and three quarters are decided by place 50: 2,000 against 1,500."""
    found = learned((2_000, 40, True), (6_000, 60, True), (1_500, 40, False), (500, 60, False))

    def told(place):
        where = {"segment_ids": np.array([1]), "kind": np.array([0]), "place": np.array([float(place)])}
        return float(found.decided_log_odds(**where)[0])

    # The groups are drawn to wider ones by some dozens of renewals.
    assert np.log(8_000 / 2_000) + told(50) == pytest.approx(np.log(2_000 / 1_500), abs=0.03)
    assert told(30) == 0.0  # nobody is decided by then
    assert told(TICKS - 1) == 0.0  # everybody is
    assert Survivors.from_dict(found.to_dict()).decided_steps.tolist() == found.decided_steps.tolist()


def test_an_older_fit_knows_nothing_of_those_who_were_decided():
    stored = learned((20, 40, True), (20, 60, False)).to_dict()
    stored.pop("decided_steps")
    assert Survivors.from_dict(stored).decided_steps.size == 0
