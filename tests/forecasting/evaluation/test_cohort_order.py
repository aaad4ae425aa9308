import pytest

from forecasting.evaluation.cohort_order import UnknownOrder, in_order


@pytest.mark.parametrize(
    "names",
    [
        ("2023-12", "2024-9", "2024-10"),
        ("2023-12-31", "2024-03-31"),
        ("2023Q4", "2024Q1"),
        ("Q4 2023", "Q1 2024", "Q2 2024"),
        ("4Q23", "1Q24"),
        ("Q4 FY23", "Q1 FY24"),
        ("H2 2023", "H1 2024"),
        ("12/2023", "3/2024"),
        ("12/31/2023", "3/31/2024", "12/31/2024"),
        ("31.12.2023", "1.3.2024", "15.2.2025"),
        ("12/23", "03/24"),
        ("Dec 2023", "Jan 2024", "April 2024"),
        ("2023 December", "2024 April", "2024 June"),
        ("31-Dec-2023", "31-Mar-2024"),
        ("Dec 31, 2023", "Mar 31, 2024"),
        ("jan", "feb", "mar"),
        ("-2", "-1", "0", "1", "10"),
        ("1.25", "1.5", "12.0"),
        ("2024.9", "2024.10"),
        ("wave 2", "wave 10"),
        ("202312", "202401"),
    ],
)
def test_cohorts_are_in_the_order_of_time(names):
    assert in_order(reversed(names)) == (list(names), True)


def test_names_without_a_number_tell_no_order():
    assert in_order(["young", "old", "old"]) == (["old", "young"], False)


def test_what_can_be_read_in_two_ways_is_refused_where_the_order_differs():
    with pytest.raises(UnknownOrder, match="03/04/2024 can be read in two ways"):
        in_order(["03/04/2024", "05/03/2024"])
    assert in_order(["11/12", "10/13", "12/11"])[0] == ["12/11", "11/12", "10/13"]  # there is no thirteenth month


def test_days_that_both_readings_put_in_the_same_order():
    assert in_order(["04/05/2024", "03/04/2024"])[0] == ["03/04/2024", "04/05/2024"]
