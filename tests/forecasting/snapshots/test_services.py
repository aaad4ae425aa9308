"""Calls: frozen when due, once; the same whenever they are drawn; and nobody changes one."""

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction

from accounts.models import Company
from forecasting.models import Snapshot, SnapshotFrame
from forecasting.snapshots import CallRefused, freeze_due_calls, freeze_snapshot, read_standing, verify_snapshot
from forecasting.snapshots.schedule import calls_between, first_business_day
from renewals.models import Renewal, Stage
from tests.cast import Cast, make_rate, make_renewal
from tests.forecasting.as_at.history import happening_at

UTC = dt.UTC
START = dt.datetime(2026, 8, 20, 9, tzinfo=UTC)
LATER = dt.datetime(2026, 9, 10, 9, tzinfo=UTC)
MOMENT = dt.datetime(2026, 9, 1, 12, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture
def rows(cast: Cast) -> dict[str, Renewal]:
    with happening_at(START):
        make_rate("USD", "0.90")
        proposal = Stage.objects.get(name="Proposal")
        return {
            "open": make_renewal(owner=cast.rep, confidence=70, stage=proposal, due_on=dt.date(2026, 9, 30)),
            "other": make_renewal(owner=cast.outsider, currency="USD", due_on=dt.date(2026, 12, 31)),
            "won": make_renewal(
                owner=cast.rep,
                due_on=dt.date(2026, 8, 15),
                outcome="renewed",
                ordered_on=dt.date(2026, 8, 10),
                final_amount=Decimal("12500.50"),
            ),
            "old": make_renewal(
                owner=cast.rep,
                due_on=dt.date(2024, 1, 31),
                outcome="lost",
                final_amount=0,
                declined_on=dt.date(2024, 1, 5),
            ),
        }


def test_a_call_keeps_how_each_renewal_stood(rows: dict[str, Renewal], cast: Cast) -> None:
    with happening_at(LATER):
        Renewal.objects.filter(pk=rows["open"].pk).update(confidence=10, owner=cast.team_mate)
    snapshot = freeze_snapshot(reason="hand", user=cast.manager, note=" September ", moment=MOMENT)
    standing = read_standing(snapshot)
    kept = {int(row["renewal"]): row for row in standing.rows}
    # What was decided long ago is in no period that anybody looks at.
    assert set(kept) == {rows[name].pk for name in ("open", "other", "won")}
    was = kept[rows["open"].pk]
    assert (was["confidence"], was["owner"], was["team"]) == (70, cast.rep.pk, cast.rep.team_id)
    assert was["stage"] == rows["open"].stage_id
    assert (was["baseline"], was["forecast"]) == (1_200_000, -1)
    assert kept[rows["won"].pk]["final"] == 1_250_050
    assert standing.rates == {"EUR": Decimal(1), "USD": Decimal("0.90000000")}
    assert (snapshot.is_late, snapshot.note, snapshot.as_of_on) == (True, "September", dt.date(2026, 9, 1))
    assert (snapshot.row_count, snapshot.open_count) == (3, 2)


def test_a_call_drawn_again_equals_itself_whatever_was_done_since(rows: dict[str, Renewal], cast: Cast) -> None:
    early = freeze_snapshot(reason="hand", user=None, note="Early", moment=MOMENT)
    assert verify_snapshot(early) == []
    with happening_at(LATER):
        Renewal.objects.filter(pk=rows["open"].pk).update(confidence=10, baseline_amount=1, owner=None)
        rows["other"].delete()
        make_renewal(owner=cast.rep)
        make_rate("GBP", "1.20")
        Stage.objects.create(name="Board", position=90)
        Company.objects.update(fiscal_year_start_month=5)
    assert verify_snapshot(early) == []
    again = freeze_snapshot(reason="hand", user=None, note="Again", moment=MOMENT)

    def contents(snapshot: Snapshot) -> list[tuple[str, dt.date, bytes]]:
        frames = snapshot.frames.order_by("kind", "month_on")
        return [(frame.kind, frame.month_on, bytes(frame.content)) for frame in frames]

    assert contents(again) == contents(early)


def test_verifying_names_what_differs(rows: dict[str, Renewal]) -> None:
    snapshot = freeze_snapshot(reason="hand", user=None, note="To be spoiled", moment=MOMENT)
    # A change that history does not know of.
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE renewals_renewal SET confidence = 5 WHERE id = %s", [rows["open"].pk])
        cursor.execute("SET LOCAL session_replication_role = origin")
    found = verify_snapshot(snapshot)
    assert "confidence differs in 1 of the renewals." in found


@pytest.mark.parametrize("table", ["forecasting_snapshot", "forecasting_snapshotframe"])
@pytest.mark.parametrize("role", ["origin", "replica"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET row_count = 7", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_nobody_changes_a_call_by_raw_sql(rows: dict[str, Renewal], table: str, role: str, statement: str) -> None:
    freeze_snapshot(reason="hand", user=None, note="For ever", moment=MOMENT)
    before = list(Snapshot.objects.values()), list(SnapshotFrame.objects.order_by("pk").values())
    with transaction.atomic(), connection.cursor() as cursor:
        # A table with checks pending is not truncated in any case.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"SET LOCAL session_replication_role = {role}")
        with pytest.raises(DatabaseError, match="A frozen call is never changed"), transaction.atomic():
            cursor.execute(statement.format(table))
    assert (list(Snapshot.objects.values()), list(SnapshotFrame.objects.order_by("pk").values())) == before


@pytest.fixture
def removed_after(transactional_db: None) -> Iterator[None]:
    """Calls are written for good; before such a test's tables are emptied, the owner of the tables removes them."""
    yield
    with connection.cursor() as cursor:
        for table in ("forecasting_snapshotframe", "forecasting_snapshot"):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER refuse_change")
            cursor.execute(f"DELETE FROM {table}")
            cursor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER refuse_change")


@pytest.mark.usefixtures("removed_after")
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_nothing_is_added_to_a_call(cast: Cast) -> None:
    make_renewal(owner=cast.rep)
    snapshot = freeze_snapshot(reason="hand", user=None, note="Whole")
    frame = snapshot.frames.first()
    assert frame is not None
    frame.pk, frame.month_on = None, dt.date(1999, 1, 1)
    with pytest.raises(DatabaseError, match="A frozen call is never added to"):
        frame.save(force_insert=True)


@pytest.mark.usefixtures("removed_after")
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_a_call_of_now_holds_what_was_just_saved_and_stays_itself(cast: Cast) -> None:
    renewal = make_renewal(owner=cast.rep, confidence=35)
    snapshot = freeze_snapshot(reason="hand", user=cast.admin, note="Now")
    assert read_standing(snapshot).rows["confidence"].tolist() == [35]
    assert snapshot.is_late is False
    Renewal.objects.filter(pk=renewal.pk).update(confidence=90)
    assert verify_snapshot(snapshot) == []


@pytest.mark.parametrize(
    ("note", "moment", "message"),
    [
        ("  ", MOMENT, "needs a note"),
        ("Soon", dt.datetime(2999, 1, 1, tzinfo=UTC), "is not over yet"),
        (
            "Once",
            dt.datetime(2020, 1, 1, tzinfo=UTC),
            "is known since 20 Aug 2026: the first renewal was recorded then",
        ),
    ],
)
def test_a_call_that_cannot_be_is_refused(
    rows: dict[str, Renewal], note: str, moment: dt.datetime, message: str
) -> None:
    with pytest.raises(CallRefused, match=message):
        freeze_snapshot(reason="hand", user=None, note=note, moment=moment)
    assert not Snapshot.objects.exists()


def test_due_calls_are_made_once_and_late_ones_say_so(rows: dict[str, Renewal]) -> None:
    now = dt.datetime(2026, 10, 1, 23, 30, tzinfo=UTC)
    made = freeze_due_calls(now=now)
    assert [(call.reason, call.as_of_on) for call in made] == [
        ("month_close", dt.date(2026, 8, 31)),
        ("month_start", dt.date(2026, 9, 1)),
        ("quarter_close", dt.date(2026, 9, 30)),
    ]
    assert {call.is_late for call in made} == {True}
    assert freeze_due_calls(now=now) == []
    later = freeze_due_calls(now=now + dt.timedelta(hours=1))
    assert [(call.reason, call.as_of_on) for call in later] == [("month_start", dt.date(2026, 10, 1))]


def test_calls_fall_on_business_days_and_closes_in_the_companys_zone() -> None:
    company = Company(time_zone="Europe/Berlin", fiscal_year_start_month=2)
    calls = calls_between(company, dt.datetime(2026, 7, 31, tzinfo=UTC), dt.datetime(2026, 11, 2, tzinfo=UTC))
    assert [(call.reason, call.on) for call in calls] == [
        ("quarter_close", dt.date(2026, 7, 31)),
        ("month_start", dt.date(2026, 8, 3)),  # 1 August is a Saturday
        ("month_close", dt.date(2026, 8, 31)),
        ("month_start", dt.date(2026, 9, 1)),
        ("month_close", dt.date(2026, 9, 30)),
        ("month_start", dt.date(2026, 10, 1)),
        ("quarter_close", dt.date(2026, 10, 31)),
    ]
    assert calls[1].moment == dt.datetime(2026, 8, 3, 21, 59, 59, 999999, tzinfo=UTC)


@pytest.mark.parametrize(("day", "first"), [(1, 2), (2, 2), (3, 3), (7, 9), (8, 9)])
def test_the_first_business_day_is_the_day_or_the_monday_after(day: int, first: int) -> None:
    assert first_business_day(dt.date(2026, 11, day)) == dt.date(2026, 11, first)
