from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.engine.rates import Attribution, Book, Share, period_rates, rates_by_period, trailing_curve
from forecasting.engine.timing import NO_DAY, classify

MILLION = 100_000_000  # in cents


def day(text):
    return (date.fromisoformat(text) - date(1970, 1, 1)).days


JANUARY = (day("2026-01-01"), day("2026-01-31"))
FEBRUARY = (day("2026-02-01"), day("2026-02-28"))
QUARTER = (day("2026-01-01"), day("2026-03-31"))
YEAR_END = day("2026-12-31")


def book(*rows, today=YEAR_END):
    """Book from (baseline, renewed, due, ordered or None or "lost"), 30 days early, 5 grace, 60 late, own accounts."""
    due = np.array([day(row[2]) for row in rows], dtype=np.int32)
    is_lost = np.array([row[3] == "lost" for row in rows], dtype=bool)
    ordered = np.array([NO_DAY if row[3] in (None, "lost") else day(row[3]) for row in rows], dtype=np.int32)
    timing, _ = classify(due, ordered, is_lost, today, 30, 5, 60)
    return Book(
        baseline=np.array([row[0] for row in rows], dtype=np.int64),
        renewed=np.array([row[1] for row in rows], dtype=np.int64),
        due=due,
        ordered=ordered,
        timing=timing,
        is_excluded=np.zeros(len(rows), bool),
        account_ids=np.arange(len(rows)),
    )


def test_early_and_late_orders_do_not_swell_the_in_period_rate():
    renewals = book(
        (82 * MILLION, 82 * MILLION, "2026-02-15", "2026-02-10"),
        (18 * MILLION, 0, "2026-02-15", "lost"),
        (5 * MILLION, 5 * MILLION, "2026-04-20", "2026-03-01"),
        (3 * MILLION, 3 * MILLION, "2025-12-20", "2026-01-10"),
    )
    rates = {mode: period_rates(renewals, *QUARTER, today=YEAR_END, attribution=mode) for mode in Attribution}
    assert rates[Attribution.DUE_PERIOD].in_period_rate == 0.82
    assert rates[Attribution.ORDER_PERIOD].gross_rate == 0.90
    assert rates[Attribution.HYBRID].gross_rate == 0.85
    assert {mode.value for mode in rates} == {rates[mode].attribution for mode in rates}


def test_two_contracts_both_ordered_in_february():
    renewals = book((100, 100, "2026-01-20", "2026-02-10"), (100, 100, "2026-02-20", "2026-02-10"))
    periods = [JANUARY, FEBRUARY, QUARTER]
    hybrid = rates_by_period(renewals, periods, today=YEAR_END, attribution=Attribution.HYBRID)
    assert [rates.gross_rate for rates in hybrid] == [0.0, 2.0, 1.0]
    due_period = rates_by_period(renewals, periods, today=YEAR_END)
    assert [rates.final_rate for rates in due_period] == [1.0, 1.0, 1.0]
    assert [rates.in_period_rate for rates in due_period] == [0.0, 1.0, 1.0]


def test_gross_stops_at_the_baseline_and_net_does_not():
    renewals = book(
        (85_000_000, 105_000_000, "2026-02-15", "2026-02-10"),
        (15_000_000, 0, "2026-02-15", "lost"),
    )
    rates = period_rates(renewals, *QUARTER, today=YEAR_END)
    assert (rates.atr_cents, rates.gross_rate, rates.net_rate) == (MILLION, 0.85, 1.05)
    assert (rates.resolution_rate, rates.close_rate) == (1.0, 0.85)
    assert rates.conversion_rate == pytest.approx(105 / 85)


def test_every_bucket_of_a_period_in_the_middle_of_it():
    today = day("2026-03-10")
    renewals = book(
        (100, 120, "2026-01-10", "2025-12-01"),  # early
        (200, 180, "2026-01-20", "2026-01-22"),  # on time
        (300, 300, "2026-01-25", "2026-03-01"),  # late
        (400, 400, "2026-01-02", "2026-03-09"),  # win-back, 66 days after
        (500, 0, "2026-02-01", "lost"),
        (600, 0, "2026-01-05", None),  # lapsed, 64 days
        (700, 0, "2026-03-08", None),  # past due, still in its window
        (800, 0, "2026-02-10", None),  # overdue
        (900, 0, "2026-03-10", None),  # due today
        today=today,
    )
    renewals = replace(renewals, account_ids=np.array([1, 1, 2, 3, 1, 4, 5, 5, 6]))
    rates = period_rates(renewals, *QUARTER, today=today)
    assert rates.atr_cents == 4500
    assert (rates.lost_cents, rates.open_past_due_cents, rates.open_past_due_count, rates.open_cents) == (
        1500,
        1500,
        2,
        900,
    )
    assert (rates.renewed_cents, rates.kept_cents, rates.due_count, rates.renewed_count) == (600, 580, 9, 3)
    assert rates.logo_rate == 2 / 6
    assert rates.on_time_rate == 280 / 4500
    assert rates.value_mix == Share(120 / 600, 180 / 600, 300 / 600)
    assert rates.count_mix == Share(1 / 3, 1 / 3, 1 / 3)
    assert (rates.win_back_count, rates.win_back_cents) == (1, 400)
    assert rates.resolution_rate == 2100 / 4500
    assert rates.close_rate == 600 / 2100
    assert rates.conversion_rate == 1.0


