"""Every figure of the dashboards against the oracle, and its explanation against the figure."""

from __future__ import annotations

import datetime as dt
import itertools
from decimal import Decimal
from fractions import Fraction

import pytest
from django.http import HttpRequest, QueryDict

from accounts.models import Company, Segment, User
from dashboards.explain.rows import explain
from dashboards.figures import FIGURES, Attribution
from dashboards.frame import Frame, PeriodTotal, read_frame
from dashboards.retention.effects import effects_of
from dashboards.rollups import AGES, DELAYS
from dashboards.rollups.reading import Total
from dashboards.rollups.services import bring_up_to_date
from dashboards.tiles import Kind
from dashboards.timing.page import curve_of
from tests.cast import Cast, make_renewal
from tests.dashboards import oracle
from tests.dashboards.books import draw_book
from tests.dashboards.oracle import Fact, Span
from tests.forecasting.forecast_book import AS_OF, recompute, renewed

MILLION = 1_000_000


def frame_of(user: User, **query: str) -> Frame:
    request = HttpRequest()
    request.GET = QueryDict(mutable=True)
    request.GET.update(query)
    request.user = user
    return read_frame(request, "dashboards:retention")


def period(frame: Frame, starts_on: dt.date) -> PeriodTotal:
    return next(one for one in frame.totals() if one.starts_on == starts_on)


def own_facts(frame: Frame) -> list[Fact]:
    scope = frame.scope
    return [
        fact
        for fact in oracle.read_facts(AS_OF)
        if (scope.owner is None or fact.owner == scope.owner.pk)
        and (scope.team is None or scope.owner is not None or fact.team == scope.team.pk)
        and (scope.segment is None or fact.segment == scope.segment.pk)
    ]


def as_fraction(number: Decimal | int | None) -> Fraction | None:
    return None if number is None else Fraction(number)


@pytest.mark.parametrize("by", ["month", "quarter"])
@pytest.mark.parametrize("attribution", Attribution.values)
def test_rates_are_those_of_the_oracle_for_every_reader(cast: Cast, by: str, attribution: str) -> None:
    draw_book(cast, 21)
    small = Segment.objects.get(name="Small")
    for user, more in (
        (cast.admin, {}),
        (cast.rep, {}),
        (cast.rep, {"owner": str(cast.rep.pk)}),
        (cast.other_manager, {"segment": str(small.pk)}),
    ):
        frame = frame_of(user, by=by, attribution=attribution, **more)
        facts = own_facts(frame)
        for one in frame.totals():
            span = Span(one.starts_on, one.period.month_count)
            for key, expected in oracle.rates_of(facts, span, attribution).items():
                found = as_fraction(frame.value(key, one.total))
                assert (found is None) == (expected is None), key
                assert found is None or abs(found - expected) < Fraction(1, 10**20), key
            assert [as_fraction(share) for share in curve_of(one.total, AS_OF)] == pytest.approx(
                oracle.curve_of(facts, span, AS_OF, DELAYS)
            )


@pytest.mark.parametrize("by", ["month", "quarter"])
def test_an_explanation_adds_up_to_its_figure_exactly(cast: Cast, by: str) -> None:
    draw_book(cast, 22)
    for user in (cast.admin, cast.manager):
        for attribution in Attribution.values:
            frame = frame_of(user, by=by, attribution=attribution)
            report = frame.report
            for one in frame.totals()[-4:]:
                for key, figure in FIGURES.items():
                    found = explain(figure, frame.scope, one.period, attribution=attribution, report=report)
                    assert found.value == frame.value(key, one.total), key
                    for column, amounts in found.amounts.items():
                        assert int(amounts.sum()) == found.sums[column] == one.total.sums[column], column


def test_ageing_is_that_of_the_oracle(cast: Cast) -> None:
    draw_book(cast, 23, count=80)
    frame = frame_of(cast.admin, by="month")
    ages = oracle.ages_of(own_facts(frame), AS_OF)
    ends = (0, *AGES, 10**6)
    expected = [
        sum(cents for age, cents in ages.items() if low < age <= high) for low, high in itertools.pairwise(ends)
    ]
    assert sum(expected) > 0
    assert Total.of(frame.cells).classes["age_cents"] == expected


