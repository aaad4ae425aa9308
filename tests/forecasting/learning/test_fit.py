"""Fits in the background, and what recomputes and edits make of them."""

import datetime as dt
from decimal import Decimal

import pytest

from accounts.models import AttributeDefinition, Company
from config.celery import app
from forecasting import services
from forecasting.frames.likelihood_columns import Inputs
from forecasting.learning import services as learning
from forecasting.learning.fit import fit_as_of
from forecasting.models import LikelihoodModel, Run
from renewals.models import Renewal, RenewalScore
from tests.cast import Cast
from tests.forecasting.forecast_book import recompute
from tests.forecasting.learning.decided import AS_OF, make_decided, open_renewal

State = LikelihoodModel.State


def fit(cut_off: dt.date = AS_OF) -> LikelihoodModel:
    learning.request_fit(reason="demand", user=None)
    version = learning.claim_fit()
    assert version is not None
    learning.execute_fit(model_id=version.pk, cut_off=cut_off)
    version.refresh_from_db()
    return version


def likelihood_of(renewal: Renewal) -> float:
    return RenewalScore.objects.get(renewal=renewal).likelihood


def test_a_fit_is_used_by_the_run_that_follows_it(cast: Cast) -> None:
    make_decided(600, signal=1.5)
    renewal = open_renewal(cast.rep)
    recompute()
    before = likelihood_of(renewal)
    version = fit()
    assert (version.state, version.row_count, version.is_signal) == (State.FITTED, 600, True)
    assert Run.objects.filter(state=Run.State.WAITING, reason=Run.Reason.MODEL).count() == 1
    assert likelihood_of(renewal) == before
    run = recompute()
    assert run.likelihood_model_id == version.pk
    score = RenewalScore.objects.get(renewal=renewal)
    assert (score.likelihood == before, score.likelihood_count) == (False, 600)
    decided = RenewalScore.objects.filter(renewal__outcome="renewed").values_list("likelihood", flat=True)
    assert set(decided) == {1.0}


def test_an_edit_and_a_run_give_the_same_likelihood(cast: Cast) -> None:
    AttributeDefinition.objects.create(key="plan", label="Plan", kind="category")
    make_decided(600, signal=1.5, attributes={"plan": "gold"}, region="North")
    renewals = [
        open_renewal(cast.rep, segment=segment, attributes={"plan": plan}, region=region)
        for segment, plan, region in [("Enterprise", "gold", "North"), ("Small", "never seen", "Nowhere")]
    ]
    fit()
    recompute()
    by_run = [likelihood_of(renewal) for renewal in renewals]
    RenewalScore.objects.update(likelihood=0.5)
    for renewal in renewals:
        services.score_renewals(renewal_ids=[renewal.pk], as_of=AS_OF)
    assert [likelihood_of(renewal) for renewal in renewals] == by_run
    RenewalScore.objects.update(likelihood=0.5)
    services.score_renewals(renewal_ids=[renewal.pk for renewal in renewals], as_of=AS_OF)
    assert [likelihood_of(renewal) for renewal in renewals] == by_run


def test_the_known_chances_are_found(cast: Cast) -> None:
    make_decided(3_000)
    renewals = [open_renewal(cast.rep), open_renewal(cast.rep, segment="Small")]
    fit()
    recompute()
    assert [likelihood_of(renewal) for renewal in renewals] == pytest.approx([0.90, 0.60], abs=0.03)


def test_an_overdue_one_is_less_likely_by_the_step_of_the_rates(cast: Cast) -> None:
    make_decided(600)
    upcoming, overdue = open_renewal(cast.rep), open_renewal(cast.rep)
    Renewal.objects.filter(pk=overdue.pk).update(due_on=AS_OF - dt.timedelta(days=20))
    fit()
    recompute()
    assert likelihood_of(overdue) < likelihood_of(upcoming)


@pytest.mark.parametrize("count", [0, 1, 30])
def test_with_little_history_the_fit_is_simple_and_says_so(cast: Cast, count: int) -> None:
    make_decided(count)
    renewal = open_renewal(cast.rep, segment="Enterprise") if count else None
    version = fit()
    assert (version.state, version.row_count, version.is_signal) == (State.FITTED, count, False)
    assert version.metrics["unseen"] is None
    assert version.reason
    recompute()
    if renewal:
        assert 0.5 < likelihood_of(renewal) < 0.95


def test_one_outcome_alone_is_drawn_to_the_prior(cast: Cast) -> None:
    made = make_decided(40)
    Renewal.objects.filter(pk__in=[one.pk for one in made if one.outcome == "lost"]).delete()
    renewal = open_renewal(cast.rep)
    version = fit()
    recompute()
    assert version.row_count == version.renewed_count > 0
    assert "ended alike" in version.reason
    assert 0.9 < likelihood_of(renewal) < 1


def test_one_segment_alone_and_a_blank_one_are_fine(cast: Cast) -> None:
    made = make_decided(200)
    Renewal.objects.exclude(account__segment__name="Small").delete()
    renewal = open_renewal(cast.rep, segment="Enterprise")
    renewal.account.__class__.objects.filter(pk=renewal.account_id).update(segment=None)
    version = fit()
    recompute()
    assert 0 < version.row_count < len(made)
    assert likelihood_of(renewal) == pytest.approx(version.renewed_count / version.row_count, abs=0.1)