def test_approved_exceptions_leave_the_cohort():
    renewals = book((100, 100, "2026-02-15", "2026-02-10"), (900, 0, "2026-02-15", "lost"))
    rates = period_rates(replace(renewals, is_excluded=np.array([False, True])), *QUARTER, today=YEAR_END)
    assert (rates.atr_cents, rates.gross_rate, rates.account_count) == (100, 1.0, 1)


@pytest.mark.parametrize("attribution", list(Attribution))
def test_nothing_due_has_no_rates(attribution):
    rates = period_rates(book(), *QUARTER, today=YEAR_END, attribution=attribution)
    assert {name for name, value in vars(rates).items() if value is None} == {
        "gross_rate",
        "net_rate",
        "logo_rate",
        "in_period_rate",
        "final_rate",
        "on_time_rate",
        "resolution_rate",
        "close_rate",
        "conversion_rate",
        "value_mix",
        "count_mix",
    }
    assert (rates.due_count, rates.atr_cents, rates.renewed_cents) == (0, 0, 0)


def test_zero_baselines_divide_by_nothing():
    rates = period_rates(book((0, 0, "2026-02-15", "2026-02-10")), *QUARTER, today=YEAR_END)
    assert (rates.gross_rate, rates.logo_rate, rates.value_mix) == (None, 1.0, None)
    assert rates.count_mix == Share(0.0, 1.0, 0.0)


def test_trailing_curve_counts_by_days_after_the_due_day():
    renewals = book(
        (100, 150, "2026-01-10", "2026-01-08"),
        (200, 200, "2026-01-20", "2026-01-30"),
        (300, 100, "2026-01-31", "2026-03-02"),
        (400, 0, "2026-01-31", "lost"),
    )
    days = [-3, -2, 0, 9, 10, 29, 30, 31]
    curve = trailing_curve(renewals, *JANUARY, today=YEAR_END, days=days)
    assert curve.tolist() == [0.0, 0.1, 0.1, 0.1, 0.3, 0.3, 0.4, 0.4]
    unfinished = trailing_curve(renewals, *JANUARY, today=day("2026-02-10"), days=[9, 10, 11])
    assert unfinished.tolist()[:2] == [0.1, 0.3]
    assert np.isnan(unfinished[2])


def test_trailing_curve_of_nothing_is_missing():
    assert np.isnan(trailing_curve(book(), *JANUARY, today=YEAR_END)).all()


def test_a_short_column_is_named():
    whole = book((100, 100, "2026-02-15", "2026-02-10"))
    with pytest.raises(ValueError, match="timing has 0 rows, baseline has 1"):
        replace(whole, timing=np.empty(0))


renewal = st.tuples(
    st.integers(0, 10**9),
    st.integers(0, 10**9),
    st.dates(date(2025, 10, 1), date(2026, 6, 30)).map(str),
    st.none() | st.just("lost") | st.dates(date(2025, 10, 1), date(2026, 6, 30)).map(str),
)


@given(st.lists(renewal, max_size=25), st.dates(date(2026, 1, 1), date(2026, 6, 30)).map(str))
def test_rates_hold_together(rows, today):
    renewals, now = book(*rows, today=day(today)), day(today)
    rates = period_rates(renewals, *QUARTER, today=now)
    cohort = (renewals.due >= QUARTER[0]) & (renewals.due <= QUARTER[1])
    renewed_baseline = int(renewals.baseline[cohort & renewals.is_renewed].sum())
    buckets = (rates.lost_cents, rates.open_past_due_cents, rates.open_cents)
    assert min(buckets) >= 0
    assert renewed_baseline + sum(buckets) == rates.atr_cents
    if rates.atr_cents:
        assert 0 <= rates.in_period_rate <= rates.final_rate == rates.gross_rate <= 1
        assert rates.gross_rate <= rates.net_rate
    if renewed_baseline:
        product = rates.resolution_rate * rates.close_rate * rates.conversion_rate
        assert product == pytest.approx(rates.net_rate)
    months = [JANUARY, FEBRUARY, (FEBRUARY[1] + 1, QUARTER[1])]
    parts = rates_by_period(renewals, months, today=now, attribution=Attribution.ORDER_PERIOD)
    whole = period_rates(renewals, *QUARTER, today=now, attribution=Attribution.ORDER_PERIOD)
    assert sum(part.renewed_cents for part in parts) == whole.renewed_cents
