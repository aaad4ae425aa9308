"""The forecast page as at a moment: what it showed then, whatever was done since."""

import datetime as dt

import pytest

from accounts.models import Company, get_company
from forecasting.as_at import parse_moment
from forecasting.as_at.moments import InvalidMoment
from forecasting.as_at.overview import read_overview
from forecasting.models import Run
from forecasting.overview.at_risk import read_at_risk
from forecasting.overview.dashboard import read_periods
from forecasting.scopes.scope import Scope
from renewals.history.retention import forget_history
from renewals.models import Renewal
from tests.cast import Cast
from tests.forecasting.as_at.history import happening_at
from tests.forecasting.forecast_book import AS_OF, book, recompute

__all__ = ["book"]
NOON = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)


@pytest.fixture
def past(cast: Cast, request: pytest.FixtureRequest) -> Run:
    """The book, scored and published by noon, and spoiled after."""
    with happening_at(NOON - dt.timedelta(hours=1)):
        request.getfixturevalue("book")
    run = recompute(AS_OF)
    Run.objects.update(published_at=NOON - dt.timedelta(minutes=30))
    return run


@pytest.mark.parametrize("attribution", ["due_period", "order_period", "hybrid"])
@pytest.mark.parametrize("who", ["admin", "manager", "outsider"])
def test_the_page_of_then_is_what_the_page_showed(past: Run, cast: Cast, attribution: str, who: str) -> None:
    user = getattr(cast, who)
    with happening_at(NOON - dt.timedelta(hours=1)):
        Company.objects.update(attribution=attribution)
    company = get_company()
    scope = Scope("quarter") if user.sees_all else Scope("quarter", team=user.team)
    shown = read_periods(user, scope, company, today=AS_OF), read_at_risk(user, scope, company, today=AS_OF)
    with happening_at(NOON + dt.timedelta(hours=1)):
        Renewal.objects.filter(outcome="open").update(baseline_amount=1, confidence=1, owner=cast.other_manager)
    asked = parse_moment("2026-11-21T12:00+00:00", company)
    found = read_overview(user, scope, asked)
    for then, now in zip(found.periods, shown[0], strict=True):
        assert (then.label, then.is_current, then.credit) == (now.label, now.is_current, now.credit)
        for name in ("due", "won", "lost", "open", "overdue"):
            assert getattr(then.line, f"{name}_count") == getattr(now.line, f"{name}_count")
            assert getattr(then.line, f"{name}_amount") == getattr(now.line, f"{name}_amount")
        for name in ("expected", "p10", "p50", "p90", "commit", "in_period"):
            assert getattr(then.line, f"{name}_amount") == getattr(now.line, f"{name}_amount")
    assert found.at_risk.past_due == shown[1].past_due
    assert found.at_risk.weeks == shown[1].weeks


@pytest.mark.parametrize(
    ("text", "moment", "as_of"),
    [
        ("2026-11-20", "2026-11-20T22:59:59.999999+00:00", "2026-11-20"),
        ("2026-11-20T23:30", "2026-11-20T22:30:00+00:00", "2026-11-20"),
        ("2026-11-20T23:30+00:00", "2026-11-20T23:30:00+00:00", "2026-11-21"),
        # As a browser reads a plus sign that was not encoded.
        ("2026-11-20T23:30 00:00", "2026-11-20T23:30:00+00:00", "2026-11-21"),
    ],
)
def test_a_moment_is_read_in_the_companys_zone(text: str, moment: str, as_of: str) -> None:
    company = Company(time_zone="Europe/Berlin")
    asked = parse_moment(text, company, now=dt.datetime(2026, 12, 1, tzinfo=dt.UTC))
    assert asked.moment == dt.datetime.fromisoformat(moment)
    assert asked.as_of == dt.date.fromisoformat(as_of)


def test_today_is_as_far_as_it_has_come() -> None:
    now = dt.datetime(2026, 11, 20, 15, tzinfo=dt.UTC)
    assert parse_moment("2026-11-20", Company(time_zone="UTC"), now=now).moment == now


@pytest.mark.parametrize("text", ["", "2026-11-31", "2026-11-21", "20261101x", "9999-99-99T00:00"])
def test_what_is_no_past_moment_is_refused(text: str) -> None:
    with pytest.raises(InvalidMoment):
        parse_moment(text, Company(time_zone="UTC"), now=dt.datetime(2026, 11, 20, 15, tzinfo=dt.UTC))


def test_before_the_first_record_the_page_says_so(past: Run, cast: Cast) -> None:
    answer = cast.client_of("admin").get("/forecast/?as_at=2020-01-01")
    assert answer.status_code == 200
    assert b"Known since" in answer.content
    assert b"the first renewal was recorded then" in answer.content
    answer = cast.client_of("admin").get("/forecast/?as_at=2026-11-21T12:00")
    assert b"Known since" not in answer.content
    assert b"As it stood on 21 Nov 2026" in answer.content


def test_before_what_history_was_cut_at_nothing_is_drawn(past: Run, cast: Cast) -> None:
    client = cast.client_of("admin")
    with happening_at(NOON):
        Renewal.objects.filter(outcome="open").update(confidence=1)
    forget_history(before=NOON + dt.timedelta(hours=3))
    answer = client.get("/forecast/?as_at=2026-11-21T12:00")
    assert b"older history is no longer kept" in answer.content
    assert "charts" not in answer.context
    answer = client.get("/forecast/bridge/?from=2026-11-21T12:00")
    assert answer.status_code == 422
    assert b"older history is no longer kept" in answer.content
