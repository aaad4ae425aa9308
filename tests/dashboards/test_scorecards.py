"""Scorecards: credit to the owner of the day, a fair comparison, and who sees whose."""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from decimal import Decimal
from math import sqrt

import pytest
from django.test import RequestFactory

from accounts.models import Segment, User
from dashboards.frame import Frame, read_frame
from dashboards.models import RollUp
from dashboards.rollups.services import bring_up_to_date
from dashboards.scorecards.credit import read_credited, read_moved
from dashboards.scorecards.fair import ABOVE, BELOW, WITHIN, Stratum, judge, read_mix
from dashboards.scorecards.measures import read_hygiene
from dashboards.scorecards.page import build_tiles, read_cards
from forecasting.periods import Period
from renewals.models import Renewal
from tests.cast import Cast, make_account, make_renewal
from tests.dashboards.books import draw_book
from tests.dashboards.oracle import read_facts
from tests.forecasting.forecast_book import AS_OF, recompute, renewed
from tests.pages import assert_sensible

PAGE = "/dashboards/scorecards/"
DUE_ON = dt.date(2026, 9, 30)
THIRD = dt.date(2026, 7, 1)


def add_up() -> None:
    recompute()
    bring_up_to_date()


def frame_of(user: User, query: str = "") -> Frame:
    request = RequestFactory().get(f"{PAGE}?{query}")
    request.user = user
    return read_frame(request, "dashboards:scorecards")


def texts(cast: Cast, who: str, query: str = "") -> str:
    response = cast.client_of(who).get(f"{PAGE}?{query}")
    assert response.status_code == 200
    text = response.content.decode()
    assert_sensible(text)
    return text


def give_away(renewal: Renewal, owner: User | None, on: dt.date) -> None:
    """As if it had been reassigned on a past day."""
    from django.db import connection

    Renewal.objects.filter(pk=renewal.pk).update(owner=owner)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE renewals_renewalevent SET pgh_created_at = %s WHERE pgh_id ="
            " (SELECT max(pgh_id) FROM renewals_renewalevent WHERE pgh_obj_id = %s)",
            [dt.datetime.combine(on, dt.time(12), dt.UTC), renewal.pk],
        )


def test_credit_goes_to_the_owner_of_the_day_of_the_decision(cast: Cast) -> None:
    kept = make_renewal(owner=cast.rep, due_on=DUE_ON, **renewed(12_000, DUE_ON))
    handed_over = make_renewal(owner=cast.rep, due_on=DUE_ON, **renewed(6_000, DUE_ON))
    early = make_renewal(owner=cast.rep, due_on=DUE_ON, **renewed(3_000, DUE_ON))
    still_open = make_renewal(owner=cast.rep, due_on=dt.date(2026, 12, 1))
    give_away(early, cast.team_mate, DUE_ON - dt.timedelta(days=10))
    give_away(handed_over, cast.team_mate, DUE_ON + dt.timedelta(days=10))
    give_away(still_open, cast.team_mate, DUE_ON)
    add_up()
    assert read_moved("Europe/Berlin", THIRD, DUE_ON) == {handed_over.pk: cast.rep.pk}
    totals = read_credited(frame_of(cast.admin))
    assert totals[cast.rep.pk][THIRD].sums["kept_cents"] == (12_000 + 6_000) * 100
    assert totals[cast.team_mate.pk][THIRD].sums["kept_cents"] == 3_000 * 100
    assert totals[cast.team_mate.pk][THIRD].sums["due_count"] == 1
    assert kept.owner == cast.rep


def test_a_second_change_of_owner_does_not_move_the_credit_again(cast: Cast) -> None:
    one = make_renewal(owner=cast.rep, due_on=DUE_ON, **renewed(12_000, DUE_ON))
    give_away(one, cast.team_mate, DUE_ON + dt.timedelta(days=1))
    give_away(one, cast.outsider, DUE_ON + dt.timedelta(days=2))
    add_up()
    assert read_moved("UTC", THIRD, DUE_ON) == {one.pk: cast.rep.pk}
    give_away(one, cast.rep, DUE_ON + dt.timedelta(days=3))
    assert read_moved("UTC", THIRD, DUE_ON) == {}


