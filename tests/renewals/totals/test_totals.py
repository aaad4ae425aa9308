"""Totals over the filtered set: exact values, currencies, exceptions, rates of nothing."""

import datetime as dt
from decimal import Decimal

from django.db import connection
from django.test.utils import CaptureQueriesContext

from renewals.models import Renewal, RenewalScore, TimingClass
from renewals.totals.parts import CurrencyLine, Parts, TypeLine, read_parts
from renewals.totals.strip import Totals, describe, notes, read_totals
from tests.cast import Cast, make_rate, make_renewal

AS_OF = dt.date(2026, 11, 21)
MEANS = ("mean_cents", "mean_upsell_cents", "mean_cross_sell_cents")
PAST, FUTURE = dt.date(2026, 11, 1), dt.date(2026, 12, 15)


def scored(renewal: Renewal, timing: TimingClass, probability: float = 0.5, risk: float | None = 10.0) -> Renewal:
    forecast = renewal.baseline_amount if renewal.forecast_amount is None else Decimal(renewal.forecast_amount)
    cross_sell = min(Decimal(renewal.cross_sell_amount), forecast)
    means = (forecast, max(forecast - cross_sell - renewal.baseline_amount, Decimal(0)), cross_sell)
    is_open = renewal.outcome == Renewal.Outcome.OPEN
    RenewalScore.objects.create(
        renewal=renewal,
        **{name: int(mean * 100) * is_open for name, mean in zip(MEANS, means, strict=True)},
        account=renewal.account,
        timing_class=timing,
        timing_days=0,
        likelihood=0.5,
        likelihood_count=1,
        probability=probability,
        risk_score=risk,
        completeness=1,
        contributions=[],
    )
    return renewal


def totals() -> Totals:
    return read_totals(Renewal.objects.all(), as_of=AS_OF, reporting_currency="EUR")


def won(cast: Cast, amount: int, timing: TimingClass, **fields: object) -> Renewal:
    ordered = {"outcome": "renewed", "final_amount": Decimal(amount), "ordered_on": PAST}
    return scored(make_renewal(owner=cast.rep, due_on=PAST, **{**ordered, **fields}), timing, probability=1)


def test_totals_of_a_book(cast: Cast) -> None:
    won(cast, 12_000, TimingClass.ON_TIME)
    won(cast, 15_000, TimingClass.EARLY)  # 3,000 of it upsell: no part of the gross rate
    won(cast, 6_000, TimingClass.LATE)
    won(cast, 12_000, TimingClass.WIN_BACK)  # had lapsed: not a renewal
    lost = make_renewal(owner=cast.rep, due_on=PAST, outcome="lost", final_amount=0)
    scored(lost, TimingClass.LOST, probability=0)
    scored(make_renewal(owner=cast.rep, due_on=PAST), TimingClass.OVERDUE, probability=0.25)
    scored(make_renewal(owner=cast.rep, due_on=FUTURE, forecast_amount=20_000), TimingClass.UPCOMING, 0.5, risk=80.0)
    scored(make_renewal(owner=cast.rep, due_on=FUTURE), TimingClass.UPCOMING, 0.1)
    found = totals()
    assert found == Totals(
        count=8,
        open_count=3,
        atr_amount=Decimal(96_000),
        won_amount=Decimal(33_000),
        won_count=3,
        open_expected_amount=Decimal("14200.00"),
        due_amount=Decimal(72_000),
        kept_amount=Decimal(30_000),
        kept_on_time_amount=Decimal(24_000),
        decided_count=5,
        late_count=1,
        early_count=1,
        at_risk_amount=Decimal(24_000),
        at_risk_count=2,
        atr_by_currency={"EUR": Decimal(96_000)},
    )
    assert found.expected_amount == Decimal("47200.00")
    assert (found.gross_rate, found.on_time_rate) == (Decimal(30) / 72, Decimal(24) / 72)


def test_a_million_due_850_kept_200_upsold_is_a_gross_rate_of_85(cast: Cast) -> None:
    for _ in range(8):
        won(cast, 125_000, TimingClass.ON_TIME, baseline_amount=Decimal(100_000))
    won(cast, 50_000, TimingClass.ON_TIME, baseline_amount=Decimal(100_000))
    lost = make_renewal(owner=cast.rep, due_on=PAST, outcome="lost", final_amount=0, baseline_amount=Decimal(100_000))
    scored(lost, TimingClass.LOST, probability=0)
    assert totals().gross_rate == Decimal("0.85")


