"""A past period forecast anew: from what was known then, and from nothing that came after."""

import datetime as dt
from typing import Any

import numpy as np
import pytest
from django.db import connection

from accounts.models import Account, AttributeDefinition, Company, get_company
from forecasting.accuracy.replay import HORIZONS, Replayed, last_years_rates, replay_period
from forecasting.frames import load_rules
from forecasting.frames.line_rows import read_reporting
from forecasting.frames.replay import rules_of_replay
from forecasting.periods import Period, period_of
from renewals.models import Renewal, Stage
from tests.cast import Cast
from tests.forecasting.as_at.history import happening_at
from tests.forecasting.learning.decided import AS_OF, make_decided

PERIOD_ON = dt.date(2026, 5, 15)  # its quarter is the newest that make_decided fills and that is over
pytestmark = pytest.mark.django_db


@pytest.fixture
def decided(cast: Cast) -> list[Renewal]:
    Company.objects.update(fiscal_year_start_month=1)
    AttributeDefinition.objects.create(key="plan", label="Plan", kind="category", holder="account", is_steady=False)
    return make_decided(500, seed=4, signal=1.0, owner=cast.rep)


def period() -> Period:
    return period_of("quarter", PERIOD_ON, 1)


def replay() -> Replayed:
    found = replay_period(period(), rules_of_replay(load_rules(None)), read_reporting(as_of=AS_OF), get_company())
    assert found is not None
    return found


def forecasts(found: Replayed, horizon: int) -> dict[str, Any]:
    origin = found.origins[HORIZONS.index(horizon)]
    return {
        # In no order: that in which the database keeps the rows is not the same after they were written.
        **{
            name: sorted(zip(np.nan_to_num(seen.p, nan=-1), np.nan_to_num(seen.forecast, nan=-1), strict=True))
            for name, seen in origin.seen.items()
        },
        **{name: sorted(values.tolist()) for name, values in origin.lines.items()},
    }


def test_another_future_is_forecast_the_same(decided: list[Renewal]) -> None:
    """Whatever is decided, written or brought in after an origin, its forecast does not move."""
    before = replay()
    first = period().ends_on - dt.timedelta(days=90)
    stage = Stage.objects.order_by("-position").first()
    later = Renewal.objects.filter(due_on__gt=first)
    won = list(later.filter(outcome="renewed").values_list("pk", flat=True))
    lost = list(later.filter(outcome="lost").values_list("pk", flat=True))
    assert len(won) > 50
    assert len(lost) > 10
    written = {"stage": stage, "confidence": 5, "forecast_amount": 1, "cross_sell_amount": 0}
    Renewal.objects.filter(pk__in=won).update(
        outcome="lost", ordered_on=None, declined_on=dt.date(2026, 9, 1), final_amount=0, **written
    )
    for row in Renewal.objects.filter(pk__in=lost):
        row.outcome, row.ordered_on, row.declined_on, row.final_amount = "renewed", row.due_on, None, 999
        row.stage, row.confidence = stage, 95  # type: ignore[assignment]
        row.save()
    Account.objects.update(last_touch_on=AS_OF, attributes={"plan": "gone"})
    after = replay()
    assert forecasts(after, 90) == forecasts(before, 90)
    assert after.way == before.way
    # The future itself is another one, of course.
    assert after.origins[0].seen["model"].came.sum() != before.origins[0].seen["model"].came.sum()


def test_it_learned_from_what_had_come_by_then(decided: list[Renewal]) -> None:
    found = replay()
    first = period().ends_on - dt.timedelta(days=90)
    settled = [row for row in decided if row.due_on + dt.timedelta(days=30) < first]
    assert 0 < found.settled_count <= len(settled)
    assert [origin.day for origin in found.origins] == [period().ends_on - dt.timedelta(days=days) for days in HORIZONS]
    joined = found.origins[0].seen["joined"]
    due = [row for row in decided if period().starts_on <= row.due_on <= period().ends_on]
    assert joined.came.sum() == 12_000 * sum(row.outcome == "renewed" for row in due)
    assert joined.is_open.size == len(due)
    # At the end only what has its last day then is open, and what is decided counts as what it brought.
    last = found.origins[-1].seen["joined"]
    assert last.is_open.sum() < joined.is_open.sum()
    assert np.array_equal(last.forecast[~last.is_open], last.came[~last.is_open])


def test_a_word_counts_as_it_stood(decided: list[Renewal], cast: Cast) -> None:
    """80 % at the first origin, 10 % a month later, decided on the due day; the rep handed it over in between."""
    row = max((row for row in decided if row.due_on <= period().ends_on), key=lambda one: one.due_on)
    made_at = dt.datetime(2025, 11, 1, tzinfo=dt.UTC)
    Account.objects.filter(pk=row.account_id).update(created_at=made_at)
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE renewals_renewalevent, accounts_accountevent")
    outcome = {"outcome": row.outcome, "ordered_on": row.ordered_on, "declined_on": row.declined_on}
    opened = {"outcome": "open", "ordered_on": None, "declined_on": None, "final_amount": None}
    Renewal.objects.filter(pk=row.pk).update(
        created_at=made_at, confidence=80, forecast_amount=11_000, owner=cast.team_mate, **opened
    )
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE renewals_renewalevent")
    origins = [period().ends_on - dt.timedelta(days=days) for days in HORIZONS]
    with happening_at(dt.datetime.combine(origins[0] + dt.timedelta(days=5), dt.time(), dt.UTC)):
        Renewal.objects.filter(pk=row.pk).update(confidence=10, owner=cast.rep)
    with happening_at(dt.datetime.combine(row.due_on, dt.time(9), dt.UTC)):
        Renewal.objects.filter(pk=row.pk).update(final_amount=row.final_amount, confidence=99, **outcome)
    found = replay()
    words = [origin.seen["rep"].p[origin.is_worded].tolist() for origin in found.origins]
    assert words[:3] == [[0.8], [0.1], [0.1]]
    money = [origin.seen["rep"].forecast[origin.is_worded].tolist() for origin in found.origins]
    assert money[:2] == [[pytest.approx(8_800)], [pytest.approx(1_100)]]
    owners = [origin.owner[origin.is_worded].tolist() for origin in found.origins[:2]]
    assert owners == [[cast.team_mate.pk], [cast.rep.pk]]


def test_a_period_that_is_not_over_is_left_out(decided: list[Renewal]) -> None:
    row = next(one for one in decided if one.due_on >= period().starts_on)
    Renewal.objects.filter(pk=row.pk).update(
        outcome="open", ordered_on=None, declined_on=None, final_amount=None, due_on=period().ends_on
    )
    rules, company = rules_of_replay(load_rules(None)), get_company()
    still = read_reporting(as_of=period().ends_on + dt.timedelta(days=3))
    assert replay_period(period(), rules, still, company) is None
    assert replay_period(period(), rules, read_reporting(as_of=AS_OF), company) is not None


def test_last_years_rate_is_that_of_the_same_quarter_as_known_then(decided: list[Renewal]) -> None:
    report, quarter = read_reporting(as_of=AS_OF), Period("quarter", dt.date(2026, 4, 1))
    before = [row for row in decided if dt.date(2025, 4, 1) <= row.due_on <= dt.date(2025, 6, 30)]
    share = sum(row.outcome == "renewed" for row in before) / len(before)
    assert last_years_rates(quarter, dt.date(2026, 4, 1), report) == (share, share)
    assert last_years_rates(quarter, dt.date(2025, 3, 1), report) == (0.0, 0.0)
    assert last_years_rates(Period("quarter", dt.date(2020, 4, 1)), AS_OF, report) == (1.0, 1.0)
