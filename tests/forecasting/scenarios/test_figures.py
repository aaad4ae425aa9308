"""What shifts come to: by hand on a small book, and by the properties that hold on any."""

import datetime as dt
import itertools
from collections.abc import Sequence
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import get_company
from forecasting.lines import AMOUNTS, COUNTS
from forecasting.overview.dashboard import read_periods
from forecasting.periods import Grain, Period
from forecasting.scenarios import book as books
from forecasting.scenarios.book import ScenarioBook, read_scenario_book, shown_periods
from forecasting.scenarios.figures import Figures, base_figures, compute_figures
from forecasting.scenarios.shifts import FIELDS, Kind, Shift
from forecasting.scopes.scope import get_scope
from renewals.bulk.selection import Selection
from renewals.models import Contract, Renewal, Stage, TimingPolicy, TimingPolicyVersion
from tests.cast import Cast, make_account, make_rate, make_renewal
from tests.forecasting.forecast_book import recompute, renewed

OPEN = Selection(query="outcome=open", is_all=True)


def shift(kind: str, **values: str) -> Shift:
    return Shift(Kind(kind), OPEN, {**FIELDS[Kind(kind)], **values})


@pytest.fixture
def book(cast: Cast) -> ScenarioBook:
    """Eighty renewals around today: three in four open, in two currencies, some decided, lost and lapsed."""
    today, random = get_company().today(), np.random.default_rng(3)
    make_rate("USD", "0.9137")
    stages = list(Stage.objects.all())
    accounts = [make_account(owner=cast.rep) for _ in range(30)]
    for number in range(80):
        due_on = today + dt.timedelta(days=int(random.integers(-80, 330)))
        fields = {"forecast_amount": Decimal(int(random.integers(1, 99_999))) / 7} if number % 3 else {}
        if number % 4 == 0:
            fields = renewed(int(random.integers(500, 9_000)), min(due_on, today) - dt.timedelta(days=3))
        make_renewal(
            owner=cast.outsider if number % 5 == 0 else cast.rep,
            account=accounts[number % 30],
            due_on=due_on,
            baseline_amount=Decimal(int(random.integers(50_000, 900_000))) / 100,
            currency="USD" if number % 6 == 0 else "EUR",
            confidence=int(random.integers(5, 95)) if number % 2 else None,
            stage=stages[number % len(stages)],
            **{
                **fields,
                **({"forecast_amount": round(fields["forecast_amount"], 2)} if "forecast_amount" in fields else {}),
            },
        )
    recompute(as_of=today)
    return fresh(cast)


def fresh(cast: Cast, role: str = "admin") -> ScenarioBook:
    books._kept.clear()
    found = read_scenario_book(getattr(cast, role), get_company())
    assert found is not None
    return found


def figures(book: ScenarioBook, *shifts: Shift, ids: Sequence[int] = ()) -> Figures:
    chosen = book.places(np.array(ids, dtype=np.int64)) if ids else book.is_open
    return compute_figures(book, [(one, chosen) for one in shifts])


def periods(book: ScenarioBook, grain: str = Grain.QUARTER) -> list[Period]:
    return shown_periods(grain, book.today, book.report.fiscal_start)


def total(found: Figures, book: ScenarioBook, name: str) -> int:
    return sum(found.of(period)[name] for period in periods(book))


@pytest.mark.parametrize("role", ["admin", "rep", "outsider"])
@pytest.mark.parametrize("grain", [Grain.QUARTER, Grain.MONTH])
def test_no_change_is_the_forecast_page_to_the_cent(book: ScenarioBook, cast: Cast, role: str, grain: str) -> None:
    user, company = getattr(cast, role), get_company()
    mine = fresh(cast, role)
    shown = {
        one.starts_on: one.line for one in read_periods(user, get_scope(user, {"by": grain}), company, today=mine.today)
    }
    base = base_figures(mine)
    compared = 0
    for period in periods(mine, grain):
        line, values = shown.get(period.starts_on), base.of(period)
        if line is not None:
            assert {name: Decimal(values[name]) / 100 for name in AMOUNTS} == {
                name: getattr(line, name) for name in AMOUNTS
            }
            assert {name: values[name] for name in COUNTS} == {name: getattr(line, name) for name in COUNTS}
            compared += line.due_count > 0
    assert compared >= 4


