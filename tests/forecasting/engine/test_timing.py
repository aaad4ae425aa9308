from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from forecasting.engine.timing import (
    NO_DAY,
    NO_ID,
    PolicyScope,
    PolicyTable,
    TimingClass,
    Tolerances,
    classify,
    days_between,
    resolve_policy,
)

EPOCH = date(1970, 1, 1)


def day(text: str) -> int:
    return (date.fromisoformat(text) - EPOCH).days


SATURDAY, SUNDAY, MONDAY = day("2026-11-21"), day("2026-11-22"), day("2026-11-23")
FRIDAY, THURSDAY = SATURDAY - 1, SATURDAY - 2


def classify_slowly(due, ordered, is_lost, today, early, grace, late, is_business, holidays):
    """The table of docs/domain.md section 3, read aloud, one renewal at a time, days counted one by one."""
    if is_business:
        days = count_business_days(due, today if ordered is None else ordered, holidays)
    else:
        days = (today if ordered is None else ordered) - due
    if is_lost:
        return "lost", days
    if ordered is not None:
        if days < -early:
            return "early", days
        if -early <= days <= grace:
            return "on_time", days
        if grace < days <= late:
            return "late", days
        return "win_back", days
    if days < -early:
        return "upcoming", days
    if -early <= days <= grace:
        return "in_window", days
    if grace < days <= late:
        return "overdue", days
    return "lapsed", days


def is_business_day(number, holidays):
    return (EPOCH + timedelta(days=number)).weekday() < 5 and number not in holidays


def count_business_days(first, second, holidays):
    if second < first:
        return -count_business_days(second, first, holidays)
    ends = []
    for number in (first, second):
        while not is_business_day(number, holidays):
            number += 1
        ends.append(number)
    return sum(is_business_day(number, holidays) for number in range(ends[0], ends[1]))


tolerances = st.tuples(st.integers(0, 40), st.integers(0, 40), st.integers(0, 40)).map(
    lambda t: (t[0], min(t[1:]), max(t[1:]))
)
near = st.integers(day("2026-01-01"), day("2026-04-30"))


@given(
    due=near,
    ordered=st.none() | near,
    is_lost=st.booleans(),
    today=near,
    tolerance=tolerances,
    is_business=st.booleans(),
    holidays=st.lists(near, max_size=8),
)
@example(SATURDAY, MONDAY, False, MONDAY, (0, 0, 0), True, [])
@example(-3, None, False, 3, (0, 0, 4), True, [-1])
def test_classify_agrees_with_the_table(due, ordered, is_lost, today, tolerance, is_business, holidays):
    codes, days = classify(
        np.array([due]),
        np.array([NO_DAY if ordered is None else ordered]),
        np.array([is_lost]),
        today,
        *(np.array([bound]) for bound in tolerance),
        np.array([is_business]),
        holidays,
    )
    expected = classify_slowly(due, ordered, is_lost, today, *tolerance, is_business, holidays)
    assert (TimingClass(int(codes[0])).label, int(days[0])) == expected


@pytest.mark.parametrize(
    ("days", "when_ordered", "when_open"),
    [
        (-31, "early", "upcoming"),
        (-30, "on_time", "in_window"),
        (0, "on_time", "in_window"),
        (5, "on_time", "in_window"),
        (6, "late", "overdue"),
        (45, "late", "overdue"),
        (46, "win_back", "lapsed"),
    ],
)
def test_bounds_belong_to_the_better_class(days, when_ordered, when_open):
    due = np.array([20000, 20000, 20000])
    codes, judged_by = classify(
        due, np.array([20000 + days, NO_DAY, NO_DAY]), np.array([False, False, True]), 20000 + days, 30, 5, 45
    )
    assert [TimingClass(code).label for code in codes] == [when_ordered, when_open, "lost"]
    assert judged_by.tolist() == [days, days, days]
    assert (codes.dtype, judged_by.dtype) == (np.int8, np.int32)


def test_lost_is_lost_even_when_ordered():
    codes, days = classify(np.array([100]), np.array([90]), np.array([True]), 200, 30, 0, 45)
    assert (codes.tolist(), days.tolist()) == ([TimingClass.LOST], [-10])


