"""What the decided renewals of a quarter tell of its open ones, from the book to the score."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pytest
from django.db import connection

from forecasting.engine.fitted.level import drawn_miss
from forecasting.engine.log_odds import expit, logit
from forecasting.frames import Accounts, current_rules, day_number, fit_history, judge, read_book
from forecasting.frames.closed import said_of_closed
from forecasting.learning.explain import explain_likelihood
from forecasting.models import Run
from renewals.models import Contract, Renewal, RenewalScore
from tests.cast import Cast
from tests.forecasting.forecast_book import recompute
from tests.forecasting.learning.decided import AS_OF, make_decided, open_renewal
from tests.forecasting.learning.test_fit import fit

QUARTER = (dt.date(2026, 10, 1), dt.date(2026, 12, 31))


@pytest.fixture
def renewals(cast: Cast) -> list[Renewal]:
    """Open ones of this quarter and of the next, in a quarter in which three of ten left where one of ten does."""
    make_decided(600)
    made = [open_renewal(cast.rep), open_renewal(cast.rep)]
    Renewal.objects.filter(pk=made[0].pk).update(due_on=AS_OF + dt.timedelta(days=20))
    account = made[1].account
    for number in range(80):
        due_on = AS_OF - dt.timedelta(days=1 + number % 40)
        contract = Contract.objects.create(
            account=account, number=f"Q-{number}", starts_on=due_on - dt.timedelta(days=364), ends_on=due_on,
            currency="EUR", recurring_amount=12_000,
        )  # fmt: skip
        outcome = {"outcome": "lost", "declined_on": due_on, "final_amount": Decimal(0)}
        if number % 10 < 7:
            outcome = {"outcome": "renewed", "ordered_on": due_on, "final_amount": Decimal(12_000)}
        Renewal.objects.create(
            contract=contract, account=account, due_on=due_on, currency="EUR", baseline_amount=12_000,
            stage=made[0].stage, **outcome,
        )  # fmt: skip
    fit()
    recompute()
    return made


def likelihood_of(renewal: Renewal) -> float:
    return RenewalScore.objects.get(renewal=renewal).likelihood


def test_a_bad_quarter_lowers_what_is_still_open_of_it(renewals: list[Renewal]) -> None:
    shock = current_rules().outlook.shock
    assert 0 < shock.told <= 1
    # The two quarters before, which came as they do, have levels too: some of theirs may be overdue.
    assert len(shock.levels) == 3
    assert shock.levels[-1][:2] == tuple(map(day_number, QUARTER))
    level = shock.levels[-1][2]
    assert max(abs(before) for _, _, before in shock.levels[:-1]) < abs(level)
    assert -0.6 < level < -0.1
    now, next_quarter = map(likelihood_of, renewals)
    assert logit(now) - logit(next_quarter) == pytest.approx(level, abs=0.02)


def test_the_level_is_the_drawn_miss_of_what_is_decided_times_what_that_was_worth(renewals: list[Renewal]) -> None:
    rules = current_rules()
    shock = rules.outlook.shock
    with connection.cursor() as cursor:
        book = read_book(cursor, rules, Accounts.one_in(1))
    judged = judge(book, rules, day_number(AS_OF))
    places = np.flatnonzero(judged.is_closed & (book.renewals["due"] >= day_number(QUARTER[0])))
    assert places.size == 80
    # On the day all that was due by then had been decided in the settled quarters, early or not: that says nothing.
    miss = drawn_miss(said_of_closed(book, rules, judged, places), judged.is_renewed[places], shock.size)
    assert shock.levels[-1][2] == pytest.approx(shock.told * miss, abs=0.011)


def test_it_stays_with_the_run_and_an_edit_says_the_same(renewals: list[Renewal]) -> None:
    from forecasting import services

    before = [likelihood_of(renewal) for renewal in renewals]
    RenewalScore.objects.update(likelihood=0.5)
    services.score_renewals(renewal_ids=[renewal.pk for renewal in renewals], as_of=AS_OF)
    assert [likelihood_of(renewal) for renewal in renewals] == before
    stored = Run.objects.latest_published()
    assert stored is not None
    assert stored.shock is not None
    assert stored.shock["levels"] == [list(one) for one in current_rules().outlook.shock.levels]


def test_the_explanation_names_it_and_adds_up(renewals: list[Renewal]) -> None:
    found = explain_likelihood(renewal_id=renewals[0].pk, as_of=AS_OF)
    assert found is not None
    told = {part.label: part.log_odds for part in found.parts}
    assert told["Quarter so far"] == current_rules().outlook.shock.levels[-1][2]
    assert found.base_log_odds + sum(told.values()) == pytest.approx(found.log_odds, abs=1e-12)
    assert float(expit(np.array(found.log_odds))) == pytest.approx(likelihood_of(renewals[0]), abs=1e-4)


def test_what_was_decided_later_is_not_known_on_a_past_day(renewals: list[Renewal]) -> None:
    with connection.cursor() as cursor:
        learned = fit_history(cursor, current_rules(), QUARTER[0])
    assert [last for _, last, _ in learned.outlook.shock.levels] == [
        day_number(QUARTER[0]) - 1 - days for days in (92, 0)
    ]
