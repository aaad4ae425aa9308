"""The demo's generating process is known: what the engine learns from its decided renewals, against its parameters."""

import datetime as dt
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from forecasting.engine.calls import tally_calls, total
from forecasting.engine.fitted import Categories, Numbers, Rows, fit
from forecasting.engine.fitted.candidates import LOGISTIC
from forecasting.engine.log_odds import expit
from forecasting.engine.probability import measure_reps
from forecasting.engine.survivors import NEVER, clock, fit_survivors, kind_of
from renewals.demo import load, profile
from renewals.demo.arrays import NONE, day_number, sigmoid
from renewals.demo.book import Window
from renewals.demo.desk import draw_account_owners, draw_reps, work_the_book

TODAY = dt.date(2026, 11, 21)
RENEWALS = 16_000
SETTLED_DAYS = 200  # after the due day everything is decided
LATE_DAYS = 120
Z95 = 1.96


@pytest.fixture(scope="module")
def demo() -> SimpleNamespace:
    """Settled renewals: what was drawn of each, its hidden probability, what the rep said, and what came."""
    rng = np.random.default_rng(5)
    year = load.fiscal_year_of(TODAY, profile.FISCAL_YEAR_START_MONTH)
    window = Window(
        history_from=day_number(year.replace(year=year.year - profile.HISTORY_YEARS)),
        as_of=day_number(TODAY),
        horizon=day_number(TODAY) + profile.HORIZON_DAYS,
    )
    customers, lines, terms = load._draw_book(rng, RENEWALS, window)
    recorded = terms.take(np.flatnonzero(terms.due <= window.horizon))
    reps = draw_reps(rng, int(recorded.is_open.sum()))
    owners = draw_account_owners(rng, customers, reps)
    desk = work_the_book(rng, customers, lines, recorded, reps, owners, window, churn_reason_count=9)
    settled = np.flatnonzero(recorded.due < window.as_of - SETTLED_DAYS)
    term, customer = recorded.take(settled), recorded.customer[settled]
    return SimpleNamespace(
        term=term,
        came=term.is_renewed,
        p=sigmoid(term.logit),
        segment=customers.segment[customer],
        industry=customers.industry[customer],
        plan=customers.plan[customer],
        integrations=customers.integrations[customer],
        customer=customer,
        notice=lines.notice_days[term.line],
        is_auto=lines.is_auto[term.line],
        owner=desk.owner[settled],
        confidence=np.where(desk.confidence[settled] == NONE, np.nan, desk.confidence[settled] / 100),
        bias=reps.bias,
        cohort=(term.due - term.due.max()) // 91,
    )


@pytest.fixture(scope="module")
def model(demo):
    plans = np.where(demo.plan == NONE, -1, demo.plan)
    columns = {
        "segment": Categories(demo.segment, tuple(one.name for one in profile.SEGMENTS)),
        "industry": Categories(demo.industry, tuple(one.name for one in profile.INDUSTRIES)),
        "plan": Categories(plans, profile.SUPPORT_PLANS),
        "integrations": Numbers(np.where(demo.integrations == NONE, np.nan, demo.integrations)),
        "champion_left": Numbers(demo.term.champion_left.astype(np.float64)),
        "uplift": Numbers(demo.term.uplift),
        "is_first": Numbers(demo.term.is_first.astype(np.float64)),
    }
    rows = Rows(columns, ("segment",), demo.cohort, demo.came, accounts=demo.customer)
    return SimpleNamespace(rows=rows, fitted=fit(rows), unseen=fit(rows.take(np.flatnonzero(demo.cohort < -3))))


def reach(p, shock):
    """Half of the 95 % interval of the rate of renewals with these probabilities: chance, and a shock they share."""
    information = p * (1 - p)
    return Z95 * np.sqrt(information.sum() + (shock * information.sum()) ** 2) / p.size


def test_the_rates_of_segments_and_industries_are_within_their_intervals(demo, model):
    """Asked of four quarters that it has not seen, by the shock that it states."""
    newest = np.flatnonzero(demo.cohort >= -3)
    said = model.unseen.likelihood(model.rows.take(newest))
    shock = model.unseen.shock.size
    misses = []
    for group in (demo.segment[newest], demo.industry[newest]):
        for one in np.unique(group):
            here = group == one
            misses.append(abs(said[here].mean() - demo.p[newest][here].mean()) <= reach(said[here], shock))
    assert len(misses) == len(profile.SEGMENTS) + len(profile.INDUSTRIES)
    assert np.mean(misses) >= 0.9


