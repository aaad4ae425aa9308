"""What scorecards and the forecast dashboard read of sums, against the same read of the rows, after random edits."""

from __future__ import annotations

import datetime as dt
import random
import threading
from collections.abc import Iterable

import pytest
from django.db import connection, transaction

from accounts.models import Segment
from dashboards.forecast.pacing import _read_kept, _read_ordered
from dashboards.forecast.reading import _cents, chosen_of, is_kept, read_outlook
from dashboards.frame import Frame, read_frame_of
from dashboards.models import LikelyCell, MixCell, Pace, RollUp, StaleLikely
from dashboards.rollups.pacing import (
    FROM_START,
    MONTHS_AT_ONCE,
    TO_END,
    days_of,
    follow_likely,
    keep_likely,
    replace_likely,
)
from dashboards.rollups.pacing import likely_by_month as likely
from dashboards.rollups.services import bring_up_to_date
from dashboards.scorecards.credit import read_credited, read_moved, together, whole_books
from dashboards.scorecards.fair import Mix, Stratum, judge_groups, read_raw_strata, read_strata
from dashboards.scorecards.kept import names_of, read_group, read_moves, read_owners
from dashboards.scorecards.page import build_tiles, read_cards
from dashboards.scorecards.people import Group, read_shown
from forecasting.periods import Grain, period_of
from forecasting.scopes.lines import rows_of
from renewals.models import Renewal, RenewalScore
from tests.cast import Cast, make_rate
from tests.dashboards.books import draw_book
from tests.dashboards.test_rollups import edit_by_sql
from tests.forecasting.forecast_book import AS_OF

SCORECARDS, FORECAST = "dashboards:scorecards", "dashboards:forecast"


def edit_at_random(rng: random.Random, cast: Cast, ids: list[int]) -> None:
    for _ in range(rng.randint(1, 4)):
        edit_by_sql(rng, cast, ids)
    # A score alone, as a service writes one: of an open row its likelihood, of a decided one its risk.
    from forecasting import services

    with transaction.atomic():
        pk = rng.choice(ids)
        Renewal.objects.filter(pk=pk, outcome="open").update(confidence=rng.randint(0, 100))
        RenewalScore.objects.filter(pk=pk).update(risk_score=rng.choice([None, 5, 30, 80]))
        services.score_renewals(renewal_ids=[pk], as_of=AS_OF)


def assert_cards_true(frame: Frame) -> None:
    """Groups and owners from cells are those that each owner's totals add up to."""
    shown, names = read_shown(frame), names_of(frame)
    moved = read_moved("UTC", frame.periods[0].starts_on, frame.periods[-1].ends_on)
    moves, raw = read_moves(frame, moved), read_credited(frame, moved)
    for group in (shown.everybody, shown.focus, *shown.teams):
        found = read_group(frame, group, moves)
        for period in frame.periods:
            own = (raw[pk][period.starts_on] for pk in group.owner_ids if period.starts_on in raw.get(pk, {}))
            assert found[period.starts_on].sums == together(own, names).sums, (group.name, period)
    for period in frame.periods:
        found_owners = read_owners(frame, period, moves)
        for member in shown.everybody.members:
            totals = [one for start, one in raw.get(member.pk, {}).items() if start == period.starts_on]
            own = found_owners.total([member.pk])
            assert own.sums == together(totals, names).sums, (member, period)
            assert (member.pk in found_owners.working) == (own.sums["due_count"] != 0)


def assert_mix_true(frame: Frame) -> None:
    """Each team and person as kept is what the rows of its members add up to, and so is the company."""
    done, shown = RollUp.objects.get(), read_shown(frame)
    groups = [*shown.teams, *(Group.of_one(one) for one in shown.named)]
    for period in frame.periods:
        moved = read_moved("UTC", period.starts_on, period.ends_on)
        kept = read_strata(done, period, frame.scope, moved, groups)
        raw = read_raw_strata(done, period, whole_books(frame.scope), moved)
        mixes = raw.mixes()
        for at, group in enumerate(groups):
            own = _added(mixes[pk] for pk in group.owner_ids if pk in mixes)
            assert _some(kept.mixes().get(at, {})) == own, (group.name, period)
        assert kept.company is not None
        assert _some(_added(kept.company.mixes().values())) == _added(mixes.values())
        judged = judge_groups(done, period, frame.scope, moved, groups)
        assert judged == [raw.judge(group.owner_ids) for group in groups]


def _added(mixes: Iterable[Mix]) -> Mix:
    found: Mix = {}
    for mix in mixes:
        for key, one in mix.items():
            known = found.get(key, Stratum(0, 0, 0, 0.0))
            found[key] = Stratum(*(x + y for x, y in zip(vars(known).values(), vars(one).values(), strict=True)))
    return found


def _some(mix: Mix) -> Mix:
    return {key: one for key, one in mix.items() if one.count}


def assert_forecast_true(frame: Frame) -> None:
    assert is_kept(frame)
    assert keep_likely()
    outlook = read_outlook(frame)
    periods, rates = outlook.periods, frame.report.rates
    raw = {key: cents for key, cents in _cents(frame, periods, list(rates)).items() if cents}
    found: dict[tuple[object, str], int] = {}
    fiscal_start = frame.company.fiscal_year_start_month
    for (month_on, currency), cents in likely(frame.scope.segment, periods[0].starts_on, periods[-1].ends_on).items():
        start = period_of(frame.grain, month_on, fiscal_start).starts_on
        if currency in rates:
            found[start, currency] = found.get((start, currency), 0) + cents
    assert {key: cents for key, cents in found.items() if cents} == raw
    kept, ordered = _read_kept(frame, periods, rates), _read_ordered(frame, periods, rates)
    for period in periods:
        for is_to_end, bounds, origin in ((False, FROM_START, period.starts_on), (True, TO_END, period.ends_on)):
            days = [origin + dt.timedelta(days=day) for day in days_of(bounds[Grain(frame.grain)])]
            assert kept(period, days, is_to_end=is_to_end) == ordered(period, days, is_to_end=is_to_end)


