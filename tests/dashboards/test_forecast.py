"""The forecast dashboard: the forecast page's numbers to the cent, and what stands beside them against raw rows."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from decimal import Decimal
from html import unescape

import pytest
from django.utils import timezone

from accounts.models import Company, Segment, User, get_company
from dashboards.forecast.pacing import pacing_tiles
from dashboards.forecast.page import build_tiles
from dashboards.forecast.reading import Outlook, chosen_of, read_outlook
from dashboards.forecast.waterfall import steps_of
from dashboards.frame import Frame
from dashboards.models import RollUp
from dashboards.rollups.services import bring_up_to_date
from dashboards.tiles import Tile
from forecasting.as_at import score_at
from forecasting.models import Target
from forecasting.overview.dashboard import read_periods
from forecasting.scopes.scope import Scope
from renewals.models import Renewal
from tests.cast import Cast, make_rate, make_renewal
from tests.dashboards.books import draw_book
from tests.dashboards.oracle import Span, read_facts
from tests.forecasting.forecast_book import AS_OF, recompute, renewed
from tests.pages import read_page

PAGE = "/dashboards/forecast/"


def frame_of(user: User, *, grain: str = "quarter", owner: User | None = None, segment: Segment | None = None) -> Frame:
    scope = Scope(grain, owner=owner, segment=segment, page="dashboards:forecast")
    company = get_company()
    return Frame(user, company, scope, company.attribution, 2, "", RollUp.objects.get(), True)


def text_of(cast: Cast, who: str, address: str) -> str:
    return read_page(cast, who, address)


def of_key(tiles: list[Tile], key: str) -> Tile:
    return next(tile for tile in tiles if tile.key == key)


def draw_open(cast: Cast, seed: int) -> None:
    """A drawn book, with open ones ahead in two currencies: some grow, some shrink."""
    draw_book(cast, seed)
    for number, (currency, share) in enumerate((("EUR", "1.3"), ("USD", "0.7"), ("USD", "1.21"), ("EUR", "1"))):
        baseline = Decimal("1234.57") * (number + 1)
        forecast = (baseline * Decimal(share)).quantize(Decimal("0.01"))
        due_on = AS_OF + dt.timedelta(days=4 + 40 * number)
        make_renewal(
            owner=cast.rep, due_on=due_on, currency=currency, baseline_amount=baseline, forecast_amount=forecast
        )
    recompute()
    assert bring_up_to_date()


@pytest.mark.parametrize("grain", ["quarter", "month"])
@pytest.mark.parametrize("seed", [51, 52])
def test_it_says_what_the_forecast_page_says(cast: Cast, seed: int, grain: str) -> None:
    draw_open(cast, seed)
    segment = Segment.objects.get(name="Mid")
    for owner, part in ((None, None), (cast.rep, None), (None, segment), (cast.rep, segment)):
        frame = frame_of(cast.admin, grain=grain, owner=owner, segment=part)
        ours = {one.starts_on: one.line for one in read_outlook(frame).periods}
        theirs = read_periods(cast.admin, frame.scope, frame.company, today=AS_OF)
        assert len(theirs) >= 10
        for one in theirs:
            line = ours[one.starts_on]
            for name in ("due", "won", "commit", "best_case", "expected", "p10", "p50", "p90", "lost"):
                assert getattr(line, f"{name}_amount") == getattr(one.line, f"{name}_amount"), (one.label, name)


def test_targets_and_last_year_stand_beside_their_period(cast: Cast) -> None:
    Company.objects.update(fiscal_year_start_month=2)
    make_renewal(owner=cast.rep, due_on=dt.date(2025, 12, 1), **renewed(7_000, dt.date(2025, 11, 20)))
    make_renewal(owner=cast.rep, due_on=dt.date(2026, 12, 1), **renewed(9_000, dt.date(2026, 11, 20)))
    Target.objects.create(grain="quarter", starts_on=dt.date(2026, 11, 1), amount=Decimal(10_000))
    recompute()
    bring_up_to_date()
    frame = frame_of(cast.admin)
    outlook = read_outlook(frame)
    at = outlook.at(chosen_of(frame, outlook.periods))
    assert outlook.periods[at].label == "Q4 FY27"
    assert (outlook.targets[at], outlook.last_year[at]) == (Decimal(10_000), Decimal(7_000))
    assert (outlook.periods[at].line.won_amount, outlook.model[at]) == (Decimal(9_000), Decimal(9_000))
    text = text_of(cast, "admin", PAGE)
    assert "€ 1.0 K below its target" in text.replace("\N{NO-BREAK SPACE}", " ").replace(
        "\N{NARROW NO-BREAK SPACE}", " "
    )
    of_owner = read_outlook(frame_of(cast.admin, owner=cast.rep))
    assert of_owner.targets[at] is None


@pytest.mark.parametrize("seed", [53, 54])
def test_the_model_is_the_sum_of_each_likelihood(cast: Cast, seed: int) -> None:
    draw_open(cast, seed)
    frame = frame_of(cast.admin)
    outlook = read_outlook(frame)
    for place, period in enumerate(outlook.periods):
        cents = {"EUR": 0, "USD": 0, "GBP": 0}
        for row in Renewal.objects.select_related("score").filter(is_excluded=False):
            if period.starts_on <= row.due_on <= period.ends_on and row.score.timing_class <= 2:
                cents[row.currency] += round(row.score.likelihood * row.score.mean_cents)
        dollars = round(cents["USD"] * Decimal("0.91374"))
        assert outlook.model[place] == period.line.won_amount + Decimal(cents["EUR"] + dollars) / 100
    assert outlook.model != [period.line.won_amount for period in outlook.periods]


@pytest.mark.parametrize("seed", [55, 56, 57])
def test_the_waterfall_leads_from_due_to_net(cast: Cast, seed: int) -> None:
    draw_open(cast, seed)
    outlook = read_outlook(frame_of(cast.admin))
    assert any(period.line.open_amount for period in outlook.periods)
    for period in outlook.periods:
        steps = steps_of(period.line)
        for side in ("actual", "forecast"):
            level = Decimal(0)
            for step in steps:
                amount = getattr(step, side)
                if step.is_level and step.label != "Due":
                    assert level == amount, (period.label, step.label)
                level = amount if step.is_level else level + amount
            assert abs(sum(getattr(one, side) for one in steps if one.label.startswith("Exchange"))) < Decimal("0.10")
        assert steps[-1].forecast == period.line.expected_amount
        assert steps[-1].actual == period.line.won_amount


@pytest.mark.parametrize("seed", [58, 59])
def test_pacing_is_what_was_ordered_by_each_day(cast: Cast, seed: int) -> None:
    draw_book(cast, seed)
    make_rate("USD", "1", AS_OF)  # so that an amount is the same however it is converted
    recompute()
    bring_up_to_date()
    frame = frame_of(cast.admin)
    outlook = read_outlook(frame)
    chosen = chosen_of(frame, outlook.periods)
    facts, seen = read_facts(AS_OF), 0
    for tile, start in zip(pacing_tiles(frame, outlook, chosen), ("starts_on", "ends_on"), strict=True):
        periods = outlook.periods[outlook.at(chosen) - 4 : outlook.at(chosen) + 1]
        for row in tile.rows:
            day = int(row.label.replace("−", "-"))
            for period, cell in zip(periods, row.cells, strict=True):
                cohort = [fact for fact in facts if Span(period.starts_on, 3).holds(fact.due_on)]
                until, due = getattr(period, start) + dt.timedelta(days=day), sum(fact.baseline for fact in cohort)
                kept = sum(fact.kept for fact in cohort if fact.is_won and fact.ordered_on and fact.ordered_on <= until)
                expected = Decimal(kept) / due if due and until <= AS_OF else None
                assert cell.number == expected, (tile.key, period.label, day)
                seen += expected is not None and expected > 0
    assert seen > 50


def test_an_empty_book_and_periods_without_anything_due_say_so(cast: Cast) -> None:
    assert "No figures yet" in text_of(cast, "admin", PAGE)
    recompute()
    bring_up_to_date()
    assert "for this choice of filters" in text_of(cast, "admin", PAGE)
    make_renewal(owner=cast.rep, due_on=AS_OF + dt.timedelta(days=3), baseline_amount=Decimal(0))
    recompute()
    bring_up_to_date()
    for query in ("", "?by=month&years=1", "?years=3"):
        text_of(cast, "rep", f"{PAGE}{query}")
    assert cast.client_of("admin").get(f"{PAGE}?period=1999-01-01").status_code == 404


def test_others_see_nothing_of_a_team_that_is_not_theirs(cast: Cast) -> None:
    make_renewal(owner=cast.rep, due_on=AS_OF, baseline_amount=Decimal(43_210))
    recompute()
    bring_up_to_date()
    assert "43,210" in text_of(cast, "rep", PAGE)
    assert "43,210" not in text_of(cast, "outsider", PAGE)


def test_every_link_leads_somewhere_and_the_workbook_has_each_tile(cast: Cast) -> None:
    draw_book(cast, 60)
    text = text_of(cast, "manager", PAGE)
    links = sorted({unescape(link) for link in re.findall(r'href="(/(?:dashboards|renewals|forecast)/[^"]*)"', text)})
    bridges = [link for link in links if link.startswith("/forecast/bridge/?")]
    assert bridges
    client = cast.client_of("manager")
    for link in [*bridges[:1], *links[:: max(len(links) // 15, 1)]]:
        assert client.get(link, follow=True).status_code == 200, link
    assert client.get(f"{PAGE}?format=xlsx").status_code == 200


def test_as_at_now_it_says_the_same(cast: Cast) -> None:
    draw_open(cast, 62)
    now = frame_of(cast.admin)
    past = replace(now, past=score_at(timezone.now(), as_of=AS_OF))
    here, there = read_outlook(now), read_outlook(past)
    assert here.last_year == there.last_year
    for one, other, model, other_model in zip(here.periods, there.periods, here.model, there.model, strict=True):
        for name in ("due", "won", "commit", "expected", "p10", "p90", "churn", "expected_churn"):
            assert getattr(one.line, f"{name}_amount") == getattr(other.line, f"{name}_amount"), (one.label, name)
        assert model == other_model
    tiles = build_tiles(past, there, chosen_of(past, there.periods))
    assert all(tile.rows for tile in tiles)


def test_tiles_in_their_order(cast: Cast) -> None:
    draw_book(cast, 61, count=20)
    frame = frame_of(cast.admin)
    outlook: Outlook = read_outlook(frame)
    tiles = build_tiles(frame, outlook, chosen_of(frame, outlook.periods))
    assert [tile.key for tile in tiles] == ["value", "waterfall", "booking", "pace-start", "pace-end", "bridge"]
    assert all(tile.rows for tile in tiles)
    assert of_key(tiles, "booking").figure
