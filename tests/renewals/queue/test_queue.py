import datetime as dt
import re
from decimal import Decimal

import pytest
from django.http import QueryDict
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import Company, User
from renewals.models import Renewal
from renewals.queue.address import read_address
from renewals.queue.rows import load_queue_rows
from renewals.queue.timeline import build_timeline
from renewals.queue.totals import LABELS, sum_by_day, sum_by_horizon
from renewals.table.filter_kinds import Reader
from tests.cast import Cast, make_account, make_rate, make_renewal
from tests.renewals.queue.queue_book import TODAY, in_days, make_contract, make_decision


@pytest.fixture(autouse=True)
def _today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Company, "today", lambda self, now=None: TODAY)


def found(user: User, text: str = "") -> list[Renewal]:
    address = read_address(QueryDict(text), Reader(user, TODAY))
    return list(address.rows_within(Renewal.objects.visible_to(user)))


def accounts_on(client: Client, url: str) -> list[str]:
    return re.findall(r'data-drawer dir="auto">([^<]+)</a>', client.get(url).content.decode())


def test_queue_has_open_ones_of_auto_renewing_contracts_by_decision_date(cast: Cast) -> None:
    later, past, soon = (make_decision(cast.rep, days) for days in (40, -3, 5))
    make_renewal(owner=cast.rep, due_on=in_days(10), notice_days=5)  # does not renew by itself
    make_decision(cast.rep, 4, outcome="lost", final_amount=0)
    assert [row.pk for row in found(cast.rep)] == [past.pk, soon.pk, later.pk]


@pytest.mark.parametrize(("horizon", "days"), [("30", [-9, 30]), ("60", [-9, 30, 60]), ("", [-9, 30, 60, 90])])
def test_horizon_ends_on_its_last_day_and_always_has_what_is_past(cast: Cast, horizon: str, days: list[int]) -> None:
    for number in (-9, 30, 60, 90, 91):
        make_decision(cast.rep, number)
    assert [(row.decision_on - TODAY).days for row in found(cast.rep, f"horizon={horizon}")] == days
    assert len(found(cast.rep, "horizon=all")) == 5


def test_queue_shows_each_reader_their_own_rows(cast: Cast) -> None:
    mine, theirs = make_decision(cast.rep, 5), make_decision(cast.outsider, 6)
    assert [row.pk for row in found(cast.team_mate)] == [mine.pk]
    assert [row.pk for row in found(cast.outsider)] == [theirs.pk]
    assert [row.pk for row in found(cast.auditor)] == [mine.pk, theirs.pk]


def test_filters_of_the_table_work_here(cast: Cast) -> None:
    make_decision(cast.team_mate, 5)
    mine = make_decision(cast.rep, 5, account=make_account(name="Halden Biotech"))
    assert [row.pk for row in found(cast.rep, "owner=me")] == [mine.pk]
    assert [row.pk for row in found(cast.rep, "q=hald")] == [mine.pk]


def test_address_made_by_hand_is_read_as_far_as_it_goes(cast: Cast) -> None:
    text = "view=pie&horizon=31&month=2026-13&day=2026-02-30&outcome=lost&owner=x&sort=risk&nonsense=1"
    address = read_address(QueryDict(text), Reader(cast.rep, TODAY))
    assert (address.view, address.horizon, address.month_on, address.day_on) == (
        "list",
        "90",
        dt.date(2026, 11, 1),
        None,
    )
    assert sorted(address.query.problems) == [
        "Day: “2026-02-30” is not a date written as 2026-11-21.",
        "Horizon: “31” is not 30, 60, 90 or all.",
        "Month: “2026-13” is not a month written as 2026-11.",
        "Owner: there is no “x”.",
        "View: “pie” is not list, calendar or timeline.",
        "What is decided is not in the queue: it has open renewals only.",
        "“nonsense” is not a filter of this table.",
    ]


def test_links_keep_the_whole_address(cast: Cast) -> None:
    address = read_address(QueryDict("owner=me&view=calendar&horizon=30&outcome=open"), Reader(cast.rep, TODAY))
    assert address.query.url(view="list") == "?owner=me&horizon=30&view=list"


def test_row_says_what_a_rep_has_to_know(cast: Cast) -> None:
    family = make_account(name="Halden Group")
    child = make_account(name="Halden Biotech", family=family)
    row = make_decision(
        cast.rep, -2, account=child,
        contract={
            "ramp_amounts": [Decimal(8000), Decimal(10000), Decimal(12000)], "uplift_cap_rate": Decimal("0.05"),
            "price_locked_until_on": in_days(200),
        },
    )  # fmt: skip
    near = make_contract(family, "C-NEAR", row.due_on + dt.timedelta(days=90))
    make_contract(family, "C-FAR", row.due_on + dt.timedelta(days=91))
    make_contract(make_account(), "C-OTHER", row.due_on)
    (shown,) = load_queue_rows(Renewal.objects.filter(pk=row.pk), cast.admin, as_of=TODAY)
    assert (shown.days_left, shown.is_past, shown.days_past, shown.is_price_locked) == (-2, True, 2, True)
    assert shown.ramp == [(1, Decimal(8000)), (2, Decimal(10000)), (3, Decimal(12000))]
    assert shown.co_terms == [near]
    page = cast.client_of("admin").get("/queue/").content.decode()
    for text in ("2 d past", "5.0\N{NO-BREAK SPACE}%", "09 Jun 2027", "C-NEAR", "€\N{NO-BREAK SPACE}8,000"):
        assert text in page


