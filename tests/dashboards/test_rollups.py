"""Cells against the oracle: over generated books, and after edits of every kind."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterable
from decimal import Decimal

import pytest
from django.db import connection, transaction

from accounts.models import Account, Company, Segment, User, get_company
from config.history import recorded_as
from dashboards.models import Cell, LateAccount, Level, RollUp, StaleCell
from dashboards.models.cells import SUMS
from dashboards.rollups import AGES, DELAYS
from dashboards.rollups.services import bring_up_to_date, refresh_for_reader
from renewals.models import Renewal
from tests.cast import Cast, make_renewal
from tests.dashboards import oracle
from tests.dashboards.books import draw_book, draw_outcome
from tests.dashboards.oracle import Fact, Span
from tests.forecasting.forecast_book import AS_OF, recompute, renewed

# In the oracle a sum is of a period; here it is the month's, or, where a name says so, the quarter's.
GRAINED = {
    "in": "in_{grain}_cents",
    "before": "before_{grain}_cents",
    "ordered_overdue": "ordered_overdue_{grain}_cents",
    "ordered_ahead": "ordered_ahead_{grain}_cents",
}


def assert_true_to_the_book() -> None:
    """Every cell of every level is what the oracle makes of the raw rows, and there is no other."""
    facts = oracle.read_facts(AS_OF)
    fiscal_start = get_company().fiscal_year_start_month
    expected: dict[tuple[object, ...], list[Fact]] = {}
    for fact in facts:
        months = {oracle.first_of(fact.due_on)}
        if fact.is_won and fact.ordered_on:
            months |= {oracle.first_of(fact.ordered_on)}
        for month_on in months:
            for key in scopes_of(fact):
                expected.setdefault((*key, month_on), [])
    for key in expected:
        expected[key] = [fact for fact in facts if key[:4] in scopes_of(fact)]
    stored = {(c.level, c.team_id, c.owner_id, c.segment_id, c.month_on): c for c in Cell.objects.all()}
    assert set(stored) == set(expected)
    for key, cell in stored.items():
        assert_cell(cell, expected[key], fiscal_start)


def scopes_of(fact: Fact) -> list[tuple[object, ...]]:
    return [
        (Level.BOOK, None, None, fact.segment),
        (Level.TEAM, fact.team, None, fact.segment),
        (Level.OWNER, None, fact.owner, fact.segment),
    ]


def assert_cell(cell: Cell, facts: list[Fact], fiscal_start: int) -> None:
    month = oracle.sums_of(facts, Span(cell.month_on, 1), AS_OF)
    quarter = Span(oracle.quarter_of(cell.month_on, fiscal_start), 3)
    for name in SUMS:
        if name.endswith("_accounts") or "_month_" in name or "_quarter_" in name:
            continue
        assert getattr(cell, name) == month.get(name, 0), name
    for name, column in GRAINED.items():
        assert getattr(cell, column.format(grain="month")) == month.get(f"{name}_cents", 0), name
    cohort = [fact for fact in facts if Span(cell.month_on, 1).holds(fact.due_on)]
    late_in_quarter = [fact.kept for fact in cohort if fact.is_won and not quarter.is_after(fact.ordered_on)]
    assert cell.in_quarter_cents == sum(late_in_quarter)
    assert cell.before_quarter_cents == sum(f.kept for f in cohort if f.is_won and quarter.is_before(f.ordered_on))
    for prefix in ("", "renewed_", "ordered_", "hybrid_"):
        assert getattr(cell, f"{prefix}month_accounts") == month.get(f"{prefix}accounts", 0), prefix
    assert cell.last_due_on == max((fact.due_on for fact in cohort), default=None)
    assert_classes(cell, cohort)


def assert_classes(cell: Cell, cohort: list[Fact]) -> None:
    delays = [((f.ordered_on - f.due_on).days, f.kept) for f in cohort if f.is_won and f.ordered_on]
    ages = [((AS_OF - f.due_on).days, f.baseline) for f in cohort if f.timing in oracle.LABELS[:3] and f.due_on < AS_OF]
    for ends, rows, counts, cents in (
        (DELAYS, delays, cell.delay_counts, cell.delay_kept_cents),
        (AGES, ages, cell.age_counts, cell.age_cents),
    ):
        for at, (low, high) in enumerate(zip((-(10**6), *ends), (*ends, 10**6), strict=True)):
            inside = [amount for day, amount in rows if low < day <= high]
            assert (counts[at], cents[at]) == (len(inside), sum(inside))


def assert_quarters_count_accounts_once() -> None:
    """Over the months of a quarter the accounts of each level add up to distinct ones."""
    facts, fiscal_start = oracle.read_facts(AS_OF), get_company().fiscal_year_start_month
    starts = {oracle.quarter_of(cell.month_on, fiscal_start) for cell in Cell.objects.all()}
    scopes = {scope for fact in facts for scope in scopes_of(fact)}
    for start in starts:
        for level, team, owner, segment in scopes:
            cells = Cell.objects.filter(
                level=level,
                team=team,
                owner=owner,
                segment=segment,
                month_on__gte=start,
                month_on__lt=oracle.after(start, 3),
            )
            own = [fact for fact in facts if (level, team, owner, segment) in scopes_of(fact)]
            sums = oracle.sums_of(own, Span(start, 3), AS_OF)
            for prefix in ("", "renewed_", "ordered_", "hybrid_"):
                added = sum(getattr(cell, f"{prefix}quarter_accounts") for cell in cells)
                assert added == sums.get(f"{prefix}accounts", 0), (prefix, level, start)
            for name in ("ordered_overdue", "ordered_ahead"):
                added = sum(getattr(cell, f"{name}_quarter_cents") for cell in cells)
                assert added == sums.get(f"{name}_cents", 0), (name, level, start)


def assert_habits_are_true() -> None:
    facts = oracle.read_facts(AS_OF)
    scopes: list[tuple[int, int | None, int | None, list[Fact]]] = [(Level.BOOK, None, None, facts)]
    scopes += [(Level.TEAM, t, None, [f for f in facts if f.team == t]) for t in {f.team for f in facts}]
    scopes += [(Level.OWNER, None, o, [f for f in facts if f.owner == o]) for o in {f.owner for f in facts}]
    for level, team, owner, own in scopes:
        rows = LateAccount.objects.filter(level=level, team=team, owner=owner)
        names = ("ordered_count", "late_count", "late_cents", "late_days")
        stored = {row[0]: row[1:] for row in rows.values_list("account_id", *names)}
        assert stored == oracle.habits_of(own, AS_OF)


@pytest.mark.parametrize("seed", range(5))
def test_cells_are_the_raw_rows_added_up(cast: Cast, seed: int) -> None:
    draw_book(cast, seed)
    assert_true_to_the_book()
    assert_quarters_count_accounts_once()
    assert_habits_are_true()


def edit_by_sql(rng: random.Random, cast: Cast, ids: list[int]) -> None:
    """As a service writes it: the row, and its score with the count of edits."""
    pk = rng.choice(ids)
    renewal = Renewal.objects.get(pk=pk)
    what = rng.choice(["owner", "due", "baseline", "outcome", "exclude", "currency"])
    fields: dict[str, object] = {}
    if what == "owner":
        fields["owner"] = rng.choice([cast.rep, cast.team_mate, cast.outsider, None])
    elif what == "due":
        fields["due_on"] = renewal.due_on + dt.timedelta(days=rng.randint(-200, 200))
    elif what == "baseline":
        fields["baseline_amount"] = Decimal(rng.randint(1, 10_000_000)) / 100
    elif what == "exclude":
        fields |= {"is_excluded": not renewal.is_excluded, "excluded_reason": "why"}
    elif what == "currency":
        fields["currency"] = rng.choice(["EUR", "USD", "GBP"])
    else:
        blank = {"outcome": "open", "ordered_on": None, "declined_on": None, "final_amount": None}
        fields |= {**blank, "cross_sell_amount": 0, **draw_outcome(rng, renewal.due_on, renewal.baseline_amount)}
    from forecasting import services

    with transaction.atomic():
        Renewal.objects.filter(pk=pk).update(**fields)
        services.score_renewals(renewal_ids=[pk], as_of=AS_OF)


@pytest.mark.parametrize("seed", range(4))
def test_cells_stay_true_after_random_edits(cast: Cast, seed: int) -> None:
    ids = [renewal.pk for renewal in draw_book(cast, seed, count=40)]
    rng = random.Random(1000 + seed)
    for _ in range(4):
        for _ in range(rng.randint(1, 4)):
            edit_by_sql(rng, cast, ids)
        bring_up_to_date()
        assert not StaleCell.objects.exists()
        assert_true_to_the_book()
    assert_quarters_count_accounts_once()
    assert_habits_are_true()


def test_a_segment_that_changes_takes_its_rows_along(cast: Cast) -> None:
    draw_book(cast, 11)
    account = Account.objects.filter(renewals__isnull=False).first()
    assert account is not None
    Account.objects.filter(pk=account.pk).update(segment=Segment.objects.create(name="New one"))
    bring_up_to_date()
    assert_true_to_the_book()


def test_a_team_that_changes_takes_its_members_rows_along(cast: Cast) -> None:
    draw_book(cast, 12)
    User.objects.filter(pk=cast.rep.pk).update(team=cast.outsider.team)
    assert not refresh_for_reader()  # everything is to be added up: no page waits for that
    bring_up_to_date()
    assert refresh_for_reader()
    assert_true_to_the_book()


def test_a_deleted_row_is_taken_off(cast: Cast) -> None:
    made = draw_book(cast, 13)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM renewals_renewalscore WHERE renewal_id = %s", [made[0].pk])
        cursor.execute("DELETE FROM renewals_renewal WHERE id = %s", [made[0].pk])
    bring_up_to_date()
    assert_true_to_the_book()


def test_an_update_of_many_rows_and_its_return_leave_cells_as_they_were(cast: Cast) -> None:
    renewal = make_renewal(owner=cast.rep, due_on=dt.date(2026, 9, 30), baseline_amount=Decimal(100))
    make_renewal(owner=cast.rep, due_on=dt.date(2026, 8, 30), baseline_amount=Decimal(50))
    recompute()
    bring_up_to_date()
    before = list(Cell.objects.order_by("month_on", "level").values_list("due_cents", "row_hash"))
    with recorded_as(user_id=cast.admin.pk, how="cell"):
        Renewal.objects.update(baseline_amount=Decimal(700))
    bring_up_to_date()
    assert_true_to_the_book()
    assert {cell.due_cents for cell in Cell.objects.all()} == {70_000}
    Renewal.objects.filter(pk=renewal.pk).update(baseline_amount=Decimal(100))
    Renewal.objects.exclude(pk=renewal.pk).update(baseline_amount=Decimal(50))
    bring_up_to_date()
    assert list(Cell.objects.order_by("month_on", "level").values_list("due_cents", "row_hash")) == before


def test_what_no_cell_is_made_of_marks_nothing(cast: Cast) -> None:
    draw_book(cast, 14)
    Renewal.objects.update(next_step="Call them", confidence=50, forecast_amount=Decimal(5))
    Account.objects.update(name="Renamed")
    User.objects.filter(pk=cast.rep.pk).update(name="Renamed")
    assert not StaleCell.objects.exists()


def test_a_second_roll_up_writes_nothing(cast: Cast) -> None:
    draw_book(cast, 15)
    before = set(Cell.objects.values_list("pk", flat=True))
    RollUp.objects.all().delete()
    bring_up_to_date()
    assert set(Cell.objects.values_list("pk", flat=True)) == before


def test_a_new_run_and_another_calendar_are_followed(cast: Cast) -> None:
    draw_book(cast, 16)
    run = recompute()
    assert not refresh_for_reader()
    bring_up_to_date()
    assert RollUp.objects.get().run_id == run.pk
    Company.objects.update(fiscal_year_start_month=get_company().fiscal_year_start_month % 12 + 1)
    bring_up_to_date()
    assert_quarters_count_accounts_once()


def test_what_has_no_rate_is_named_and_left_out(cast: Cast) -> None:
    make_renewal(owner=cast.rep, currency="GBP")
    make_renewal(owner=cast.rep, currency="GBP", is_excluded=True, excluded_reason="why")
    recompute()
    bring_up_to_date()
    assert (Cell.objects.count(), RollUp.objects.get().unrated) == (0, {"GBP": 1})


def test_before_a_run_there_is_nothing_to_add_up(cast: Cast) -> None:
    make_renewal(owner=cast.rep)
    assert bring_up_to_date()
    assert not RollUp.objects.exists()
    assert refresh_for_reader()


def test_a_reader_sees_an_edit_at_once(cast: Cast) -> None:
    due_on = dt.date(2026, 9, 30)
    renewal = make_renewal(owner=cast.rep, due_on=due_on, baseline_amount=Decimal(100))
    recompute()
    bring_up_to_date()
    Renewal.objects.filter(pk=renewal.pk).update(**renewed(90, due_on))
    from forecasting import services

    services.score_renewals(renewal_ids=[renewal.pk], as_of=AS_OF)
    assert refresh_for_reader()
    assert Cell.objects.get(level=Level.BOOK, month_on=dt.date(2026, 9, 1)).kept_cents == 9_000


def amounts(cells: Iterable[Cell]) -> set[int]:
    return {cell.due_cents for cell in cells}


def test_each_reader_reads_their_own_cells(cast: Cast) -> None:
    for owner, baseline in ((cast.rep, 1), (cast.team_mate, 2), (cast.outsider, 4), (None, 8)):
        make_renewal(owner=owner, baseline_amount=Decimal(baseline))
    User.objects.filter(pk=cast.viewer.pk).update(team=None)
    recompute()
    bring_up_to_date()
    alone = User.objects.get(pk=cast.viewer.pk)
    assert amounts(Cell.objects.visible_to(cast.auditor)) == {100, 200, 300, 400, 800, 1500}
    assert amounts(Cell.objects.visible_to(cast.rep)) == {100, 200, 300}
    assert amounts(Cell.objects.visible_to(cast.outsider)) == {400}
    assert amounts(Cell.objects.visible_to(alone)) == set()
