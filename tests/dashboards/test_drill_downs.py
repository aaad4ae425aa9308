"""What a figure opens: the rows of the table that it is the sum, or the count, of."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from urllib.parse import urlsplit

from django.http import QueryDict

from accounts.models import User, get_company
from dashboards.executive.page import build_executive
from dashboards.frame import Content, Frame, read_frame_of
from dashboards.risk.views import build_risk
from dashboards.rollups.services import bring_up_to_date
from dashboards.tiles import Tile
from dashboards.timing.views import build_timing
from forecasting.periods import period_of
from renewals.models import Renewal, RenewalScore
from renewals.table.matching import read_matching
from tests.cast import Cast, make_account, make_renewal
from tests.forecasting.forecast_book import recompute, renewed

FAR = 400  # days: past every tolerance, or ahead of every period but the one it is due in


def frame_of(user: User, page: str) -> Frame:
    return read_frame_of(user, {}, f"dashboards:{page}")


def tile_of(content: Content, key: str) -> Tile:
    return next(tile for tile in content.tiles if tile.key == key)


def opened(user: User, url: str) -> set[Renewal]:
    assert urlsplit(url).path == "/renewals/"
    return {*read_matching(user, QueryDict(urlsplit(url).query))[2]}


def links_of(tile: Tile) -> dict[tuple[str, str], str]:
    """Where the bars of a picture lead, by trace and label."""
    assert tile.figure is not None
    return {
        (trace["name"], label): data[0]
        for trace in tile.figure["data"]
        for label, data in zip(trace["x"], trace["customdata"], strict=True)
    }


def add_up() -> None:
    recompute(as_of=get_company().today())
    bring_up_to_date()


def test_risk_opens_what_is_open_and_not_what_has_lapsed(cast: Cast) -> None:
    today = get_company().today()
    ahead = make_renewal(owner=cast.rep, due_on=today + dt.timedelta(days=5), baseline_amount=Decimal(300))
    make_renewal(owner=cast.rep, due_on=today - dt.timedelta(days=FAR), baseline_amount=Decimal(5_000))
    recompute(as_of=today)
    RenewalScore.objects.update(risk_score=80)
    bring_up_to_date()
    tile = tile_of(build_risk(frame_of(cast.admin, "risk")), "risk-segments")
    high = tile.rows[0].cells[0]
    assert (high.number, opened(cast.admin, high.url)) == (Decimal(300), {ahead})


def test_the_weeks_of_the_executive_page_open_their_band(cast: Cast) -> None:
    today = get_company().today()
    safe, risky = (make_renewal(owner=cast.rep, due_on=today, baseline_amount=Decimal(at)) for at in (100, 200))
    recompute(as_of=today)
    for row, score in ((safe, 5), (risky, 80)):
        RenewalScore.objects.filter(renewal=row).update(risk_score=score)
    bring_up_to_date()
    links = links_of(tile_of(build_executive(frame_of(cast.admin, "executive")), "risk"))
    week = f"{today:%d %b}"
    assert [opened(cast.admin, links[band, week]) for band in ("High", "Medium", "Low")] == [{risky}, set(), {safe}]
    assert links["Unscored", week] == ""


def test_won_opens_what_was_won_and_expected_what_is_still_open_too(cast: Cast) -> None:
    today = get_company().today()
    current = period_of("quarter", today, get_company().fiscal_year_start_month)
    won = make_renewal(owner=cast.rep, due_on=current.ends_on, **renewed(900, today))
    still_open = make_renewal(owner=cast.rep, due_on=current.ends_on)
    make_renewal(owner=cast.rep, due_on=current.ends_on, outcome="lost", final_amount=0, declined_on=today)
    add_up()
    frame = frame_of(cast.admin, "executive")
    content = build_executive(frame)
    expected, now = tile_of(content, "six").rows[:2]
    assert [opened(cast.admin, row.cells[0].url) for row in (expected, now)] == [{won, still_open}, {won}]
    links = links_of(tile_of(content, "outlook"))
    label = frame.label(current)
    assert [opened(cast.admin, links[name, label]) for name in ("Expected", "Won")] == [{won, still_open}, {won}]


def test_a_period_without_anything_due_is_expected_to_bring_nothing(cast: Cast) -> None:
    today = get_company().today()
    current = period_of("quarter", today, get_company().fiscal_year_start_month)
    make_renewal(owner=cast.rep, due_on=current.ends_on)
    add_up()
    outlook = tile_of(build_executive(frame_of(cast.admin, "executive")), "outlook")
    assert [cell.number for cell in outlook.rows[0].cells] == [Decimal(0), Decimal(0)]


def test_late_orders_open_those_of_the_two_years_they_are_counted_in(cast: Cast) -> None:
    account = make_account(owner=cast.rep)
    today = get_company().today()
    ordered = [today - dt.timedelta(days=days) for days in (1_000, 300, 200)]
    rows = [
        make_renewal(
            owner=cast.rep, account=account, due_on=on - dt.timedelta(days=5), **renewed(100, on)
        )
        for on in ordered
    ]  # fmt: skip
    add_up()
    late = tile_of(build_timing(frame_of(cast.admin, "timing")), "habits").rows[0].cells[1]
    assert (late.number, opened(cast.admin, late.url)) == (2, {*rows[1:]})


def test_what_contributed_to_churn_opens_the_rows_of_either_period(cast: Cast) -> None:
    current = period_of("quarter", get_company().today(), get_company().fiscal_year_start_month)
    last_on = current.starts_on - dt.timedelta(days=1)
    gone = {"outcome": "lost", "final_amount": 0}
    before = make_renewal(owner=cast.rep, due_on=last_on - dt.timedelta(days=95), **gone)
    now = make_renewal(owner=cast.rep, due_on=last_on, **gone)
    add_up()
    tile = tile_of(build_risk(frame_of(cast.admin, "risk")), "contributors")
    then, since, _ = tile.rows[0].cells
    assert [opened(cast.admin, cell.url) for cell in (then, since)] == [{before}, {now}]
