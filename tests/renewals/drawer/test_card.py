import datetime as dt
import re
from decimal import Decimal

import pytest
from pytest_django import DjangoAssertNumQueries

from accounts.models import AccountSignal, get_company
from renewals.drawer.card import read_judgement, read_others, read_signals
from renewals.drawer.notes import write_note
from renewals.models import Renewal, RenewalScore, RiskFactor, RiskWeightVersion
from tests.cast import Cast, make_account, make_renewal

TODAY = dt.date(2026, 11, 21)


def make_score(renewal: Renewal, points: dict[str, int]) -> RenewalScore:
    """A score of these hundredths of a point by factor; every other factor has no input."""
    positions = dict(RiskFactor.objects.values_list("key", "position"))
    contributions = [-1] * (max(positions.values()) + 1)
    for key, value in points.items():
        contributions[positions[key]] = value
    return RenewalScore.objects.create(
        renewal=renewal, account=renewal.account, timing_class=1, timing_days=-20,
        risk_score=sum(points.values()) / 100,
        likelihood=0.8, likelihood_count=41, probability=0.7, completeness=0.6, contributions=contributions,
    )  # fmt: skip


def test_score_is_taken_apart_largest_first(cast: Cast) -> None:
    renewal = make_renewal(owner=cast.rep)
    make_score(renewal, {"usage_trend": 2000, "satisfaction": 500, "price_rise": 0, "champion_left": 1500})
    RiskWeightVersion.objects.create(
        weights={"usage_trend": 40, "satisfaction": 20, "price_rise": 10, "champion_left": 30, "severe_tickets": 25}
    )
    judgement = read_judgement(renewal)
    assert judgement is not None
    assert (judgement.score, judgement.tone) == (40.0, "bad")
    shares = [(factor.points, factor.width, factor.score_without) for factor in judgement.factors]
    assert shares == [(20.0, 100, 20.0), (15.0, 75, 25.0), (5.0, 25, 35.0), (0.0, 0, 40.0)]
    assert len(judgement.largest) == 3
    # 100 of weight stand behind 40 points; 25 more bring 40 x 100 / 125 at best, 20 above that at worst.
    (missing,) = judgement.missing
    assert (missing.lowest, missing.highest) == (32.0, 52.0)


def test_weights_of_the_segment_come_first(cast: Cast) -> None:
    renewal = make_renewal(owner=cast.rep)
    make_score(renewal, {"usage_trend": 4000})
    RiskWeightVersion.objects.create(weights={"usage_trend": 10, "price_rise": 10})
    RiskWeightVersion.objects.create(segment=renewal.account.segment, weights={"usage_trend": 30, "price_rise": 10})
    judgement = read_judgement(renewal)
    assert judgement is not None
    assert [(one.lowest, one.highest) for one in judgement.missing] == [(30.0, 55.0)]


def test_nothing_scored_is_no_judgement(cast: Cast) -> None:
    assert read_judgement(make_renewal(owner=cast.rep)) is None


def test_signals_are_the_newest_of_each_up_to_the_day(cast: Cast) -> None:
    account = make_account()
    for days, values in {
        30: {"usage_change_rate": -0.3, "csat_score": 4.5},
        10: {"usage_change_rate": -0.12, "nps_score": -20, "has_champion_left": True},
        -1: {"csat_score": 1.0},
    }.items():
        AccountSignal.objects.create(account=account, measured_on=TODAY - dt.timedelta(days=days), **values)
    found = [(one.label, one.text, (TODAY - one.measured_on).days) for one in read_signals(account.pk, as_of=TODAY)]
    assert found == [
        ("Product usage, 90 days", "−12\N{NO-BREAK SPACE}%", 10),
        ("CSAT, 1 to 5", "4.5", 30),
        ("NPS", "−20", 10),
        ("Champion left", "Yes", 10),
    ]


def test_others_are_those_of_the_account_that_one_may_see(cast: Cast) -> None:
    renewal = make_renewal(owner=cast.rep)
    mine = make_renewal(owner=cast.team_mate, account=renewal.account)
    theirs = make_renewal(owner=cast.outsider, account=renewal.account, due_on=dt.date(2027, 1, 1))
    make_renewal(owner=cast.rep)
    assert read_others(renewal, cast.rep) == [mine]
    assert read_others(renewal, cast.admin) == [theirs, mine]


def test_page_drawer_and_row_are_three_answers_of_one_address(cast: Cast) -> None:
    renewal = make_renewal(owner=cast.rep, account=make_account(name="<b>Halden</b>"))
    make_score(renewal, {"usage_trend": 4000})
    client, url = cast.client_of("rep"), f"/renewals/{renewal.pk}/"
    page = client.get(url).content.decode()
    drawer = client.get(url, headers={"HX-Request": "true", "HX-Target": "drawer"}).content.decode()
    row = client.get(url, headers={"HX-Request": "true", "HX-Target": f"renewal-{renewal.pk}"}).content.decode()
    assert ("<html" in page, "<html" in drawer, row.startswith(f'<tr id="renewal-{renewal.pk}"')) == (True, False, True)
    for text in (page, drawer):
        assert "<b>Halden" not in text
        assert "without it, 40 becomes" in text
        assert "41 decided behind it" in text


@pytest.mark.parametrize(
    ("who", "why"),
    [
        ("viewer", "You may look, not change."),
        ("team_mate", "Rhea Rep owns this renewal; the owner, the team’s manager or an admin edits it."),
    ],
)
def test_read_only_row_says_why(cast: Cast, who: str, why: str) -> None:
    amount, day = Decimal("19300.00"), dt.date(2026, 12, 20)
    renewal = make_renewal(owner=cast.rep, confidence=55, forecast_amount=amount, currency="USD", next_step_on=day)
    page = cast.client_of(who).get(f"/renewals/{renewal.pk}/").content.decode()
    assert why.replace("’", "&#x27;") in page
    assert f"/renewals/{renewal.pk}/save/" not in page
    facts = re.findall(r'<dt>([^<]*)</dt><dd dir="auto">([^<]*)</dd>', page.replace("\u00a0", " "))
    assert {("Confidence", "55%"), ("Forecast", "$ 19,300"), ("Next step due", "20 Dec 2026")} <= set(facts)


@pytest.mark.parametrize("count", [1, 3])
def test_page_takes_the_same_queries_for_any_number_of_everything(
    cast: Cast, django_assert_num_queries: DjangoAssertNumQueries, count: int
) -> None:
    renewal = make_renewal(owner=cast.rep)
    make_score(renewal, {"usage_trend": 4000})
    for number in range(count):
        make_renewal(owner=cast.rep, account=renewal.account, due_on=dt.date(2027, 1, 1 + number))
        AccountSignal.objects.create(account=renewal.account, measured_on=get_company().today() - dt.timedelta(number))
        write_note(renewal=renewal, author=cast.rep, text="Note")
        renewal.next_step = f"Step {number}"
        renewal.save(update_fields=["next_step"])
    client = cast.client_of("admin")
    with django_assert_num_queries(29):
        client.get(f"/renewals/{renewal.pk}/")
