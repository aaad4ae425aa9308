"""Scores: what may be known when, and single rows after an edit the same as a run gives."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import Account, AccountSignal, AttributeDefinition
from forecasting import services
from forecasting.frames import current_rules
from forecasting.models import StaleMonth
from renewals.models import (
    Renewal,
    RenewalScore,
    RiskFactor,
    RiskWeightVersion,
    Stage,
    TimingClass,
    TimingPolicy,
    TimingPolicyVersion,
)
from tests.cast import Cast, make_account, make_renewal
from tests.forecasting.forecast_book import AS_OF, recompute

VALUES = [field.attname for field in RenewalScore._meta.concrete_fields if field.name != "edit_count"]
POSITION = {
    "usage_trend": 0,
    "days_since_touch": 1,
    "satisfaction": 3,
    "past_lateness": 6,
    "price_rise": 7,
    "stage_pace": 10,
}


def scores() -> list[dict[str, object]]:
    return list(RenewalScore.objects.order_by("renewal_id").values(*VALUES))


def score_of(renewal: Renewal) -> RenewalScore:
    services.score_renewals(renewal_ids=[renewal.pk], as_of=AS_OF)
    return RenewalScore.objects.get(pk=renewal.pk)


def contribution(renewal: Renewal, factor: str) -> int:
    """In hundredths of a point; -1 where the input is missing."""
    return score_of(renewal).contributions[POSITION[factor]]


def make_closed(account: Account, due_on: dt.date, *, late_by: int | None = 0, **fields: Any) -> Renewal:
    """Renewed that many days after its due date, or lost on it."""
    outcome: dict[str, Any] = (
        {"outcome": "lost", "final_amount": 0, "declined_on": due_on}
        if late_by is None
        else {"outcome": "renewed", "final_amount": 13_000, "ordered_on": due_on + dt.timedelta(days=late_by)}
    )
    return make_renewal(owner=account.owner, account=account, due_on=due_on, **outcome, **fields)


def make_book(cast: Cast) -> list[Renewal]:
    """Two accounts with a past, signals, and open renewals in each open class."""
    book = []
    for number in range(2):
        account = make_account(
            owner=cast.rep, last_touch_on=dt.date(2026, 10, 1), customer_since_on=dt.date(2022, 1, 1)
        )
        for year, late_by in ((2023, 0), (2024, None), (2025, 20 * number)):
            book.append(make_closed(account, dt.date(year, 6, 30), late_by=late_by, confidence=60))
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
    assert recompute().changed_count == 0


def test_few_rows_and_many_are_scored_alike(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [renewal.pk for renewal in make_book(cast)]
    services.score_renewals(renewal_ids=ids, as_of=AS_OF)
    few = scores()
    assert len(few) == 12
    RenewalScore.objects.all().delete()
    monkeypatch.setattr("forecasting.services.scores.FEW", 0)
    services.score_renewals(renewal_ids=ids, as_of=AS_OF)
    assert scores() == few


def test_rows_that_are_gone_are_left_out(cast: Cast) -> None:
    renewal = make_renewal(owner=cast.rep)
    services.score_renewals(renewal_ids=[renewal.pk, renewal.pk + 1], as_of=AS_OF)
    services.score_renewals(renewal_ids=[renewal.pk + 1], as_of=AS_OF)
    assert [score.pk for score in RenewalScore.objects.all()] == [renewal.pk]


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
    assert score_of(make_renewal(owner=cast.rep, due_on=due_on)).timing_class == expected


@pytest.mark.parametrize(
    ("late_by", "probability", "days"), [(0, 1.0, 0), (30, 1.0, 30), (61, 0.0, 61), (None, 0.0, 0)]
)
def test_decided_renewal_is_certain(cast: Cast, late_by: int | None, probability: float, days: int) -> None:
    score = score_of(make_closed(make_account(owner=cast.rep), dt.date(2026, 3, 31), late_by=late_by))
    assert (score.probability, score.likelihood, score.likelihood_count) == (probability, probability, 0)
    assert score.timing_days == days


def test_open_renewal_knows_signals_up_to_the_day(cast: Cast) -> None:
    renewal = make_renewal(owner=cast.rep)
    assert contribution(renewal, "satisfaction") == -1
    AccountSignal.objects.create(account=renewal.account, measured_on=AS_OF + dt.timedelta(days=1), csat_score=1)
    assert contribution(renewal, "satisfaction") == -1
    AccountSignal.objects.create(account=renewal.account, measured_on=AS_OF, csat_score=1)
    assert contribution(renewal, "satisfaction") > 0


def test_blank_of_a_newer_day_leaves_the_older_value_in_force(cast: Cast) -> None:
    renewal = make_renewal(owner=cast.rep)
    AccountSignal.objects.create(account=renewal.account, measured_on=AS_OF - dt.timedelta(days=9), csat_score=1)
    before = contribution(renewal, "satisfaction")
    AccountSignal.objects.create(account=renewal.account, measured_on=AS_OF, has_champion_left=None)
    assert contribution(renewal, "satisfaction") == before > 0


def test_stale_signal_is_missing(cast: Cast) -> None:
    renewal = make_renewal(owner=cast.rep)
    stale_days = RiskFactor.objects.get(key="usage_trend").stale_days
    assert stale_days is not None
    signal = AccountSignal.objects.create(
        account=renewal.account, measured_on=AS_OF - dt.timedelta(days=stale_days), usage_change_rate=-0.5
    )
    assert contribution(renewal, "usage_trend") > 0
    AccountSignal.objects.filter(pk=signal.pk).update(measured_on=signal.measured_on - dt.timedelta(days=1))
    assert contribution(renewal, "usage_trend") == -1


def test_signal_of_another_account_is_not_this_ones(cast: Cast) -> None:
    others = [make_account(owner=cast.rep), make_account(owner=cast.rep), make_account(owner=cast.rep)]
    for account in (others[0], others[2]):
        AccountSignal.objects.create(account=account, measured_on=AS_OF, csat_score=1)
    book = [make_renewal(owner=cast.rep, account=account) for account in others]
    services.score_renewals(renewal_ids=[renewal.pk for renewal in book], as_of=AS_OF)
    found = [RenewalScore.objects.get(pk=renewal.pk).contributions[POSITION["satisfaction"]] for renewal in book]
    assert found[1] == -1
    assert found[0] == found[2] > 0


def test_decided_renewal_never_learns_what_came_after_its_horizon(cast: Cast) -> None:
    account = make_account(owner=cast.rep)
    renewal = make_closed(account, dt.date(2026, 3, 31), late_by=10, stage=Stage.objects.get(name="Verbal yes"))
    horizon = dt.date(2026, 3, 31) - dt.timedelta(days=30)
    known = AccountSignal.objects.create(account=account, measured_on=horizon, csat_score=4, usage_change_rate=-0.1)
    before = score_of(renewal)
    AccountSignal.objects.create(
        account=account,
        measured_on=horizon + dt.timedelta(days=1),
        csat_score=1,
        usage_change_rate=-0.9,
        has_champion_left=True,
        last_touch_on=horizon + dt.timedelta(days=1),
    )
    Account.objects.filter(pk=account.pk).update(last_touch_on=AS_OF)
    Renewal.objects.filter(pk=renewal.pk).update(forecast_amount=99_000, stage=Stage.objects.get(name="Not started"))
    make_closed(account, horizon + dt.timedelta(days=1), late_by=None)
    after = score_of(renewal)
    assert (after.risk_score, after.contributions) == (before.risk_score, before.contributions)
    AccountSignal.objects.filter(pk=known.pk).update(csat_score=1)
    assert score_of(renewal).risk_score != before.risk_score


def test_past_lateness_is_the_share_of_what_was_decided_by_then(cast: Cast) -> None:
    account = make_account(owner=cast.rep)
    renewal = make_renewal(owner=cast.rep, account=account)
    assert contribution(renewal, "past_lateness") == -1
    make_closed(account, dt.date(2024, 3, 31), late_by=0)
    assert contribution(renewal, "past_lateness") == 0
    make_closed(account, dt.date(2025, 3, 31), late_by=None)
    one_in_two = contribution(renewal, "past_lateness")
    make_renewal(owner=cast.rep, account=account, due_on=dt.date(2026, 1, 31))  # lapsed
    assert 0 < one_in_two < contribution(renewal, "past_lateness")


def test_price_rise_and_stage_count_while_open(cast: Cast) -> None:
    renewal = make_renewal(owner=cast.rep, due_on=AS_OF, forecast_amount=15_000)
    assert contribution(renewal, "price_rise") > 0
    assert contribution(renewal, "stage_pace") > 0
    Renewal.objects.filter(pk=renewal.pk).update(stage=Stage.objects.get(name="Verbal yes"), forecast_amount=12_000)
    assert contribution(renewal, "price_rise") == 0
    assert contribution(renewal, "stage_pace") == 0
    # It stands last among the stages, but leads away from a yes.
    Renewal.objects.filter(pk=renewal.pk).update(stage=Stage.objects.get(name="Will not renew"))
    assert contribution(renewal, "stage_pace") > 0


@pytest.mark.parametrize(
    ("kind", "safe", "risky", "other", "fields"),
    [
        ("number", 10, 90, "ninety", {"low_value": 10, "high_value": 90}),
        ("flag", False, True, "yes", {}),
        ("date", "2026-11-21", "2024-01-01", "2026-02-31x", {"low_value": 0, "high_value": 365}),
        ("category", "annual", "monthly", "unheard of", {"category_risks": {"annual": 0.0, "monthly": 1.0}}),
    ],
)
@pytest.mark.parametrize("holder", ["account", "renewal"])
def test_custom_attribute_counts_as_risk(
    cast: Cast, kind: str, safe: object, risky: object, other: object, fields: dict[str, Any], holder: str
) -> None:
    attribute = AttributeDefinition.objects.create(key="own", label="Own", kind=kind, holder=holder)
    RiskFactor.objects.create(key="own", label="Own", position=11, attribute=attribute, **fields)
    RiskWeightVersion.objects.create(weights={"own": 7})

    def own_share(value: object) -> tuple[int, float | None]:
        attributes = {} if value is None else {"own": value}
        account = make_account(owner=cast.rep, attributes=attributes if holder == "account" else {})
        score = score_of(
            make_renewal(owner=cast.rep, account=account, attributes=attributes if holder == "renewal" else {})
        )
        return score.contributions[11], score.risk_score

    assert own_share(safe) == (0, 0.0)
    assert own_share(risky) == (10_000, 100.0)
    assert own_share(None) == (-1, None)
    assert own_share(other)[0] == (-1 if kind != "date" else own_share("2026-03-03")[0])


def test_weights_of_a_segment_go_before_those_of_the_rest(cast: Cast) -> None:
    renewal = make_renewal(owner=cast.rep, due_on=AS_OF, forecast_amount=15_000)
    assert renewal.account.segment is not None
    RiskWeightVersion.objects.create(segment=renewal.account.segment, weights={"price_rise": 1})
    assert score_of(renewal).contributions[POSITION["price_rise"]] == score_of(renewal).risk_score * 100
    RiskWeightVersion.objects.create(segment=renewal.account.segment, weights={"champion_left": 1})
    assert score_of(renewal).risk_score is None


def test_rules_are_read_again_when_a_version_is_added(cast: Cast) -> None:
    renewal = make_renewal(owner=cast.rep, due_on=dt.date(2026, 11, 1))
    assert score_of(renewal).timing_class == TimingClass.OVERDUE
    before = current_rules()
    assert current_rules() is before
    policy = TimingPolicy.objects.create(account=renewal.account)
    TimingPolicyVersion.objects.create(
        policy=policy, effective_from=dt.date(2026, 1, 1), early_days=30, grace_days=20, late_days=60
    )
    assert score_of(renewal).timing_class == TimingClass.IN_WINDOW


def test_score_of_a_renewal_without_any_input_is_null(cast: Cast) -> None:
    RiskWeightVersion.objects.create(weights={"champion_left": 1})
    score = score_of(make_renewal(owner=cast.rep))
    assert (score.risk_score, score.completeness) == (None, 0.0)


def test_nothing_to_score_writes_nothing(cast: Cast) -> None:
    services.score_renewals(renewal_ids=[], as_of=AS_OF)
    assert not StaleMonth.objects.exists()
