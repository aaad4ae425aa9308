"""Hours of people, hours of work, and what they say together."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import numpy as np

from dashboards.capacity.engine import Advice, Verdict, Work, days_present, judge, load_of, productive_hours, shortage

MONDAY = dt.date(2026, 11, 23)
TERMS = Decimal(40), Decimal("0.75"), Decimal("0.85")


def test_a_quarter_has_the_hours_that_are_published() -> None:
    hours = productive_hours(13, *TERMS)
    assert hours == Decimal("331.5")
    assert round(hours / 16, 1) == Decimal("20.7")


def test_a_day_away_counts_once_however_often_it_is_said() -> None:
    mondays = [MONDAY, MONDAY + dt.timedelta(weeks=1)]
    wednesday, saturday = MONDAY + dt.timedelta(days=2), MONDAY + dt.timedelta(days=5)
    absences = [(MONDAY, wednesday), (wednesday, saturday)]
    assert days_present(mondays, {wednesday, saturday}, []) == [4, 5]
    assert days_present(mondays, {wednesday}, absences) == [0, 5]
    assert days_present([], {wednesday}, absences) == []


def test_work_falls_on_its_weeks_and_is_cut_at_the_horizon() -> None:
    works = [Work(0, 0, 1, 2.0), Work(0, 1, 5, 1.5), Work(1, 2, 2, 4.0), Work(1, 3, 4, 9.0)]
    assert load_of(works, 2, 3).tolist() == [[2.0, 3.5, 1.5], [0.0, 0.0, 4.0]]
    assert load_of([], 1, 2).tolist() == [[0.0, 0.0]]


def test_hire_where_all_are_short_for_four_weeks() -> None:
    capacity = np.full((2, 6), 25.5)
    load = np.array([[20.0, 30, 30, 30, 30, 20], [20.0, 30, 30, 30, 30, 20]])
    assert judge(load, capacity, 25.5) == Verdict(Advice.HIRE, 1, 4, 240.0, 204.0, 36.0, 1)


def test_hire_as_many_as_the_hours_short_are_full_weeks() -> None:
    capacity = np.full((1, 4), 10.0)
    assert judge(np.full((1, 4), 30.0), capacity, 10.0).people_count == 2
    assert judge(np.full((1, 4), 30.5), capacity, 10.0).people_count == 3


def test_rebalance_where_one_is_short_and_another_is_not() -> None:
    capacity = np.full((2, 4), 20.0)
    load = np.array([[10.0, 25, 25, 10], [10.0, 10, 10, 10]])
    assert judge(load, capacity, 20.0) == Verdict(Advice.REBALANCE, 1, 1, 35.0, 40.0, 5.0)


def test_three_short_weeks_are_no_reason_to_hire() -> None:
    load = np.array([[30.0, 30, 30, 5, 5]])
    assert judge(load, np.full((1, 5), 20.0), 20.0).advice == Advice.REBALANCE


def test_who_may_not_hire_rebalances() -> None:
    assert judge(np.full((1, 5), 30.0), np.full((1, 5), 20.0), 20.0, may_hire=False).advice == Advice.REBALANCE


def test_nobody_is_hired_for_weeks_that_are_over_before_they_are_productive() -> None:
    capacity, load = np.full((1, 12), 20.0), np.full((1, 12), 10.0)
    load[0, 1:6] = 30
    assert judge(load, capacity, 20.0, hiring_weeks=3).advice == Advice.REBALANCE
    assert shortage(load, capacity) == (1, 5)
    assert judge(load, capacity, 20.0, hiring_weeks=2) == Verdict(Advice.HIRE, 2, 5, 120.0, 80.0, 40.0, 1)


def test_wait_where_everybody_has_the_hours() -> None:
    load, capacity = np.full((2, 3), 20.0), np.full((2, 3), 20.0)
    assert judge(load, capacity, 20.0) == Verdict(Advice.WAIT, 0, 2, 120.0, 120.0, 0.0)


def test_nobody_has_hours_and_nothing_is_to_be_done() -> None:
    assert judge(np.zeros((0, 3)), np.zeros((0, 3)), 20.0) == Verdict(Advice.WAIT, 0, 2, 0.0, 0.0, 0.0)
    assert judge(np.full((1, 4), 1.0), np.zeros((1, 4)), 0.0).people_count == 0
