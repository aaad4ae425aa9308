"""Trust in a set of renewals: the share of its baseline on rows that break no rule that matters."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from renewals.models import Renewal
from renewals.quality.evaluate import evaluate_all
from renewals.quality.trust import Trust, score, trust
from tests.cast import Cast, make_rate, make_renewal

AS_OF = dt.date(2026, 11, 21)
DUE = dt.date(2027, 11, 21)


def test_trust_is_the_unbroken_share_of_the_baseline(cast: Cast) -> None:
    make_rate("USD", "0.5")
    make_renewal(owner=cast.rep, due_on=DUE, baseline_amount=Decimal(700))
    make_renewal(owner=cast.rep, due_on=DUE, baseline_amount=Decimal(200), currency="USD", confidence=100)
    make_renewal(owner=cast.rep, due_on=DUE, baseline_amount=Decimal(200), next_step_on=dt.date(2026, 1, 1))  # a note
    make_renewal(owner=cast.rep, due_on=DUE, baseline_amount=Decimal(50), currency="XAF")
    make_renewal(
        owner=cast.rep, due_on=DUE, baseline_amount=Decimal(900), confidence=100, is_excluded=True, excluded_reason="No"
    )
    evaluate_all(as_of=AS_OF)
    with CaptureQueriesContext(connection) as captured:
        found = trust(Renewal.objects.all(), as_of=AS_OF, reporting_currency="EUR")
    assert found == Trust(
        row_count=4,
        broken_count=2,
        baseline_amount=Decimal("1000.00"),
        broken_amount=Decimal("100.00"),
        without_rate={"XAF": 1},
    )
    assert found.rate == Decimal("0.9")
    assert len([query for query in captured.captured_queries if "renewals_renewal" in query["sql"]]) == 1


def test_trust_in_nothing_is_unknown(db: None) -> None:
    assert trust(Renewal.objects.all(), as_of=AS_OF, reporting_currency="EUR").rate is None


@pytest.mark.parametrize(
    ("rate", "expected"),
    [(None, "–"), ("1", "100"), ("0.99999", "99"), ("0.942", "94"), ("0.0001", "0")],
)
def test_score_is_whole_and_never_flatters(rate: str | None, expected: str) -> None:
    assert score(Decimal(rate) if rate else None) == expected
