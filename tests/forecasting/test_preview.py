"""What a timing policy would change, before it is saved."""

import datetime as dt
from typing import Any

import pytest

from forecasting import backend
from renewals.models import TimingClass, TimingPolicy, TimingPolicyVersion
from renewals.scoring import ProposedTolerances, TimingMove
from tests.cast import Cast, make_account, make_rate, make_renewal
from tests.forecasting.forecast_book import AS_OF, renewed


def proposed(**changes: Any) -> ProposedTolerances:
    values: dict[str, Any] = {
        "account_id": None,
        "segment_id": None,
        "industry_id": None,
        "effective_from": dt.date(1970, 1, 1),
        "early_days": 30,
        "grace_days": 0,
        "late_days": 60,
        "is_business": False,
    }
    return ProposedTolerances(**{**values, **changes})


@pytest.fixture
def book(cast: Cast) -> None:
    make_rate("USD", "0.50")
    make_renewal(owner=cast.rep, due_on=dt.date(2026, 11, 1), baseline_amount=1000)  # overdue by 20 days
    make_renewal(owner=cast.rep, due_on=dt.date(2026, 11, 11), baseline_amount=3000, currency="USD")  # by 10
    make_renewal(owner=cast.rep, due_on=dt.date(2026, 11, 12), baseline_amount=9000, currency="CHF")  # by 9, no rate
    make_renewal(owner=cast.rep, due_on=dt.date(2026, 9, 1), baseline_amount=500, **renewed(500, dt.date(2026, 9, 8)))
    make_renewal(owner=cast.rep, due_on=dt.date(2027, 5, 1), baseline_amount=7000)


@pytest.mark.usefixtures("book")
def test_more_grace_moves_the_overdue_and_the_late() -> None:
    assert backend.preview_timing(proposed(grace_days=10), as_of=AS_OF) == [
        TimingMove(TimingClass.OVERDUE, TimingClass.IN_WINDOW, 2, 150_000),
        TimingMove(TimingClass.LATE, TimingClass.ON_TIME, 1, 50_000),
    ]


@pytest.mark.usefixtures("book")
def test_same_tolerances_move_nothing() -> None:
    assert backend.preview_timing(proposed(), as_of=AS_OF) == []


@pytest.mark.usefixtures("book")
def test_later_version_leaves_what_was_due_before_it() -> None:
    moves = backend.preview_timing(proposed(grace_days=30, effective_from=dt.date(2026, 11, 11)), as_of=AS_OF)
    assert moves == [TimingMove(TimingClass.OVERDUE, TimingClass.IN_WINDOW, 2, 150_000)]


def test_policy_of_an_account_moves_only_its_renewals(cast: Cast) -> None:
    accounts = [make_account(owner=cast.rep) for _ in range(2)]
    for account in accounts:
        make_renewal(owner=cast.rep, account=account, due_on=dt.date(2026, 11, 1))
    moves = backend.preview_timing(proposed(account_id=accounts[0].pk, grace_days=30), as_of=AS_OF)
    assert moves == [TimingMove(TimingClass.OVERDUE, TimingClass.IN_WINDOW, 1, 1_200_000)]


def test_preview_writes_nothing(cast: Cast) -> None:
    make_renewal(owner=cast.rep)
    before = (TimingPolicy.objects.count(), TimingPolicyVersion.objects.count())
    backend.preview_timing(proposed(early_days=200), as_of=AS_OF)
    assert (TimingPolicy.objects.count(), TimingPolicyVersion.objects.count()) == before


def test_preview_of_an_empty_book_is_empty(cast: Cast) -> None:
    assert backend.preview_timing(proposed(early_days=200), as_of=AS_OF) == []
