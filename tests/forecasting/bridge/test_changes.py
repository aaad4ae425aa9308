"""The bridge adds up to the cent, whatever happened, and gives each change to the bar that its order says."""

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal

import numpy as np
import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Account, Company, ExchangeRate, Segment, get_company
from forecasting.bridge import BARS, Bridge, InvalidEnd, build_bridge, read_end
from forecasting.bridge.changes import allocate
from forecasting.periods import Grain, Period
from forecasting.scopes.scope import Scope, Slice
from forecasting.snapshots import freeze_snapshot
from renewals.models import Renewal, TimingPolicyVersion
from tests.cast import Cast, make_rate, make_renewal
from tests.forecasting.as_at.history import happening_at, unrecorded

START = dt.datetime(2026, 9, 1, 9, tzinfo=dt.UTC)
CHANGE = dt.datetime(2026, 9, 10, 9, tzinfo=dt.UTC)
END = dt.datetime(2026, 9, 15, 9, tzinfo=dt.UTC)
FIRST, LAST = "2026-09-01T12:00+00:00", "2026-09-15T09:00+00:00"
OCTOBER = Period(Grain.MONTH, dt.date(2026, 10, 1))
QUARTER = Period(Grain.QUARTER, dt.date(2026, 10, 1))
BOOK = Scope(Grain.MONTH)
DUE = dt.date(2026, 10, 20)
pytestmark = pytest.mark.django_db


def bridge(*, scope: Scope = BOOK, period: Period = OCTOBER, start: str = FIRST, end: str = LAST) -> Bridge:
    company = get_company()
    return build_bridge(read_end(start, company), read_end(end, company), scope, period)


def bars(found: Bridge) -> dict[str, dict[int, int]]:
    """Of each bar that is not empty, the cents by renewal."""
    return {
        name: {int(found.renewal[at]): int(values[at]) for at in np.flatnonzero(values)}
        for name, values in found.bars.items()
        if values.any()
    }


@pytest.fixture
def renewal(cast: Cast) -> Renewal:
    """Beside another one that nothing happens to."""
    with happening_at(START):
        make_renewal(owner=cast.team_mate, due_on=DUE, confidence=50, baseline_amount=Decimal("333.33"))
        return make_renewal(owner=cast.rep, due_on=DUE, confidence=60, baseline_amount=Decimal(1000))


def opening_of(found: Bridge, renewal: Renewal) -> int:
    return int(found.opening[found.renewal == renewal.pk].sum())


def closing_of(found: Bridge, renewal: Renewal) -> int:
    return int(found.closing[found.renewal == renewal.pk].sum())


def change(renewal: Renewal, **fields: object) -> None:
    with happening_at(CHANGE):
        Renewal.objects.filter(pk=renewal.pk).update(**fields)


@pytest.mark.parametrize(
    ("bar", "fields"),
    [
        ("won", {"outcome": "renewed", "ordered_on": dt.date(2026, 9, 9), "final_amount": Decimal("1250.75")}),
        ("lost", {"outcome": "lost", "declined_on": dt.date(2026, 9, 9), "final_amount": 0}),
        ("pushed", {"due_on": dt.date(2026, 11, 3)}),
        ("amount", {"forecast_amount": Decimal("1500.00")}),
        ("probability", {"confidence": 90}),
        ("removed", {"is_excluded": True, "excluded_reason": "Divested"}),
    ],
)
def test_one_change_is_one_bar(renewal: Renewal, bar: str, fields: dict[str, object]) -> None:
    change(renewal, **fields)
    found = bridge()
    moved = closing_of(found, renewal) - opening_of(found, renewal)
    assert moved != 0
    assert bars(found) == {bar: {renewal.pk: moved}}
    assert found.closing_cents == found.opening_cents + moved
    assert found.residual_cents == 0


def test_a_won_one_brings_its_amount_less_what_was_expected_of_it(renewal: Renewal) -> None:
    change(renewal, outcome="renewed", ordered_on=dt.date(2026, 9, 9), final_amount=Decimal("1250.75"))
    found = bridge()
    assert closing_of(found, renewal) == 125_075
    assert bars(found) == {"won": {renewal.pk: 125_075 - opening_of(found, renewal)}}


