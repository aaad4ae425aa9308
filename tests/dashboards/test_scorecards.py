"""Scorecards: credit to the owner of the day, a fair comparison, and who sees whose."""

from __future__ import annotations

import datetime as dt
import random
import re
from collections import defaultdict
from decimal import Decimal
from math import sqrt
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.db import connection
from django.test import RequestFactory
from django.utils import timezone

from accounts.models import Segment, User, get_company
from dashboards.explain.rows import explain
from dashboards.figures import FIGURES
from dashboards.frame import Frame, read_frame, read_frame_of
from dashboards.models import RollUp
from dashboards.retention.recurring import read_moved as retention_moved
from dashboards.rollups.services import bring_up_to_date
from dashboards.scorecards.credit import read_credit, read_credited, read_moved
from dashboards.scorecards.fair import ABOVE, BELOW, WITHIN, Stratum, judge, read_mix
from dashboards.scorecards.measures import read_hygiene
from dashboards.scorecards.page import build_tiles, read_cards
from dashboards.scorecards.people import Group, read_shown
from dashboards.scorecards.recurring import Recurring, moved_of, read_ledger
from forecasting.engine.arrays import NO_ID
from forecasting.engine.recurring import Kind as Movement
from forecasting.engine.recurring import State
from forecasting.models import MrrMovement
from forecasting.mrr.services import roll_up_mrr
from forecasting.periods import Period, period_of
from forecasting.scopes.scope import Scope
from renewals.models import Renewal
from tests.cast import Cast, make_account, make_renewal
from tests.dashboards.books import draw_book
from tests.dashboards.oracle import read_facts
from tests.forecasting.forecast_book import AS_OF, recompute, renewed
from tests.forecasting.mrr.books import AS_OF as MRR_AS_OF
from tests.forecasting.mrr.books import make_rates, random_book
from tests.pages import assert_sensible, read_page

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
    return read_page(cast, who, f"{PAGE}?{query}")


def give_away(renewal: Renewal, owner: User | None, on: dt.date) -> None:
    """As if it had been reassigned on a past day."""
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


@pytest.mark.parametrize("seed", [5, 6])
def test_former_owners_are_those_of_the_whole_history(cast: Cast, seed: int) -> None:
    """Handed over one by one, many at once, by raw SQL, taken back, and handed over again."""
    made = draw_book(cast, seed)
    rng, owners = random.Random(seed), [cast.rep, cast.team_mate, cast.outsider, None]
    for one in rng.sample(made, 12):
        for back in sorted(rng.sample(range(900), rng.randint(1, 3)), reverse=True):
            give_away(one, rng.choice(owners), AS_OF - dt.timedelta(days=back))
    Renewal.objects.filter(pk__in=[one.pk for one in made[:20]]).update(owner=cast.rep)
    with connection.cursor() as cursor:
        ids = [one.pk for one in made[10:30]]
        cursor.execute("UPDATE renewals_renewal SET owner_id = NULL, next_step = 'x' WHERE id = ANY(%s)", [ids])
        Renewal.objects.filter(pk=made[0].pk).update(next_step="Call")
        cursor.execute("SELECT pgh_obj_id, pgh_created_at, owner_id FROM renewals_renewalevent ORDER BY pgh_id")
        events = cursor.fetchall()
    expected = {}
    for row in Renewal.objects.exclude(outcome="open"):
        day = (row.ordered_on or row.declined_on or row.due_on) + dt.timedelta(days=1)
        later = [owner for pk, at, owner in events if pk == row.pk and at.date() >= day]
        if later and later[0] != row.owner_id and _is_within(row):
            expected[row.pk] = NO_ID if later[0] is None else later[0]
    assert len(expected) > 5
    assert read_moved("UTC", dt.date(2024, 1, 1), AS_OF) == expected


def _is_within(row: Renewal) -> bool:
    days = (row.due_on, row.ordered_on)
    return any(day is not None and dt.date(2024, 1, 1) <= day <= AS_OF for day in days)


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
    mixes = read_mix(done, Period("quarter", THIRD), "UTC", Scope("quarter", segment=segment))
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


