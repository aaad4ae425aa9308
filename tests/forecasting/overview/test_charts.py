"""Charts: the figures of their series, the rows behind each of them, and the words under them."""

import json
import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.http import QueryDict

from accounts.models import User, get_company
from forecasting.charts import Chart
from forecasting.models import ForecastLine
from forecasting.overview.at_risk import read_at_risk
from forecasting.overview.charts import build_charts
from forecasting.overview.dashboard import read_periods
from forecasting.scopes.scope import get_scope
from renewals.models import Renewal, RenewalQuerySet
from renewals.table.filter_kinds import Reader
from renewals.table.filters import read_query
from renewals.totals.strip import read_totals
from tests.cast import Cast
from tests.forecasting.forecast_book import AS_OF, book, recompute

__all__ = ["book"]
Book = dict[str, Renewal]
RATES = {"EUR": Decimal(1), "USD": Decimal("0.90"), "GBP": Decimal(0)}
nbsp = "\N{NO-BREAK SPACE}"


def charts_of(user: User, **query: str) -> dict[str, Chart]:
    scope, company = get_scope(user, query), get_company()
    periods = read_periods(user, scope, company, today=AS_OF)
    at_risk = read_at_risk(user, scope, company, today=AS_OF)
    return {chart.key: chart for chart in build_charts(scope, "EUR", "by due period", periods, at_risk)}


def column(chart: Chart, name: str) -> dict[str, Decimal | None]:
    series = next(series for series in chart.series if series.name == name)
    return dict(zip(chart.labels, series.values, strict=True))


def rows_behind(url: str, user: User) -> RenewalQuerySet:
    """What the central table shows at an address."""
    address = urlsplit(url)
    assert address.path == "/renewals/"
    query = read_query(QueryDict(address.query), Reader(user, AS_OF, fiscal_month=2))
    assert query.problems == []
    return query.apply(Renewal.objects.visible_to(user))


def added_up(rows: RenewalQuerySet, measure: Callable[[Renewal], Decimal]) -> Decimal:
    return sum((measure(row) * RATES[row.currency] for row in rows), Decimal(0))


def final(row: Renewal) -> Decimal:
    return row.final_amount or Decimal(0)


def forecast(row: Renewal) -> Decimal:
    return row.baseline_amount if row.forecast_amount is None else row.forecast_amount


MEASURES: dict[str, Callable[[Renewal], Decimal]] = {
    "Won": final,
    "Commit": forecast,
    "Best case": forecast,
    "Renewal": lambda row: min(final(row), row.baseline_amount),
    "Upsell": lambda row: max(final(row) - row.baseline_amount, Decimal(0)),
    "Downsell": lambda row: row.baseline_amount - min(final(row), row.baseline_amount),
    "Churn": lambda row: row.baseline_amount,
    "High": lambda row: row.baseline_amount,
    "Medium": lambda row: row.baseline_amount,
    "Low": lambda row: row.baseline_amount,
}


@pytest.mark.parametrize(("name", "query"), [("admin", {}), ("admin", {"by": "month"}), ("outsider", {}), ("rep", {})])
def test_every_amount_equals_the_sum_of_the_rows_it_opens(
    cast: Cast, book: Book, name: str, query: dict[str, str]
) -> None:
    user = getattr(cast, name)
    compared = 0
    for chart in charts_of(user, **query).values():
        for series in chart.series:
            if series.name not in MEASURES:
                continue
            for value, url in zip(series.values, series.urls, strict=True):
                assert added_up(rows_behind(url, user), MEASURES[series.name]) == value, (chart.key, series.name, url)
                compared += bool(value)
    assert compared > 0


@pytest.mark.parametrize("by", ["quarter", "month"])
def test_expectation_equals_the_total_that_the_table_shows(cast: Cast, book: Book, by: str) -> None:
    recompute()  # with the engine's own probabilities and amounts
    chart = charts_of(cast.admin, by=by)["value"]
    expected = next(series for series in chart.series if series.name == "Expected")
    for value, url in zip(expected.values, expected.urls, strict=True):
        totals = read_totals(rows_behind(url, cast.admin), as_of=AS_OF, reporting_currency="EUR")
        assert value == totals.expected_amount
    assert any(expected.values)


def test_rates_equal_those_that_the_table_shows(cast: Cast, book: Book) -> None:
    chart = charts_of(cast.admin)["rates"]
    for name, rate in (("Gross", "gross_rate"), ("On time", "on_time_rate")):
        series = next(series for series in chart.series if series.name == name)
        at = list(chart.labels).index("Q3 FY27")
        totals = read_totals(rows_behind(series.urls[at], cast.admin), as_of=AS_OF, reporting_currency="EUR")
        assert series.values[at] == getattr(totals, rate)


def test_timing_mix_is_the_share_of_the_rows_it_opens(cast: Cast, book: Book) -> None:
    chart = charts_of(cast.admin)["timing"]
    assert {series.name: column(chart, series.name)["Q3 FY27"] for series in chart.series[:4]} == {
        "Early": 0,
        "On time": Decimal(10) / 19,
        "Late": Decimal(6) / 19,
        "Win-back": Decimal(3) / 19,
    }
    at = list(chart.labels).index("Q3 FY27")
    opened = {series.name: set(rows_behind(series.urls[at], cast.admin)) for series in chart.series[:4]}
    assert opened == {
        "Early": set(),
        "On time": {book["on_time"]},
        "Late": {book["late"]},
        "Win-back": {book["win_back"]},
    }
    assert column(chart, "Early")["Q2 FY26"] is None  # nothing was ordered: no bar, not 0 %


