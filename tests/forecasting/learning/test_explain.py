"""Why a renewal has its likelihood: contributions that add up, sentences, changes; in the drawer and on the page."""

import datetime as dt

import pytest
from django.db import connection

from accounts.models import AccountSignal
from forecasting import services
from forecasting.learning.explain import explain_likelihood
from forecasting.learning.words import said_of, state_of
from forecasting.models import LikelihoodModel
from renewals.drawer.card import add_up
from renewals.models import Renewal, RenewalScore
from tests.cast import Cast
from tests.forecasting.forecast_book import recompute
from tests.forecasting.learning.decided import AS_OF, backdate, make_decided, open_renewal
from tests.forecasting.learning.test_fit import fit


@pytest.fixture
def renewal(cast: Cast) -> Renewal:
    """Open, with a fall of usage, in a book where usage matters."""
    make_decided(800, signal=2.0)
    made = open_renewal(cast.rep)
    AccountSignal.objects.create(
        account=made.account, measured_on=AS_OF - dt.timedelta(days=5), usage_change_rate=-0.35
    )
    return made


@pytest.mark.parametrize("days_overdue", [None, 20])
def test_contributions_add_up_to_the_stored_likelihood(renewal: Renewal, days_overdue: int | None) -> None:
    if days_overdue:
        Renewal.objects.filter(pk=renewal.pk).update(due_on=AS_OF - dt.timedelta(days=days_overdue))
    fit()
    recompute()
    found = explain_likelihood(renewal_id=renewal.pk, as_of=AS_OF)
    assert found is not None
    assert found.base_log_odds + sum(part.log_odds for part in found.parts) == pytest.approx(found.log_odds, abs=1e-12)
    assert round(found.likelihood, 4) == RenewalScore.objects.get(renewal=renewal).likelihood
    assert ("Timing" in [part.label for part in found.parts]) == bool(days_overdue)


def test_it_is_said_in_words_what_lowers_it_and_what_would_raise_it(renewal: Renewal) -> None:
    version = fit()
    recompute()
    found = explain_likelihood(renewal_id=renewal.pk, as_of=AS_OF)
    assert found is not None
    assert (found.version, found.words.endswith("learned from 800 decided renewals.")) == (version.pk, True)
    usage = next(part for part in found.parts if part.label == "Usage trend")
    assert usage.text == f"Usage down 35\N{NO-BREAK SPACE}% {said_of(usage.points)}."
    assert usage.points < -3
    assert found.changes[0].text.startswith("Usage up ")
    assert found.changes[0].likelihood > found.likelihood
    assert len(found.changes) <= 3


def test_a_change_that_is_made_gives_the_likelihood_that_was_promised(renewal: Renewal) -> None:
    fit()
    recompute()
    found = explain_likelihood(renewal_id=renewal.pk, as_of=AS_OF)
    assert found is not None
    content = LikelihoodModel.objects.get().content
    assert content is not None
    promised = {round(value, 2): value for value in content["inputs"]["levels"]["usage_change_rate"]}
    change = found.changes[0]
    value = next(exact for exact in promised.values() if state_of("usage_change_rate", exact, "", "") == change.text)
    AccountSignal.objects.create(account=renewal.account, measured_on=AS_OF, usage_change_rate=value)
    services.score_renewals(renewal_ids=[renewal.pk], as_of=AS_OF)
    assert RenewalScore.objects.get(renewal=renewal).likelihood == pytest.approx(change.likelihood, abs=0.02)


def test_without_a_version_the_rates_are_named(renewal: Renewal) -> None:
    recompute()
    found = explain_likelihood(renewal_id=renewal.pk, as_of=AS_OF)
    assert found is not None
    assert (found.version, found.parts) == (None, ())
    assert found.words.startswith("No likelihood is fitted yet. The rate of its segment")
    assert round(found.likelihood, 4) == RenewalScore.objects.get(renewal=renewal).likelihood