def test_rates_of_nothing_are_dashes(cast: Cast) -> None:
    scored(make_renewal(owner=cast.rep, due_on=FUTURE), TimingClass.UPCOMING)
    assert [total.value for total in describe(totals(), "EUR")][3:5] == ["–", "–"]
    scored(make_renewal(owner=cast.rep, due_on=PAST), TimingClass.OVERDUE)
    assert [(total.value, total.qualifier) for total in describe(totals(), "EUR")][3] == ("–", "none decided")


def test_currencies_are_turned_by_the_rate_of_the_day(cast: Cast) -> None:
    make_rate("USD", "0.9")
    make_rate("USD", "0.5", dt.date(2026, 11, 22))  # not yet in force
    scored(make_renewal(owner=cast.rep, due_on=FUTURE, currency="USD"), TimingClass.UPCOMING)
    scored(make_renewal(owner=cast.rep, due_on=FUTURE), TimingClass.UPCOMING)
    found = totals()
    assert (found.atr_amount, found.expected_amount) == (Decimal(22_800), Decimal(11_400))
    assert found.atr_by_currency == {"EUR": Decimal(12_000), "USD": Decimal(12_000)}


def test_a_currency_without_a_rate_is_named_and_in_no_amount(cast: Cast) -> None:
    scored(make_renewal(owner=cast.rep, due_on=FUTURE, currency="XTS"), TimingClass.UPCOMING)
    found = totals()
    assert (found.count, found.atr_amount, found.without_rate) == (1, 0, {"XTS": 1})
    assert notes(found, "EUR") == ["1 in XTS: in the count, in no amount. XTS has no exchange rate into EUR."]


def test_exceptions_are_counted_and_left_out(cast: Cast) -> None:
    exception = make_renewal(owner=cast.rep, due_on=PAST, is_excluded=True, excluded_reason="Merger")
    scored(exception, TimingClass.OVERDUE)
    found = totals()
    assert (found.count, found.excluded_count, found.atr_amount, found.at_risk_count) == (1, 1, 0, 0)
    assert notes(found, "EUR") == ["1 approved exception is left out of the totals."]


def test_unscored_ones_are_said(cast: Cast) -> None:
    make_renewal(owner=cast.rep, due_on=PAST)
    assert (totals().unscored_count, totals().atr_amount, totals().expected_amount) == (1, 12_000, 0)
    assert notes(totals(), "EUR") == ["1 are not scored yet: in no rate and in no expectation."]


def test_totals_of_nothing(cast: Cast) -> None:
    assert totals() == Totals()
    assert [total.value for total in describe(Totals(), "EUR")] == ["€\N{NO-BREAK SPACE}0"] * 3 + ["–"] * 3


def test_totals_cost_two_queries(cast: Cast) -> None:
    make_renewal(owner=cast.rep)
    with CaptureQueriesContext(connection) as captured:
        totals()
    assert len(captured) == 2


def parts() -> Parts:
    return read_parts(Renewal.objects.all(), as_of=AS_OF, reporting_currency="EUR")


def types(found: Parts) -> dict[str, tuple[Decimal | int | None, ...]]:
    return {
        line.label: (line.count, line.baseline_amount, line.forecast_amount, line.expected_amount)
        for line in found.types
    }