def test_new_and_deleted_and_pulled_in(renewal: Renewal, cast: Cast) -> None:
    with happening_at(START):
        later = make_renewal(owner=cast.rep, due_on=dt.date(2027, 1, 10))
    with happening_at(CHANGE):
        fresh = make_renewal(owner=cast.rep, due_on=DUE)
        Renewal.objects.filter(pk=later.pk).update(due_on=DUE)
        gone = renewal.pk
        renewal.delete()
    found = bridge()
    assert {name: set(rows) for name, rows in bars(found).items()} == {
        "new": {fresh.pk},
        "pulled_in": {later.pk},
        "removed": {gone},
    }
    assert found.residual_cents == 0


def test_another_owner_moves_nothing_in_the_book_and_all_of_it_in_a_scope(renewal: Renewal, cast: Cast) -> None:
    change(renewal, owner=cast.outsider)
    assert set(bars(bridge())) <= {"probability"}
    of_rep = bridge(scope=Scope(Grain.MONTH, owner=cast.rep))
    assert bars(of_rep) == {"owner": {renewal.pk: -opening_of(of_rep, renewal)}}
    of_team = bridge(scope=Scope(Grain.MONTH, team=cast.outsider.team))
    assert bars(of_team) == {"owner": {renewal.pk: closing_of(of_team, renewal)}}
    assert (of_rep.closing_cents, of_team.opening_cents) == (0, 0)


def test_another_segment_is_reclassified_in_a_scope(renewal: Renewal) -> None:
    segment = renewal.account.segment
    small = Segment.objects.create(name="Small")
    with happening_at(CHANGE):
        Account.objects.filter(pk=renewal.account_id).update(segment=small)
    found = bridge(scope=Scope(Grain.MONTH, segment=segment))
    assert bars(found) == {"reclassified": {renewal.pk: -opening_of(found, renewal)}}


def test_another_region_is_reclassified_in_a_part(renewal: Renewal) -> None:
    with happening_at(START):
        Account.objects.update(region="DACH")
    with happening_at(CHANGE):
        Account.objects.filter(pk=renewal.account_id).update(region="Nordics")
    left, came = (bridge(scope=Scope(Grain.MONTH, slice=Slice(region=name))) for name in ("DACH", "Nordics"))
    assert bars(left) == {"reclassified": {renewal.pk: -opening_of(left, renewal)}}
    assert bars(came) == {"reclassified": {renewal.pk: closing_of(came, renewal)}}
    assert left.closing_cents > 0  # the other one


def test_a_higher_forecast_leaves_the_renewals_for_the_upsells(renewal: Renewal) -> None:
    change(renewal, forecast_amount=Decimal(1500))
    left, came = (bridge(scope=Scope(Grain.MONTH, slice=Slice(booking=name))) for name in ("renewal", "upsell"))
    assert bars(left) == {"reclassified": {renewal.pk: -opening_of(left, renewal)}}
    assert bars(came) == {"reclassified": {renewal.pk: closing_of(came, renewal)}}


def test_a_part_of_a_call_is_what_is_of_it_today(renewal: Renewal) -> None:
    with happening_at(START):
        Account.objects.filter(pk=renewal.account_id).update(region="DACH")
    call = f"call-{freeze_snapshot(reason='hand', user=None, note='Start', moment=START + dt.timedelta(hours=3)).pk}"
    change(renewal, confidence=90)
    found = bridge(scope=Scope(Grain.MONTH, slice=Slice(region="DACH")), start=call)
    assert set(found.renewal.tolist()) == {renewal.pk}
    assert found.opening_cents > 0
    assert found.residual_cents == 0


