"""The early-month review: what is due, what it should bring, and what came of the last call."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.test import RequestFactory

from accounts.models import User, get_company
from dashboards.frame import Frame, read_frame
from dashboards.models import RollUp
from dashboards.review.due import amount, read_due
from dashboards.review.said import read_said
from dashboards.rollups.services import bring_up_to_date
from forecasting.models import Snapshot
from forecasting.snapshots import freeze_snapshot
from renewals.models import Renewal, RenewalScore
from tests.cast import Cast, make_rate, make_renewal
from tests.forecasting.forecast_book import recompute
from tests.pages import assert_sensible

PAGE = "/dashboards/review/"


def today() -> dt.date:
    return get_company().today()


def add_up() -> None:
    recompute(as_of=today())
    bring_up_to_date()


def add_up_anew() -> None:
    """After scores were written as only a run writes them."""
    RollUp.objects.all().delete()
    assert bring_up_to_date()


def frame_of(user: User, query: str = "") -> Frame:
    request = RequestFactory().get(f"{PAGE}?{query}")
    request.user = user
    return read_frame(request, "dashboards:review")


def test_what_is_due_is_added_up_from_the_rows_that_a_reader_sees(cast: Cast) -> None:
    make_rate("USD", "0.5")
    soon, last = (
        make_renewal(owner=cast.rep, due_on=today() + dt.timedelta(days=days), currency=currency)
        for days, currency in ((3, "EUR"), (30, "USD"))
    )
    make_renewal(owner=cast.rep, due_on=today() + dt.timedelta(days=31))
    make_renewal(owner=cast.outsider, due_on=today() + dt.timedelta(days=3))
    make_renewal(owner=cast.rep, due_on=today() + dt.timedelta(days=3), is_excluded=True, excluded_reason="A test")
    make_renewal(owner=cast.rep, due_on=today() + dt.timedelta(days=3), currency="GBP")
    add_up()
    RenewalScore.objects.filter(renewal=soon).update(
        probability=0.75, mean_cents=1_300_000, mean_upsell_cents=80_000, mean_cross_sell_cents=20_000
    )
    RenewalScore.objects.filter(renewal=last).update(
        probability=0.5, mean_cents=1_000_000, mean_upsell_cents=0, mean_cross_sell_cents=0
    )
    add_up_anew()
    due = read_due(frame_of(cast.rep))
    assert sorted(due.ids.tolist()) == sorted([soon.pk, last.pk])
    assert amount(due.baseline) == Decimal("18000.00")
    assert amount(due.expected) == Decimal("12250.00")
    assert amount(due.grown) == Decimal("750.00")
    assert amount(due.lost) == Decimal("6000.00")
    assert Decimal(0) < amount(due.collected) <= amount(due.expected)
    assert read_due(frame_of(cast.admin)).ids.size == 3
    text = cast.client_of("rep").get(PAGE).content.decode()
    assert "12,250.00" in text
    assert "Freeze this call" not in text
    assert "Freeze this call" in cast.client_of("manager").get(PAGE).content.decode()


def test_an_empty_book_says_that_nothing_is_due(cast: Cast) -> None:
    add_up()
    text = cast.client_of("admin").get(PAGE).content.decode()
    assert "Nothing open is due" in text
    assert_sensible(text)
    assert cast.client_of("admin").get(f"{PAGE}?format=xlsx").status_code == 200


def test_the_last_call_is_compared_with_what_came_line_by_line(cast: Cast) -> None:
    due_on = today() + dt.timedelta(days=5)
    won, lost, still = (make_renewal(owner=cast.rep, due_on=due_on, confidence=80) for _ in range(3))
    other = make_renewal(owner=cast.outsider, due_on=due_on)
    make_renewal(owner=cast.rep, due_on=today() + dt.timedelta(days=40))
    add_up()
    assert read_said(cast.admin, frame_of(cast.admin).scope, today()) is None
    snapshot = freeze_snapshot(reason=Snapshot.Reason.HAND, user=cast.admin, note="Review")
    Renewal.objects.filter(pk=won.pk).update(outcome="renewed", final_amount=Decimal(13_000), ordered_on=today())
    Renewal.objects.filter(pk=lost.pk).update(outcome="lost", final_amount=0, declined_on=today())
    add_up()
    next_month = (today().replace(day=1) + dt.timedelta(days=32)).replace(day=1)
    frame = frame_of(cast.rep)
    assert read_said(cast.rep, frame.scope, today()) is None
    said = read_said(cast.rep, frame.scope, next_month)
    assert said is not None
    assert said.snapshot == snapshot
    assert {line.renewal.pk: (line.state, line.came_amount) for line in said.lines} == {
        won.pk: ("Renewed", Decimal(13_000)),
        lost.pk: ("Lost", Decimal(0)),
        still.pk: ("Still open", Decimal(0)),
    }
    assert all(line.confidence == Decimal("0.8") and line.said_amount > 0 for line in said.lines)
    whole = read_said(cast.admin, frame_of(cast.admin).scope, next_month)
    assert whole is not None
    assert {line.renewal.pk for line in whole.lines} == {won.pk, lost.pk, still.pk, other.pk}