@pytest.mark.parametrize("seed", [1, 2])
def test_cards_are_what_the_raw_rows_add_up_to(cast: Cast, seed: int) -> None:
    draw_book(cast, seed)
    frame = frame_of(cast.admin, "by=month")
    expected: dict[tuple[int | None, dt.date], list[int]] = defaultdict(lambda: [0, 0, 0])
    for fact in read_facts(AS_OF):
        if frame.periods[0].starts_on <= fact.due_on <= frame.periods[-1].ends_on:
            sums = expected[fact.owner, fact.due_on.replace(day=1)]
            sums[0] += 1
            sums[1] += fact.baseline
            sums[2] += fact.kept
    found = {
        (owner, start): [total.sums[name] for name in ("due_count", "due_cents", "kept_cents")]
        for owner, periods in read_credited(frame).items()
        for start, total in periods.items()
        if total.sums["due_count"]
    }
    assert found == dict(expected)


def test_what_is_expected_of_a_book_is_what_the_company_keeps_of_its_kind() -> None:
    mixes = {
        1: {(1, 1): Stratum(1, 100, 100, 10_000.0)},
        2: {(1, 1): Stratum(3, 300, 100, 30_000.0), (2, 3): Stratum(1, 100, 0, 10_000.0)},
    }
    one = judge(mixes, [1])
    assert one is not None
    assert (one.count, one.rate, one.expected) == (1, 1.0, 0.5)
    assert (one.lowest, one.highest, one.verdict) == (0.0, 1.0, WITHIN)
    other = judge(mixes, [2])
    assert other is not None
    assert (other.rate, other.expected) == (0.25, 0.375)
    assert other.highest - other.expected == pytest.approx(1.96 * sqrt(0.25 * 30_000) / 400)
    assert judge(mixes, [3]) is None


def test_above_and_below_are_said_where_the_interval_excludes_it() -> None:
    mixes = {
        1: {(1, 1): Stratum(400, 40_000, 36_000, 4_000_000.0)},
        2: {(1, 1): Stratum(400, 40_000, 28_000, 4_000_000.0)},
    }
    assert [getattr(judge(mixes, [pk]), "verdict", None) for pk in (1, 2)] == [ABOVE, BELOW]
    assert getattr(judge(mixes, [1, 2]), "verdict", None) == WITHIN


def test_the_mix_is_read_by_owner_segment_and_risk(cast: Cast) -> None:
    segment = Segment.objects.create(name="Small")
    account = make_account(owner=cast.rep, segment=segment)
    make_renewal(owner=cast.rep, account=account, due_on=DUE_ON, **renewed(9_000, DUE_ON))
    make_renewal(owner=cast.rep, account=account, due_on=DUE_ON, outcome="lost", final_amount=0)
    make_renewal(owner=cast.rep, account=account, due_on=dt.date(2026, 12, 30))
    add_up()
    done = RollUp.objects.get()
    mixes = read_mix(done, Period("quarter", THIRD), "UTC", segment)
    (strata,) = [mixes[cast.rep.pk]]
    assert {key[0] for key in strata} == {segment.pk}
    assert sum(one.count for one in strata.values()) == 2
    assert sum(one.baseline for one in strata.values()) == 24_000 * 100
    assert sum(one.kept for one in strata.values()) == 9_000 * 100
    assert sum(one.squares for one in strata.values()) == 2 * 1_200_000.0**2
    found = judge(mixes, [cast.rep.pk])
    assert found is not None
    assert found.rate == found.expected == 0.375
    assert found.verdict == WITHIN


