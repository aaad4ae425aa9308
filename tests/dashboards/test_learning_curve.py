"""Wright's law: found where it is, and silent where the data does not say so."""

from __future__ import annotations

import datetime as dt
import math

import pytest
from django.utils import timezone

from accounts.models import User
from dashboards.learning_curve.engine import LEVEL, Counted, Curve, Month, fit_curve, months_of
from dashboards.learning_curve.reads import months_by, read_done
from dashboards.rollups.services import bring_up_to_date
from engagement.models import Task
from forecasting.scopes.scope import Scope
from tests.cast import Cast, make_renewal
from tests.forecasting.forecast_book import AS_OF, recompute, renewed
from tests.pages import read_page


def test_months_stand_at_the_middle_of_what_they_add() -> None:
    counted = [Counted(3, 30.0, 7, 5), Counted(0, 0.0), Counted(2, 10.0, 2, 0)]
    assert months_of(counted) == [Month(2.0, 3, 10.0, 7, 5), Month(4.5, 2, 5.0, 2, 0)]
    assert months_of([]) == []


def test_an_eighty_per_cent_curve_is_found_again() -> None:
    """Wright's own: each doubling takes 80 % of the hours, so that b = log2 0.8 = -0.3219."""
    exponent = math.log2(0.8)
    curve = fit_curve([Month(n, 10, 100 * n**exponent) for n in (1, 2, 4, 8, 16, 32)])
    assert curve.refusal == ""
    assert curve.exponent == pytest.approx(exponent)
    assert curve.first_hours == pytest.approx(100)
    assert curve.learning_rate == pytest.approx(0.2)
    assert curve.learning_rates == pytest.approx((0.2, 0.2))
    assert curve.hours(64) == pytest.approx(100 * 0.8**6)


def test_savings_are_the_sum_of_what_each_of_the_next_costs_less() -> None:
    curve = Curve(40, 100.0, math.log2(0.8), -0.4, -0.3)
    assert curve.saved_hours(8, 2) == pytest.approx(2 * curve.hours(8) - curve.hours(9) - curve.hours(10))
    assert curve.saved_hours(8, 0) == 0
    assert curve.saved_hours(0, 5) == 0


def test_too_few_renewals_are_no_finding() -> None:
    assert fit_curve([Month(n, 6, 10.0 / n) for n in (1, 2, 4)]).refusal.startswith("18 renewals")
    assert fit_curve([Month(n, 30, 10.0 / n) for n in (1, 2)]).refusal.startswith("2 months")
    assert fit_curve([]).refusal.startswith("0 renewals")


def test_an_interval_with_nothing_in_it_is_no_finding() -> None:
    noisy = fit_curve([Month(n, 10, hours) for n, hours in ((1, 8.0), (2, 12.0), (4, 7.0), (8, 11.0))])
    assert "includes 0" in noisy.refusal
    assert noisy.low < 0 < noisy.high


def test_the_same_minutes_for_all_show_no_learning() -> None:
    level = fit_curve([Month(n, 10, 8.0, 20, 20) for n in (1, 2, 4, 8)])
    assert (level.refusal, level.is_blank) == (LEVEL, True)


