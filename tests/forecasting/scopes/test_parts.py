"""The forecast page of a region, an industry, a currency and a booking type: the same figures, of their rows alone."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest

from accounts.models import Account, Industry, get_company
from forecasting.scopes import parts
from forecasting.scopes.lines import read_lines
from forecasting.scopes.scope import get_scope
from renewals.models import Renewal
from tests.cast import Cast, make_account, make_rate, make_renewal
from tests.forecasting.forecast_book import recompute

PAGE = "/forecast/"


@pytest.fixture
def parted(cast: Cast) -> dict[str, Renewal]:
    """One open renewal of each region, in two currencies and two booking types."""
    parts._regions.clear()
    today = get_company().today()
    make_rate("USD", "0.5")
    banks = Industry.objects.create(name="Drawn banks")
    rows = {}
    for at, (region, currency) in enumerate((("North & East", "EUR"), ("South", "USD"))):
        account = make_account(owner=cast.rep)
        Account.objects.filter(pk=account.pk).update(region=region, industry=banks if at else None)
        rows[region] = make_renewal(
            account=account,
            owner=cast.rep,
            due_on=today + dt.timedelta(days=3),
            baseline_amount=Decimal(1000 * (at + 1)),
            forecast_amount=Decimal(5000) if at else None,
            currency=currency,
        )
    recompute(as_of=today)
    return rows


def at_risk_of(cast: Cast, query: str, who: str = "admin") -> Decimal:
    response = cast.client_of(who).get(f"{PAGE}?{query}")
    assert response.status_code == 200, query
    chart = next(chart for chart in response.context["charts"] if chart.key == "risk")
    return sum((value or Decimal(0) for series in chart.series for value in series.values), Decimal(0))


def test_every_part_is_of_its_rows(cast: Cast, parted: dict[str, Renewal]) -> None:
    banks = Industry.objects.get(name="Drawn banks").pk
    for query, amount in (
        ("", 2000),
        ("region=South", 1000),
        ("region=North+%26+East", 1000),
        (f"industry={banks}", 1000),
        ("currency=USD", 1000),
        ("currency=EUR&region=South", 0),
        ("booking=upsell", 1000),
        ("booking=renewal", 1000),
        ("booking=churn", 0),
    ):
        assert at_risk_of(cast, query) == amount, query
        pairs = {name: values[0] for name, values in parse_qs(query).items()}
        lines = read_lines(get_scope(cast.admin, {"by": "month", **pairs}, is_sliced=True), [])
        if pairs:
            assert sum(line.open_amount for line in lines.values()) == amount, query
        assert at_risk_of(cast, query, "outsider") == 0


def test_links_carry_the_part(cast: Cast, parted: dict[str, Renewal]) -> None:
    response = cast.client_of("admin").get(f"{PAGE}?region=South&currency=USD")
    labels = {pill.label: pill.value for pill in response.context["pills"]}
    assert labels["Region"] == "South"
    assert labels["Currency"] == "USD"
    assert {choice.label for pill in response.context["pills"] for choice in pill.choices} >= {"North & East", "EUR"}
    urls = [total.href for total in response.context["totals"] if total.href]
    assert len(urls) > 3
    for url in (response.context["month_url"], *urls):
        query = parse_qs(urlsplit(url).query)
        assert (query["region"], query["currency"]) == (["South"], ["USD"]), url
    text = response.content.decode()
    assert 'name="region" value="South"' in text
    assert "learned from the whole book" in text
    assert "learned from the whole book" not in cast.client_of("admin").get(PAGE).content.decode()


def test_as_at_a_moment_it_is_of_what_rows_were_then(cast: Cast, parted: dict[str, Renewal]) -> None:
    today = get_company().today()
    assert at_risk_of(cast, f"region=South&as_at={today.isoformat()}") == 1000


@pytest.mark.parametrize("query", ["region=Nowhere", "currency=usd", "booking=gift", "industry=999999"])
def test_what_is_not_there_is_not_found(cast: Cast, query: str) -> None:
    assert cast.client_of("admin").get(f"{PAGE}?{query}").status_code == 404
