"""The risk dashboard against raw rows: bubbles, bands, contributors that add up, and where its links lead."""

from __future__ import annotations

import dataclasses
import datetime as dt
import random
import re
from collections import Counter
from decimal import Decimal
from html import unescape
from itertools import pairwise
from typing import Any

import pytest

from accounts.models import AccountHealth, HealthBand, Segment, User, get_company
from dashboards.frame import Frame
from dashboards.models import RollUp
from dashboards.risk import reading
from dashboards.risk.churn import Names, churn_tiles
from dashboards.risk.page import build_tiles
from dashboards.risk.reading import CHURN, DOWNSELL, read_lost, read_open
from dashboards.rollups.services import bring_up_to_date
from dashboards.tiles import Tile
from forecasting.scopes.scope import Scope
from renewals.models import ChurnReason, Contract, Renewal, RenewalScore, Stage
from tests.cast import Cast, make_account, make_rate, make_renewal
from tests.dashboards.books import draw_book
from tests.dashboards.oracle import GONE, Fact, Span, read_facts
from tests.forecasting.forecast_book import AS_OF, recompute, renewed
from tests.pages import read_page

PAGE = "/dashboards/risk/"
NOW, BEFORE = dt.date(2026, 7, 1), dt.date(2026, 4, 1)


def frame_of(user: User, *, owner: User | None = None, segment: Segment | None = None) -> Frame:
    scope = Scope("quarter", owner=owner, segment=segment, page="dashboards:risk")
    company = get_company()
    return Frame(user, company, scope, company.attribution, 2, "", RollUp.objects.get(), True)


def tiles_of(frame: Frame) -> dict[str, Tile]:
    totals = frame.totals()
    before, chosen = totals[-3], totals[-2]
    made = build_tiles(frame, before, chosen, read_open(frame), read_lost(frame, before, chosen))
    return {tile.key: tile for tile in made}


def text_of(cast: Cast, who: str, address: str) -> str:
    return read_page(cast, who, address)


def add_up() -> None:
    recompute()
    assert bring_up_to_date()


def add_up_anew() -> None:
    """After scores were written as only a run writes them."""
    RollUp.objects.all().delete()
    assert bring_up_to_date()


def give_reasons(seed: int) -> None:
    """A reason to most of what was lost."""
    rng = random.Random(seed)
    reasons = [
        ChurnReason.objects.create(name="Their budget, drawn", is_avoidable=False),
        ChurnReason.objects.create(name="Our price, drawn", is_avoidable=True),
        None,
    ]
    for row in Renewal.objects.filter(outcome="lost").order_by("pk"):
        Renewal.objects.filter(pk=row.pk).update(churn_reason=rng.choice(reasons))
    add_up()


def give_products(seed: int) -> None:
    rng = random.Random(seed)
    for contract in Contract.objects.order_by("pk"):
        Contract.objects.filter(pk=contract.pk).update(product=rng.choice(["", "Core", "core", "Add-on, large"]))


def gone(fact: Fact) -> tuple[int, int]:
    """(booking type, cents) that a fact lost or gave up."""
    if fact.timing in GONE:
        return CHURN, fact.baseline
    kept = fact.renewed - min(fact.cross_sell, fact.renewed)
    return DOWNSELL, max(fact.baseline - kept, 0) if fact.is_won else 0


@pytest.mark.parametrize("seed", [71, 72, 73])
def test_contributors_are_the_rows_and_add_up_to_the_change(cast: Cast, seed: int) -> None:
    draw_book(cast, seed)
    give_reasons(seed)
    frame = frame_of(cast.admin)
    totals = frame.totals()
    give_products(seed)
    assert bring_up_to_date()
    reasons = dict(Renewal.objects.values_list("pk", "churn_reason_id"))
    products = dict(Renewal.objects.values_list("pk", "contract__product"))
    for before, chosen in pairwise(totals):
        found = read_lost(frame, before, chosen)
        expected: Counter[tuple[int, int, int, int, str]] = Counter()
        for fact in read_facts(AS_OF):
            sign = 1 if Span(chosen.starts_on, 3).holds(fact.due_on) else 0
            sign -= 1 if Span(before.starts_on, 3).holds(fact.due_on) else 0
            booking, cents = gone(fact)
            key = (reasons[fact.pk] or -1, fact.segment or -1, booking, fact.owner or -1, products[fact.pk])
            expected[key] += sign * cents
        names = Names(found).products
        ours = {
            (one.reason_id, one.segment_id, one.booking, one.owner_id, names[one.product_id]): one.change_cents
            for one in found.most()
        }
        assert {key: cents for key, cents in ours.items() if cents} == {k: v for k, v in expected.items() if v}
        sums = [one.total.sums["lost_cents"] + one.total.sums["downsell_cents"] for one in (before, chosen)]
        assert [*found.sums] == sums
        for name in ("reason_id", "segment_id", "booking", "owner_id", "product_id"):
            assert sum(new - old for _, old, new in found.by(name)) == sums[1] - sums[0]
        for tile in churn_tiles(frame, before, chosen, found):
            if len(found):
                assert tile.rows[-1].cells[2].number == Decimal(sums[1] - sums[0]) / 100
        contributors = churn_tiles(frame, before, chosen, found)[0].rows
        assert sum(Decimal(row.cells[2].number or 0) for row in contributors[:-1]) * 100 == sums[1] - sums[0]


