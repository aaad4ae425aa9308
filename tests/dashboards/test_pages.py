"""The pages in the odd books: words instead of errors, and every link where it should lead."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from decimal import Decimal
from html import unescape
from io import BytesIO

import pytest
from python_calamine import CalamineWorkbook

from accounts.models import User
from dashboards.executive.page import build_executive
from dashboards.forecast.views import build_forecast
from dashboards.frame import Frame, read_frame_of
from dashboards.retention.views import build_retention
from dashboards.review.due import read_due
from dashboards.review.page import build_tiles as build_review_tiles
from dashboards.review.said import read_said
from dashboards.risk.views import build_risk
from dashboards.rollups.services import bring_up_to_date
from dashboards.scorecards.views import build_scorecards
from dashboards.tiles import Kind, Tile, text_of
from dashboards.timing.views import build_timing
from renewals.models import Renewal
from tests.cast import Cast, make_renewal
from tests.dashboards.books import draw_book
from tests.forecasting.forecast_book import recompute, renewed
from tests.pages import read_page

PAGES = ("/dashboards/retention/", "/dashboards/timing/")
DUE_ON = dt.date(2026, 9, 30)


def texts(cast: Cast, who: str, address: str) -> str:
    return read_page(cast, who, address)


def add_up() -> None:
    recompute()
    bring_up_to_date()


@pytest.mark.parametrize("page", PAGES)
def test_before_the_first_run_there_are_no_figures_yet(cast: Cast, page: str) -> None:
    assert "No figures yet" in texts(cast, "admin", page)


@pytest.mark.parametrize("page", PAGES)
def test_an_empty_book_says_that_nothing_is_due(cast: Cast, page: str) -> None:
    add_up()
    assert "Nothing is due in Q3 FY26 for this choice of filters." in texts(cast, "admin", f"{page}?period=2026-07-01")


@pytest.mark.parametrize("page", PAGES)
def test_one_renewal_of_no_value_has_no_rate(cast: Cast, page: str) -> None:
    make_renewal(owner=cast.rep, due_on=DUE_ON, baseline_amount=Decimal(0))
    add_up()
    text = texts(cast, "admin", page)
    assert "–" in text
    texts(cast, "admin", f"{page}?by=month&years=1&attribution=order_period")


@pytest.mark.parametrize("page", PAGES)
def test_one_lost_renewal_is_a_rate_of_nothing(cast: Cast, page: str) -> None:
    make_renewal(owner=cast.rep, due_on=DUE_ON, outcome="lost", final_amount=0)
    add_up()
    assert "0.0\N{NO-BREAK SPACE}%" in texts(cast, "rep", page)


@pytest.mark.parametrize("page", PAGES)
def test_a_currency_without_a_rate_is_named(cast: Cast, page: str) -> None:
    make_renewal(owner=cast.rep, due_on=DUE_ON, currency="GBP")
    add_up()
    assert "renewals left out of every figure: 1 in GBP" in texts(cast, "admin", page)


@pytest.mark.parametrize("page", PAGES)
def test_who_sees_nothing_reads_that_there_is_nothing(cast: Cast, page: str) -> None:
    make_renewal(owner=cast.rep, due_on=DUE_ON, **renewed(12_000, DUE_ON))
    User.objects.filter(pk=cast.viewer.pk).update(team=None)
    add_up()
    text = texts(cast, "viewer", page)
    assert "12,000" not in text
    assert "for this choice of filters" in text


@pytest.mark.parametrize("page", PAGES)
def test_a_period_that_is_not_shown_is_not_there(cast: Cast, page: str) -> None:
    add_up()
    client = cast.client_of("admin")
    assert client.get(f"{page}?period=1999-01-01").status_code == 404
    assert client.get(f"{page}?as_at=2999-01-01").status_code == 422


@pytest.mark.parametrize("page", PAGES)
def test_a_page_sends_the_same_statements_for_one_row_and_for_many(
    cast: Cast, page: str, django_assert_max_num_queries: object
) -> None:
    draw_book(cast, 31, count=5)
    client = cast.client_of("admin")
    with django_assert_max_num_queries(24):  # type: ignore[operator]
        client.get(page)
    for _ in range(20):
        make_renewal(owner=cast.rep, due_on=DUE_ON)
    add_up()
    with django_assert_max_num_queries(24):  # type: ignore[operator]
        client.get(page)


@pytest.mark.parametrize("page", PAGES)
def test_every_link_of_a_page_leads_somewhere(cast: Cast, page: str) -> None:
    draw_book(cast, 32)
    client = cast.client_of("manager")
    text = texts(cast, "manager", page)
    links = {unescape(link) for link in re.findall(r'href="(/(?:dashboards|renewals|forecast)/[^"]*)"', text)}
    links.discard("/dashboards/")  # leads to the first of them
    assert len(links) > 40
    for link in sorted(links)[:: max(len(links) // 25, 1)]:
        assert client.get(link).status_code == 200, link


def test_a_figure_opens_its_rows_and_they_add_up(cast: Cast) -> None:
    make_renewal(owner=cast.rep, due_on=DUE_ON, baseline_amount=Decimal(100), **renewed(80, DUE_ON))
    make_renewal(owner=cast.rep, due_on=DUE_ON, baseline_amount=Decimal(300), **renewed(400, DUE_ON))
    make_renewal(owner=cast.outsider, due_on=DUE_ON, baseline_amount=Decimal(7_777), **renewed(7_777, DUE_ON))
    add_up()
    text = texts(cast, "rep", "/dashboards/explain/gross/?period=2026-07-01")
    assert "95.0\N{NO-BREAK SPACE}%" in text
    for amount in ("380.00", "400.00", "300.00", "80.00", "100.00"):
        assert f">{amount}<" in text
    assert "7,777" not in text
    assert "2 renewals" in text


def test_the_drill_down_lists_the_rows_of_the_figure(cast: Cast) -> None:
    late = make_renewal(owner=cast.rep, due_on=DUE_ON, **renewed(12_000, DUE_ON + dt.timedelta(days=9)))
    make_renewal(owner=cast.rep, due_on=DUE_ON, **renewed(12_000, DUE_ON))
    add_up()
    late.refresh_from_db()
    assert late.score.timing_class == 6
    text = texts(cast, "admin", "/dashboards/timing/")
    found = re.search(r'"(/renewals/\?due_from=2026-07-01[^"]*timing=late[^"]*)"', text)
    assert found is not None
    listed = cast.client_of("admin").get(found[1].encode().decode("unicode_escape")).content.decode()
    ours = Renewal.objects.get(pk=late.pk)
    assert str(ours.account) in listed


@pytest.mark.parametrize("page", PAGES)
def test_the_workbook_has_a_sheet_for_each_tile(cast: Cast, page: str) -> None:
    draw_book(cast, 33)
    text = texts(cast, "admin", page)
    content = cast.client_of("admin").get(f"{page}?format=xlsx").content
    book = CalamineWorkbook.from_filelike(BytesIO(content))
    assert len(book.sheet_names) == 1 + len(re.findall(r'<section class="p-card p-figure', text))
    rows = book.get_sheet_by_index(1).to_python()
    assert len(rows) > 3
    assert isinstance(rows[-2][1], float | str)


def test_what_is_shown_follows_an_edit(cast: Cast) -> None:
    renewal = make_renewal(owner=cast.rep, due_on=DUE_ON, baseline_amount=Decimal(1_000))
    add_up()
    assert "90.0\N{NO-BREAK SPACE}%" not in texts(cast, "admin", PAGES[0])
    from forecasting import services

    Renewal.objects.filter(pk=renewal.pk).update(**renewed(900, DUE_ON))
    services.score_renewals(renewal_ids=[renewal.pk], as_of=dt.date(2026, 11, 21))
    assert "90.0\N{NO-BREAK SPACE}%" in texts(cast, "admin", PAGES[0])


def test_the_mean_of_late_days_has_one_decimal(cast: Cast) -> None:
    account = make_renewal(owner=cast.rep, due_on=dt.date(2026, 3, 31), **renewed(80, dt.date(2026, 6, 10))).account
    for month in (4, 5):
        due_on = dt.date(2026, month, 28)
        make_renewal(
            owner=cast.rep, account=account, due_on=due_on, **renewed(80, due_on + dt.timedelta(days=70 + month))
        )
    add_up()
    text = texts(cast, "admin", "/dashboards/timing/")
    assert re.findall(r">\s*(\d+\.\d+)\s*<", text[text.index("Habitually late") :])[0] == "73.3"


def tiles_of_every_page(frame: Frame) -> Iterator[Tile]:
    for build in (build_executive, build_forecast, build_retention, build_timing, build_risk, build_scorecards):
        yield from build(frame).tiles
    yield from build_review_tiles(frame, read_due(frame), read_said(frame.user, frame.scope, frame.company.today()))


def test_every_column_of_money_names_its_currency(cast: Cast) -> None:
    """A title in € M is of the picture: under it alone, 1,000.00 in a table reads as a thousand millions."""
    draw_book(cast, 30)
    frame = read_frame_of(cast.admin, {}, "dashboards:retention")
    for tile in tiles_of_every_page(frame):
        for at, head in enumerate(tile.heads):
            kinds = {row.cells[at].kind for row in tile.rows if row.cells[at].number is not None}
            if kinds == {Kind.MONEY} and head != "Risk score":
                assert "€" in head or "€" in tile.label_head, f"{tile.title}: {head}"


def test_nothing_has_no_minus() -> None:
    numbers = [Decimal("-0.001"), Decimal(-1), Decimal("-0.0004"), Decimal("-0.01")]
    kinds = [Kind.MONEY, Kind.MONEY, Kind.POINTS, Kind.POINTS]
    texts = [text_of(number, kind) for number, kind in zip(numbers, kinds, strict=True)]
    assert texts == ["0.00", "−1.00", "+0.0", "−1.0"]