def test_a_rep_sees_their_own_card_and_the_average_a_manager_the_team(cast: Cast) -> None:
    make_renewal(owner=cast.rep, due_on=DUE_ON, **renewed(12_000, DUE_ON))
    make_renewal(owner=cast.team_mate, due_on=DUE_ON, **renewed(6_000, DUE_ON))
    make_renewal(owner=cast.outsider, due_on=DUE_ON, **renewed(3_000, DUE_ON))
    add_up()

    def names(user: User) -> list[str]:
        return [row.label for row in build_tiles(read_cards(frame_of(user)))[0].rows]

    assert names(cast.rep) == ["Rhea Rep", "EMEA, on average"]
    assert names(cast.manager) == ["Rhea Rep", "Tom Mate", "EMEA, on average"]
    assert names(cast.viewer) == ["EMEA, on average"]
    assert names(cast.admin) == ["AMER", "EMEA", "Otto Outsider", "Rhea Rep", "Tom Mate", "Everybody, on average"]
    rows = {row.label: [cell.text for cell in row.cells] for row in build_tiles(read_cards(frame_of(cast.rep)))[0].rows}
    assert rows["EMEA, on average"][:3] == ["1.0", "12,000.00", "9,000.00"]
    text = texts(cast, "rep")
    assert "Tom Mate" not in text.split("<main", 1)[1].split("p-strip", 1)[1]


def test_the_card_of_a_team_mate_is_not_there_for_a_rep(cast: Cast) -> None:
    add_up()
    mate = cast.team_mate.pk
    for who, status in (("rep", 404), ("viewer", 404), ("outsider", 404), ("manager", 200), ("auditor", 200)):
        client = cast.client_of(who)
        response = client.get(f"{PAGE}{mate}/")
        assert response.status_code == 302
        assert client.get(response["Location"]).status_code == status, who


def test_an_empty_book_and_one_rep_have_sensible_words(cast: Cast) -> None:
    add_up()
    assert "Nothing is due in Q3 FY26" in texts(cast, "admin", "period=2026-07-01")
    make_renewal(owner=cast.rep, due_on=DUE_ON, baseline_amount=Decimal(0))
    add_up()
    texts(cast, "rep")
    User.objects.filter(pk=cast.rep.pk).update(team=None)
    add_up()
    assert "Rhea Rep" in texts(cast, "rep")
    texts(cast, "rep", "by=month&years=1&attribution=hybrid")


def test_as_at_a_past_moment_says_what_is_not_known(cast: Cast) -> None:
    make_renewal(owner=cast.rep, due_on=DUE_ON, **renewed(12_000, DUE_ON))
    add_up()
    day = AS_OF.isoformat()
    response = cast.client_of("admin").get(f"{PAGE}?as_at={day}")
    assert response.status_code in (200, 422)


def test_the_source_of_upsells_is_said_to_be_unknown(cast: Cast) -> None:
    make_renewal(owner=cast.rep, due_on=DUE_ON, **renewed(15_000, DUE_ON))
    make_renewal(owner=cast.outsider, due_on=DUE_ON, **renewed(13_000, DUE_ON))
    add_up()
    tile = next(one for one in build_tiles(read_cards(frame_of(cast.admin))) if one.key == "upsell")
    rows = {row.label: [cell.text for cell in row.cells] for row in tile.rows}
    assert rows["Rhea Rep"] == ["3,000.00", "0.00", "75.0\N{NO-BREAK SPACE}%"]
    assert "not recorded" in tile.caption
    assert re.search("Who found an upsell", texts(cast, "admin"))


def test_data_quality_of_peers_stands_beside_whoever_is_looked_at(cast: Cast) -> None:
    for owner in (cast.rep, cast.rep, cast.team_mate, cast.outsider):
        make_renewal(owner=owner, due_on=dt.date(2026, 12, 1))
    add_up()
    found = read_hygiene(frame_of(cast.manager, f"owner={cast.rep.pk}"))
    assert {pk: one.baseline for pk, one in found.items()} == {
        cast.rep.pk: Decimal(24_000),
        cast.team_mate.pk: Decimal(12_000),
    }
    assert found[cast.rep.pk].account_counts == {"flagged": 0, "silent": 2, "both": 0}