def test_effects_are_those_of_the_generator_as_far_as_they_can_be_seen(demo, model):
    """Of the logistic, when one column alone differs. The hidden state (0.85 a standard deviation) and the shock of
    quarters flatten every effect: log-odds that vary by s beside the columns make 1 / sqrt(1 + 0.346 s^2) of each."""
    flat = 1 / np.sqrt(1 + 0.346 * (profile.STATE_LOGIT**2 + profile.QUARTER_SHOCK**2))
    rows, count = model.rows, len(model.rows)
    logistic = LOGISTIC.learn(rows, np.ones(count), None)

    def effect(name, one, other):
        said = []
        for value in (one, other):
            kept = rows.columns[name]
            same = Categories(np.full(count, value), kept.names) if name == "plan" else Numbers(np.full(count, value))
            said.append(logistic.log_odds(replace(rows, columns={**rows.columns, name: same})).mean())
        return float(said[0] - said[1])

    def half(of, against):
        groups = [(demo.p[places] * (1 - demo.p[places])).sum() for places in (of, against)]
        return Z95 * float(np.sqrt(1 / groups[0] + 1 / groups[1]))

    left, first = demo.term.champion_left, demo.term.is_first
    found = effect("champion_left", 1.0, 0.0)
    assert found == pytest.approx(profile.CHAMPION_LEFT_LOGIT * flat, abs=half(left, ~left))
    found = effect("is_first", 1.0, 0.0)
    assert found == pytest.approx(profile.FIRST_TERM_LOGIT * flat, abs=half(first, ~first))
    true = profile.SUPPORT_PLAN_LOGITS[0] - profile.SUPPORT_PLAN_LOGITS[2]
    assert effect("plan", 0, 2) == pytest.approx(true * flat, abs=half(demo.plan == 0, demo.plan == 2))
    assert effect("integrations", 10.0, 2.0) == pytest.approx(8 * profile.INTEGRATION_LOGIT * flat, abs=0.2)


def test_the_shock_of_quarters_is_found(model):
    """0.25 in truth; it is stated drawn to 0.175, and never above 0.3."""
    assert 0.15 <= model.fitted.shock.size <= 0.3


def test_the_bias_of_each_rep_lies_within_its_interval(demo):
    """Hidden: how far what the rep said lay above the true probabilities of those renewals."""
    has_word = ~np.isnan(demo.confidence) & (demo.owner != NONE)
    calls = tally_calls(
        rep_ids=demo.owner[has_word],
        confidence=demo.confidence[has_word],
        likelihood=demo.p[has_word],
        joined=demo.p[has_word],
        is_renewed=demo.came[has_word],
    )
    everybody, held, measured, hidden = total(calls.values()), [], [], []
    for rep, tally in calls.items():
        own = has_word & (demo.owner == rep)
        true = float((demo.confidence[own] - demo.p[own]).mean())
        _, lowest, highest = tally.drawn_bias(everybody)
        held.append(lowest <= true <= highest)
        measured.append(tally.bias)
        hidden.append(demo.bias[rep])
    assert len(held) >= 6
    assert np.mean(held) >= 0.9
    assert np.corrcoef(measured, hidden)[0, 1] > 0.8


def test_the_correction_of_reps_is_that_of_the_generator(demo):
    """A word is 0.8 logit + bias + noise: who is more hopeful by nature is corrected downwards more."""
    has_word = ~np.isnan(demo.confidence) & (demo.owner != NONE)
    records = measure_reps(
        rep_ids=demo.owner[has_word],
        confidence=demo.confidence[has_word],
        likelihood=demo.p[has_word],
        is_renewed=demo.came[has_word],
    )
    corrected = records.intercepts + records.slopes * demo.bias[records.rep_ids]
    assert np.corrcoef(records.intercepts, demo.bias[records.rep_ids])[0, 1] < -0.6
    assert np.std(corrected) < np.std(demo.bias[records.rep_ids])


@pytest.mark.parametrize("days_left", [90, 60, 30, 10, 0])
def test_given_that_it_is_still_open_the_true_probability_moves_as_learned(demo, days_left):
    """Hidden probability, and what being open adds: together what came of those that were open, within chance."""
    decided = np.where(demo.term.decided == NONE, demo.term.due + LATE_DAYS + 1, demo.term.decided)
    kind = kind_of(is_auto_renewing=demo.is_auto, notice_days=demo.notice)
    when = clock(days_left=demo.term.due - decided, notice_days=demo.notice, late_days=np.array(LATE_DAYS))
    found = fit_survivors(
        segment_ids=demo.segment,
        kind=kind,
        decided=np.where(demo.term.decided == NONE, NEVER, when),
        is_renewed=demo.came,
    )
    is_open = decided > demo.term.due - days_left
    place = clock(days_left=np.full(decided.size, days_left), notice_days=demo.notice, late_days=np.array(LATE_DAYS))
    step = found.log_odds(segment_ids=demo.segment, kind=kind, place=place)
    said = expit(demo.term.logit + step)[is_open]
    assert abs(said.mean() - demo.came[is_open].mean()) <= reach(said, 0.0) + 0.01
    if days_left in (60, 30):
        alone = demo.p[is_open].mean()
        assert demo.came[is_open].mean() - alone > 0.04  # what it would have missed by