def test_rate_and_mix_effects_add_up_to_the_change(cast: Cast) -> None:
    draw_book(cast, 24, count=80)
    frame = frame_of(cast.admin)
    totals = frame.totals()
    seen = 0
    for before, now in itertools.pairwise(totals):
        found = effects_of(frame, before, now)
        if not found:
            continue
        seen += 1
        change = Fraction(FIGURES["final"].value(now.total.sums, "due_period", "quarter") or 0)
        change -= Fraction(FIGURES["final"].value(before.total.sums, "due_period", "quarter") or 0)
        effects = sum(Fraction(one.rate_effect + one.mix_effect) for one in found)
        assert abs(change - effects) < Fraction(1, 10**15)
        assert abs(sum(one.weight for one in found) - 1) < Decimal("1e-20")
    assert seen >= 3


def test_as_at_now_is_what_is_stored(cast: Cast) -> None:
    draw_book(cast, 25)
    stored, past = frame_of(cast.manager), frame_of(cast.manager, as_at=f"{Company.objects.get().today()}")
    assert past.past is not None
    # The same day by the company's calendar, or the classes of open ones may differ.
    if past.as_of == stored.as_of:
        for ours, theirs in zip(stored.totals(), past.totals(), strict=True):
            assert ours.total.sums == theirs.total.sums


# The published cases of docs/domain.md section 4.4.


def test_what_is_booked_in_a_quarter_is_not_its_in_period_rate(cast: Cast) -> None:
    """100 M due, 90 M booked in the quarter, of which 5 M due in the next and 3 M in the one before: 82 %."""
    for due_on, baseline, ordered_on in (
        (dt.date(2026, 8, 15), 82, dt.date(2026, 8, 10)),
        (dt.date(2026, 9, 30), 18, None),
        (dt.date(2026, 10, 1), 5, dt.date(2026, 9, 20)),
        (dt.date(2026, 6, 30), 3, dt.date(2026, 7, 1)),
    ):
        amount = baseline * MILLION
        outcome = renewed(amount, ordered_on) if ordered_on else {}
        make_renewal(owner=cast.rep, due_on=due_on, baseline_amount=Decimal(amount), **outcome)
    recompute()
    bring_up_to_date()
    quarter = dt.date(2026, 7, 1)
    frame = frame_of(cast.admin)
    assert frame.value("in_period", period(frame, quarter).total) == Decimal("0.82")
    assert frame.value("due", period(frame, quarter).total) == 100 * MILLION
    booked = frame_of(cast.admin, attribution="order_period")
    one = period(booked, quarter)
    assert booked.value("gross", one.total) == Decimal("0.9")
    assert booked.value("ordered_ahead", one.total) == 5 * MILLION
    assert booked.value("ordered_overdue", one.total) == 3 * MILLION


def test_hybrid_shows_a_late_order_as_loss_and_windfall(cast: Cast) -> None:
    """Two of 100, due in January and in February, both ordered in February."""
    for due_on in (dt.date(2026, 1, 31), dt.date(2026, 2, 15)):
        make_renewal(owner=cast.rep, due_on=due_on, baseline_amount=Decimal(100), **renewed(100, dt.date(2026, 2, 10)))
    recompute()
    bring_up_to_date()
    january, february = dt.date(2026, 1, 1), dt.date(2026, 2, 1)
    hybrid = frame_of(cast.admin, by="month", attribution="hybrid")
    found = [hybrid.value("gross", period(hybrid, month).total) for month in (january, february)]
    assert found == [Decimal(0), Decimal(2)]
    quarter = frame_of(cast.admin, attribution="hybrid")
    assert quarter.value("gross", period(quarter, january).total) == 1
    due = frame_of(cast.admin, by="month", attribution="due_period")
    assert [due.value("gross", period(due, month).total) for month in (january, february)] == [1, 1]


def test_upsell_is_in_net_and_not_in_gross(cast: Cast) -> None:
    """1 M due, 850 K renewed, 200 K upsold in the cohort: gross 85 %, net 105 %."""
    due_on = dt.date(2026, 9, 30)
    for baseline, final in ((850_000, 1_050_000), (150_000, 0)):
        outcome = renewed(final, due_on) if final else {"outcome": "lost", "final_amount": 0}
        make_renewal(owner=cast.rep, due_on=due_on, baseline_amount=Decimal(baseline), **outcome)
    recompute()
    bring_up_to_date()
    frame = frame_of(cast.admin)
    one = period(frame, dt.date(2026, 7, 1))
    assert [frame.value(key, one.total) for key in ("gross", "net")] == [Decimal("0.85"), Decimal("1.05")]
    product = [frame.value(key, one.total) for key in ("resolution", "close", "conversion")]
    assert round(product[0] * product[1] * product[2], 20) == Decimal("1.05")
    assert FIGURES["gross"].kind == Kind.RATE
