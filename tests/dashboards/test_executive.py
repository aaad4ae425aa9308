"""The executive page: six figures against what they were and should be, and what matters most this week."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.test import RequestFactory

from accounts.models import User, get_company
from dashboards.executive.most import read_most_important
from dashboards.executive.page import read_outlook, read_six
from dashboards.frame import Frame, read_frame
from dashboards.rollups.services import bring_up_to_date
from forecasting.models import Target
from forecasting.periods import period_of
from renewals.models import RenewalScore
from tests.cast import Cast, make_renewal
from tests.forecasting.forecast_book import recompute, renewed
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
