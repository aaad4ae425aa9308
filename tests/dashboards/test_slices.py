"""A region, an industry, a currency or a booking type alone: every figure against the oracle, on every page."""

from __future__ import annotations

import datetime as dt
import random
from decimal import Decimal
from html import escape
from io import BytesIO

import pytest
from django.db import connection
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone
from python_calamine import CalamineWorkbook

from accounts.models import Account, Industry, User
from dashboards.executive.most import read_most_important
from dashboards.executive.page import read_outlook as executive_outlook
from dashboards.executive.weeks import read_weeks
from dashboards.explain.rows import explain
from dashboards.figures import FIGURES
from dashboards.forecast.pacing import _read_orders
from dashboards.forecast.reading import read_outlook
from dashboards.frame import Frame, read_frame_of
from dashboards.learning_curve.reads import due_ahead
from dashboards.retention.recurring import read_moved as read_recurring
from dashboards.review.due import read_due
from dashboards.risk.reading import read_lost, read_open
from dashboards.rollups.services import bring_up_to_date
from dashboards.scorecards.credit import read_credit, read_credited
from dashboards.scorecards.fair import read_mix
from dashboards.scorecards.measures import read_hygiene
from dashboards.scorecards.recurring import read_ledger
from dashboards.timing.habits import read_habits
from forecasting.engine.recurring import Kind, State
from forecasting.models import MrrMovement
from forecasting.mrr.services import roll_up_mrr
from forecasting.scopes.scope import Scope, Slice
from forecasting.scopes.slices import BOOKED, within
from renewals.models import Renewal, TimingClass
from renewals.table.filter_kinds import Reader
from renewals.table.filters import read_query
from tests.cast import Cast
from tests.dashboards import oracle
from tests.dashboards.books import draw_book
from tests.dashboards.oracle import Fact, Span
from tests.forecasting.as_at.history import happening_at
from tests.forecasting.forecast_book import AS_OF, recompute
from tests.pages import assert_sensible

PAGE = "dashboards:retention"
ADDRESS = "/dashboards/retention/"
PAGES = ("executive", "forecast", "retention", "timing", "risk", "review", "scorecards", "learning-curve")
STILL = ("upcoming", "in_window", "overdue")


def slice_book(cast: Cast, seed: int) -> dict[str, Industry]:
    """A drawn book of regions and industries; open ones are forecast to grow, to shrink, to go, or by nobody."""
    draw_book(cast, seed, count=80)
    rng = random.Random(seed)
    industries = {name: Industry.objects.create(name=name) for name in ("Drawn banking", "Drawn retail")}
    for account in Account.objects.order_by("pk"):
        account.region = rng.choice(["", "EMEA", "South & East"])
        account.industry = rng.choice([None, *industries.values()])
        account.save(update_fields=["region", "industry"])
    for row in Renewal.objects.open().order_by("pk"):
        share = rng.choice([None, "0", "0.5", "1", "1.25"])
        row.forecast_amount = (
            None if share is None else (row.baseline_amount * Decimal(share)).quantize(Decimal("0.01"))
        )
        row.cross_sell_amount = rng.choice([Decimal(0), Decimal(0), Decimal("0.01")]) if row.forecast_amount else 0
        row.save(update_fields=["forecast_amount", "cross_sell_amount"])
    recompute()
    assert bring_up_to_date()
    return industries


def booked(row: Renewal) -> str:
    """What a renewal is booked as, or is forecast to be, in plain Python: each is one thing."""
    amounts = (row.final_amount, row.forecast_amount, row.baseline_amount)
    value = next(amount for amount in amounts if amount is not None)
    if value == 0 and row.baseline_amount:
        return "churn"
    if row.cross_sell_amount:
        return "cross_sell"
    if value == row.baseline_amount:
        return "renewal"
    return "upsell" if value > row.baseline_amount else "downsell"


