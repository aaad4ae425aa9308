"""The capacity page over a small book whose sums can be done by hand, and who is told what."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal

import numpy as np
import pytest

from accounts.models import User
from dashboards.capacity.engine import Advice, judge
from dashboards.capacity.reads import RENEWALS, WhatIf, hours_by, read_book, weeks_from
from dashboards.capacity.services import add_absence, add_holiday, plan_customers, save_terms
from dashboards.models import Absence, CapacityTerms, Holiday, PlannedCustomers, RenewalHours
from dashboards.rollups.services import bring_up_to_date
from engagement.models import Task
from renewals.models import Renewal, Stage
from tests.cast import Cast, make_renewal
from tests.forecasting.forecast_book import AS_OF, recompute
from tests.pages import read_page

PAGE = "/dashboards/capacity/"
MONDAYS = weeks_from(AS_OF)
DAY = dt.timedelta(days=1)
STATEMENTS = 16


def book_of(user: User, what_if: WhatIf | None = None):  # type: ignore[no-untyped-def]
    team = None if user.sees_all else user.team
    return read_book(user, AS_OF, team=team, owner=None, what_if=what_if or WhatIf())


def due_in(week: int, **fields: object) -> Renewal:
    return make_renewal(due_on=MONDAYS[week] + DAY, **fields)


@pytest.fixture
def without_support(db: None) -> None:
    CapacityTerms.objects.create(pk=1, support_hours=0)


def load_of_person(cast: Cast, user: User, what_if: WhatIf | None = None) -> list[float]:
    book = book_of(cast.admin, what_if)
    at = book.index_of(user.pk)
    return [round(float(one), 4) for one in book.load[at][:10]]


def test_the_weeks_begin_with_the_running_one_and_on_a_weekend_with_the_next() -> None:
    assert weeks_from(dt.date(2026, 11, 20))[0] == dt.date(2026, 11, 16)
    assert weeks_from(dt.date(2026, 11, 22))[:2] == [dt.date(2026, 11, 23), dt.date(2026, 11, 30)]


def test_a_renewal_falls_evenly_on_the_weeks_before_it_is_due(cast: Cast, without_support: None) -> None:
    due_in(8, owner=cast.rep)
    due_in(1, owner=cast.rep)
    make_renewal(due_on=AS_OF - 30 * DAY, owner=cast.team_mate)
    assert load_of_person(cast, cast.rep) == [8, 10, 2, 2, 2, 2, 2, 2, 2, 0]
    assert load_of_person(cast, cast.team_mate) == [2] * 8 + [0, 0]


def test_hours_are_looked_up_from_the_closest_on() -> None:
    table = {(None, None): Decimal(16), (1, None): Decimal(9), (None, 7): Decimal(3), (1, 8): Decimal(1)}
    hours = hours_by(table)
    assert [hours(1, 8), hours(1, 7), hours(2, 7), hours(2, 8), hours(None, None)] == [1, 9, 3, 16, 16]


def test_hours_by_stage_count_in_the_load(cast: Cast, without_support: None) -> None:
    one = due_in(0, owner=cast.rep)
    RenewalHours.objects.create(stage=one.stage, hours=5)
    assert load_of_person(cast, cast.rep)[:2] == [5, 0]
    assert load_of_person(cast, cast.rep, WhatIf(renewal_hours=Decimal(7)))[:2] == [7, 0]


def test_tasks_support_and_new_customers_bring_their_hours(cast: Cast) -> None:
    one = due_in(0, owner=cast.rep)
    Task.objects.create(
        account=one.account, title="Call", owner=cast.rep, due_on=MONDAYS[1], estimated_minutes=90, kind="manual"
    )
    CapacityTerms.objects.create(pk=1, support_hours=Decimal("0.5"), onboarding_hours=12, onboarding_weeks=2)
    month_on = (AS_OF + 60 * DAY).replace(day=1)
    reps = User.objects.filter(role="rep", is_active=True).count()
    PlannedCustomers.objects.create(month_on=month_on, sales_count=reps, marketing_count=reps)
    week = (month_on - MONDAYS[0]).days // 7
    own = one.account.owner_id == cast.rep.pk
    base = 0.5 if own else 0.0
    book = book_of(cast.admin)
    load = [round(float(one), 4) for one in book.load[book.index_of(cast.rep.pk)]]
    assert load[0] == 16 + base
    assert load[1] == 1.5 + base
    assert load[week : week + 3] == [12 + base, 12 + base, 1 + base]


def test_absences_and_holidays_take_hours_away(cast: Cast) -> None:
    add_holiday(by=cast.admin, on=MONDAYS[1], name="Founders")
    add_absence(by=cast.rep, person=cast.rep, first_on=MONDAYS[1], last_on=MONDAYS[2] - DAY)
    book = book_of(cast.admin)
    at, other = book.index_of(cast.rep.pk), book.index_of(cast.team_mate.pk)
    assert np.allclose(book.capacity[at][:3], [25.5, 0, 25.5])
    assert np.allclose(book.capacity[other][:3], [25.5, 20.4, 25.5])


def test_the_book_is_aggregated_by_the_same_statements_however_large(
    cast: Cast, without_support: None, django_assert_num_queries: object
) -> None:
    due_in(3, owner=cast.rep)
    book_of(cast.admin)
    with django_assert_num_queries(STATEMENTS):  # type: ignore[operator]
        book_of(cast.admin)
    for week in range(12):
        due_in(week, owner=cast.team_mate)
    book_of(cast.admin)
    with django_assert_num_queries(STATEMENTS):  # type: ignore[operator]
        book = book_of(cast.admin)
    counted = sum(line.count for line in book.lines if line.kind == RENEWALS)
    assert counted == Renewal.objects.open().count() == 13


def test_more_people_end_a_shortage(cast: Cast, without_support: None) -> None:
    for _ in range(30):
        due_in(7, owner=cast.rep)
    reps = len(book_of(cast.admin).people)
    hours = 30 * 16 / 8
    short = judge(book_of(cast.admin).load, np.minimum(book_of(cast.admin).capacity, 25.5 / reps), 25.5)
    assert (short.advice, short.first, short.last) == (Advice.HIRE, 0, 7)
    assert short.short_hours == pytest.approx(8 * (hours - 25.5))
    assert short.people_count == 2
    more = book_of(cast.admin, WhatIf(people_count=2))
    assert [one.name for one in more.people][reps : reps + 2] == ["New person 1", "New person 2"]


# --- the page


def texts(cast: Cast, who: str, address: str = PAGE, status: int = 200) -> str:
    return read_page(cast, who, address, status=status)


def add_up() -> None:
    recompute()
    bring_up_to_date()


def test_before_the_first_run_there_are_no_figures_yet(cast: Cast) -> None:
    assert "No figures yet" in texts(cast, "admin")


def test_an_empty_book_waits(cast: Cast) -> None:
    add_up()
    text = texts(cast, "admin")
    assert "Wait: within 26 weeks nobody has more work than hours." in text
    assert "331.5 h" in text
    assert ">20.7<" in text


def test_what_has_no_owner_is_no_work_to_move(cast: Cast, without_support: None) -> None:
    due_in(7, owner=None)
    add_up()
    text = texts(cast, "admin")
    assert "Rebalance from the week of" in text
    assert "Nobody has more work than hours. What has no owner is to be given to somebody first." in text


def test_moves_are_named_and_lead_to_their_rows(cast: Cast, without_support: None) -> None:
    for _ in range(20):
        due_in(7, owner=cast.rep)
    add_up()
    text = texts(cast, "manager")
    assert "Rebalance from the week of" in text
    assert f"{cast.rep.name} → {cast.team_mate.name}" in text
    assert f"outcome=open&amp;owner={cast.rep.pk}" in text
    assert "nothing is changed by this page" in text


def test_a_shortage_that_is_over_before_a_hire_helps_is_told_as_such(cast: Cast) -> None:
    for _ in range(100):
        due_in(7, owner=cast.rep)
    add_up()
    text = texts(cast, "admin")
    assert "Rebalance from the week of" in text
    assert "too soon to hire for: somebody new takes 12 weeks to be productive." in text


def test_a_rep_sees_own_and_the_average_of_the_team(cast: Cast, without_support: None) -> None:
    due_in(7, owner=cast.team_mate)
    add_up()
    text = texts(cast, "rep")
    assert "Team average" in text
    assert cast.team_mate.name not in text
    assert "Moves that lower the peak" not in text
    texts(cast, "rep", f"{PAGE}?owner={cast.team_mate.pk}", 404)
    book = book_of(cast.admin)
    texts(cast, "rep", f"{PAGE}sum/?week={MONDAYS[0]}&person={book.index_of(cast.team_mate.pk)}", 404)


def test_who_sees_nothing_reads_that_there_is_nothing(cast: Cast) -> None:
    due_in(7, owner=cast.rep)
    User.objects.filter(pk=cast.viewer.pk).update(team=None)
    add_up()
    text = texts(cast, "viewer")
    assert "Nobody who works renewals is in this choice of filters" in text
    assert cast.rep.name not in text


def test_the_sum_of_a_week_adds_up(cast: Cast, without_support: None) -> None:
    due_in(8, owner=cast.rep)
    due_in(1, owner=cast.team_mate)
    add_up()
    text = texts(cast, "admin", f"{PAGE}sum/?week={MONDAYS[1]}")
    assert "10.0 hours of work" in text
    assert re.findall(r'<td class="num">([\d.]+)</td></tr>', text)[:3] == ["10.0", "8.00", "2.00"]
    texts(cast, "admin", f"{PAGE}sum/?week=2001-01-01", 404)
    texts(cast, "admin", f"{PAGE}sum/?week={MONDAYS[1]}&person=99", 404)


def test_what_is_typed_wrong_is_said(cast: Cast) -> None:
    add_up()
    assert "Ensure this value is less than or equal to 100" in texts(cast, "admin", f"{PAGE}?utilisation=400", 422)


def test_a_what_if_says_that_it_is_one(cast: Cast) -> None:
    add_up()
    text = texts(cast, "admin", f"{PAGE}?utilisation=50&people=1&hours=10")
    assert "These figures are a what-if" in text
    assert "221.0 h" in text
    assert ">22.1<" in text
    assert "New person 1" in text


def test_a_workbook_has_a_sheet_for_each_tile(cast: Cast) -> None:
    add_up()
    response = cast.client_of("admin").get(f"{PAGE}?format=xlsx")
    assert (response.status_code, response.content[:2]) == (200, b"PK")


# --- what is set


def test_terms_are_kept_with_their_history(cast: Cast) -> None:
    stage = Stage.objects.create(name="Talking", position=77)
    terms = {"week_hours": Decimal(38)}
    save_terms(by=cast.admin, terms=terms, hours={(None, None): Decimal(12), (None, stage.pk): Decimal(4)})
    save_terms(by=cast.admin, terms=terms, hours={(None, None): Decimal(11), (None, stage.pk): None})
    assert CapacityTerms.objects.get().week_hours == 38
    assert [(one.segment, one.stage, one.hours) for one in RenewalHours.objects.all()] == [(None, None, 11)]
    events = RenewalHours._meta.get_field("events").related_model.objects.order_by("pgh_id")
    assert [event.pgh_label for event in events] == ["after_insert", "after_insert", "before_update", "before_delete"]


def test_an_absence_that_ends_before_it_begins_is_refused(cast: Cast) -> None:
    data = {"person": cast.rep.pk, "first_on": "2027-03-09", "last_on": "2027-03-08", "note": ""}
    response = cast.client_of("rep").post(f"{PAGE}absences/", data)
    assert response.status_code == 422
    assert "An absence from 09 Mar 2027 does not end on 08 Mar 2027." in response.content.decode()
    assert not Absence.objects.exists()


def test_a_rep_keeps_own_absences_alone(cast: Cast) -> None:
    data = {"person": cast.team_mate.pk, "first_on": "2027-03-08", "last_on": "2027-03-09", "note": ""}
    assert cast.client_of("rep").post(f"{PAGE}absences/", data).status_code == 422
    mine = add_absence(by=cast.team_mate, person=cast.team_mate, first_on=MONDAYS[0], last_on=MONDAYS[0])
    assert cast.client_of("rep").post(f"{PAGE}absences/{mine.pk}/remove/").status_code == 404
    assert cast.client_of("manager").post(f"{PAGE}absences/{mine.pk}/remove/").status_code == 302
    assert not Absence.objects.exists()


def test_a_holiday_is_there_once(cast: Cast) -> None:
    client = cast.client_of("admin")
    data = {"on": "2027-05-01", "name": "May Day"}
    assert [client.post(f"{PAGE}holidays/", data).status_code for _ in range(2)] == [302, 422]
    assert Holiday.objects.count() == 1


def test_a_plan_of_nothing_is_no_plan(cast: Cast) -> None:
    month_on = dt.date(2027, 2, 1)
    plan_customers(by=cast.admin, month_on=month_on, sales_count=4, marketing_count=3)
    assert PlannedCustomers.objects.get().count == 7
    plan_customers(by=cast.admin, month_on=month_on, sales_count=0, marketing_count=0)
    assert not PlannedCustomers.objects.exists()
    bad = cast.client_of("admin").post(
        f"{PAGE}customers/", {"month": "9999-02", "sales_count": "1", "marketing_count": "1"}
    )
    assert bad.status_code == 422