def test_who_is_looked_at_is_compared_as_in_the_list_of_all(cast: Cast) -> None:
    make_renewal(owner=cast.rep, due_on=DUE_ON, **renewed(9_000, DUE_ON))
    make_renewal(owner=cast.team_mate, due_on=DUE_ON, **renewed(12_000, DUE_ON))
    add_up()

    def compared(query: str) -> dict[str, list[str]]:
        tile = next(one for one in build_tiles(read_cards(frame_of(cast.admin, query))) if one.key == "fair")
        return {row.label: [cell.text for cell in row.cells] for row in tile.rows}

    name, whole = "Rhea Rep: as expected", compared("")
    assert compared(f"owner={cast.rep.pk}")[name] == whole[name]
    assert whole[name][:2] == ["1", "75.0\N{NO-BREAK SPACE}%"]
    assert "as expected" in texts(cast, "admin", f"owner={cast.rep.pk}").split('class="d-words">')[1].split("<")[0]


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


def test_a_day_before_the_book_was_recorded_says_so(cast: Cast) -> None:
    make_renewal(owner=cast.rep, due_on=DUE_ON, **renewed(12_000, DUE_ON))
    add_up()
    since = get_company().today()
    before = since - dt.timedelta(days=1)
    text = texts(cast, "admin", f"as_at={before.isoformat()}")
    assert f"Nothing is known of {before:%d %b %Y}" in text
    assert "Rhea Rep" not in text.partition("p-notice")[2].partition("</main>")[0]


def test_as_at_a_past_moment_has_the_cards_of_then(cast: Cast) -> None:
    day = get_company().today() - dt.timedelta(days=1)
    due_on = day - dt.timedelta(days=100)
    one = make_renewal(owner=cast.rep, due_on=due_on, **renewed(12_000, due_on))
    # As if all of it had been there for a month, and the renewal been handed over today.
    then = timezone.now() - dt.timedelta(days=30)
    Renewal.objects.update(created_at=then)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE renewals_renewalevent SET pgh_created_at = %s", [then])
    Renewal.objects.filter(pk=one.pk).update(owner=cast.team_mate)
    recompute(as_of=get_company().today())
    bring_up_to_date()
    response = cast.client_of("admin").get(f"{PAGE}?as_at={day.isoformat()}&period={_quarter(due_on)}")
    assert response.status_code == 200
    text = response.content.decode()
    assert_sensible(text)
    cards = read_cards(frame_of(cast.admin, f"as_at={day.isoformat()}&period={_quarter(due_on)}"))
    tiles = {tile.key: tile for tile in build_tiles(cards)}
    rows = {row.label: [cell.text for cell in row.cells][:3] for row in tiles["cards"].rows}
    assert rows["Rhea Rep"] == ["1", "12,000.00", "12,000.00"]
    assert "Tom Mate" not in rows
    assert all(not tiles[key].rows for key in ("recurring", "fair", "calls", "hygiene"))
    assert text.count("Go back to now to see it.") == 4


def _quarter(day: dt.date) -> str:
    return period_of("quarter", day, get_company().fiscal_year_start_month).starts_on.isoformat()


@pytest.mark.parametrize("seed", [3, 4])
def test_figures_of_cards_are_taken_apart_by_the_credit_of_the_cards(cast: Cast, seed: int) -> None:
    made = draw_book(cast, seed)
    for one in made[::3]:
        give_away(one, cast.outsider if one.owner == cast.rep else cast.rep, AS_OF)
    recompute()
    bring_up_to_date()
    moved_count = 0
    for query in ("", "by=month&currency=USD", "booking=downsell", f"segment={Segment.objects.earliest('pk').pk}"):
        frame = frame_of(cast.admin, query)
        cards = read_cards(frame)
        moved_count += len(read_moved("UTC", cards.chosen.starts_on, cards.chosen.period.ends_on))
        for group in [group for group, _ in cards.lines] + [cards.shown.everybody]:
            for key in ("due_count", "due", "kept", "gross", "net", "on_time", "upsell", "booked_above"):
                asked = dict(parse_qsl(urlsplit(cards.explain_url(key, group)).query))
                other = read_frame_of(cast.admin, asked, "dashboards:retention")
                found = explain(
                    FIGURES[key], other.scope, cards.chosen.period, attribution=other.attribution,
                    report=other.report, credit=read_credit(other, cards.chosen.period),
                )  # fmt: skip
                expected = cards.value(key, cards.total(group))
                assert found.value == expected, (query, group.name, key)
                assert found.sums == {name: int(values.sum()) for name, values in found.amounts.items()}
    assert moved_count > 3