@pytest.mark.parametrize("seed", range(3))
def test_sums_are_the_rows_after_random_edits(cast: Cast, seed: int) -> None:
    rng = random.Random(500 + seed)
    ids = [row.pk for row in draw_book(cast, 500 + seed, count=50)]
    segment = Segment.objects.order_by("pk")[0].pk
    for _ in range(4):
        edit_at_random(rng, cast, ids)
        bring_up_to_date()
        for query in ({}, {"segment": str(segment)}, {"by": "month"}, {"attribution": "hybrid"}):
            assert_cards_true(read_frame_of(cast.admin, query, SCORECARDS))
        assert_cards_true(read_frame_of(cast.manager, {}, SCORECARDS))
        assert_mix_true(read_frame_of(cast.admin, {}, SCORECARDS))
        assert_mix_true(read_frame_of(cast.admin, {"segment": str(segment)}, SCORECARDS))
        for query in ({}, {"by": "month"}, {"segment": str(segment)}):
            assert_forecast_true(read_frame_of(cast.admin, query, FORECAST))
    assert rows_of(cast.admin, read_frame_of(cast.admin, {}, FORECAST).scope).count() == len(ids)
    assert MixCell.objects.exists()
    assert Pace.objects.exists()
    assert LikelyCell.objects.exists()


def test_many_months_are_read_from_the_rows_until_the_background_has_them(cast: Cast) -> None:
    draw_book(cast, 520, count=20)
    frame = read_frame_of(cast.admin, {}, FORECAST)
    for back in range(MONTHS_AT_ONCE + 1):
        StaleLikely.objects.create(month_on=AS_OF.replace(year=AS_OF.year - 1, month=back + 1, day=1))
    before = read_outlook(frame).model
    assert StaleLikely.objects.exists()
    follow_likely()
    assert not StaleLikely.objects.exists()
    assert read_outlook(frame).model == before


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_reader_neither_waits_for_sums_that_are_being_made_nor_meets_them(cast: Cast) -> None:
    draw_book(cast, 522)
    StaleLikely.objects.create(month_on=LikelyCell.objects.earliest("month_on").month_on)
    answers: list[bool] = []

    def read() -> None:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '2s'")
                answers.append(keep_likely())
        finally:
            connection.close()

    with transaction.atomic(), connection.cursor() as cursor:
        replace_likely(cursor, None)
        reader = threading.Thread(target=read)
        reader.start()
        reader.join()
    assert answers == [False]
    assert keep_likely()
    assert not StaleLikely.objects.exists()


def test_a_currency_whose_rate_changes_is_converted_anew(cast: Cast) -> None:
    draw_book(cast, 521, count=30)
    make_rate("USD", "2", AS_OF)
    frame = read_frame_of(cast.admin, {}, FORECAST)
    outlook = read_outlook(frame)
    rows = _cents(frame, outlook.periods, ["EUR", "USD"])
    kept = likely(None, outlook.periods[0].starts_on, outlook.periods[-1].ends_on)
    assert sum(cents for key, cents in kept.items() if key[1] != "GBP") == sum(rows.values())
    assert chosen_of(frame, outlook.periods).is_current


# --- lists of people


def cards_of(cast: Cast, query: str) -> list[str]:
    pairs = dict(pair.split("=") for pair in query.split("&") if pair)
    return [row.label for row in build_tiles(read_cards(read_frame_of(cast.admin, pairs, SCORECARDS)))[0].rows]


def test_cards_are_found_ordered_and_paged(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    from dashboards import people

    draw_book(cast, 530, count=60)
    whole = cards_of(cast, "")
    teams, reps, last = whole[:2], whole[2:-1], whole[-1]
    assert len(reps) == 3
    by_due = cards_of(cast, "order=-due")
    assert (set(by_due[:2]), set(by_due[2:-1])) == (set(teams), set(reps))
    assert cards_of(cast, "order=due")[2:-1] == by_due[2:-1][::-1]
    assert cards_of(cast, "order=-name")[:-1] == [*teams[::-1], *reps[::-1]]
    assert cards_of(cast, "find=RHEA") == ["Rhea Rep", last]
    assert cards_of(cast, "order=nonsense&leaf=x") == whole
    monkeypatch.setattr(people, "PER_PAGE", 2)
    assert cards_of(cast, "") == [*teams, last]
    assert cards_of(cast, "leaf=2") == [*reps[:2], last]
    assert cards_of(cast, "leaf=99") == [*reps[2:], last]
    page = cast.client_of("admin").get("/dashboards/scorecards/?leaf=2").content.decode()
    assert "3–4 of 5" in page
    assert 'rel="prev"' in page
    assert 'rel="next"' in page
    assert 'aria-sort="ascending"' in page
    nobody = cast.client_of("admin").get("/dashboards/scorecards/?find=zzz").content.decode()
    assert "Nobody is called so" in nobody
    workbook = cast.client_of("admin").get("/dashboards/scorecards/?format=xlsx&leaf=2")
    assert workbook.status_code == 200
    people_page = cast.client_of("admin").get("/dashboards/capacity/?order=-used&leaf=2").content.decode()
    assert 'aria-sort="descending"' in people_page