def test_what_a_policy_alone_makes_lost_is_reclassified(cast: Cast) -> None:
    with unrecorded():
        TimingPolicyVersion.objects.update(created_at=START)
    with happening_at(START):
        TimingPolicyVersion.objects.update(late_days=60)
        overdue = make_renewal(owner=cast.rep, due_on=dt.date(2026, 8, 20), confidence=70)
    with happening_at(CHANGE):
        TimingPolicyVersion.objects.update(late_days=0, grace_days=0)
    found = bridge(period=Period(Grain.MONTH, dt.date(2026, 8, 1)))
    assert bars(found) == {"reclassified": {overdue.pk: -found.opening_cents}}
    assert found.closing_cents == 0


def test_what_time_alone_makes_lapse_is_lost(cast: Cast) -> None:
    with unrecorded():
        TimingPolicyVersion.objects.update(created_at=START)
    with happening_at(START):
        TimingPolicyVersion.objects.update(late_days=20)
        overdue = make_renewal(owner=cast.rep, due_on=dt.date(2026, 8, 20), confidence=70)
    found = bridge(period=Period(Grain.MONTH, dt.date(2026, 8, 1)))
    assert bars(found) == {"lost": {overdue.pk: -found.opening_cents}}


def test_another_rate_stands_by_itself(cast: Cast) -> None:
    with happening_at(START):
        make_rate("USD", "0.90")
        won = make_renewal(
            owner=cast.rep,
            due_on=DUE,
            currency="USD",
            outcome="renewed",
            ordered_on=dt.date(2026, 8, 30),
            final_amount=Decimal(1000),
        )
    with happening_at(CHANGE):
        ExchangeRate.objects.update(rate=Decimal("0.80"))
    found = bridge()
    assert (found.opening_cents, found.closing_cents) == (90_000, 80_000)
    assert bars(found) == {"rates": {won.pk: -10_000}}


def test_a_call_and_its_moment_are_the_same_end(renewal: Renewal) -> None:
    change(renewal, confidence=95, forecast_amount=Decimal("1234.56"))
    call = freeze_snapshot(reason="hand", user=None, note="Start", moment=START + dt.timedelta(hours=3))
    by_call, by_moment = bridge(start=f"call-{call.pk}"), bridge()
    assert bars(by_call) == bars(by_moment)
    assert (by_call.opening_cents, by_call.closing_cents) == (by_moment.opening_cents, by_moment.closing_cents)
    assert by_call.opening_cents == int(by_call.start.expected_cents(BOOK, OCTOBER))


def test_an_end_with_itself_moves_nothing(renewal: Renewal) -> None:
    found = bridge(end=FIRST)
    assert bars(found) == {}
    assert found.opening_cents == found.closing_cents > 0


@pytest.mark.parametrize("text", ["call-", "call-7", "call-x", "2999-01-01", "yesterday", "2026-13-01"])
def test_an_end_that_is_none_is_refused(db: None, text: str) -> None:
    with pytest.raises(InvalidEnd):
        read_end(text, get_company())


@given(
    values=st.lists(st.floats(0, 1e9, allow_nan=False), min_size=1, max_size=40),
    off=st.integers(-3, 3),
)
def test_allocated_cents_add_up_and_stay_beside_their_values(values: list[float], off: int) -> None:
    worth = np.array(values)
    total = int(np.rint(worth.sum())) + off
    cents = allocate(worth, total)
    live = int(np.count_nonzero(worth))
    assert not live or int(cents.sum()) == total
    assert (np.abs(cents - worth)[worth != 0] <= 2 + 4 / max(live, 1)).all()
    assert not cents[worth == 0].any()


EDITS = st.lists(
    st.tuples(
        st.sampled_from(
            ["make", "confidence", "forecast", "baseline", "owner", "due", "win", "lose", "reopen", "exclude",
             "delete", "segment", "rate", "policy"]
        ),
        st.integers(0, 5),
        st.integers(0, 97),
    ),
    max_size=14,
)  # fmt: skip


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits=EDITS)
def test_any_history_leaves_no_residual(cast: Cast, edits: list[tuple[str, int, int]]) -> None:
    with transaction.atomic():
        for step in _history(cast, edits):
            step()
        for scope in _scopes(cast):
            for period in (OCTOBER, QUARTER):
                found = bridge(scope=scope, period=period)
                by_row = found.opening + sum(found.bars.values())
                assert (by_row == found.closing).all()
                assert found.residual_cents == 0
                assert found.opening_cents == found.start.expected_cents(scope, period)
                assert found.closing_cents == found.end.expected_cents(scope, period)
        transaction.set_rollback(True)


