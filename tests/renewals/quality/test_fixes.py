"""The suggested fix of each rule: an edit like any other, or a refusal that says why and writes nothing."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied

from accounts.models import Account, User
from renewals.models import Contract, DataRule, Renewal, RenewalQuality, Stage
from renewals.quality.evaluate import evaluate_renewals
from renewals.quality.fixes import NoFix, suggest
from renewals.quality.services import FixRefused, fix_renewal
from renewals.quality.worklist import DETAILS
from renewals.services import StaleRenewal
from tests.cast import Cast, make_account, make_renewal

AS_OF = dt.date(2026, 11, 21)
Fix = DataRule.Fix


def rule(name: str) -> DataRule:
    return DataRule.objects.get(name=name)


def make_broken(cast: Cast, **fields: Any) -> Renewal:
    renewal = make_renewal(**{"owner": cast.rep, "due_on": dt.date(2027, 11, 21), **fields})
    evaluate_renewals(renewal_ids=[renewal.pk], as_of=AS_OF)
    return renewal


def fix(renewal: Renewal, name: str, user: User, *, value: str, seen: str = "") -> Renewal:
    fix_renewal(renewal_id=renewal.pk, rule=rule(name), value=value, seen=seen, user=user, as_of=AS_OF)
    return Renewal.objects.get(pk=renewal.pk)


def broken_rules(renewal: Renewal) -> list[int]:
    quality = RenewalQuality.objects.filter(pk=renewal.pk).first()
    return quality.rule_ids if quality else []


def test_confidence_becomes_that_of_the_stage(cast: Cast) -> None:
    renewal = make_broken(cast, confidence=95, stage=Stage.objects.get(name="In contact"))
    mended = fix(renewal, "Confidence contradicts the stage", cast.rep, value="55", seen="95")
    assert (mended.confidence, broken_rules(mended)) == (55, [])


def test_forecast_becomes_the_baseline(cast: Cast) -> None:
    renewal = make_broken(cast, due_on=dt.date(2027, 4, 1), baseline_amount=Decimal("12000.50"))
    mended = fix(renewal, "No forecast amount", cast.rep, value="12000.50")
    assert (mended.forecast_amount, broken_rules(mended)) == (Decimal("12000.50"), [])


@pytest.mark.parametrize(
    ("cap", "cross_sell", "expected"), [("0.0500", "0", "1050.00"), ("0.0333", "0", "1033.30"), ("0", "200", "1200.00")]
)
def test_forecast_is_lowered_to_the_cap_but_keeps_what_is_cross_sold(
    cast: Cast, cap: str, cross_sell: str, expected: str
) -> None:
    renewal = make_broken(
        cast, baseline_amount=Decimal(1000), forecast_amount=Decimal(2000), cross_sell_amount=Decimal(cross_sell)
    )
    Contract.objects.update(uplift_cap_rate=Decimal(cap))
    evaluate_renewals(renewal_ids=[renewal.pk], as_of=AS_OF)
    mended = fix(renewal, "Forecast above the uplift cap", cast.rep, value=expected, seen="2000.00")
    assert (mended.forecast_amount, broken_rules(mended)) == (Decimal(expected), [])


def test_what_a_cap_does_not_bind_is_told_beside_it(cast: Cast) -> None:
    renewal = make_broken(cast, baseline_amount=1000, forecast_amount=Decimal(1300), cross_sell_amount=Decimal(200))
    Contract.objects.update(uplift_cap_rate=Decimal("0.0500"))
    renewal.refresh_from_db()
    told = DETAILS[DataRule.Condition.FORECAST_ABOVE_CAP](renewal, AS_OF).replace("\u00a0", " ")
    assert told == "€ 1,300 (€ 200 of it cross-sold, which is not bound) on € 1,000, where 5.0 % is agreed"


def test_next_step_moves_to_a_week_from_the_day(cast: Cast) -> None:
    renewal = make_broken(cast, next_step="Call", next_step_on=dt.date(2026, 10, 1))
    mended = fix(renewal, "Stale next step", cast.rep, value="2026-11-28", seen="2026-10-01")
    assert (mended.next_step, mended.next_step_on, broken_rules(mended)) == ("Call", dt.date(2026, 11, 28), [])


def test_row_of_one_who_left_goes_to_the_account_owner(cast: Cast) -> None:
    renewal = make_broken(cast, account=make_account(owner=cast.team_mate))
    User.objects.filter(pk=cast.rep.pk).update(is_active=False)
    evaluate_renewals(renewal_ids=[renewal.pk], as_of=AS_OF)
    mended = fix(
        renewal, "No owner, or one who left", cast.manager, value=str(cast.team_mate.pk), seen=str(cast.rep.pk)
    )
    assert (mended.owner, broken_rules(mended)) == (cast.team_mate, [])


def test_fix_is_in_the_history_as_an_edit_of_its_cell(cast: Cast) -> None:
    renewal = make_broken(cast, confidence=95)
    mended = fix(renewal, "Confidence contradicts the stage", cast.rep, value="40", seen="95")
    event = mended.events.get()
    assert (event.confidence, event.pgh_context["user"], event.pgh_context["how"]) == (95, cast.rep.pk, "cell")


def refused(renewal: Renewal, name: str, user: User, *, value: str, seen: str = "") -> str:
    """The reason; and nothing was written."""
    before = Renewal.objects.filter(pk=renewal.pk).values().get()
    with pytest.raises((FixRefused, StaleRenewal, PermissionDenied)) as problem:
        fix(renewal, name, user, value=value, seen=seen)
    assert Renewal.objects.filter(pk=renewal.pk).values().get() == before
    return str(problem.value)


def test_refusal_says_that_the_rule_is_no_longer_broken(cast: Cast) -> None:
    renewal = make_broken(cast, confidence=40)
    reason = refused(renewal, "Confidence contradicts the stage", cast.rep, value="40", seen="40")
    assert reason == f"{renewal.account} no longer breaks “Confidence contradicts the stage”."


def test_refusal_says_that_the_suggestion_is_another_one(cast: Cast) -> None:
    renewal = make_broken(cast, confidence=95)
    Stage.objects.update(default_confidence=45)
    reason = refused(renewal, "Confidence contradicts the stage", cast.rep, value="40", seen="95")
    assert reason == "The suggestion is another one by now: Set confidence to 45%."


def test_refusal_says_that_somebody_was_faster(cast: Cast) -> None:
    renewal = make_broken(cast, confidence=95)
    Renewal.objects.update(confidence=96)
    reason = refused(renewal, "Confidence contradicts the stage", cast.rep, value="40", seen="95")
    assert reason == "Confidence is now 96%."


def test_refusal_says_who_edits(cast: Cast) -> None:
    renewal = make_broken(cast, confidence=95)
    for user in (cast.team_mate, cast.viewer, cast.other_manager):
        reason = refused(renewal, "Confidence contradicts the stage", user, value="40", seen="95")
        assert reason.startswith("You may look at this renewal;")


def test_refusal_is_that_of_the_cell(cast: Cast) -> None:
    """A manager may hand a renewal to anybody, a rep only within the team."""
    renewal = make_broken(cast, account=make_account(owner=cast.outsider), confidence=95)
    everything = DataRule.objects.create(
        name="Owner asked", condition="no_active_owner", fix=Fix.ACCOUNT_OWNER, severity=2
    )
    RenewalQuality.objects.update(rule_ids=[everything.pk])
    value, seen = str(cast.outsider.pk), str(cast.rep.pk)
    reason = refused(renewal, "Owner asked", cast.rep, value=value, seen=seen)
    assert reason == f"There is no owner “{value}” that you can choose."


@pytest.mark.parametrize(
    ("owner", "expected"),
    [
        (None, "The account has no owner either."),
        ("gone", "Gus Gone, who owns the account, has left as well."),
        ("viewer", "Vera Viewer, who owns the account, only looks and works no renewals."),
    ],
)
def test_no_fix_says_what_is_missing_of_the_owner(cast: Cast, owner: str | None, expected: str) -> None:
    people = {"gone": User(name="Gus Gone", is_active=False), "viewer": cast.viewer}
    renewal = Renewal(account=Account(owner=people[owner] if owner else None))
    with pytest.raises(NoFix, match=expected):
        suggest(DataRule(fix=Fix.ACCOUNT_OWNER), renewal, as_of=AS_OF)


@pytest.mark.parametrize(
    ("fix_name", "expected"),
    [
        (Fix.NONE, "No suggestion: somebody has to look."),
        (Fix.BASELINE_FORECAST, "Its baseline is 0: the forecast has to be known by somebody."),
        (Fix.CAPPED_FORECAST, "Its contract has no uplift cap."),
    ],
)
def test_no_fix_says_why(fix_name: str, expected: str) -> None:
    renewal = Renewal(baseline_amount=Decimal(0), contract=Contract())
    with pytest.raises(NoFix, match=expected):
        suggest(DataRule(fix=fix_name), renewal, as_of=AS_OF)