def test_policies_of_both_kinds_in_one_call():
    due, ordered = np.array([FRIDAY, FRIDAY], dtype=np.int32), np.array([MONDAY, MONDAY], dtype=np.int32)
    codes, days = classify(due, ordered, np.zeros(2, bool), MONDAY, 0, 1, 10, np.array([True, False]))
    assert (codes.tolist(), days.tolist()) == ([TimingClass.ON_TIME, TimingClass.LATE], [1, 3])


def test_empty_book_has_no_classes():
    none = np.empty(0, dtype=np.int32)
    codes, days = classify(none, none, np.empty(0, bool), 20000, 30, 0, 45)
    assert (codes.size, days.size) == (0, 0)


def test_missing_due_day_names_its_row():
    with pytest.raises(ValueError, match=r"^row 1: due -2147483648 is missing"):
        classify(np.array([20000, NO_DAY]), np.array([NO_DAY, NO_DAY]), np.zeros(2, bool), 20000, 30, 0, 45)


@pytest.mark.parametrize(
    ("due", "ordered", "expected"),
    [
        (SATURDAY, SUNDAY, 0),
        (SATURDAY, MONDAY, 0),
        (FRIDAY, SATURDAY, 1),
        (FRIDAY, MONDAY, 1),
        (MONDAY, FRIDAY, -1),
        (MONDAY, SATURDAY, 0),
        (THURSDAY, THURSDAY + 14, 10),
        (NO_DAY + 1, NO_DAY + 8, 5),
    ],
)
def test_a_weekend_day_counts_as_the_monday_after(due, ordered, expected):
    assert days_between(np.array([due]), np.array([ordered]), True).tolist() == [expected]


def test_business_days_are_those_of_numpy_after_rolling_forward():
    rng = np.random.default_rng(7)
    due, other = rng.integers(-4000, 24000, (2, 5000))
    holidays = rng.integers(-4000, 24000, 300)
    rolled = [
        np.busday_offset(days.astype("M8[D]"), 0, roll="forward", holidays=holidays.astype("M8[D]"))
        for days in (due, other)
    ]
    expected = np.busday_count(rolled[0], rolled[1], holidays=holidays.astype("M8[D]"))
    assert np.array_equal(days_between(due, other, True, holidays), expected)


@given(near, near, st.lists(near, max_size=8))
def test_business_days_change_only_their_sign_when_swapped(first, second, holidays):
    there = days_between(first, second, True, holidays)
    assert int(there) == -int(days_between(second, first, True, holidays))


def test_tolerances_accept_the_bounds():
    assert Tolerances(0, 0, 0) == Tolerances(early_days=0, grace_days=0, late_days=0, is_business=False)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((-1, 0, 30), "early_days is -1: it must be 0 or more"),
        ((30, -2, 30), "grace_days is -2: it must be 0 or more"),
        ((30, 10, 9), r"late_days is 9: it must be at least grace_days \(10\)"),
    ],
)
def test_tolerances_name_the_bad_field(values, message):
    with pytest.raises(ValueError, match=message):
        Tolerances(*values)


def table(*versions):
    """PolicyTable from (scope, account, segment, industry, effective_from)."""
    columns = np.array(versions, dtype=np.int64).reshape(-1, 5).T
    days = np.arange(len(versions))
    return PolicyTable(*columns, days, np.zeros_like(days), days + 30, np.zeros(len(versions), bool))


def resolve(policies, account, segment, industry, due):
    return resolve_policy(
        policies,
        account_ids=np.array([account]),
        segment_ids=np.array([segment]),
        industry_ids=np.array([industry]),
        due=np.array([due], dtype=np.int32),
    ).tolist()


DEFAULT = (PolicyScope.DEFAULT, NO_ID, NO_ID, NO_ID, 0)


def test_the_most_specific_policy_wins():
    policies = table(
        DEFAULT,
        (PolicyScope.SEGMENT, NO_ID, 2, NO_ID, 0),
        (PolicyScope.INDUSTRY, NO_ID, NO_ID, 3, 0),
        (PolicyScope.SEGMENT_INDUSTRY, NO_ID, 2, 3, 0),
        (PolicyScope.ACCOUNT, 1, NO_ID, NO_ID, 0),
    )
    assert resolve(policies, 1, 2, 3, 500) == [4]
    assert resolve(policies, 9, 2, 3, 500) == [3]
    assert resolve(policies, 9, 9, 3, 500) == [2]
    assert resolve(policies, 9, 2, 9, 500) == [1]
    assert resolve(policies, 9, NO_ID, NO_ID, 500) == [0]


