from dataclasses import replace

import pytest

from engagement.support.habit import Activity, Finding, unusual_activity

USUAL = Activity(severe_before=12, reopened_before=12, opened_quiet=4, opened_before=24, reporters_before=6)


def codes(seen: Activity) -> list[str]:
    return [finding.code for finding in unusual_activity(seen)]


def test_nothing_is_unusual_without_tickets_or_as_always() -> None:
    assert unusual_activity(Activity()) == []
    assert unusual_activity(replace(USUAL, severe_open=1, reopened_recent=1, reporters_recent=3)) == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"severe_open": 2}, "severe"),  # usually 0.99 a month: twice that is 1.97
        ({"reopened_recent": 2}, "reopened"),
        ({"reporters_recent": 6}, "reporters"),
        ({"opened_quiet": 0}, "silence"),  # 24 a year are 3.9 in 60 days
        ({"ending_recent": 1}, "ending"),
    ],
)
def test_each_departure_from_the_habit_is_told(changes: dict[str, int], code: str) -> None:
    assert codes(replace(USUAL, **changes)) == [code]


def test_silence_of_an_account_that_seldom_writes_is_not_told() -> None:
    assert codes(Activity(opened_before=18)) == []  # 2.96 to be expected
    assert codes(Activity(opened_before=19)) == ["silence"]


def test_the_first_severe_ticket_is_unusual_and_says_so_with_both_counts() -> None:
    assert unusual_activity(Activity(severe_open=1, severe_before=4, opened_quiet=1)) == [
        Finding("severe", "1 severe open, usually 0.3 a month")
    ]


def test_the_gravest_comes_first() -> None:
    assert codes(replace(USUAL, severe_open=9, ending_recent=2, opened_quiet=0)) == ["ending", "severe", "silence"]
