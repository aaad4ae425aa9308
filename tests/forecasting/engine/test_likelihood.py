import json

import numpy as np
import pytest

from forecasting.engine.likelihood import HIGHEST, LOWEST, RateTable, apply_rates, fit_rates
from forecasting.engine.log_odds import expit, logit
from forecasting.engine.risk import RiskBand
from forecasting.engine.timing import NO_DAY, NO_ID, TimingClass

CUT_OFF = 20_000
TOLERANCES = {"early_days": 30, "grace_days": 5, "late_days": 60}
OPEN = np.array([TimingClass.UPCOMING, TimingClass.IN_WINDOW, TimingClass.OVERDUE])


def fit(segment_ids, timing, *, due=None, band=RiskBand.UNSCORED, lost_on=NO_DAY, cut_off=CUT_OFF, **options):
    """Table from decided renewals; those without a due day were due half a year before the cut-off."""
    timing = np.asarray(timing)
    n = timing.size
    return fit_rates(
        segment_ids=np.broadcast_to(segment_ids, n),
        band=np.broadcast_to(band, n),
        timing=timing,
        due=np.full(n, CUT_OFF - 180) if due is None else due,
        lost_on=np.broadcast_to(lost_on, n),
        cut_off=cut_off,
        **(TOLERANCES | options),
    )


def rate(table, segment=NO_ID, state=TimingClass.UPCOMING, band=RiskBand.UNSCORED):
    likelihood, count = apply_rates(table, np.array([segment]), np.array([state]), np.array([band]))
    return float(likelihood[0]), int(count[0])


def outcomes(**counts):
    return np.repeat([TimingClass[name.upper()] for name in counts], list(counts.values()))


def test_without_history_the_stated_prior():
    table = fit(1, np.empty(0, dtype=np.int8))
    assert table.is_prior
    likelihood, count = apply_rates(table, np.array([1, 1, NO_ID]), OPEN, np.zeros(3, dtype=np.int8))
    assert likelihood.round(3).tolist() == [0.85, 0.85, 0.5]
    assert count.tolist() == [0, 0, 0]


def test_a_book_of_one_cell_is_its_rate_drawn_to_the_prior():
    table = fit(NO_ID, outcomes(on_time=60, lost=36), with_level_shift=False)
    assert rate(table) == (pytest.approx((60 + 4 * 0.85) / (96 + 4)), 96)
    assert not table.is_prior


def test_win_back_and_lapsed_are_not_renewed():
    table = fit(NO_ID, outcomes(early=10, on_time=10, late=10, win_back=5, lapsed=3, lost=2), with_level_shift=False)
    assert rate(table) == (pytest.approx((30 + 3.4) / 44), 40)


def test_lapsed_is_nothing_and_decided_has_no_likelihood():
    table = fit(1, outcomes(on_time=50, lost=10))
    timing = np.array([TimingClass.LAPSED, TimingClass.ON_TIME, TimingClass.LOST])
    likelihood, count = apply_rates(table, np.array([1, 1, 1]), timing, np.zeros(3, dtype=np.int8))
    assert np.array_equal(likelihood, [0.0, np.nan, np.nan], equal_nan=True)
    assert count.tolist() == [0, 0, 0]


def test_only_settled_renewals_are_history():
    due = CUT_OFF - np.array([61, 60, 10, -50])
    table = fit(1, outcomes(on_time=4), due=due)
    assert table.row_count == 1


def test_unsettled_in_business_days_too():
    due = np.array([CUT_OFF - 70, CUT_OFF - 100])
    assert fit(1, outcomes(on_time=2), due=due, is_business=True).row_count == 1