def test_parts_by_booking_type(cast: Cast) -> None:
    won(cast, 15_000, TimingClass.ON_TIME, cross_sell_amount=Decimal(1_000))  # 12,000 renewed, 2,000 up, 1,000 across
    won(cast, 9_000, TimingClass.LATE)  # 3,000 down
    won(cast, 12_000, TimingClass.WIN_BACK)  # had lapsed
    scored(make_renewal(owner=cast.rep, due_on=PAST, outcome="lost", final_amount=0), TimingClass.LOST, 0)
    scored(make_renewal(owner=cast.rep, due_on=FUTURE, forecast_amount=20_000), TimingClass.UPCOMING, 0.5)
    scored(make_renewal(owner=cast.rep, due_on=FUTURE, forecast_amount=6_000), TimingClass.UPCOMING, 0.25)
    scored(make_renewal(owner=cast.rep, due_on=FUTURE, forecast_amount=0), TimingClass.UPCOMING, 0.25)
    scored(make_renewal(owner=cast.rep, due_on=FUTURE), TimingClass.UPCOMING, 0.1)  # as its baseline
    found = parts()
    assert types(found) == {
        "Renewal": (5, Decimal(51_000), Decimal(51_000), Decimal(29_700)),
        "Upsell": (2, None, Decimal(10_000), Decimal(6_000)),
        "Cross-sell": (1, None, Decimal(1_000), Decimal(1_000)),
        "Downsell": (2, Decimal(9_000), None, None),
        "Churn": (3, Decimal(36_000), None, None),
    }
    strip = totals()
    assert (found.count, found.baseline_amount) == (strip.count, strip.atr_amount) == (8, Decimal(96_000))
    assert (found.expected_amount, found.forecast_amount) == (strip.expected_amount, Decimal(62_000))
    assert strip.expected_amount == Decimal(36_700)


def test_parts_by_currency_add_up_to_the_cent(cast: Cast) -> None:
    make_rate("USD", "0.333333", dt.date(2026, 3, 1))
    make_rate("GBP", "1.166666")
    for currency, count in (("USD", 3), ("GBP", 2), ("EUR", 1), ("XTS", 1)):
        for number in range(count):
            amount = Decimal("100.01") + number
            row = make_renewal(
                owner=cast.rep, due_on=FUTURE, currency=currency, baseline_amount=amount, forecast_amount=amount / 3
            )
            scored(row, TimingClass.UPCOMING, 0.377)
    won(cast, 0, TimingClass.ON_TIME, baseline_amount=Decimal(0), is_excluded=True, excluded_reason="Merger")
    found, strip = parts(), totals()
    assert found.currencies == [
        CurrencyLine("EUR", 1, Decimal("100.01"), Decimal("100.01"), Decimal(1), None),
        CurrencyLine("GBP", 2, Decimal("201.02"), Decimal("234.52"), Decimal("1.166666"), dt.date(2020, 1, 1)),
        CurrencyLine("USD", 3, Decimal("303.03"), Decimal("101.01"), Decimal("0.333333"), dt.date(2026, 3, 1)),
        CurrencyLine("XTS", 1, Decimal("100.01"), None, None, None),
    ]
    assert sum(line.converted_amount or 0 for line in found.currencies) == found.baseline_amount == strip.atr_amount
    assert sum(line.count for line in found.currencies) == found.count == strip.count - strip.excluded_count
    for column in ("baseline_amount", "forecast_amount", "expected_amount"):
        assert sum(getattr(line, column) or 0 for line in found.types) == getattr(found, column), column
    assert found.expected_amount == strip.expected_amount


def test_parts_of_what_is_renewed_and_not_scored_yet(cast: Cast) -> None:
    make_renewal(owner=cast.rep, due_on=PAST, outcome="renewed", final_amount=Decimal(5_000), ordered_on=PAST)
    found = parts()
    assert found.types[-1] == TypeLine("Not scored yet", 1, Decimal(12_000), meaning=found.types[-1].meaning)
    assert (found.baseline_amount, found.expected_amount) == (Decimal(12_000), totals().expected_amount)


def test_parts_of_nothing(cast: Cast) -> None:
    found = parts()
    assert (found.currencies, found.count, found.expected_amount) == ([], 0, 0)
    assert [line.count for line in found.types] == [0] * 5


def test_parts_cost_two_queries_and_read_the_filter(cast: Cast) -> None:
    make_renewal(owner=cast.rep)
    make_renewal(owner=cast.rep, currency="USD")
    with CaptureQueriesContext(connection) as captured:
        parts()
    assert len(captured) == 2
    said = cast.client_of("rep").get("/renewals/totals/parts/?currency=USD").content.decode()
    assert "No exchange rate into EUR" in said
    assert "12,000.00" in said
    assert ">EUR</th>" not in said
    assert "12,000.00" not in cast.client_of("outsider").get("/renewals/totals/parts/").content.decode()
