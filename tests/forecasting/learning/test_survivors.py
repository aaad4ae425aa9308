"""What being open still says, from the book to the score: learned with the fit, the same in every path."""

import datetime as dt

import numpy as np
import pytest
from django.db import connection

from accounts.models import get_company
from forecasting.engine.likelihood import HIGHEST, LOWEST
from forecasting.engine.log_odds import expit, logit
from forecasting.frames import Accounts, current_rules, day_number, fit_history, judge, open_rows, open_steps, read_book
from forecasting.frames.closed import said_before_decision
from forecasting.learning.explain import explain_likelihood
from forecasting.learning.words import open_words
from forecasting.models import LikelihoodModel
from forecasting.scenarios.apply import apply_shifts
from forecasting.scenarios.book import read_scenario_book
from forecasting.scenarios.shifts import FIELDS, Kind, Shift
from renewals.bulk.selection import Selection
from renewals.models import Renewal, RenewalScore
from tests.cast import Cast
from tests.forecasting.forecast_book import recompute
from tests.forecasting.learning.decided import AS_OF, make_decided, open_renewal
from tests.forecasting.learning.test_fit import fit

DAY = dt.timedelta(days=1)


@pytest.fixture
def renewal(cast: Cast) -> Renewal:
    """Due in 80 days, in a book where half of those who leave say so 120 days before, and all others on the due day."""
    make_decided(600)
    for lost in Renewal.objects.filter(outcome="lost").order_by("pk")[::2]:
        Renewal.objects.filter(pk=lost.pk).update(declined_on=lost.due_on - 120 * DAY)
    made = open_renewal(cast.rep)
    fit()
    recompute()
    return made


def likelihood_of(renewal: Renewal) -> float:
    return RenewalScore.objects.get(renewal=renewal).likelihood


def steps_at(renewal: Renewal) -> tuple[float, float]:
    """(log-odds of the formula alone, what being open adds) as a recompute reads the row."""
    rules = current_rules()
    assert rules.likelihood is not None
    with connection.cursor() as cursor:
        book = read_book(cursor, rules, Accounts.listed([renewal.account_id]))
    judged = judge(book, rules, day_number(AS_OF))
    place = np.array([0])
    alone = rules.likelihood.formula.log_odds(open_rows(book, rules, judged, place))
    return float(alone[0]), float(open_steps(book, rules, judged, place)[0])


def test_who_has_not_declined_when_others_had_is_likelier(renewal: Renewal) -> None:
    alone, step = steps_at(renewal)
    assert 0.4 < step < 0.8
    assert likelihood_of(renewal) == round(float(np.clip(expit(np.array(alone + step)), LOWEST, HIGHEST)), 4)
    Renewal.objects.filter(pk=renewal.pk).update(due_on=AS_OF + 200 * DAY)
    recompute()
    assert steps_at(renewal)[1] == 0.0


def test_it_is_stored_with_the_version_and_told(renewal: Renewal) -> None:
    content = LikelihoodModel.objects.get().content
    assert content is not None
    assert content["survivors"]["row_count"] == 600
    found = explain_likelihood(renewal_id=renewal.pk, as_of=AS_OF)
    assert found is not None
    part = next(part for part in found.parts if part.label == "Timing")
    assert part.text.startswith("Still open 80 days before its due day ")
    assert part.log_odds == pytest.approx(steps_at(renewal)[1], abs=1e-12)


def test_a_what_if_that_moves_the_due_day_is_what_a_recompute_says(cast: Cast, renewal: Renewal) -> None:
    """The plain rate has no column that the due day moves: both come to the same."""
    book = read_scenario_book(cast.admin, get_company(), is_fresh=True)
    assert book is not None
    rows = Selection(query="outcome=open", is_all=True)
    shift = Shift(Kind.DUE, rows, {**FIELDS[Kind.DUE], "days": "100"})
    shifted = apply_shifts(book, [(shift, book.places(np.array([renewal.pk])))])
    place = int(np.flatnonzero(book.rows["id"] == renewal.pk)[0])
    Renewal.objects.filter(pk=renewal.pk).update(due_on=renewal.due_on + 100 * DAY)
    recompute()
    assert shifted.probability[place] == pytest.approx(RenewalScore.objects.get(renewal=renewal).probability, abs=1e-4)
    assert shifted.probability[place] < book.rows["probability"][place]
    same = apply_shifts(book, [])
    assert same.probability is book.rows["probability"]


def test_reps_are_measured_by_what_the_fit_would_have_said(renewal: Renewal) -> None:
    """Who declined early is looked at 30 days before that, all others 30 days before the due day."""
    rules = current_rules()
    assert rules.likelihood is not None
    with connection.cursor() as cursor:
        book = read_book(cursor, rules, Accounts.one_in(1))
        judged = judge(book, rules, day_number(AS_OF))
        closed = np.flatnonzero(judged.is_closed)
        said = said_before_decision(book, rules, judged, closed)
        records = fit_history(cursor, rules, AS_OF).records
    assert records.rep_ids.size == 0  # nobody owns a decided one
    is_early = judged.decided[closed] < book.renewals["due"][closed]
    segment = book.renewals["segment_id"][closed]
    for one in np.unique(segment):
        here = segment == one
        # One value before anybody has said no, a higher one 30 days before the due day.
        assert np.unique(said[here & is_early].round(9)).size == 1
        assert np.unique(said[here & ~is_early].round(9)).size == 1
        step = logit(said[here & ~is_early][:1]) - logit(said[here & is_early][:1])
        assert 0.3 < float(step[0]) < 0.9


@pytest.mark.parametrize(
    ("days_left", "text"),
    [
        (80, "Still open 80 days before its due day"),
        (1, "Still open 1 day before its due day"),
        (0, "Still open on its due day"),
        (-12, "Still open 12 days after its due day"),
    ],
)
def test_words(days_left: int, text: str) -> None:
    assert open_words(days_left) == text
