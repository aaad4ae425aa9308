"""Signals that a company measures itself, by file."""

import datetime as dt
import re
from typing import Any

import pytest

from accounts.models import AccountSignal, HealthFactor, HealthWeightVersion
from renewals.imports.builtin import load_mapping
from renewals.imports.keys import MappingError
from renewals.imports.mapping import parse_mapping
from tests.cast import Cast, make_account
from tests.renewals.imports.conftest import Import, refusals_of

CUSTOM: dict[str, Any] = {
    "rows": "signals",
    "unknown_account": "refuse",
    "account": {"external_id": "Account"},
    "signal": {"measured_on": "Day", "csat_score": "CSAT"},
    "custom": {"store_visits": {"column": "Visits", "decimal": ","}, "open-quotes": "Quotes"},
}
HEAD = "Account;Day;CSAT;Visits;Quotes\n"


@pytest.fixture
def factors(db: None) -> None:
    """Health knows two signals of the company's own."""
    make_account(external_id="C1")
    for key in ("store_visits", "open-quotes"):
        HealthFactor.objects.create(
            key=key,
            label=key,
            position=HealthFactor.objects.count() + 100,
            is_custom=True,
            worst_value=0,
            best_value=10,
            stale_days=90,
        )


def kept() -> list[tuple[object, ...]]:
    return list(AccountSignal.objects.order_by("measured_on").values_list("measured_on", "csat_score", "custom_values"))


def test_custom_signals_come_with_the_others_and_keep_what_is_there(factors: None, run_import: Import) -> None:
    run_import(HEAD + "C1;2026-03-01;4;12,5;\nC1;2026-03-02;5;;\n", CUSTOM)
    first, second = dt.date(2026, 3, 1), dt.date(2026, 3, 2)
    assert kept() == [(first, 4.0, {"store_visits": 12.5}), (second, 5.0, None)]
    text = HEAD + "C1;2026-03-01;;;3\nC1;2026-03-02;;7;\n"
    batch = run_import(text, CUSTOM)
    assert kept() == [(first, 4.0, {"store_visits": 12.5, "open-quotes": 3}), (second, 5.0, {"store_visits": 7})]
    assert batch.result["signals"] == {"created": 0, "changed": 2, "unchanged": 0}
    assert run_import(text, CUSTOM).result["signals"] == {"created": 0, "changed": 0, "unchanged": 2}


def test_custom_signals_alone_bring_the_newest_of_a_month(factors: None, run_import: Import) -> None:
    alone = {**CUSTOM, "per": "month", "signal": {"measured_on": "Day"}}
    run_import(HEAD + "C1;2026-03-01;;1;4\nC1;2026-03-20;;2;\n", alone)
    assert kept() == [(dt.date(2026, 3, 20), None, {"store_visits": 2, "open-quotes": 4})]


def test_a_value_that_is_no_number_is_refused_with_its_column(factors: None, run_import: Import) -> None:
    batch = run_import(HEAD + "C1;2026-03-01;4;many;1\n", CUSTOM)
    assert [finding[:3] for finding in refusals_of(batch)] == [(2, "Visits", "many")]
    assert kept() == []


def test_a_signal_that_health_does_not_know_stops_the_file(run_import: Import) -> None:
    make_account(external_id="C1")
    batch = run_import(HEAD + "C1;2026-03-01;4;1;1\n", CUSTOM)
    assert (batch.state, batch.message) == (
        "failed",
        "The custom signal “open-quotes” is not known; an admin adds it under Health weights.",
    )
    assert kept() == []


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({**CUSTOM, "custom": {"x'y": "Visits"}}, "custom.x'y: a key has letters, digits, _ and -, 40 at most."),
        ({**CUSTOM, "custom": {"visits": {"column": "Visits", "combine": "sum"}}}, "custom.visits.combine: only last."),
        ({"rows": "accounts", "account": {"name": "A"}, "custom": {"visits": "V"}},
         'custom: only read with rows = "signals", not with accounts.'),
    ],
)  # fmt: skip
def test_a_mapping_of_custom_signals_says_what_is_wrong(mapping: dict[str, Any], message: str) -> None:
    with pytest.raises(MappingError) as refused:
        parse_mapping(mapping)
    assert str(refused.value) == message


def test_plain_form_has_logins_and_sentiment(db: None, run_import: Import) -> None:
    make_account(external_id="C1")
    text = "Account id,Account,Measured on,Login change,Sentiment\nC1,,2026-03-01,-0.25,4\n"
    run_import(text, load_mapping("signals"))
    assert list(AccountSignal.objects.values_list("login_change_rate", "sentiment_score")) == [(-0.25, 4)]


def test_the_page_of_the_columns_says_which_signals_count_for_nothing(
    factors: None, cast: Cast, run_import: Import
) -> None:
    HealthWeightVersion.objects.create(weights={"nps_score": 1, "store_visits": 0})
    batch = run_import(HEAD + "C1;2026-03-01;4;12,5;\n", CUSTOM)
    page = cast.client_of("admin").get(f"/imports/{batch.pk}/columns/").content.decode()
    assert re.findall(r'data-unweighed="([^"]+)"', page) == ["open-quotes"]
    assert 'href="/health/weights/#weight-open-quotes"' in page