def test_the_explanation_says_whose_credit_it_is(cast: Cast) -> None:
    handed_over = make_renewal(owner=cast.rep, due_on=DUE_ON, **renewed(6_000, DUE_ON))
    give_away(handed_over, cast.outsider, DUE_ON + dt.timedelta(days=10))
    add_up()
    cards = read_cards(frame_of(cast.rep))
    url = cards.explain_url("kept", cards.shown.focus)
    text = cast.client_of("rep").get(url).content.decode()
    assert_sensible(text)
    assert ">6,000.00<" in text
    assert "A renewal that you do not see now" in text  # another team's by now
    assert "owned it on the day of the decision" in text
    assert cast.client_of("rep").get(url.replace("credit=decision", "credit=mine")).status_code == 404
    # By today's owner it is none of theirs.
    assert ">6,000.00<" not in cast.client_of("rep").get(url.replace("&credit=decision", "")).content.decode()


@pytest.mark.parametrize("seed", [1, 2])
def test_grr_and_nrr_of_owners_are_what_the_movements_add_up_to(cast: Cast, seed: int) -> None:
    make_rates()
    random_book(seed, cast, accounts=30)
    recompute(as_of=MRR_AS_OF)
    roll_up_mrr()
    bring_up_to_date()
    frame = frame_of(cast.admin)
    ledger = read_ledger(frame)
    movements = list(MrrMovement.objects.filter(state=State.ACTUAL))
    signs = {"NEW": 1, "EXPANSION": 1, "REACTIVATION": 1, "OPENING": 1, "CONTRACTION": -1, "CHURN": -1}
    checked = 0
    for owners in ([cast.rep.pk], [cast.team_mate.pk], [cast.rep.pk, cast.team_mate.pk], [cast.outsider.pk]):
        for one in moved_of(frame, ledger, owners):
            opening, lost, grown = Decimal(0), Decimal(0), Decimal(0)
            for row in movements:
                kind = Movement(row.kind).name
                if row.owner_id not in owners or row.month_on > one.period.ends_on:
                    continue
                if row.month_on < one.period.starts_on or kind == "OPENING":
                    opening += signs[kind] * row.amount
                else:
                    lost += row.amount if signs[kind] < 0 else 0
                    grown += row.amount if kind == "EXPANSION" else 0
            assert one.opening == opening
            expected = (min((opening - lost) / opening, 1), (opening - lost + grown) / opening) if opening > 0 else None
            assert (one.grr, one.nrr) == (expected or (None, None))
            checked += expected is not None
    assert checked > 20
    # As they are kept of groups; and in a segment, of which nothing is kept.
    shown, recurring = read_shown(frame), Recurring(frame)
    groups = [shown.everybody, *shown.teams, *(Group.of_one(one) for one in shown.named)]
    assert recurring.moved(groups, frame.periods) == [moved_of(frame, ledger, one.owner_ids) for one in groups]
    for period in frame.periods:
        (whole,) = recurring.moved([shown.everybody], [period], whole=shown.everybody)
        assert whole == [one for one in moved_of(frame, ledger, ledger) if one.period == period]
    # All owners and nobody together are the page of retention.
    assert moved_of(frame, ledger, ledger) == retention_moved(frame)
    rows = next(one for one in build_tiles(read_cards(frame)) if one.key == "recurring").rows
    chosen = next(one for one in retention_moved(frame) if one.period == read_cards(frame).chosen.period)
    assert (rows[-1].is_total, [cell.number for cell in rows[-1].cells][-2:]) == (True, [chosen.grr, chosen.nrr])


def test_the_rows_behind_grr_and_nrr_add_up(cast: Cast) -> None:
    make_rates()
    random_book(5, cast, accounts=20)
    recompute(as_of=MRR_AS_OF)
    roll_up_mrr()
    bring_up_to_date()
    cards = read_cards(frame_of(cast.manager))
    tile = next(one for one in build_tiles(cards) if one.key == "recurring")
    client, followed = cast.client_of("manager"), 0
    for row in tile.rows:
        for cell in row.cells[:4]:
            text = client.get(cell.url).content.decode()
            assert f"{cell.number:,.2f}" in text, (row.label, cell.url)
            followed += 1
    assert followed >= 8
    mine = next(one for one in build_tiles(read_cards(frame_of(cast.rep))) if one.key == "recurring")
    assert {row.label for row in mine.rows} <= {"Rhea Rep", "EMEA, together"}


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