def test_what_contributed_is_named(cast: Cast) -> None:
    price = ChurnReason.objects.create(name="A dearer price", is_avoidable=True)
    lost = {"outcome": "lost", "final_amount": 0, "churn_reason": price}
    make_renewal(owner=cast.rep, due_on=BEFORE, baseline_amount=Decimal(1_000), **lost)
    make_renewal(owner=cast.rep, due_on=NOW, baseline_amount=Decimal(5_000), **lost)
    make_renewal(owner=cast.outsider, due_on=NOW, baseline_amount=Decimal(900), **renewed(600, NOW))
    add_up()
    tiles = tiles_of(frame_of(cast.admin))
    rows = {row.label: [cell.number for cell in row.cells] for row in tiles["contributors"].rows}
    assert rows == {
        "A dearer price · Avoidable · Enterprise · Churn · Rhea Rep · No product": [1000, 5000, 4000],
        "No reason given · No reason given · Enterprise · Downsell · Otto Outsider · No product": [0, 300, 300],
        "All of them": [1000, 5300, 4300],
    }
    alone = {row.label: [cell.number for cell in row.cells] for row in tiles["churn-by"].rows}
    assert alone["Avoidable: yes"] == [1000, 5000, 4000]
    assert alone["Avoidable: no"] == [0, 0, 0]
    assert alone["Avoidable: not known"] == [0, 300, 300]
    assert alone["Booking type: Downsell"] == [0, 300, 300]
    assert alone["Segment: Enterprise"] == [1000, 5300, 4300]
    text = text_of(cast, "outsider", f"{PAGE}?period=2026-07-01")
    assert "Rhea Rep" not in text
    assert "A dearer price" not in text


def make_open(cast: Cast, name: str, amount: int, currency: str) -> Renewal:
    account = make_account(owner=cast.rep, name=name)
    due_on = AS_OF + dt.timedelta(days=40)
    return make_renewal(
        account=account, owner=cast.rep, due_on=due_on, baseline_amount=Decimal(amount), currency=currency
    )


def score_as(row: Renewal, band: HealthBand | None, probability: float, risk: float) -> None:
    """As the engine might have it, which is tested elsewhere."""
    health: dict[str, Any] = {"band": band, "completeness": 1, "contributions": [], "changed_on": AS_OF}
    health["score"] = None if band is None else 50
    AccountHealth.objects.update_or_create(account=row.account, defaults=health)
    RenewalScore.objects.filter(renewal=row).update(probability=probability, risk_score=risk, mean_cents=1_000_000)


def test_risk_health_and_misalignment_are_told_by_segment(cast: Cast) -> None:
    make_rate("USD", "0.5")
    made = [
        (make_open(cast, name, amount, currency), *scored)
        for name, amount, currency, *scored in (
            ("Poor but sure", 100, "EUR", HealthBand.POOR, 0.9, 80.0),
            ("Poor and doubted", 200, "EUR", HealthBand.POOR, 0.2, 50.0),
            ("Well but doubted", 400, "USD", HealthBand.HEALTHY, 0.3, 30.0),
            ("Well and sure", 800, "EUR", HealthBand.HEALTHY, 0.95, 5.0),
            ("Unknown", 1600, "GBP", None, 0.5, 10.0),
        )
    ]
    recompute()
    for row, band, probability, risk_score in made:
        score_as(row, band, probability, risk_score)
    add_up_anew()
    tiles = tiles_of(frame_of(cast.admin))
    (risk,) = tiles["risk-segments"].rows
    assert [cell.number for cell in risk.cells] == [300, 200, 800, 1300]  # no rate for the pounds
    (health,) = tiles["health-segments"].rows
    assert [cell.number for cell in health.cells] == [2, 0, 2, 0, 300]
    assert [(row.label.split(",")[0], row.cells[0].number) for row in tiles["misaligned"].rows] == [
        ("Well but doubted", 200),
        ("Poor but sure", 100),
    ]
    shift = {row.label.split(",")[0]: row.cells[1].number for row in tiles["shift"].rows}
    # 10,000 each, in dollars at a half; what is already sure has little to add.
    assert shift == {
        "Poor and doubted": 8000,
        "Well but doubted": 3500,
        "Poor but sure": 1000,
        "Well and sure": 500,
        "These 4 together": 13000,
    }
    last = tiles["shift"].rows[-1].url
    response = cast.client_of("admin").get(last)
    assert response.status_code == 200
    assert "4 chosen renewals" in response.content.decode()


