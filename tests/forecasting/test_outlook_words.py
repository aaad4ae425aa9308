"""What the drawer says of the amount, the order day and the payment of one open renewal."""

import datetime as dt
from decimal import Decimal

import pytest

from accounts.models import AccountSignal
from forecasting import services
from forecasting.models import ForecastLine
from forecasting.outlook_words import explain_outlook
from renewals.models import Renewal
from renewals.scoring import OutlookExplanation
from tests.cast import Cast, make_account, make_renewal
from tests.forecasting.forecast_book import AS_OF, recompute


def explained(renewal: Renewal) -> OutlookExplanation:
    found = explain_outlook(renewal_id=renewal.pk, as_of=AS_OF)
    assert found is not None
    return found


def plain(sentences: object) -> list[str]:
    assert isinstance(sentences, list)
    return [sentence.replace("\N{NO-BREAK SPACE}", " ") for sentence in sentences]


def test_without_a_forecast_the_baseline_counts_times_what_such_renewals_come_to(cast: Cast) -> None:
    renewal = make_renewal(owner=cast.rep, baseline_amount=Decimal(12_000))
    recompute()
    found = explained(renewal)
    assert plain(found.words) == [
        "Nobody has forecast it: its baseline of € 12,000 times 100.0 %, which is what such renewals come to"
        " by a stated prior."
    ]
    assert found.mean_amount == 12_000
    line = ForecastLine.objects.get(grain="month", team=None, owner=None, segment=None)
    assert (found.expected_amount, found.collected_amount) == (line.expected_amount, line.collected_amount)
    assert found.order_count == 0
    assert [chance.days for chance in found.chances] == [0, 30, 60, 90]
    rates = [chance.rate for chance in found.chances]
    assert rates == sorted(rates)
    assert (rates[2], rates[3]) == (1.0, 1.0)  # the last tolerated day is the 60th


def test_a_forecast_its_weight_and_the_cap_are_said(cast: Cast) -> None:
    renewal = make_renewal(owner=cast.rep, baseline_amount=Decimal(10_000), forecast_amount=Decimal(10_100))
    renewal.contract.uplift_cap_rate = Decimal("0.03")
    renewal.contract.save(update_fields=["uplift_cap_rate"])
    recompute()
    found = explained(renewal)
    assert plain(found.words) == [
        "The forecast of € 10,100 counts for 100.0 %; of that comes 100.0 % on average by a stated prior.",
        "No price above € 10,300 is counted: the uplift cap of its contract. Seats and products may grow beyond it.",
    ]
    # 0.5 and 0.8 of it, 0.95, itself, and three prices at the cap, of which two grow by what 1.2 and 1.5 are to 1.05.
    mean = 10_100 * (0.02 * 0.5 + 0.05 * 0.8 + 0.09 * 0.95 + 0.68) + 10_300 * (
        0.09 + 0.05 * 1.2 / 1.05 + 0.02 * 1.5 / 1.05
    )
    assert float(found.mean_amount) == pytest.approx(mean, abs=0.01)
    renewal.contract.price_locked_until_on = renewal.due_on + dt.timedelta(days=1)
    renewal.contract.save(update_fields=["price_locked_until_on"])
    assert plain(explained(renewal).words)[1] == (
        "No price above € 10,100 is counted: the price is locked beyond the due day."
        " Seats and products may grow beyond it."
    )


def test_an_account_that_pays_badly_and_orders_late_has_both_in_it(cast: Cast) -> None:
    account = make_account(owner=cast.rep)
    for years in (1, 2, 3):
        due_on = AS_OF - dt.timedelta(days=365 * years)
        ordered = {"outcome": "renewed", "final_amount": 1_000, "ordered_on": due_on + dt.timedelta(days=40)}
        make_renewal(owner=cast.rep, account=account, due_on=due_on, **ordered)
    renewal = make_renewal(owner=cast.rep, account=account)
    other = make_renewal(owner=cast.rep)
    AccountSignal.objects.create(account=account, measured_on=AS_OF, late_payment_days=60, failed_payment_count=3)
    recompute()
    bad, good = explained(renewal), explained(other)
    assert bad.order_count == 3
    assert bad.default_rate > good.default_rate
    assert bad.collected_amount < bad.expected_amount
    assert bad.chances[1].rate < good.chances[1].rate


def test_nothing_is_said_of_one_that_is_not_open_or_not_scored(cast: Cast) -> None:
    made = make_renewal(owner=cast.rep)
    assert explain_outlook(renewal_id=made.pk, as_of=AS_OF) is None
    Renewal.objects.filter(pk=made.pk).update(outcome="lost", declined_on=AS_OF, final_amount=0)
    services.score_renewals(renewal_ids=[made.pk], as_of=AS_OF)
    assert explain_outlook(renewal_id=made.pk, as_of=AS_OF) is None


def test_drawer_shows_it(cast: Cast) -> None:
    renewal = make_renewal(owner=cast.rep)
    recompute()
    shown = cast.client_of("rep").get(f"/renewals/{renewal.pk}/").content.decode()
    assert "If it renews" in shown
    assert "Nobody has forecast it" in shown
    assert "+30 days" in shown