NOTHING = [shift(kind) for kind in Kind]


@pytest.mark.parametrize("nothing", [*([one] for one in NOTHING), NOTHING, []], ids=str)
def test_shifts_of_nothing_are_the_base(book: ScenarioBook, nothing: list[Shift]) -> None:
    assert figures(book, *nothing).values == base_figures(book).values


def test_there_and_back_is_the_base(book: ScenarioBook) -> None:
    base = base_figures(book).values
    assert figures(book, shift("due", days="40"), shift("due", days="-40")).values == base
    assert figures(book, shift("likelihood", by="3"), shift("likelihood", by="-3")).values == base


def test_order_of_independent_shifts_is_irrelevant(book: ScenarioBook) -> None:
    shifts = [
        shift("likelihood", unit="log_odds", by="0.4"),
        shift("due", days="31"),
        shift("uplift", percent="7"),
        shift("tolerances", late_days="10", grace_days="2"),
        shift("order", days="9"),
        shift("owner", owner="1"),
    ]
    found = [figures(book, *order).values for order in itertools.islice(itertools.permutations(shifts), 0, 720, 97)]
    assert all(one == found[0] for one in found)
    assert found[0] != base_figures(book).values


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    by=st.floats(-60, 60).map(lambda value: f"{value:.2f}"),
    days=st.integers(-200, 200),
    percent=st.integers(-90, 120),
    late=st.integers(0, 200),
)
def test_figures_stay_sound_under_any_shift(book: ScenarioBook, by: str, days: int, percent: int, late: int) -> None:
    found = figures(
        book,
        shift("likelihood", by=by),
        shift("due", days=str(days)),
        shift("uplift", percent=str(percent)),
        shift("tolerances", late_days=str(late)),
    )
    for grain in (Grain.MONTH, Grain.QUARTER):
        for values in map(found.of, periods(book, grain)):
            assert values["p10_amount"] <= values["p50_amount"] <= values["p90_amount"]
            assert values["due_count"] == values["won_count"] + values["lost_count"] + values["open_count"]
            assert 0 <= values["kept_accounts"] <= values["account_count"] * 1_000_000
            kept = values["expected_renewal_amount"]
            assert values["expected_amount"] == values["won_amount"] + kept + (
                values["expected_upsell_amount"] + values["expected_cross_sell_amount"]
            )
            timed = (values[f"expected_{name}_amount"] for name in ("early", "on_time", "late"))
            assert kept == sum(timed)
    months, quarters = (sum(found.of(one)["due_amount"] for one in periods(book, grain)[1:]) for grain in Grain)
    assert months >= 0 <= quarters


def test_uplift_scales_what_is_expected_of_open_ones(book: ScenarioBook) -> None:
    base, lifted = base_figures(book), figures(book, shift("uplift", percent="25"))
    for period in periods(book):
        before, after = (one.of(period)["expected_amount"] - one.of(period)["won_amount"] for one in (base, lifted))
        assert after == pytest.approx(before * 1.25, abs=3)
        assert lifted.of(period)["due_amount"] == base.of(period)["due_amount"]


def test_likelihood_moves_every_rate_one_way(book: ScenarioBook) -> None:
    base, better, worse = (figures(book, shift("likelihood", by=by)) for by in ("0", "15", "-15"))
    for name in ("expected_amount", "kept_accounts", "expected_renewal_amount", "p50_amount"):
        assert total(worse, book, name) < total(base, book, name) < total(better, book, name)
    assert total(worse, book, "expected_churn_amount") > total(better, book, "expected_churn_amount")


def test_moved_due_dates_move_between_periods_and_lose_nothing(cast: Cast) -> None:
    today = get_company().today()
    row = make_renewal(owner=cast.rep, due_on=today + dt.timedelta(days=10), baseline_amount=Decimal(5_000))
    make_renewal(owner=cast.rep, due_on=today + dt.timedelta(days=10), baseline_amount=Decimal(700))
    recompute(as_of=today)
    book = fresh(cast)
    moved = figures(book, shift("due", days="120"), ids=[row.pk])
    due = [[one.of(period)["due_amount"] for period in periods(book)] for one in (base_figures(book), moved)]
    assert [sum(one) for one in due] == [570_000, 570_000]
    assert sorted(due[0])[-2:] == [0, 570_000]
    assert sorted(due[1])[-2:] == [70_000, 500_000]