@pytest.mark.parametrize(("recorded", "is_blank"), [(0, True), (9, True), (10, False)])
def test_estimates_show_no_learning(recorded: int, is_blank: bool) -> None:
    """Half of the tasks at least, in all months together."""
    months = [
        Month(n, 10, 100 * n**-0.3, 5, recorded // 4 + (place < recorded % 4)) for place, n in enumerate((1, 2, 4, 8))
    ]
    curve = fit_curve(months)
    assert curve.is_blank is is_blank
    if is_blank:
        assert curve.refusal.startswith(f"Of 20 tasks {recorded} have recorded minutes, and estimates show no learning")


def test_the_interval_is_that_of_students_t() -> None:
    """Of ln-ln points (0, 2), (1, 1), (2, 1), weighted alike: b = -0.5, s.e. = sqrt(1/12), t(1) = 12.706."""
    curve = fit_curve([Month(math.exp(x), 10, math.exp(y)) for x, y in ((0, 2.0), (1, 1.0), (2, 1.0))])
    assert curve.exponent == pytest.approx(-0.5)
    assert curve.high - curve.exponent == pytest.approx(12.7062 * math.sqrt(1 / 12), rel=1e-4)
    assert "includes 0" in curve.refusal


# --- the page


def work(
    cast: Cast, months_back: int, minutes: int, count: int, owner: User | None = None, estimated: int | None = None
) -> None:
    """`count` renewals ordered in a month, each with one task done that took so many minutes; where it was `estimated`
    at some, nobody recorded them."""
    ordered_on = AS_OF.replace(day=1) - dt.timedelta(days=30 * months_back)
    for _ in range(count):
        one = make_renewal(owner=owner or cast.rep, due_on=ordered_on, **renewed(12_000, ordered_on))
        fields = {"owner": one.owner, "due_on": ordered_on, "done_at": timezone.now()}
        spent = None if estimated else minutes
        Task.objects.create(
            account=one.account,
            renewal=one,
            title="Work",
            estimated_minutes=estimated or 30,
            spent_minutes=spent,
            **fields,
        )


def text_of_page(cast: Cast, who: str, query: str = "", status: int = 200) -> str:
    recompute()
    bring_up_to_date()
    return read_page(cast, who, f"/dashboards/learning-curve/{query}", status=status)


def test_a_book_without_work_says_so(cast: Cast) -> None:
    make_renewal(owner=cast.rep)
    assert "No work is recorded on renewed renewals" in text_of_page(cast, "admin")


def test_too_few_are_said_to_be_too_few(cast: Cast) -> None:
    work(cast, 3, 60, 4)
    assert "No finding: 4 renewals with recorded work are too few" in text_of_page(cast, "admin")


def test_a_finding_is_shown_with_its_interval_and_savings(cast: Cast) -> None:
    for back, minutes in ((24, 600), (18, 380), (12, 300), (6, 240)):
        work(cast, back, minutes, 6)
    months = months_by(read_done(cast.admin, Scope("quarter"), AS_OF), lambda _: "all")["all"]
    assert [(one.cumulative, one.count) for one in months] == [(3.5, 6), (9.5, 6), (15.5, 6), (21.5, 6)]
    assert [one.hours for one in months] == pytest.approx([10, 380 / 60, 5, 4])
    text = text_of_page(cast, "admin")
    assert "Each time the number of renewals doubles, one takes" in text
    assert "fewer hours" in text
    assert "24 renewals" in text


def test_recorded_minutes_count_and_the_others_by_their_estimate(cast: Cast) -> None:
    for back, minutes in ((24, 600), (18, 380), (12, 300), (6, 240)):
        work(cast, back, minutes, 5)
    work(cast, 6, 0, 3, estimated=90)
    months = months_by(read_done(cast.admin, Scope("quarter"), AS_OF), lambda _: "all")["all"]
    assert [(one.tasks, one.recorded) for one in months] == [(5, 5), (5, 5), (5, 5), (8, 5)]
    assert months[-1].hours == pytest.approx((5 * 240 + 3 * 90) / 60 / 8)
    assert "20 of 23 tasks with recorded minutes; the others by their estimate." in text_of_page(cast, "admin")


def test_estimates_are_no_curve(cast: Cast) -> None:
    for back in (24, 18, 12, 6):
        work(cast, back, 0, 6, estimated=45)
    text = text_of_page(cast, "admin")
    assert "No finding: Of 24 tasks 0 have recorded minutes, and estimates show no learning" in text
    assert 'id="curve-figure"' not in text


def test_a_rep_sees_own_and_the_average_of_the_team(cast: Cast) -> None:
    work(cast, 3, 60, 1)
    work(cast, 3, 90, 2, owner=cast.team_mate)
    work(cast, 3, 90, 5, owner=cast.outsider)
    text = text_of_page(cast, "rep")
    assert "You: 1 renewals" in text
    assert "Team average: 3 renewals" in text
    assert cast.team_mate.name not in text
    text_of_page(cast, "rep", f"?owner={cast.team_mate.pk}", 404)
    assert "All: 8 renewals" in text_of_page(cast, "admin")
