import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse

from accounts.models import ExchangeRate, get_company
from forecasting.models import Run
from tests.cast import Cast, make_rate, make_renewal

COMPANY, RATES = "/rules/company/", "/rules/company/rates/"


def settings_of_the_company(**changes: Any) -> dict[str, Any]:
    return {
        "name": "Fernhill",
        "time_zone": "UTC",
        "fiscal_year_start_month": 1,
        "reporting_currency": "EUR",
        "attribution": "due_period",
        **changes,
    }


def rates() -> list[tuple[str, dt.date, Decimal]]:
    rows = ExchangeRate.objects.order_by("currency", "effective_on")
    return list(rows.values_list("currency", "effective_on", "rate"))


def test_company_is_saved_and_recomputed(cast: Cast) -> None:
    data = settings_of_the_company(fiscal_year_start_month=2, time_zone="Asia/Tokyo", attribution="hybrid")
    cast.client_of("admin").post(COMPANY, data)
    company = get_company()
    assert (company.name, company.fiscal_year_start_month, company.time_zone) == ("Fernhill", 2, "Asia/Tokyo")
    assert (company.attribution, company.rules_version) == ("hybrid", 2)
    assert Run.objects.get().requested_by == cast.admin


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"fiscal_year_start_month": 13}, "fiscal_year_start_month"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"reporting_currency": "EURO"}, "reporting_currency"),
        ({"attribution": "whenever"}, "attribution"),
    ],
)
def test_settings_that_do_not_exist_are_refused(cast: Cast, changes: dict[str, Any], field: str) -> None:
    response = cast.client_of("admin").post(COMPANY, settings_of_the_company(**changes))
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert get_company().name == "Our company"


def test_new_reporting_currency_turns_the_rates_over(cast: Cast) -> None:
    """1 USD was 0.80 EUR, then 0.50; 1 GBP was 1.20 EUR. In USD: EUR 1.25, then 2; GBP 1.50, then 2.40."""
    first, second = dt.date(2025, 1, 1), dt.date(2026, 1, 1)
    make_rate("USD", "0.80", first)
    make_rate("USD", "0.50", second)
    make_rate("GBP", "1.20", first)
    cast.client_of("admin").post(COMPANY, settings_of_the_company(reporting_currency="usd"))
    assert get_company().reporting_currency == "USD"
    assert rates() == [
        ("EUR", first, Decimal("1.25")),
        ("EUR", second, Decimal(2)),
        ("GBP", first, Decimal("1.5")),
        ("GBP", second, Decimal("2.4")),
    ]


def test_reporting_currency_without_a_rate_is_refused(cast: Cast) -> None:
    make_rate("GBP", "1.20")
    response = cast.client_of("admin").post(COMPANY, settings_of_the_company(reporting_currency="USD"))
    message = "There is no rate for USD: add one first, so that the other rates can be turned over."
    assert response.context["form"].errors == {"reporting_currency": [message]}
    assert get_company().reporting_currency == "EUR"
    assert len(rates()) == 1
    assert not Run.objects.exists()


def test_rate_is_added_once_a_day_and_never_for_the_reporting_currency(cast: Cast) -> None:
    client = cast.client_of("admin")
    client.post(RATES, {"currency": "usd", "rate": "0.92", "effective_on": "2026-01-01"})
    assert rates() == [("USD", dt.date(2026, 1, 1), Decimal("0.92"))]
    again = client.post(RATES, {"currency": "USD", "rate": "0.93", "effective_on": "2026-01-01"})
    assert again.status_code == 422
    assert again.context["rate_form"].errors == {"__all__": ["This currency already has a rate from that day."]}
    itself = client.post(RATES, {"currency": "EUR", "rate": "1", "effective_on": "2026-01-01"})
    assert itself.context["rate_form"].errors == {"currency": ["EUR is the reporting currency; its rate is always 1."]}
    nothing = client.post(RATES, {"currency": "GBP", "rate": "0", "effective_on": "2026-01-01"})
    assert nothing.context["rate_form"].errors == {"__all__": ["A rate is above 0."]}
    assert len(rates()) == 1


def test_only_a_rate_to_come_can_be_deleted(cast: Cast) -> None:
    today = get_company().today()
    coming, in_force = make_rate("USD", "0.9", today + dt.timedelta(days=1)), make_rate("USD", "0.8", today)
    client = cast.client_of("admin")
    for rate in (coming, in_force):
        client.post(reverse("rules:delete_rate", args=[rate.pk]))
    assert rates() == [("USD", today, Decimal("0.8"))]


def test_currencies_in_use_without_a_rate_are_named(cast: Cast) -> None:
    make_renewal(owner=cast.rep, currency="CHF")
    make_renewal(owner=cast.rep, currency="USD")
    make_rate("USD", "0.9")
    response = cast.client_of("admin").get(COMPANY)
    assert response.context["without_rate"] == ["CHF"]
    assert "for CHF" in response.text


def test_rates_are_told_with_the_decimals_of_the_finest_one(cast: Cast) -> None:
    make_rate("GBP", "1.2", dt.date(2024, 1, 1))
    page = cast.client_of("admin").get(COMPANY).content.decode()
    assert '<td class="num">1.20</td>' in page
    make_rate("USD", "0.875", dt.date(2024, 1, 1))
    page = cast.client_of("admin").get(COMPANY).content.decode()
    assert '<td class="num">1.200</td>' in page
    assert '<td class="num">0.875</td>' in page