def test_cap_and_locked_price_are_respected_and_told(cast: Cast) -> None:
    today = get_company().today()
    rows = [
        make_renewal(owner=cast.rep, due_on=today + dt.timedelta(days=10), forecast_amount=Decimal(12_000))
        for _ in range(3)
    ]
    Contract.objects.filter(renewals=rows[0]).update(uplift_cap_rate=Decimal("0.03"))
    Contract.objects.filter(renewals=rows[1]).update(
        uplift_cap_rate=Decimal("0.10"), price_locked_until_on=today + dt.timedelta(days=400)
    )
    recompute(as_of=today)
    book = fresh(cast)
    lifted = figures(book, shift("uplift", percent="50"))
    assert lifted.effects[0].notes == ["2 held at the uplift cap, or the locked price, of their contract."]
    expected = total(lifted, book, "expected_amount") / total(base_figures(book), book, "expected_amount")
    assert 1.15 < expected < 1.5


def policy(late_days: int) -> None:
    TimingPolicyVersion.objects.filter(
        policy=TimingPolicy.objects.get(account=None, segment=None, industry=None)
    ).update(early_days=30, grace_days=0, late_days=late_days, day_kind="calendar")


def test_tolerances_judge_decided_and_lapsed_ones_anew(cast: Cast) -> None:
    today = get_company().today()
    policy(30)
    due_on = today - dt.timedelta(days=45)
    won_back = make_renewal(owner=cast.rep, due_on=due_on, **renewed(12_000, today - dt.timedelta(days=1)))
    lapsed = make_renewal(owner=cast.rep, due_on=due_on)
    recompute(as_of=today)
    book = fresh(cast)
    base, wider = (
        base_figures(book),
        compute_figures(book, [(shift("tolerances", late_days="60"), book.places(book.rows["id"]))]),
    )
    names = ("won_count", "win_back_count", "lost_count", "open_count", "overdue_count")
    assert [total(base, book, name) for name in names] == [0, 1, 2, 0, 0]
    assert [total(wider, book, name) for name in names] == [1, 0, 0, 1, 1]
    assert 0 < total(wider, book, "expected_renewal_amount") < 1_200_000
    assert {won_back.pk, lapsed.pk} == set(book.rows["id"].tolist())


def test_expected_order_that_is_moved_decides_when_it_comes(cast: Cast) -> None:
    today = get_company().today()
    policy(30)
    due_on = today + dt.timedelta(days=10)
    row = make_renewal(owner=cast.rep, due_on=due_on, expected_order_on=due_on)
    make_renewal(owner=cast.rep, due_on=due_on)
    recompute(as_of=today)
    book = fresh(cast)
    late, gone = (figures(book, shift("order", days=days), ids=[row.pk]) for days in ("20", "31"))
    base = base_figures(book)
    assert total(late, book, "expected_amount") == total(base, book, "expected_amount")
    assert total(late, book, "expected_late_amount") > total(base, book, "expected_late_amount")
    assert total(gone, book, "expected_amount") == pytest.approx(total(base, book, "expected_amount") / 2, abs=1)
    assert gone.effects[0].notes == ["1 would be ordered after the last tolerated day: won back, not renewed."]


def test_book_is_kept_for_those_who_see_the_same_and_read_again_after_an_edit(book: ScenarioBook, cast: Cast) -> None:
    company = get_company()
    same = read_scenario_book(cast.auditor, company)
    assert same is read_scenario_book(cast.admin, company)
    assert read_scenario_book(cast.rep, company) is read_scenario_book(cast.viewer, company)
    assert read_scenario_book(cast.rep, company) is not same
    Renewal.objects.filter(pk=int(book.rows["id"][0])).update(next_step="Call")
    assert read_scenario_book(cast.admin, company) is not same


def test_kept_books_are_bounded(book: ScenarioBook, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(books, "MOST_BYTES", book.byte_count + 1)
    for name in ("admin", "rep", "outsider"):
        read_scenario_book(getattr(cast, name), get_company())
    assert len(books._kept) < 3
    assert sum(kept.byte_count for kept in books._kept.values()) <= book.byte_count + 1