def _scopes(cast: Cast) -> Iterator[Scope]:
    segment = Segment.objects.get(name="Enterprise")
    yield BOOK
    yield Scope(Grain.MONTH, owner=cast.rep)
    yield Scope(Grain.MONTH, team=cast.rep.team)
    yield Scope(Grain.MONTH, owner=cast.rep, segment=segment)
    yield Scope(Grain.MONTH, slice=Slice(region="DACH"))
    yield Scope(Grain.MONTH, team=cast.rep.team, slice=Slice(currency="USD"))
    yield Scope(Grain.MONTH, slice=Slice(booking="upsell"))


def _history(cast: Cast, edits: list[tuple[str, int, int]]) -> Iterator["Step"]:
    with happening_at(START):
        make_rate("USD", "0.91")
        Company.objects.update(fiscal_year_start_month=1)
        Segment.objects.get_or_create(name="Small")
        for number in range(4):
            make_renewal(
                owner=cast.rep if number % 2 else cast.outsider,
                due_on=dt.date(2026, 10, 5 + number),
                confidence=50 + number,
                currency="USD" if number == 3 else "EUR",
                baseline_amount=Decimal("100.37") * (number + 1),
            )
    for edit in edits:
        yield Step(cast, *edit)


class Step:
    def __init__(self, cast: Cast, kind: str, pick: int, value: int) -> None:
        self.cast, self.kind, self.pick, self.value = cast, kind, pick, value

    def __call__(self) -> None:
        with happening_at(CHANGE):
            self._take()

    def _take(self) -> None:
        value = self.value
        rows = list(Renewal.objects.order_by("pk"))
        if self.kind == "make":
            make_renewal(owner=self.cast.rep, due_on=dt.date(2026, 10, 1 + value % 28), baseline_amount=Decimal(value))
        elif self.kind == "rate":
            ExchangeRate.objects.update(rate=Decimal(value + 1) / 100)
        elif self.kind == "policy":
            TimingPolicyVersion.objects.update(late_days=value, grace_days=0)
        elif rows:
            row = Renewal.objects.filter(pk=rows[self.pick % len(rows)].pk)
            if self.kind == "delete":
                row.delete()
            elif self.kind == "segment":
                small, region = Segment.objects.get(name="Small"), "DACH" if self.value % 2 else ""
                Account.objects.filter(renewals__in=row).update(segment=small, region=region)
            else:
                row.update(**self._fields())

    def _fields(self) -> dict[str, object]:
        value = self.value
        open_again = {"outcome": "open", "ordered_on": None, "declined_on": None, "final_amount": None}
        won = {"ordered_on": dt.date(2026, 9, 1 + value % 14), "final_amount": Decimal(value + 1) + Decimal("0.41")}
        fields: dict[str, dict[str, object]] = {
            "confidence": {"confidence": value},
            "forecast": {"forecast_amount": Decimal(value) * Decimal("7.77")},
            "baseline": {"baseline_amount": Decimal(value) * Decimal("3.33") + 1},
            "owner": {"owner": (self.cast.rep, self.cast.outsider, self.cast.team_mate, None)[value % 4]},
            "due": {"due_on": dt.date(2026, 9 + value % 4, 5 + value % 20)},
            "win": {**open_again, "outcome": "renewed", **won},
            "lose": {**open_again, "outcome": "lost", "final_amount": 0},
            "reopen": open_again,
            "exclude": {"is_excluded": value % 2 == 0, "excluded_reason": "Divested"},
        }
        return fields[self.kind]


def test_the_bars_are_named_in_their_order() -> None:
    assert BARS == (
        "new", "pulled_in", "won", "lost", "pushed", "amount", "probability", "owner", "reclassified", "removed",
        "rates",
    )  # fmt: skip