def test_overdue_is_compared_with_those_still_open_after_grace():
    timing = outcomes(early=300, on_time=500, late=60, lapsed=100, win_back=20, lost=120)
    lost_on = np.full(timing.size, NO_DAY)
    lost_on[-120:-20] = CUT_OFF - 180 - 40  # declined well before the window opened
    lost_on[-20:] = CUT_OFF - 180 + 6  # declined on the first day past grace
    table = fit(NO_ID, timing, lost_on=lost_on, with_level_shift=False)
    upcoming, in_window, overdue = (rate(table, state=state) for state in OPEN)
    assert (upcoming[1], in_window[1], overdue[1]) == (1100, 700, 200)
    assert upcoming[0] == pytest.approx((860 + 3.4) / 1104)
    assert in_window[0] == pytest.approx((560 + 4 * upcoming[0]) / 704)
    parent = float(expit(logit(in_window[0]) - 1.735))
    assert overdue[0] == pytest.approx((60 + 4 * parent) / 204)


def test_a_loss_without_a_date_counts_as_open_to_the_end():
    table = fit(NO_ID, outcomes(on_time=80, lost=20), with_level_shift=False)
    assert rate(table, state=TimingClass.OVERDUE)[1] == 20
    assert rate(table, state=TimingClass.OVERDUE)[0] < 0.2


def test_large_segments_keep_their_own_rate_and_small_ones_lean_on_the_book():
    rng = np.random.default_rng(1)
    segment = np.repeat([1, 2, 3, 4], [2000, 2000, 2000, 8])
    renewed = rng.random(6008) < np.array([0, 0.95, 0.8, 0.6, 0.0])[segment]
    table = fit(segment, np.where(renewed, TimingClass.ON_TIME, TimingClass.LOST), with_level_shift=False)
    rates = [rate(table, segment=number)[0] for number in (1, 2, 3, 4)]
    assert rates[:3] == pytest.approx([renewed[segment == number].mean() for number in (1, 2, 3)], abs=0.005)
    assert 0.15 < rates[3] < 0.55  # eight losses in eight are evidence, not certainty
    assert rate(table, segment=99) == rate(table, segment=NO_ID)
    assert rate(table, segment=99) == (pytest.approx(renewed.mean(), abs=0.001), 6008)


def test_segments_that_differ_only_by_chance_share_a_rate():
    rng = np.random.default_rng(2)
    segment = np.repeat(np.arange(20), 40)
    timing = np.where(rng.random(800) < 0.85, TimingClass.ON_TIME, TimingClass.LOST)
    table = fit(segment, timing, with_level_shift=False)
    raw = np.array([(timing[segment == number] == TimingClass.ON_TIME).mean() for number in range(20)])
    shrunk = np.array([rate(table, segment=number)[0] for number in range(20)])
    assert np.ptp(shrunk) < 0.25 * np.ptp(raw)
    assert shrunk.mean() == pytest.approx(raw.mean(), abs=0.01)


def test_a_band_moves_segments_it_was_never_seen_in():
    band = np.repeat([RiskBand.LOW, RiskBand.HIGH, RiskBand.LOW], [1000, 1000, 200])
    segment = np.repeat([1, 1, 2], [1000, 1000, 200])
    timing = np.concatenate(
        [outcomes(on_time=950, lost=50), outcomes(on_time=600, lost=400), outcomes(on_time=180, lost=20)]
    )
    table = fit(segment, timing, band=band, with_level_shift=False)
    low, high = rate(table, 2, band=RiskBand.LOW), rate(table, 2, band=RiskBand.HIGH)
    assert low[0] == pytest.approx(0.9, abs=0.03)
    assert high[0] < low[0] - 0.1
    assert (low[1], high[1]) == (200, 200)  # high rests on the segment's 200
    assert rate(table, NO_ID, band=RiskBand.HIGH)[1] == 1000


def test_bounds_of_a_rate():
    always = fit(1, outcomes(on_time=100_000), with_level_shift=False)
    never = fit(1, outcomes(lost=100_000), with_level_shift=False)
    assert (rate(always, 1)[0], rate(never, 1)[0]) == (HIGHEST, pytest.approx(LOWEST, rel=1e-12))