def test_contracts_of_others_are_not_named(cast: Cast) -> None:
    family = make_account(name="Halden Group")
    row = make_decision(cast.rep, 5, account=make_account(family=family))
    make_decision(cast.outsider, 5, account=family)
    (for_rep,) = load_queue_rows(Renewal.objects.filter(pk=row.pk), cast.rep, as_of=TODAY)
    (for_admin,) = load_queue_rows(Renewal.objects.filter(pk=row.pk), cast.admin, as_of=TODAY)
    assert (len(for_rep.co_terms), len(for_admin.co_terms)) == (0, 1)


def test_totals_convert_and_name_what_has_no_rate(cast: Cast) -> None:
    make_rate("USD", "0.5")
    make_decision(cast.rep, -1)
    make_decision(cast.rep, 7, currency="USD")
    make_decision(cast.rep, 30)
    make_decision(cast.rep, 31, currency="CHF")
    make_decision(cast.rep, 91)
    rows = Renewal.objects.filter(contract__is_auto_renewing=True)
    sums = sum_by_horizon(rows, as_of=TODAY, reporting_currency="EUR")
    counted = [(sums.by_key[label].count, sums.by_key[label].amount) for label in LABELS]
    assert counted == [(1, 12000), (1, 6000), (2, 18000), (3, 18000), (3, 18000), (0, 0)]
    assert sums.notes == ["1 in CHF: in the count, in no amount."]


def test_month_has_whole_weeks_with_count_and_value_by_day(cast: Cast) -> None:
    make_decision(cast.rep, 0)
    make_decision(cast.rep, 0)
    make_decision(cast.rep, -20)  # 1 Nov, a Sunday
    make_decision(cast.rep, 12)  # 3 Dec: in the last week, not in the month
    month = sum_by_day(Renewal.objects.all(), dt.date(2026, 11, 1), as_of=TODAY, reporting_currency="EUR")
    days = {day.on: day for week in month.weeks for day in week}
    assert (min(days), max(days), len(days)) == (dt.date(2026, 10, 26), dt.date(2026, 12, 6), 42)
    assert (month.count, month.amount) == (3, Decimal(36000))
    today = days[TODAY]
    assert (today.count, today.amount, today.is_today, today.is_past) == (2, Decimal(24000), True, False)
    assert (days[dt.date(2026, 12, 3)].count, days[dt.date(2026, 12, 3)].is_in_month) == (1, False)


def test_day_of_the_calendar_opens_its_rows(cast: Cast) -> None:
    make_decision(cast.rep, 12, account=make_account(name="Halden Biotech"))
    make_decision(cast.rep, 13, account=make_account(name="Other"))
    client = cast.client_of("rep")
    page = client.get("/queue/?view=calendar&month=2026-12").content.decode()
    (link,) = re.findall(r'href="([^"]+day=2026-12-03)#day"', page)
    assert accounts_on(client, f"/queue/{link.replace('&amp;', '&')}") == ["Halden Biotech"]


def test_timeline_places_bars_on_whole_weeks(cast: Cast) -> None:
    make_decision(cast.rep, 2, notice_days=28)  # Mon 23 Nov to Mon 21 Dec
    rows = load_queue_rows(Renewal.objects.all(), cast.rep, as_of=TODAY)
    timeline = build_timeline(rows, as_of=TODAY)
    assert [week.on for week in timeline.weeks] == [dt.date(2026, 11, 16) + dt.timedelta(days=7 * n) for n in range(6)]
    (bar,) = timeline.bars
    assert (bar.x, bar.width, timeline.today_x) == (16.667, 69.048, 11.905)  # 7, 29 and 5 of 42 days
    assert (bar.is_cut_before, bar.is_cut_after, bar.tone) == (False, False, "warn")


def test_timeline_cuts_what_is_long_past_and_says_so(cast: Cast) -> None:
    make_decision(cast.rep, -300, notice_days=200)
    make_decision(cast.rep, 80, notice_days=365)
    past, far = build_timeline(
        load_queue_rows(Renewal.objects.order_by("decision_on"), cast.rep, as_of=TODAY), as_of=TODAY
    ).bars
    assert (past.is_cut_before, past.decision_x, past.x, past.tone) == (True, None, 0.0, "bad")
    assert (far.is_cut_after, far.is_cut_before) == (True, False)


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize(("view", "queries"), [("list", 6), ("timeline", 6), ("calendar", 5)])
def test_page_takes_the_same_queries_for_any_number_of_rows(
    cast: Cast, django_assert_num_queries: DjangoAssertNumQueries, view: str, queries: int, count: int
) -> None:
    for number in range(count):
        make_decision(cast.rep, number + 1)
    client = cast.client_of("admin")
    # session, user, company, then rows, family, contracts; or rates and days
    with django_assert_num_queries(queries):
        client.get(f"/queue/?view={view}")


def test_pages_follow_each_other(cast: Cast) -> None:
    for number in range(26):
        make_decision(cast.rep, number + 1, account=make_account(name=f"N{number}"))
    client = cast.client_of("rep")
    assert len(accounts_on(client, "/queue/?per_page=25")) == 25
    assert accounts_on(client, "/queue/?per_page=25&page=2") == ["N25"]


def test_empty_queue_says_why(cast: Cast) -> None:
    client = cast.client_of("rep")
    assert "No contract here renews by itself" in client.get("/queue/").content.decode()
    make_decision(cast.rep, 200)
    assert "Nobody has to decide in this time" in client.get("/queue/").content.decode()


def test_hostile_names_are_escaped(cast: Cast) -> None:
    make_decision(cast.rep, 1, account=make_account(name="<script>alert(1)</script>"), next_step="<b>x</b>")
    for view in ("list", "timeline"):
        page = cast.client_of("rep").get(f"/queue/?view={view}").content.decode()
        assert "<script>alert" not in page
        assert "<b>x</b>" not in page
