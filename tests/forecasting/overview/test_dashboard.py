"""What the forecast page shows: periods, rates, the six totals, what is at risk, and for whom."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.http import Http404

from accounts.models import Company, Segment, Team, get_company
from forecasting.engine.amounts import AmountModel
from forecasting.models import ForecastLine, Run
from forecasting.overview.at_risk import Open, read_at_risk
from forecasting.overview.dashboard import Period, build_totals, range_text, read_periods
from forecasting.scopes.lines import Credit
from forecasting.scopes.scope import get_scope, read_pills
from renewals.models import Renewal
from tests.cast import Cast
from tests.forecasting.forecast_book import AS_OF, book

__all__ = ["book"]
Book = dict[str, Renewal]
nbsp = "\N{NO-BREAK SPACE}"


def periods_of(user: Any, **query: str) -> dict[str, Period]:
    periods = read_periods(user, get_scope(user, query), get_company(), today=AS_OF)
    return {period.label: period for period in periods}


def test_read_periods_are_fiscal_quarters_around_the_day(cast: Cast) -> None:
    Company.objects.update(fiscal_year_start_month=2)
    periods = list(periods_of(cast.admin).values())
    labels = "Q2 FY26, Q3 FY26, Q4 FY26, Q1 FY27, Q2 FY27, Q3 FY27, Q4 FY27, Q1 FY28, Q2 FY28, Q3 FY28"
    assert ", ".join(period.label for period in periods) == labels
    assert [period.label for period in periods if period.is_current] == ["Q4 FY27"]
    assert [period.label for period in periods if period.is_over][-1] == "Q3 FY27"
    assert (periods[6].starts_on, periods[6].ends_on) == (dt.date(2026, 11, 1), dt.date(2027, 1, 31))
    assert (periods[0].gross_rate, periods[0].line.due_count) == (None, 0)


def test_read_periods_are_months_when_asked(cast: Cast) -> None:
    periods = list(periods_of(cast.admin, by="month").values())
    assert [periods[0].label, periods[12].label, periods[-1].label] == ["Nov 25", "Nov 26", "Apr 27"]
    assert (periods[12].is_current, periods[12].ends_on) == (True, dt.date(2026, 11, 30))


def test_rates_of_a_quarter_add_up_by_hand(cast: Cast, book: Book) -> None:
    quarter = periods_of(cast.admin)["Q3 FY27"]
    assert quarter.line.due_amount == 30_000
    rates = (quarter.gross_rate, quarter.net_rate, quarter.in_period_rate, quarter.on_time_rate)
    assert rates == (Decimal(16) / 30, Decimal(18) / 30, Decimal(10) / 30, Decimal(10) / 30)


@pytest.mark.parametrize(
    ("attribution", "third", "fourth"),
    [
        ("due_period", Credit(Decimal(16_000), Decimal(18_000), Decimal(10_000)), 20_000),
        ("order_period", Credit(Decimal(10_000), Decimal(12_000), Decimal(10_000)), 26_000),
        ("hybrid", Credit(Decimal(10_000), Decimal(12_000), Decimal(10_000)), 26_000),
    ],
)
def test_attribution_decides_where_a_late_one_counts(
    cast: Cast, book: Book, attribution: str, third: Credit, fourth: int
) -> None:
    Company.objects.update(attribution=attribution)
    periods = periods_of(cast.admin)
    assert (periods["Q3 FY27"].credit, periods["Q4 FY27"].credit.kept_amount) == (third, fourth)


def test_hybrid_holds_an_early_one_to_its_due_period(cast: Cast, book: Book) -> None:
    book["early"].ordered_on = dt.date(2026, 10, 1)
    book["early"].save(update_fields=["ordered_on"])
    Company.objects.update(attribution="hybrid")
    assert periods_of(cast.admin)["Q4 FY27"].credit.kept_amount == 26_000
    Company.objects.update(attribution="order_period")
    assert periods_of(cast.admin)["Q4 FY27"].credit.kept_amount == 6_000


def test_read_periods_follow_team_owner_and_segment(cast: Cast, book: Book) -> None:
    small = str(Segment.objects.get(name="Small").pk)
    asked: dict[str, tuple[Any, dict[str, str]]] = {
        "whole book": (cast.admin, {}),
        "team": (cast.admin, {"team": str(cast.manager.team_id)}),
        "own team": (cast.viewer, {}),
        "owner": (cast.auditor, {"owner": str(cast.outsider.pk)}),
        "segment": (cast.admin, {"segment": small}),
        "team and segment": (cast.outsider, {"segment": small}),
        "owner and segment": (cast.admin, {"owner": str(cast.outsider.pk), "segment": small}),
        "owner and other segment": (cast.admin, {"owner": str(cast.rep.pk), "segment": small}),
    }
    due = {name: periods_of(user, **query)["Q3 FY27"].line.due_amount for name, (user, query) in asked.items()}
    assert due == {
        "whole book": 30_000,
        "team": 27_000,
        "own team": 27_000,
        "owner": 3_000,
        "segment": 3_000,
        "team and segment": 3_000,
        "owner and segment": 3_000,
        "owner and other segment": 0,
    }


def test_lines_that_no_run_stores_equal_those_that_it_does(cast: Cast, book: Book) -> None:
    """The outsider owns all there is of the segment, so both ways have to give the same figures."""
    small = str(Segment.objects.get(name="Small").pk)
    Run.objects.update(as_of_on=AS_OF)
    stored = periods_of(cast.admin, segment=small)
    computed = periods_of(cast.admin, owner=str(cast.outsider.pk), segment=small)
    names = [field.name for field in ForecastLine._meta.fields if field.name.endswith(("_amount", "_count"))]
    decided = ("Q3 FY27",)  # the open one got its probability after the run
    for label in decided:
        assert [getattr(computed[label].line, name) for name in names] == [
            getattr(stored[label].line, name) for name in names
        ]
    # A quarter of 7,000, by what the three that were decided made of their baselines (see engine.amounts).
    model = AmountModel.from_dict(Run.objects.get().amount_model or {})
    expected = computed["Q4 FY27"].line.expected_amount
    assert float(expected) == pytest.approx(1_750 * model.mean_ratios[-1, 0], rel=0.01)


def test_totals_are_the_six_figures(cast: Cast, book: Book) -> None:
    ForecastLine.objects.filter(
        grain="quarter", starts_on=dt.date(2026, 11, 1), team=None, owner=None, segment=None
    ).update(expected_amount=37_050, p10_amount=30_000, p50_amount=37_000, p90_amount=40_949)
    scope, company = get_scope(cast.admin, {}), get_company()
    periods = read_periods(cast.admin, scope, company, today=AS_OF)
    totals = build_totals(scope, company, periods, read_at_risk(cast.admin, scope, company, today=AS_OF))
    shown = [(total.label, total.value.replace(nbsp, " "), total.qualifier.replace(nbsp, " ")) for total in totals]
    assert shown == [
        ("Expected this quarter", "€ 37.1 K", "30.0 to 40.9"),
        ("Commit, open", "€ 11.0 K", "24 %"),
        ("Won so far", "€ 20.0 K", "43 %"),
        ("Gross / net, due Q3 FY27", "53.3 / 60.0 %", ""),
        ("At risk, 90 days", "€ 7.0 K", "1"),
        ("Open past due", "€ 4.0 K", "1"),
    ]
    assert totals[3].title.replace(nbsp, " ") == (
        "Of € 30,000.00 due in Q3 FY27, 53.3 % was kept and 60.0 % with expansion, by due period."
    )


def test_at_risk_is_by_week_and_band_and_names_a_currency_without_rate(cast: Cast, book: Book) -> None:
    at_risk = read_at_risk(cast.admin, get_scope(cast.admin, {}), get_company(), today=AS_OF)
    assert (at_risk.first_on, at_risk.last_on) == (AS_OF, dt.date(2027, 2, 19))
    assert (at_risk.weeks[0].starts_on, at_risk.weeks[0].ends_on) == (AS_OF, dt.date(2026, 11, 22))
    assert at_risk.weeks[-1].ends_on == at_risk.last_on
    assert (at_risk.total("high"), at_risk.total("medium")) == (Open(1, Decimal(7_000)), Open(1, Decimal(9_000)))
    assert at_risk.total("high", "medium", "low", "unscored").count == 4  # the one without a rate is counted
    assert at_risk.currencies_without_rate == ("GBP",)
    assert at_risk.past_due == Open(1, Decimal(4_000))
    shown = [(row.renewal, row.amount, row.loss_amount) for row in at_risk.largest]
    assert shown == [
        (book["pipeline"], 7_000, 5_250),
        (book["best_case"], 9_000, 3_600),
        (book["commit"], 10_000, 1_000),
    ]


def test_at_risk_is_only_of_what_the_reader_sees(cast: Cast, book: Book) -> None:
    high = {}
    for name in ("admin", "auditor", "manager", "rep", "viewer", "outsider", "other_manager"):
        user = getattr(cast, name)
        high[name] = read_at_risk(user, get_scope(user, {}), get_company(), today=AS_OF).total("high").count
    assert high == {
        "admin": 1,
        "auditor": 1,
        "manager": 0,
        "rep": 0,
        "viewer": 0,
        "outsider": 1,
        "other_manager": 1,
    }


def test_scope_refuses_what_is_not_the_readers(cast: Cast) -> None:
    amer = str(Team.objects.get(name="AMER").pk)
    refused: list[tuple[str, dict[str, str]]] = [
        ("manager", {"team": amer}),
        ("viewer", {"owner": str(cast.outsider.pk)}),
        ("rep", {"owner": str(cast.admin.pk)}),
        ("admin", {"team": amer, "owner": str(cast.rep.pk)}),
        ("admin", {"team": "9999999"}),
        ("admin", {"segment": "x"}),
        ("admin", {"owner": "1' OR 1=1"}),
        ("admin", {"segment": "9" * 30}),
        ("admin", {"by": "decade"}),
    ]
    for name, query in refused:
        with pytest.raises(Http404):
            get_scope(getattr(cast, name), query)


def test_somebody_without_a_team_sees_themselves(cast: Cast) -> None:
    cast.rep.team = None
    cast.rep.save(update_fields=["team"])
    scope = get_scope(cast.rep, {})
    assert (scope.team, scope.owner, scope.chosen) == (None, cast.rep, {})
    with pytest.raises(Http404):
        get_scope(cast.rep, {"owner": str(cast.team_mate.pk)})
    assert [(pill.label, pill.value) for pill in read_pills(cast.rep, scope)] == [("Owner", "you"), ("Segment", "")]


def test_pills_offer_only_what_the_reader_sees(cast: Cast) -> None:
    offered = {
        name: {pill.label: [choice.label for choice in pill.choices] for pill in pills}
        for name in ("admin", "viewer")
        for pills in [read_pills(getattr(cast, name), get_scope(getattr(cast, name), {}))]
    }
    assert offered["admin"]["Team"] == ["AMER", "EMEA"]
    assert offered["viewer"] == {"Team": [], "Owner": ["Mona Manager", "Rhea Rep", "Tom Mate"], "Segment": []}


def test_a_pill_keeps_the_other_choices_in_the_address(cast: Cast) -> None:
    team, owner = str(cast.rep.team_id), str(cast.rep.pk)
    scope = get_scope(cast.admin, {"by": "month", "team": team, "owner": owner})
    team_pill, owner_pill, _ = read_pills(cast.admin, scope)
    assert team_pill.clear_url == "/forecast/?by=month"  # another team's page does not keep the owner
    assert owner_pill.clear_url == f"/forecast/?by=month&team={team}"
    assert scope.url(by=None) == f"/forecast/?team={team}&owner={owner}"


def test_range_is_written_in_the_unit_of_its_end() -> None:
    million = Decimal(1_000_000)
    texts = [
        range_text(Decimal(746_600), Decimal(1_100_000), beside=million),
        range_text(Decimal(746_600), Decimal(1_100_000), beside=Decimal(900_000)),
        range_text(Decimal(10), Decimal(900), beside=Decimal(100)),
    ]
    assert texts == ["0.7 to 1.1", f"0.7 to 1.1{nbsp}M", "10 to 900"]