def test_a_failed_fit_keeps_the_last_good_version(cast: Cast, caplog: pytest.LogCaptureFixture) -> None:
    make_decided(60)
    good = fit()
    recompute()
    # A category of a kind that nobody knows: written past the product.
    AttributeDefinition.objects.create(key="odd", label="Odd", kind="riddle")
    failed = fit()
    assert (failed.state, failed.content) == (State.FAILED, None)
    assert "riddle" in failed.message
    assert LikelihoodModel.objects.newest_fitted() == good
    assert recompute().likelihood_model_id == good.pk


def test_one_fit_at_a_time_and_a_doubled_task_counts_once(cast: Cast) -> None:
    make_decided(60)
    first = learning.request_fit(reason="demand", user=cast.admin)
    assert learning.request_fit(reason="weekly", user=None) == first
    version = learning.claim_fit()
    assert version is not None
    second = learning.request_fit(reason="demand", user=None)
    assert second != first
    assert learning.claim_fit() is None
    assert learning.execute_fit(model_id=first, cut_off=AS_OF) is True
    content = LikelihoodModel.objects.get(pk=first).content
    assert learning.execute_fit(model_id=first, cut_off=AS_OF) is False
    assert LikelihoodModel.objects.get(pk=first).content == content


def test_a_fit_whose_worker_was_killed_is_taken_up(cast: Cast) -> None:
    make_decided(60)
    learning.request_fit(reason="demand", user=None)
    version = learning.claim_fit()
    assert version is not None
    learning.fit_likelihood()
    version.refresh_from_db()
    assert version.state == State.FITTED


def test_a_fit_that_never_ends_is_given_up(cast: Cast) -> None:
    pk = learning.request_fit(reason="demand", user=None)
    long_ago = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    LikelihoodModel.objects.filter(pk=pk).update(
        state=State.RUNNING, started_at=long_ago, dispatched_at=long_ago, restart_count=learning.RESTARTS
    )
    learning.dispatch_fits()
    assert LikelihoodModel.objects.get(pk=pk).state == State.FAILED


def test_the_first_fit_follows_the_first_run_of_a_book_with_a_past(cast: Cast) -> None:
    open_count = LikelihoodModel.objects.count()
    learning.dispatch_fits()
    assert LikelihoodModel.objects.count() == open_count  # nothing was ever scored
    make_decided(3)
    recompute()
    learning.dispatch_fits()
    learning.dispatch_fits()
    assert list(LikelihoodModel.objects.values_list("asked_because", "state")) == [("first", State.WAITING)]


def test_a_fit_is_due_after_many_decisions_or_a_week(cast: Cast) -> None:
    make_decided(200)
    version = fit(AS_OF - dt.timedelta(days=400))
    assert learning.request_due_fit() is not None  # more than 50 were decided since
    LikelihoodModel.objects.filter(state=State.WAITING).delete()
    LikelihoodModel.objects.update(cut_off_on=AS_OF)
    assert learning.request_due_fit() is None
    LikelihoodModel.objects.filter(pk=version.pk).update(requested_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    assert learning.request_due_fit() is not None


def test_a_past_fit_knows_only_its_past(cast: Cast) -> None:
    make_decided(400)
    past = AS_OF - dt.timedelta(days=500)
    before = fit_as_of(cut_off=past, horizon_days=30)
    Renewal.objects.filter(due_on__gt=past, outcome="lost").update(
        outcome="renewed", declined_on=None, ordered_on=AS_OF, final_amount=Decimal(5)
    )
    after = fit_as_of(cut_off=past, horizon_days=30)
    assert before.model.to_dict() == after.model.to_dict()
    assert 0 < before.model.row_count < 400


def test_what_is_stored_of_the_inputs_reads_back() -> None:
    inputs = Inputs(("segment", "region"), {"EUR": 1.0}, ("North",), ("Core",), (), 30, {"segment": ["1"]})
    assert Inputs.from_dict(inputs.to_dict()) == inputs
    assert inputs.only(["segment"]).regions == ()


def test_a_version_that_cannot_be_read_leaves_the_rates(cast: Cast) -> None:
    make_decided(60)
    renewal = open_renewal(cast.rep)
    recompute()
    by_rates = likelihood_of(renewal)
    version = fit()
    LikelihoodModel.objects.filter(pk=version.pk).update(content={"model": {"version": 0}, "inputs": {}})
    recompute()
    assert likelihood_of(renewal) == by_rates


def test_settings_ask_for_a_fit_only_where_they_differ(cast: Cast) -> None:
    steady = AttributeDefinition.objects.create(key="plan", label="Plan", kind="category")
    learning.save_settings(horizon_days=30, steady_ids={steady.pk}, user=cast.admin)
    assert LikelihoodModel.objects.count() == 0
    learning.save_settings(horizon_days=60, steady_ids=set(), user=cast.admin)
    steady.refresh_from_db()
    assert (Company.objects.get().likelihood_horizon_days, steady.is_steady) == (60, False)
    assert LikelihoodModel.objects.get().asked_because == "setting"


def test_beat_knows_the_tasks() -> None:
    app.loader.import_default_modules()
    assert {"forecasting.tasks.fit_likelihood", "forecasting.tasks.request_due_fit"} <= set(app.tasks)
