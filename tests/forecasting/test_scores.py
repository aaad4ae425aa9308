"""Scores of single rows after an edit: the same as a run gives, at once, and only for them."""

import datetime as dt
from decimal import Decimal

import pytest

from accounts.models import AccountSignal
from forecasting import services
from forecasting.models import Run, StaleMonth
from renewals.models import Renewal, RenewalScore, Stage, TimingClass
from tests.cast import Cast, make_account, make_renewal

AS_OF = dt.date(2026, 11, 21)
VALUES = [field.attname for field in RenewalScore._meta.concrete_fields if field.name != "edit_count"]


def recompute(as_of: dt.date = AS_OF) -> Run:
    services.request_run(reason=Run.Reason.DEMAND, user=None)
    run = services.claim_run(as_of=as_of)
    assert run is not None
    services.execute_run(run_id=run.pk)
    run.refresh_from_db()
    return run


def scores() -> list[dict[str, object]]:
    return list(RenewalScore.objects.order_by("renewal_id").values(*VALUES))


def make_book(cast: Cast) -> list[Renewal]:
    """Two accounts with a past, signals, and open renewals in each open class."""
    book = []
    for number in range(2):
        account = make_account(
            owner=cast.rep, last_touch_on=dt.date(2026, 10, 1), customer_since_on=dt.date(2022, 1, 1)
        )
        for year in (2023, 2024, 2025):
            due_on = dt.date(year, 6, 30)
            outcome = (
                {"outcome": "lost", "final_amount": 0, "declined_on": due_on}
                if year == 2024
                else {
                    "outcome": "renewed",
                    "final_amount": Decimal(13000),
                    "ordered_on": due_on + dt.timedelta(days=20 * number),
                }
            )
            book.append(make_renewal(owner=cast.rep, account=account, due_on=due_on, confidence=60, **outcome))
        book += [
            make_renewal(
                owner=cast.rep,
                account=account,
                due_on=due_on,
                forecast_amount=Decimal(12600),
                confidence=80,
                stage=Stage.objects.get(name="Proposal"),
            )
            for due_on in (dt.date(2026, 11, 1), dt.date(2026, 12, 1), dt.date(2027, 3, 1))
        ]
        AccountSignal.objects.create(
            account=account, measured_on=dt.date(2026, 11, 1), usage_change_rate=-0.2, csat_score=3.5
        )
    return book


def test_edit_scores_a_row_as_a_run_does(cast: Cast) -> None:
    book = make_book(cast)
    recompute()
    expected = scores()
    RenewalScore.objects.all().delete()
    services.score_renewals(renewal_ids=[renewal.pk for renewal in book], as_of=AS_OF)
    assert scores() == expected
    assert set(RenewalScore.objects.values_list("edit_count", flat=True)) == {1}


def test_second_run_changes_nothing(cast: Cast) -> None:
    make_book(cast)
    assert recompute().changed_count == 12
    before = scores()
    assert recompute().changed_count == 0
    assert scores() == before


def test_edit_marks_the_month_it_leaves_and_the_one_it_enters(cast: Cast) -> None:
    renewal = make_renewal(owner=cast.rep, due_on=dt.date(2026, 12, 15))
    Renewal.objects.filter(pk=renewal.pk).update(due_on=dt.date(2027, 1, 15))
    services.score_renewals(renewal_ids=[renewal.pk], as_of=AS_OF)
    months = set(StaleMonth.objects.values_list("month_on", flat=True))
    assert months == {dt.date(2026, 12, 1), dt.date(2027, 1, 1)}


@pytest.mark.parametrize(
    ("due_on", "expected"),
    [
        (dt.date(2027, 3, 1), TimingClass.UPCOMING),
        (dt.date(2026, 12, 21), TimingClass.IN_WINDOW),
        (dt.date(2026, 11, 1), TimingClass.OVERDUE),
        (dt.date(2026, 9, 21), TimingClass.LAPSED),
    ],
)
def test_edit_classifies_by_the_day_it_is_told(cast: Cast, due_on: dt.date, expected: TimingClass) -> None:
    renewal = make_renewal(owner=cast.rep, due_on=due_on)
    services.score_renewals(renewal_ids=[renewal.pk], as_of=AS_OF)
    assert renewal.score.timing_class == expected