def ids_of(query: dict[str, str], user: User) -> set[int]:
    """The renewals of a slice that a reader may see, one by one."""
    return {
        row.pk
        for row in Renewal.objects.visible_to(user).select_related("account")
        if query.get("region") in (None, row.account.region)
        and query.get("industry") in (None, str(row.account.industry_id))
        and query.get("currency") in (None, row.currency)
        and query.get("booking") in (None, booked(row))
    }


def facts_of(query: dict[str, str], user: User) -> list[Fact]:
    ids = ids_of(query, user)
    return [fact for fact in oracle.read_facts(AS_OF) if fact.pk in ids]


def slices(industries: dict[str, Industry]) -> list[dict[str, str]]:
    banking = str(industries["Drawn banking"].pk)
    return [
        {"region": "EMEA"},
        {"industry": banking, "by": "month", "attribution": "order_period"},
        {"currency": "USD", "attribution": "hybrid"},
        {"booking": "downsell"},
        {"booking": "churn", "region": "EMEA"},
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


@pytest.mark.parametrize("seed", [306, 307])
def test_a_booking_type_is_the_same_in_the_table_in_sql_and_as_the_book_stood(cast: Cast, seed: int) -> None:
    """And every renewal is of one: their figures add up to those of all."""
    _, moment = past_book(cast, seed)
    every = set(Renewal.objects.values_list("pk", flat=True))
    past = read_frame_of(cast.admin, {"as_at": moment}, PAGE).past
    assert past is not None
    found: list[int] = []
    for booking in BOOKED:
        expected = {row.pk for row in Renewal.objects.all() if booked(row) == booking}
        scope = Scope("quarter", slice=Slice(booking=booking))
        where, parameters = within(scope)
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT r.id FROM renewals_renewal r WHERE {where}", parameters)
            assert {pk for (pk,) in cursor.fetchall()} == expected, booking
        query = read_query(QueryDict(f"booking={booking}&outcome=all"), Reader(cast.admin, AS_OF))
        assert {row.pk for row in query.apply(Renewal.objects.all())} == expected, booking
        assert set(past.only(past.within(scope)).rows["id"].tolist()) == expected, booking
        found += expected
    assert sorted(found) == sorted(every)
    assert len({booked(row) for row in Renewal.objects.all()}) == 5


def past_book(cast: Cast, seed: int) -> tuple[dict[str, Industry], str]:
    """A book as it has been for an hour, and a moment at which it was."""
    now = timezone.now()
    with happening_at(now - dt.timedelta(hours=1)):
        industries = slice_book(cast, seed)
    return industries, (now - dt.timedelta(minutes=30)).isoformat(timespec="seconds")


@pytest.mark.parametrize("seed", [308, 309])
def test_the_forecast_of_a_slice_is_that_of_its_rows(cast: Cast, seed: int) -> None:
    industries = slice_book(cast, seed)
    rates = {"EUR": Decimal(1), "USD": Decimal("0.91374")}
    for query in slices(industries):
        frame = read_frame_of(cast.admin, query, "dashboards:forecast")
        ids = ids_of(query, cast.admin)
        rows = Renewal.objects.select_related("score").filter(pk__in=ids, is_excluded=False, currency__in=rates)
        outlook = read_outlook(frame)
        for at, period in enumerate(outlook.periods):
            own = [row for row in rows if period.starts_on <= row.due_on <= period.ends_on]
            assert period.line.due_count == len(own), (query, period.label)
            won = [row for row in own if TimingClass.EARLY <= row.score.timing_class <= TimingClass.LATE]
            still = [row for row in own if row.score.timing_class <= TimingClass.OVERDUE]
            due, brought, weighted, likely = (Decimal(0) for _ in range(4))
            for row in own:
                due += row.baseline_amount * rates[row.currency]
            for row in won:
                brought += (row.final_amount or 0) * rates[row.currency]
            for row in still:
                mean = row.score.mean_cents
                weighted += Decimal(round(row.score.probability * mean)) / 100 * rates[row.currency]
                likely += Decimal(round(row.score.likelihood * mean)) / 100 * rates[row.currency]
            line = period.line
            assert abs(line.due_amount - due) < Decimal("0.02")
            assert abs(line.won_amount - brought) < Decimal("0.02")
            assert abs(line.expected_amount - brought - weighted) < Decimal("0.02"), (query, period.label)
            assert abs((outlook.model[at] or 0) - brought - likely) < Decimal("0.03")
            assert line.p10_amount <= line.p50_amount <= line.p90_amount
            assert outlook.targets[at] is None
        ordered = sum(len(of_period) for of_period in _read_orders(frame, outlook.periods).values())
        assert ordered <= len(rows)
        executive = executive_outlook(read_frame_of(cast.admin, query, "dashboards:executive"))
        assert {start: line.expected_amount for start, line in executive.lines.items()}.items() >= {
            one.starts_on: one.line.expected_amount
            for one in outlook.periods
            if one.line.due_count and one.starts_on in {period.starts_on for period in executive.periods}
        }.items()


def test_what_is_open_of_a_slice_is_that_of_its_rows(cast: Cast) -> None:
    """Risk, the executive page and the early-month review."""
    industries = slice_book(cast, 303)
    today = read_frame_of(cast.admin, {}, PAGE).company.today()
    for query in slices(industries):
        frame = read_frame_of(cast.admin, query, "dashboards:risk")
        facts = facts_of(query, cast.admin)
        still = {fact.pk for fact in facts if fact.timing in STILL}
        book = read_open(frame)
        baselines = sum(fact.baseline for fact in facts if fact.pk in still)
        assert (book.total("open_count"), book.total("open_cents")) == (len(still), baselines)
        assert set(book.largest["renewal_id"].tolist()) <= still
        totals = frame.totals()
        lost = read_lost(frame, totals[-3], totals[-2])
        sums = totals[-2].total.sums
        assert lost.sums[1] == sums["lost_cents"] + sums["downsell_cents"]
        soon = set(
            Renewal.objects.open()
            .filter(pk__in=[fact.pk for fact in facts], due_on__gte=today, due_on__lte=today + dt.timedelta(days=30))
            .values_list("pk", flat=True)
        )
        assert set(read_due(frame).ids.tolist()) == soon
        weeks = read_weeks(frame, today)
        ahead = Renewal.objects.open().filter(
            pk__in=ids_of(query, cast.admin), is_excluded=False, due_on__gte=today, due_on__lte=weeks[-1].ends_on
        )
        assert sum(one.count for week in weeks for one in week.bands.values()) == ahead.count()
        assert {one.renewal.pk for one in read_most_important(frame, today)} <= still


@pytest.mark.parametrize("seed", [310, 311])
def test_cards_of_a_slice_are_what_its_rows_add_up_to(cast: Cast, seed: int) -> None:
    industries = slice_book(cast, seed)
    for query in slices(industries):
        for user in (cast.admin, cast.rep):
            frame = read_frame_of(user, {**query, "attribution": "due_period"}, "dashboards:scorecards")
            facts = facts_of(query, user)
            found = read_credited(frame, {})
            for period in frame.periods:
                span = Span(period.starts_on, period.month_count)
                for owner in (cast.rep.pk, cast.team_mate.pk, cast.outsider.pk):
                    sums = oracle.sums_of([fact for fact in facts if fact.owner == owner], span, AS_OF)
                    total = found.get(owner, {}).get(period.starts_on)
                    for name in ("due_cents", "kept_cents", "upsell_cents", "lost_cents"):
                        assert (total.sums[name] if total else 0) == sums.get(name, 0), (query, owner, name)
        frame = read_frame_of(cast.admin, {**query, "owner": str(cast.rep.pk)}, "dashboards:scorecards")
        period = frame.periods[-2]
        shown = frame.value("due", next(one for one in frame.totals() if one.period == period).total)
        credit = read_credit(frame, period)
        assert frame.roll_up is not None
        told = explain(
            FIGURES["due"], frame.scope, period, attribution="due_period", report=frame.report, credit=credit
        )
        assert told.value == shown
        mixes = read_mix(frame.roll_up, period, "UTC", frame.scope)
        decided = [fact for fact in facts_of(query, cast.admin) if fact.timing not in STILL]
        in_period = [fact for fact in decided if period.starts_on <= fact.due_on <= period.ends_on]
        assert sum(one.baseline for mix in mixes.values() for one in mix.values()) == sum(
            fact.baseline for fact in in_period
        )
        baselines = {pk: one.baseline for pk, one in read_hygiene(frame).items()}
        ids = ids_of(query, cast.admin)
        for owner in (cast.rep, cast.outsider):
            rows = Renewal.objects.open().filter(pk__in=ids, owner=owner, is_excluded=False)
            expected = {"EUR": Decimal(0), "USD": Decimal(0), "GBP": Decimal(0)}
            for row in rows:
                expected[row.currency] += row.baseline_amount
            assert baselines.get(owner.pk, 0) == expected["EUR"] + expected["USD"] * Decimal("0.91374")


def test_recurring_value_of_a_region_is_that_of_its_accounts(cast: Cast) -> None:
    industries = slice_book(cast, 312)
    roll_up_mrr()
    banking = str(industries["Drawn banking"].pk)
    for query in ({"region": "EMEA"}, {"industry": banking}, {"region": "South & East", "industry": banking}):
        frame = read_frame_of(cast.admin, query, PAGE)
        accounts = {row.account_id for row in Renewal.objects.filter(pk__in=ids_of(query, cast.admin))}
        own = [one for one in MrrMovement.objects.filter(state=State.ACTUAL) if one.account_id in accounts]
        found = read_recurring(frame)
        assert bool(found) == bool(own)
        for moved in found:
            for kind in (Kind.CHURN, Kind.EXPANSION, Kind.NEW):
                amounts = [
                    one.amount
                    for one in own
                    if one.kind == kind and moved.period.starts_on <= one.month_on <= moved.period.ends_on
                ]
                assert moved.amounts[kind] == sum(amounts, Decimal(0)), (query, moved.label, kind)
        ledger = read_ledger(read_frame_of(cast.admin, query, "dashboards:scorecards"))
        closing = sum(
            row["all_opening_amount"] + row["all_new_amount"] + row["all_expansion_amount"]
            + row["all_reactivation_amount"] - row["all_contraction_amount"] - row["all_churn_amount"]
            for months in ledger.values()
            for row in months.values()
        )  # fmt: skip
        assert closing == (found[-1].closing if found else 0)
        client = cast.client_of("admin")
        address = reverse("forecasting:mrr_rows")
        answer = client.get(address, {"kind": "closing", "month": "2026-11", "state": "actual", **query})
        assert answer.status_code == 200
        assert {one.account_id for one in answer.context["rows"]} <= accounts


@pytest.mark.parametrize("query", [{"currency": "USD"}, {"booking": "upsell"}, {"region": "EMEA"}])
def test_habits_of_a_slice_are_those_of_its_orders(cast: Cast, query: dict[str, str]) -> None:
    slice_book(cast, 313)
    frame = read_frame_of(cast.admin, query, "dashboards:timing")
    expected = oracle.habits_of(facts_of(query, cast.admin), AS_OF)
    found = {
        one.account_id: (one.ordered_count, one.late_count, one.late_cents, one.late_days) for one in read_habits(frame)
    }
    assert found == dict(sorted(expected.items(), key=lambda one: (-one[1][2], one[0]))[:15])


def test_work_of_a_slice_is_that_on_its_renewals(cast: Cast) -> None:
    industries = slice_book(cast, 314)
    for query in slices(industries):
        frame = read_frame_of(cast.admin, query, "dashboards:learning_curve")
        ids = ids_of(query, cast.admin)
        until = AS_OF + dt.timedelta(days=150)
        rows = Renewal.objects.open().filter(pk__in=ids, is_excluded=False, due_on__gt=AS_OF, due_on__lte=until)
        assert due_ahead(cast.admin, frame.scope, AS_OF, until) == rows.count()


@pytest.mark.parametrize("seed", [315, 316])
def test_a_slice_as_at_a_moment_is_of_what_was_so_then(cast: Cast, seed: int) -> None:
    """What changes later changes nothing of it, whether of the account or of the renewal."""
    industries, moment = past_book(cast, seed)
    queries = slices(industries)
    before = {}
    for place, query in enumerate(queries):
        frame = read_frame_of(cast.admin, query, PAGE)
        before[place] = {one.starts_on: one.total.sums for one in frame.totals()}
    with happening_at(timezone.now()):
        Account.objects.filter(region="EMEA").update(region="APAC")
        Account.objects.filter(industry=industries["Drawn banking"]).update(industry=industries["Drawn retail"])
        Renewal.objects.filter(currency="USD", outcome="renewed").update(currency="EUR")
        Renewal.objects.open().update(forecast_amount=Decimal(1))
    for place, query in enumerate(queries):
        frame = read_frame_of(cast.admin, {**query, "as_at": moment}, PAGE)
        assert frame.past is not None, frame.problem
        for one in frame.totals():
            if one.starts_on in before[place]:
                for name in ("due_count", "due_cents", "kept_cents"):
                    assert one.total.sums[name] == before[place][one.starts_on][name], (query, one.label)


def text_of(cast: Cast, address: str) -> str:
    response = cast.client_of("admin").get(address)
    assert response.status_code == 200, address
    text = response.content.decode()
    assert_sensible(text)
    return text


@pytest.mark.parametrize("page", PAGES)
def test_every_page_keeps_the_filters_in_its_links(cast: Cast, page: str) -> None:
    industries = slice_book(cast, 304)
    query = f"region=South+%26+East&industry={industries['Drawn retail'].pk}&currency=EUR&booking=renewal"
    text = text_of(cast, f"/dashboards/{page}/?{query}")
    for other in (*PAGES, "capacity"):
        assert f"/dashboards/{other}/?{escape(query)}" in text, other
    for value in ("South &amp; East", "Drawn retail", "EUR", "Renewal as it was"):
        assert f"<b>{value}</b>" in text, value
    text_of(cast, f"/dashboards/{page}/?{query}&as_at={AS_OF}")
    if page == "retention":
        told = text_of(cast, f"/dashboards/explain/due/?{query}&period=2026-10-01&by=month")
        assert "Everybody · South &amp; East · Drawn retail · EUR · Renewal as it was" in told
    workbook = cast.client_of("admin").get(f"/dashboards/{page}/?{query}&format=xlsx").content
    about = CalamineWorkbook.from_filelike(BytesIO(workbook)).get_sheet_by_name("About").to_python()
    assert [one for one in about if one[0] in ("Region", "Booking type")] == [
        ["Region", "South & East"],
        ["Booking type", "Renewal as it was"],
    ]


def test_what_cannot_be_told_of_a_part_says_so(cast: Cast) -> None:
    slice_book(cast, 304)
    assert "cannot be filtered by" not in text_of(cast, f"{ADDRESS}?region=EMEA")
    told = text_of(cast, f"{ADDRESS}?region=EMEA&currency=EUR&booking=churn")
    assert "it cannot be filtered by currency and booking type" in told
    assert "cannot be filtered by" not in text_of(cast, ADDRESS)
    capacity = text_of(cast, "/dashboards/capacity/?region=EMEA&booking=upsell")
    assert "Hours are of people, who work every region" in capacity
    assert "/dashboards/forecast/?region=EMEA&amp;booking=upsell" in capacity
    assert "Hours are of people" not in text_of(cast, "/dashboards/capacity/")


@pytest.mark.parametrize(
    "query", ["region=Nowhere", "region=%00", "industry=999999", "industry=x", "currency=eur", "booking=sold"]
)
def test_a_slice_that_is_not_there_is_not_found(cast: Cast, query: str) -> None:
    slice_book(cast, 305)
    assert cast.client_of("admin").get(f"{ADDRESS}?{query}").status_code == 404