def drifting_book(rng, quarters=10, size=500):
    """A book whose rate climbs from 73 to 85 % in nine quarters: (segment, due, timing)."""
    quarter = np.repeat(np.arange(quarters), size)
    segment = rng.integers(1, 4, quarter.size)
    truth = expit(logit(0.73) + (logit(0.85) - logit(0.73)) * quarter / 9 + 0.4 * (segment - 2))
    timing = np.where(rng.random(quarter.size) < truth, TimingClass.ON_TIME, TimingClass.LOST)
    return segment, quarter * 91 + CUT_OFF, timing


def misses(book, **options):
    """Signed miss of the forecast rate in each quarter from the fifth on, fitted on the quarters before it."""
    segment, due, timing = book
    found = []
    for quarter in range(4, 10):
        start = CUT_OFF + quarter * 91
        past, now = due < start, due == start
        table = fit(segment[past], timing[past], due=due[past], cut_off=start, late_days=0, grace_days=0, **options)
        likelihood, _ = apply_rates(table, segment[now], np.zeros(now.sum(), int), np.full(now.sum(), 3))
        found.append(likelihood.mean() - (timing[now] == TimingClass.ON_TIME).mean())
    return np.array(found)


def test_level_shift_takes_out_more_than_half_the_miss_of_a_drifting_book():
    books = [drifting_book(np.random.default_rng(seed)) for seed in range(8)]
    plain = np.mean([misses(book, with_level_shift=False, half_life_days=1e9) for book in books])
    recent = np.mean([misses(book, with_level_shift=False) for book in books])
    shifted = np.mean([misses(book) for book in books])
    assert plain < recent < shifted < 0
    assert abs(shifted) < 0.5 * abs(plain)
    assert abs(shifted) < 0.6 * abs(recent)


def test_level_shift_costs_little_where_nothing_drifts():
    def steady_book(seed):
        rng = np.random.default_rng(seed)
        segment, due, _ = drifting_book(rng)
        return segment, due, np.where(rng.random(due.size) < 0.85, TimingClass.ON_TIME, TimingClass.LOST)

    books = [steady_book(seed) for seed in range(8)]
    plain = np.mean([misses(book, with_level_shift=False) ** 2 for book in books])
    shifted = np.mean([misses(book) ** 2 for book in books])
    assert shifted < 1.5 * plain


def test_little_history_does_little_harm():
    """Fifty decided renewals: squared error of the rates no worse than 5 % above that of the true base rate."""
    rng = np.random.default_rng(11)
    excess = []
    for _ in range(200):
        segment, renewed = rng.integers(1, 5, 50), rng.random(50) < 0.8
        table = fit(segment, np.where(renewed, TimingClass.ON_TIME, TimingClass.LOST))
        likelihood, _ = apply_rates(table, np.arange(1, 5), np.zeros(4, int), np.full(4, 3))
        excess.append(((likelihood - 0.8) ** 2).mean())
    assert np.mean(excess) < 0.05 * 0.8 * 0.2


def test_order_of_the_rows_does_not_matter():
    segment, due, timing = drifting_book(np.random.default_rng(5))
    shuffled = np.random.default_rng(6).permutation(due.size)
    one = fit(segment, timing, due=due, cut_off=CUT_OFF + 2000)
    other = fit(segment[shuffled], timing[shuffled], due=due[shuffled], cut_off=CUT_OFF + 2000)
    assert np.allclose(one.rates, other.rates, rtol=1e-12)
    assert np.array_equal(one.counts, other.counts)


def test_a_table_survives_json():
    table = fit(np.array([4, 4, NO_ID]), outcomes(on_time=2, lost=1))
    again = RateTable.from_dict(json.loads(json.dumps(table.to_dict())))
    assert again.to_dict() == table.to_dict()
    assert (rate(again, 4), again.is_prior) == (rate(table, 4), False)
