"""A region, an industry or a currency alone: every figure against the oracle, and what cannot be told so says it."""

from __future__ import annotations

import random
from html import escape
from io import BytesIO

import pytest
from python_calamine import CalamineWorkbook

from accounts.models import Account, Industry, User
from dashboards.explain.rows import explain
from dashboards.figures import FIGURES
from dashboards.frame import NOT_SLICED, SLICED_NOW, Frame, read_frame_of
from dashboards.risk.reading import read_lost, read_open
from dashboards.rollups.services import bring_up_to_date
from renewals.models import Renewal
from tests.cast import Cast
from tests.dashboards import oracle
from tests.dashboards.books import draw_book
from tests.dashboards.oracle import Fact, Span
from tests.forecasting.forecast_book import AS_OF, recompute
from tests.pages import assert_sensible

PAGE = "dashboards:retention"
ADDRESS = "/dashboards/retention/"


def slice_book(cast: Cast, seed: int) -> dict[str, Industry]:
    draw_book(cast, seed, count=80)
    rng = random.Random(seed)
    industries = {name: Industry.objects.create(name=name) for name in ("Drawn banking", "Drawn retail")}
    for account in Account.objects.order_by("pk"):
        account.region = rng.choice(["", "EMEA", "South & East"])
        account.industry = rng.choice([None, *industries.values()])
        account.save(update_fields=["region", "industry"])
    recompute()
    assert bring_up_to_date()
    return industries


def facts_of(query: dict[str, str], user: User) -> list[Fact]:
    """The facts of a slice that a reader may see."""
    rows = Renewal.objects.visible_to(user)
    for name, column in (("region", "account__region"), ("industry", "account__industry"), ("currency", "currency")):
        if query.get(name):
            rows = rows.filter(**{column: query[name]})
    ids = set(rows.values_list("pk", flat=True))
    return [fact for fact in oracle.read_facts(AS_OF) if fact.pk in ids]


def slices(industries: dict[str, Industry]) -> list[dict[str, str]]:
    banking = str(industries["Drawn banking"].pk)
    return [
        {"region": "EMEA"},
        {"industry": banking, "by": "month", "attribution": "order_period"},
        {"currency": "USD", "attribution": "hybrid"},
        {"region": "South & East", "industry": banking, "currency": "EUR"},
    ]


def assert_of_the_facts(frame: Frame, facts: list[Fact]) -> None:
    months = 1 if frame.grain == "month" else 3
    for one in frame.totals():
        span = Span(one.starts_on, months)
        sums = oracle.sums_of(facts, span, AS_OF)
        for name in ("due_cents", "due_count", "lost_cents", "open_cents", "upsell_cents", "ordered_kept_cents"):
            assert one.total.sums[name] == sums.get(name, 0), (one.label, name)
        for key, rate in oracle.rates_of(facts, span, frame.attribution).items():
            value = frame.value(key, one.total)
            assert (value is None) == (rate is None), key
            assert rate is None or float(value or 0) == pytest.approx(float(rate), abs=1e-12), key


@pytest.mark.parametrize("seed", [301, 302])
@pytest.mark.parametrize("who", ["admin", "rep"])
def test_figures_of_a_slice_are_those_of_its_rows(cast: Cast, seed: int, who: str) -> None:
    industries, user = slice_book(cast, seed), getattr(cast, who)
    for query in slices(industries):
        frame = read_frame_of(user, query, PAGE)
        facts = facts_of(query, user)
        assert facts or who == "rep" or len(query) > 2
        assert_of_the_facts(frame, facts)
        totals = frame.totals()
        one = frame.chosen(totals)
        for key in ("gross", "logo", "due", "kept", "late_count"):
            found = explain(FIGURES[key], frame.scope, one.period, attribution=frame.attribution, report=frame.report)
            assert found.value == frame.value(key, one.total), key


def test_risk_of_a_slice_is_that_of_its_rows(cast: Cast) -> None:
    industries = slice_book(cast, 303)
    for query in slices(industries):
        frame = read_frame_of(cast.admin, query, "dashboards:risk")
        facts = facts_of(query, cast.admin)
        still = {fact.pk for fact in facts if fact.timing in ("upcoming", "in_window", "overdue")}
        assert set(read_open(frame)["id"].tolist()) == still
        totals = frame.totals()
        lost = read_lost(frame, totals[-3], totals[-2])
        sums = totals[-2].total.sums
        assert sum(one.now_cents for one in lost) == sums["lost_cents"] + sums["downsell_cents"]


def text_of(cast: Cast, address: str) -> str:
    response = cast.client_of("admin").get(address)
    assert response.status_code == 200, address
    text = response.content.decode()
    assert_sensible(text)
    return text


def test_pages_name_their_slice_and_what_cannot_be_sliced(cast: Cast) -> None:
    slice_book(cast, 304)
    query = "region=South+%26+East"
    retention = text_of(cast, f"{ADDRESS}?{query}")
    assert escape("South & East") in retention
    assert NOT_SLICED in retention
    assert NOT_SLICED not in text_of(cast, ADDRESS)
    text_of(cast, f"/dashboards/timing/?{query}")
    assert "Habits are of all that an account orders" in text_of(cast, "/dashboards/timing/?currency=USD")
    text_of(cast, f"/dashboards/risk/?{query}")
    forecast = text_of(cast, f"/dashboards/forecast/?{query}")
    assert "it is not filtered by region, industry or currency" in forecast
    assert f"/dashboards/retention/?{query}" in forecast
    assert SLICED_NOW in text_of(cast, f"{ADDRESS}?{query}&as_at={AS_OF}")
    workbook = cast.client_of("admin").get(f"{ADDRESS}?{query}&format=xlsx").content
    about = CalamineWorkbook.from_filelike(BytesIO(workbook)).get_sheet_by_name("About").to_python()
    assert ["Region", "South & East"] in about


@pytest.mark.parametrize("query", ["region=Nowhere", "region=%00", "industry=999999", "industry=x", "currency=eur"])
def test_a_slice_that_is_not_there_is_not_found(cast: Cast, query: str) -> None:
    slice_book(cast, 305)
    assert cast.client_of("admin").get(f"{ADDRESS}?{query}").status_code == 404
