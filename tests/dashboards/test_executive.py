"""The executive page: six figures against what they were and should be, and what matters most this week."""

from __future__ import annotations

import datetime as dt
import random
from decimal import Decimal

import pytest
from django.test import RequestFactory

from accounts.models import User, get_company
from dashboards.executive import most
from dashboards.executive.most import read_most_important
from dashboards.executive.page import read_outlook, read_six
from dashboards.executive.weeks import read_weeks
from dashboards.frame import Frame, read_frame, read_frame_of
from dashboards.models import RollUp
from dashboards.rollups.services import bring_up_to_date
from forecasting.models import Target
from forecasting.periods import period_of
from renewals.models import RenewalScore
from tests.cast import Cast, make_renewal
from tests.dashboards.books import draw_book
from tests.dashboards.test_open_and_lost import band_of, raw_open
from tests.forecasting.forecast_book import AS_OF, recompute, renewed
from tests.pages import assert_sensible

PAGE = "/dashboards/executive/"


def frame_of(user: User, query: str = "") -> Frame:
    request = RequestFactory().get(f"{PAGE}?{query}")
    request.user = user
    return read_frame(request, "dashboards:executive")


def test_what_matters_most_is_stake_times_nearness(cast: Cast) -> None:
    today = get_company().today()
    made = {
        days: make_renewal(owner=owner, due_on=today + dt.timedelta(days=days), baseline_amount=Decimal(amount))
        for days, amount, owner in (
            (-2, 1_000, cast.rep), (7, 3_000, cast.rep), (35, 30_000, cast.rep), (28, 500, cast.team_mate),
            (91, 900_000, cast.rep), (1, 900_000, cast.outsider),
        )
    }  # fmt: skip
    recompute(as_of=today)
    bring_up_to_date()
    RenewalScore.objects.update(probability=0.5)
    RollUp.objects.all().delete()  # as only a run writes scores
    assert bring_up_to_date()
    found = read_most_important(frame_of(cast.rep), today)
    # 15,000 / 6 weeks = 2,500; 1,500 / 2 = 750; 500 / 1 = 500; 250 / 5 = 50.
    assert [one.renewal.pk for one in found] == [made[days].pk for days in (35, 7, -2, 28)]
    assert [one.stake_amount for one in found] == [Decimal(15_000), Decimal(1_500), Decimal(500), Decimal(250)]
    assert [one.days for one in found] == [35, 7, 0, 28]
    assert read_most_important(frame_of(cast.admin), today)[0].renewal == made[1]


def test_six_figures_have_a_trend_and_a_target(cast: Cast) -> None:
    today = get_company().today()
    current = period_of("quarter", today, get_company().fiscal_year_start_month)
    last_on = current.starts_on - dt.timedelta(days=1)
    make_renewal(owner=cast.rep, due_on=last_on, **renewed(9_000, last_on))
    make_renewal(owner=cast.rep, due_on=current.starts_on, **renewed(12_000, last_on))
    Target.objects.create(grain="quarter", starts_on=current.starts_on, amount=Decimal(24_000))
    Target.objects.create(grain="quarter", starts_on=current.starts_on, team=cast.rep.team, amount=Decimal(16_000))
    recompute(as_of=today)
    bring_up_to_date()
    for user, target in ((cast.admin, 24_000), (cast.manager, 16_000)):
        frame = frame_of(user)
        totals = frame.totals()
        six = read_six(frame, read_outlook(frame), totals, frame.chosen(totals))
        assert len(six) == 6
        assert (six[1].now, six[1].before, six[1].target) == (Decimal(12_000), Decimal(9_000), Decimal(target))
        assert six[1].change == Decimal(3_000)
        assert (six[2].now, six[2].target) == (Decimal("0.75"), None)
    text = cast.client_of("admin").get(PAGE).content.decode()
    assert "50\N{NO-BREAK SPACE}% of target" in text


def test_an_empty_book_has_sensible_words(cast: Cast) -> None:
    recompute(as_of=get_company().today())
    bring_up_to_date()
    for who in ("admin", "rep", "viewer"):
        for query in ("", "by=month&years=1"):
            text = cast.client_of(who).get(f"{PAGE}?{query}").content.decode()
            assert "Nothing is due in the running period" in text
            assert_sensible(text)


@pytest.mark.parametrize("seed", [421, 422])
def test_weeks_and_what_matters_most_are_those_of_the_raw_rows(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Of everybody, of a team and of an owner; also where the largest stakes looked at first are too few to tell."""
    rng = random.Random(seed)
    for renewal in draw_book(cast, seed, count=90):
        RenewalScore.objects.filter(renewal=renewal).update(probability=rng.random(), risk_score=rng.randint(0, 60))
    RollUp.objects.all().delete()  # as only a run writes scores
    assert bring_up_to_date()
    monkeypatch.setattr(most, "LOOKED_AT", 6)
    monkeypatch.setattr(most, "TIMES", 2)
    raw = raw_open()
    team = {user.pk for user in User.objects.filter(team=cast.rep.team)}
    for user, query, owners in (
        (cast.admin, {}, None),
        (cast.rep, {}, team),
        (cast.admin, {"owner": str(cast.outsider.pk)}, {cast.outsider.pk}),
    ):
        frame = read_frame_of(user, query, "dashboards:executive")
        own = {pk: row for pk, row in raw.items() if owners is None or row["owner_id"] in owners}
        weeks = read_weeks(frame, AS_OF)
        for week in weeks:
            due = [row for row in own.values() if week.starts_on <= row["due_on"] <= week.ends_on]
            expected: dict[str, list[int]] = {}
            for row in due:
                expected.setdefault(band_of(row["risk_score"]), []).append(row["baseline_cents"])
            found = {band: (one.count, one.amount) for band, one in week.bands.items()}
            assert found == {band: (len(cents), Decimal(sum(cents)) / 100) for band, cents in expected.items()}
        assert (weeks[0].starts_on, weeks[-1].ends_on) == (AS_OF, AS_OF + dt.timedelta(days=90))
        ahead = {pk: row for pk, row in own.items() if row["due_on"] <= AS_OF + dt.timedelta(days=90)}
        weights = {
            pk: row["stake_cents"] / (1 + max((row["decision_on"] - AS_OF).days, 0) / 7) for pk, row in ahead.items()
        }
        largest = sorted((pk for pk, weight in weights.items() if weight > 0), key=lambda pk: (-weights[pk], pk))[:5]
        assert largest or owners is not None
        assert [one.renewal.pk for one in most.read_most_important(frame, AS_OF)] == largest