def test_booking_types_add_up_to_what_was_due(cast: Cast, book: Book) -> None:
    chart = charts_of(cast.admin)["booking"]
    third = {series.name: column(chart, series.name)["Q3 FY27"] for series in chart.series[:5]}
    assert third == {"Renewal": 16_000, "Upsell": 2_000, "Cross-sell": 0, "Downsell": 2_000, "Churn": 8_000}
    drawn = {trace["name"]: trace["y"][5] for trace in chart.figure["data"]} if chart.figure else {}
    assert (drawn["Renewal"], drawn["Churn"]) == (16.0, -8.0)  # thousands; what is given up points down


def test_rates_stop_where_nothing_is_over_and_go_on_as_expected(cast: Cast, book: Book) -> None:
    chart = charts_of(cast.admin)["rates"]
    known, expected = column(chart, "Gross"), column(chart, "Gross expected")
    assert (known["Q3 FY27"], known["Q4 FY27"], expected["Q3 FY27"]) == (Decimal(16) / 30, None, None)
    line = ForecastLine.objects.get(grain="quarter", starts_on="2026-11-01", team=None, owner=None, segment=None)
    assert expected["Q4 FY27"] == (line.renewal_amount + line.expected_renewal_amount) / line.due_amount
    assert chart.figure is not None
    dotted = [trace for trace in chart.figure["data"] if trace["line"]["dash"] == "dot"]
    assert [trace["y"][5] for trace in dotted] == [pytest.approx(60.0), pytest.approx(100 * 16 / 30)]


def test_captions_say_what_the_numbers_say(cast: Cast, book: Book) -> None:
    ForecastLine.objects.filter(grain="quarter", starts_on="2026-11-01").update(
        expected_amount=37_000, p10_amount=30_000, p50_amount=37_000, p90_amount=41_000
    )
    captions = {key: chart.caption.replace(nbsp, " ") for key, chart in charts_of(cast.admin).items()}
    assert captions["value"].startswith(
        "Q4 FY27: € 20.0 K won, € 37.0 K expected, with 80 % probability between € 30.0 K and € 41.0 K."
    )
    assert captions["rates"].startswith(
        "Q3 FY27 kept 53.3 % of the value due, 60.0 % with expansion; 33.3 % was in by its last day. Counted by due"
    )
    assert captions["timing"].startswith(
        "Of what was ordered for Q3 FY27, 0 % came early, 53 % on time and 32 % late; "
        "16 % had lapsed and was won back, which is no renewal. Paler is expected: of what is still to come"
    )
    assert captions["risk"] == (
        "€ 7.0 K of € 26.0 K is at high risk (1 of 4 renewals), all of it due in the week of 23 Nov."
    )
    assert captions["booking"].startswith(
        "Q3 FY27: € 2.0 K of upsell and cross-sell against € 10.0 K of downsell and churn."
    )


def test_units_and_tables_follow_the_numbers(cast: Cast, book: Book) -> None:
    charts = charts_of(cast.admin)
    assert [chart.title.replace(nbsp, " ") for chart in charts.values()] == [
        "Renewed value by quarter, € K",
        "Open by risk, 90 days, € K",
        "Renewal rate by quarter, % of value due",
        "Timing of orders by quarter due, % of value up to the baseline",
        "Booking type by quarter, € K",
    ]
    value = charts["value"]
    assert value.heads == [
        "Won, €",
        "Commit, €",
        "Best case, €",
        "Expected, €",
        "P10, €",
        "P90, €",
        "Collected, €",
        "By chance, ±, €",
    ]
    label, cells = value.rows[6]
    assert (label, [cell.text for cell in cells[:3]]) == ("Q4 FY27", ["20,000.00", "11,000.00", "9,000.00"])


def test_a_book_without_rows_gives_words_and_no_figure(cast: Cast) -> None:
    charts = charts_of(cast.admin)
    assert [chart.figure for chart in charts.values()] == [None] * 5
    assert all(chart.empty.endswith(".") for chart in charts.values())


def test_a_book_worth_nothing_has_no_rate_and_no_nan(cast: Cast) -> None:
    ForecastLine.objects.create(grain="quarter", starts_on="2026-07-01", due_count=2)
    ForecastLine.objects.create(grain="quarter", starts_on="2026-10-01", due_count=1, open_count=1)
    charts = charts_of(cast.admin)
    assert charts["rates"].figure is None
    assert "NaN" not in json.dumps([chart.figure for chart in charts.values()])


def numbers_in(part: Any) -> list[float]:
    if isinstance(part, float):
        return [part]
    children = part.values() if isinstance(part, dict) else part if isinstance(part, list | tuple) else []
    return [number for child in children for number in numbers_in(child)]


def test_figures_are_plain_json_in_the_colours_of_the_theme(cast: Cast, book: Book) -> None:
    figures = [chart.figure for chart in charts_of(cast.admin).values()]
    assert all(math.isfinite(number) for number in numbers_in(figures))
    text = json.dumps(figures)
    colours = {
        trace["marker"]["color"]
        for figure in figures
        if figure
        for trace in figure["data"]
        if "y" in trace and isinstance(trace.get("marker", {}).get("color"), str)
    }
    assert colours
    assert all(colour.startswith("var(--p-chart-") for colour in colours)
    assert "<b>" not in text  # markup in a figure becomes an inline style, which the policy refuses
    assert not any(figure["layout"].get("template") for figure in figures if figure)