def test_a_version_is_in_force_from_its_own_day_on():
    policies = table(
        (PolicyScope.DEFAULT, NO_ID, NO_ID, NO_ID, 200), DEFAULT, (PolicyScope.ACCOUNT, 5, NO_ID, NO_ID, 150)
    )
    assert [resolve(policies, 5, NO_ID, NO_ID, due)[0] for due in (0, 149, 150, 250)] == [1, 1, 2, 2]
    assert [resolve(policies, 6, NO_ID, NO_ID, due)[0] for due in (199, 200)] == [1, 0]


def test_a_day_before_the_first_default_is_judged_by_the_first_default():
    policies = table((PolicyScope.DEFAULT, NO_ID, NO_ID, NO_ID, 300), (PolicyScope.DEFAULT, NO_ID, NO_ID, NO_ID, 200))
    assert resolve(policies, 1, 1, 1, -5000) == [1]


ids = st.integers(1, 4)
version = st.one_of(
    st.tuples(st.just(0), ids, st.just(NO_ID), st.just(NO_ID), st.integers(-3, 9)),
    st.tuples(st.just(1), st.just(NO_ID), ids, ids, st.integers(-3, 9)),
    st.tuples(st.just(2), st.just(NO_ID), st.just(NO_ID), ids, st.integers(-3, 9)),
    st.tuples(st.just(3), st.just(NO_ID), ids, st.just(NO_ID), st.integers(-3, 9)),
    st.tuples(st.just(4), st.just(NO_ID), st.just(NO_ID), st.just(NO_ID), st.integers(-3, 9)),
)
row = st.tuples(st.integers(-1, 5), st.integers(-1, 5), st.integers(-1, 5), st.integers(-6, 12))


def resolve_slowly(versions, account, segment, industry, due):
    for scope, key in enumerate([(account,), (segment, industry), (industry,), (segment,), ()]):
        candidates = [
            (version[4], index)
            for index, version in enumerate(versions)
            if version[0] == scope and tuple(i for i in version[1:4] if i != NO_ID) == key and version[4] <= due
        ]
        if candidates:
            return max(candidates)[1]
    return min((version[4], index) for index, version in enumerate(versions) if version[0] == 4)[1]


@given(st.lists(version, max_size=25, unique=True), st.integers(-3, 9), st.lists(row, min_size=1, max_size=20))
def test_resolve_policy_agrees_with_a_search_by_hand(versions, default_from, rows):
    default = (4, NO_ID, NO_ID, NO_ID, default_from)
    versions = [default, *(version for version in versions if version != default)]
    columns = np.array(rows, dtype=np.int64).T
    found = resolve_policy(
        table(*versions), account_ids=columns[0], segment_ids=columns[1], industry_ids=columns[2], due=columns[3]
    )
    assert found.tolist() == [resolve_slowly(versions, *row) for row in rows]
    assert found.dtype == np.int32


@pytest.mark.parametrize(
    ("versions", "message"),
    [
        ([], "there is no default policy"),
        ([DEFAULT, (0, NO_ID, 1, 1, 0)], "timing policy 1: account_ids -1 is missing in a ACCOUNT policy"),
        (
            [DEFAULT, (3, NO_ID, 7, NO_ID, 4), (3, NO_ID, 7, NO_ID, 4)],
            "policy 2: effective_from 4 is taken by policy 1",
        ),
    ],
)
def test_policy_table_names_the_bad_version(versions, message):
    with pytest.raises(ValueError, match=message):
        resolve(table(*versions), 1, 1, 1, 0)


def test_policy_table_checks_tolerances():
    one, none = np.array([4]), np.array([NO_ID])
    with pytest.raises(ValueError, match="timing policy 0: late_days 5 is below grace_days"):
        PolicyTable(one, none, none, none, one, one, np.array([6]), np.array([5]), np.array([False]))