def test_bubbles_are_the_largest_and_the_rest_is_said(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "LARGEST", dataclasses.replace(reading.LARGEST, count=2))
    for at, amount in enumerate((300, 100, 200)):
        row = make_renewal(owner=cast.rep, due_on=AS_OF + dt.timedelta(days=at), baseline_amount=Decimal(amount))
    recompute()
    RenewalScore.objects.update(risk_score=45.5)
    RenewalScore.objects.filter(renewal=row).update(risk_score=12)
    add_up_anew()
    tile = tiles_of(frame_of(cast.admin))["bubbles"]
    assert [[cell.number for cell in one.cells] for one in tile.rows] == [
        [300, Decimal("45.5"), 0],
        [200, Decimal("12.0"), 2],
        [600, None, None],
    ]
    assert "The 2 largest of 3." in tile.caption
    assert tile.figure is not None
    high, low = tile.figure["data"]
    assert (high["x"], high["y"], low["x"], low["y"]) == (["2026-11-21"], [45.5], ["2026-11-23"], [12.0])
    assert tile.figure["layout"]["shapes"][0]["x0"] == "2026-11-21"
    assert cast.client_of("admin").get(tile.rows[0].url).status_code == 200


def test_odd_books_say_so(cast: Cast) -> None:
    assert "No figures yet" in text_of(cast, "admin", PAGE)
    recompute()
    bring_up_to_date()
    assert "for this choice of filters" in text_of(cast, "admin", PAGE)
    make_renewal(owner=cast.rep, due_on=AS_OF + dt.timedelta(days=3), baseline_amount=Decimal(0))
    add_up()
    for query in ("", "?by=month&years=1", "?years=3&attribution=hybrid"):
        text_of(cast, "rep", f"{PAGE}{query}")
    oldest = frame_of(cast.admin).periods[0].starts_on
    text_of(cast, "admin", f"{PAGE}?period={oldest}")  # there is none before it


def test_a_past_moment_says_what_is_not_kept(cast: Cast) -> None:
    make_renewal(owner=cast.rep, due_on=AS_OF)
    add_up()
    today = get_company().today()
    assert "Go back to now to see it." in text_of(cast, "admin", f"{PAGE}?as_at={today}")


def test_links_lead_somewhere_and_others_see_only_theirs(cast: Cast) -> None:
    draw_book(cast, 74)
    make_renewal(owner=cast.rep, due_on=AS_OF, baseline_amount=Decimal(43_210), stage=Stage.objects.first())
    add_up()
    text = text_of(cast, "manager", PAGE)
    assert "43,210" in text
    assert "43,210" not in text_of(cast, "outsider", PAGE)
    wanted = r'href="(/(?:dashboards|renewals|forecast|health|accounts)/[^"]*)"'
    links = sorted({unescape(link) for link in re.findall(wanted, text)})
    what_if = [link for link in links if link.startswith("/forecast/scenarios/new/?ids=")]
    assert what_if
    client = cast.client_of("manager")
    for link in [what_if[0], *links[:: max(len(links) // 15, 1)]]:
        assert client.get(link, follow=True).status_code == 200, link
    assert client.get(f"{PAGE}?format=xlsx").status_code == 200


@pytest.mark.parametrize("page", [PAGE, "/dashboards/forecast/"])
def test_a_page_sends_as_many_statements_for_many_rows(
    cast: Cast, page: str, django_assert_max_num_queries: object
) -> None:
    draw_book(cast, 75, count=5)
    client = cast.client_of("admin")
    with django_assert_max_num_queries(32):  # type: ignore[operator]
        client.get(page)
    for at in range(20):
        make_renewal(owner=cast.rep, due_on=AS_OF + dt.timedelta(days=at))
    add_up()
    with django_assert_max_num_queries(32):  # type: ignore[operator]
        client.get(page)