def test_a_decided_one_has_none(renewal: Renewal) -> None:
    fit()
    recompute()
    decided = Renewal.objects.filter(outcome="lost").first()
    assert decided is not None
    assert explain_likelihood(renewal_id=decided.pk, as_of=AS_OF) is None


def test_the_drawer_and_the_page_tell_it(cast: Cast, renewal: Renewal) -> None:
    fit()
    recompute()
    page = cast.client_of("rep").get(f"/renewals/{renewal.pk}/").content.decode()
    assert "Every factor, in log-odds" in page
    assert "Usage down 35" in page
    page = cast.client_of("rep").get("/forecast/model/").content.decode()
    assert "Usage trend" in page
    assert "Fit now" not in page
    assert "Fit now" in cast.client_of("manager").get("/forecast/model/").content.decode()


def test_the_page_says_that_signals_carry_no_information(cast: Cast) -> None:
    make_decided(200)
    open_renewal(cast.rep)
    version = fit()
    assert version.is_signal is False
    assert version.reason[:40] in cast.client_of("admin").get("/forecast/model/").content.decode()


@pytest.mark.parametrize(
    ("values", "total"), [([0.104, 0.104, 0.104], 0.312), ([1.005, -0.5, 0.25], 0.755), ([2.0], 2.0), ([-0.3], -0.3)]
)
def test_shown_log_odds_add_up_as_shown(values: list[float], total: float) -> None:
    shown = add_up(values, total)
    assert sum(shown) == round(total * 100)
    assert all(abs(one - value * 100) <= 1 for one, value in zip(shown, values, strict=True))


@pytest.mark.parametrize(
    ("column", "value", "text"),
    [
        ("days_since_touch", 94.0, "No touch for 94 days"),
        ("severe_ticket_count", 0.0, "No severe ticket open"),
        ("severe_ticket_count", 2.0, "2 severe tickets open"),
        ("champion_left", 1.0, "The champion left"),
        ("usage_change_rate", 0.001, "Usage unchanged"),
        ("term_days", 365.0, "A term of 1 year"),
        ("csat_score", None, "That CSAT is not known"),
        ("region", "North", "CSAT North"),
    ],
)
def test_a_value_reads_as_a_sentence(column: str, value: float | str | None, text: str) -> None:
    assert state_of(column, value, "CSAT", "EUR") == text


def test_no_change_is_advised_that_would_move_nothing(cast: Cast) -> None:
    """A rise that is not asked yet, 80 days before the due day, stays unknown whatever is forecast."""
    outcomes = ("outcome", "ordered_on", "declined_on", "final_amount")
    made = [(row, {name: getattr(row, name) for name in outcomes}) for row in make_decided(400)]
    for at, (row, decided) in enumerate(made):  # a rise that goes with renewing, known before each decision
        rise = 0.1 if (decided["outcome"] == "renewed") == (at % 10 > 0) else 0.0
        was_open = dict.fromkeys(outcomes[1:]) | {"outcome": "open", "forecast_amount": 12_000 * (1 + rise)}
        Renewal.objects.filter(pk=row.pk).update(**was_open)
        backdate(Renewal, row.pk, (AS_OF - row.due_on).days + 300)
    with connection.cursor() as cursor:  # as if each had been so from the beginning
        cursor.execute("DELETE FROM renewals_renewalevent")
    for row, decided in made:
        Renewal.objects.filter(pk=row.pk).update(**decided)
    far = open_renewal(cast.rep)
    fit()
    recompute()
    content = LikelihoodModel.objects.get().content
    assert content is not None
    assert "price_rise_rate" in content["inputs"]["levels"]
    found = explain_likelihood(renewal_id=far.pk, as_of=AS_OF)
    assert found is not None
    assert [change.text for change in found.changes if "rice" in change.text] == []
    Renewal.objects.filter(pk=far.pk).update(forecast_amount=13_200)
    services.score_renewals(renewal_ids=[far.pk], as_of=AS_OF)
    assert RenewalScore.objects.get(renewal=far).likelihood == round(found.likelihood, 4)
