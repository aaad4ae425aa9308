"""The history of a row and of a cell, in the words in which people read it."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import AttributeDefinition
from config.history import recorded_as
from renewals.history.batches import note_created, recorded_batch
from renewals.history.kinds import RENEWAL
from renewals.history.reading import Change, cell_history, row_history
from renewals.models import ChurnReason, Offer, Renewal, Stage
from tests.cast import Cast, make_renewal
from tests.renewals.history.steps import bulk, change, won

SPACE = "\N{NO-BREAK SPACE}"


def test_row_history_tells_who_when_how_and_from_what_to_what(cast: Cast) -> None:
    first, second = Stage.objects.order_by("position")[:2]
    row = make_renewal(owner=cast.rep, stage=first)
    change(row, cast.rep, forecast_amount=Decimal("96500"))
    bulk([row], cast.manager, "Stage of 212 renewals → Proposal", stage=second, confidence=70)

    newest, older, created = row_history(row, cast.rep)

    assert (newest.who, newest.how_label, newest.batch_text, newest.row_count) == (
        "Mona Manager", "Bulk edit", "Stage of 212 renewals → Proposal", 1,
    )  # fmt: skip
    assert newest.changes == [
        Change("stage_id", "Stage", first.name, second.name),
        Change("confidence", "Confidence", "–", f"70{SPACE}%"),
    ]
    assert (older.who, older.how_label, older.batch_text) == ("Rhea Rep", "Cell", "")
    assert older.changes == [Change("forecast_amount", "Forecast", "–", f"€{SPACE}96,500")]
    assert older.at == RENEWAL.event_model.objects.order_by("pgh_id").first().pgh_created_at
    assert (created.is_created, created.at) == (True, row.created_at)


@pytest.mark.parametrize(
    ("column", "value", "old", "new"),
    [
        ("due_on", dt.date(2026, 11, 5), "15 Dec 2026", "05 Nov 2026"),
        ("expected_order_on", dt.date(2027, 1, 31), "–", "31 Jan 2027"),
        ("baseline_amount", Decimal("12000.50"), f"€{SPACE}12,000", f"€{SPACE}12,000.50"),
        ("is_excluded", True, "No", "Yes"),
        ("next_step", "Call <b>Ann</b>", "–", "Call <b>Ann</b>"),
        ("notice_days", 30, "0", "30"),
        ("confidence", 0, "–", f"0{SPACE}%"),
        ("currency", "USD", "EUR", "USD"),
    ],
)
def test_each_kind_of_value_is_written_as_people_read_it(
    cast: Cast, column: str, value: object, old: str, new: str
) -> None:
    row = make_renewal(owner=cast.rep, excluded_reason="Agreed")
    change(row, cast.admin, **{column: value})
    [told] = row_history(row, cast.rep)[0].changes
    assert (told.old, told.new) == (old, new)


def test_names_stand_for_ids_and_what_is_gone_says_so(cast: Cast) -> None:
    offer, reason = Offer.objects.create(name="Gold"), ChurnReason.objects.create(name="Too dear")
    row = make_renewal(owner=cast.rep)
    change(row, cast.rep, offer=offer, owner=cast.team_mate)
    change(row, cast.admin, outcome="lost", final_amount=0, declined_on=dt.date(2026, 11, 20), churn_reason=reason)
    change(row, cast.admin, offer=None)
    pk = offer.pk
    offer.delete()

    gone, lost, handed = row_history(row, cast.admin)[:3]

    assert [(one.label, one.old, one.new) for one in handed.changes] == [
        ("Owner", "Rhea Rep", "Tom Mate"), ("Offer", "–", f"offer {pk} (gone)"),
    ]  # fmt: skip
    assert {(one.label, one.old, one.new) for one in lost.changes} == {
        ("Outcome", "Open", "Lost"), ("Declined", "–", "20 Nov 2026"), ("Final amount", "–", f"€{SPACE}0"),
        ("Churn reason", "–", "Too dear"),
    }  # fmt: skip
    assert [(one.old, one.new) for one in gone.changes] == [(f"offer {pk} (gone)", "–")]


def test_attributes_are_told_one_by_one_under_their_labels(cast: Cast) -> None:
    AttributeDefinition.objects.create(key="seats", label="Seats in use", kind="number", holder="renewal")
    row = make_renewal(owner=cast.rep, attributes={"seats": 3, "tier": "gold"})
    change(row, cast.admin, how="import", attributes={"seats": 5, "tier": "gold", "beta": True})
    told = [(one.label, one.old, one.new) for one in row_history(row, cast.rep)[0].changes]
    assert told == [("Seats in use", "3", "5"), ("beta", "–", "Yes")]


def test_cell_history_is_of_one_cell_and_of_all_columns_behind_it(cast: Cast) -> None:
    row = make_renewal(owner=cast.rep)
    change(row, cast.rep, next_step="Call")
    change(row, cast.rep, confidence=90, **won())
    change(row, cast.manager, final_amount=Decimal(14000))

    told = [[one.label for one in entry.changes] for entry in cell_history(row, "outcome", cast.rep)]
    assert told == [["Final amount"], ["Final amount", "Outcome", "Ordered"]]
    [confidence] = cell_history(row, "confidence", cast.rep)
    assert confidence.changes == [Change("confidence", "Confidence", "–", f"90{SPACE}%")]
    assert cell_history(row, "offer", cast.rep) == []
    with pytest.raises(KeyError):
        cell_history(row, "probability", cast.rep)


def test_raw_sql_is_shown_as_the_database_and_a_job_as_the_product(cast: Cast) -> None:
    row = make_renewal(owner=cast.rep)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE renewals_renewal SET confidence = 10")
    with recorded_as(user_id=None, how="job"):
        Renewal.objects.update(confidence=20)
    assert [(entry.who, entry.how_label, entry.can_undo) for entry in row_history(row, cast.rep)[:2]] == [
        ("Perennial", "Job", True),
        ("Database", "Database", False),
    ]


def test_undo_is_offered_where_the_row_still_is_as_the_change_left_it(cast: Cast) -> None:
    row = make_renewal(owner=cast.rep)
    change(row, cast.rep, confidence=50)
    change(row, cast.rep, confidence=60, next_step="Call")
    change(row, cast.rep, confidence=70)
    change(row, cast.admin, baseline_amount=Decimal(1))

    assert [entry.can_undo for entry in row_history(row, cast.rep)[:4]] == [False, True, True, False]
    assert [entry.can_undo for entry in row_history(row, cast.manager)[:4]] == [True, True, True, False]
    assert not any(entry.can_undo for entry in row_history(row, cast.viewer))


def test_creation_names_the_import_that_made_the_row(cast: Cast) -> None:
    with recorded_batch(user=cast.manager, how="import", description="Import of book.csv") as batch:
        row = make_renewal(owner=cast.rep)
        make_renewal(owner=cast.rep)
        note_created(batch, RENEWAL, [row.pk])
    other = make_renewal(owner=cast.rep)
    [created] = row_history(row, cast.rep)
    assert (created.who, created.how_label, created.batch_text) == ("Mona Manager", "Import", "Import of book.csv")
    [unknown] = row_history(other, cast.rep)
    assert (unknown.who, unknown.batch_text) == ("–", "")


def test_long_history_costs_no_more_queries_than_a_short_one(cast: Cast) -> None:
    def queries(count: int) -> int:
        row = make_renewal(owner=cast.rep)
        for number in range(count):
            change(row, cast.rep, confidence=number + 1, next_step=f"Step {number}", owner=cast.rep)
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert len(row_history(row, cast.rep)) == count + 1
        return len(captured)

    assert [queries(1), queries(30)] == [9, 9]


@pytest.mark.parametrize(
    ("ids", "ranges"),
    [([7, 8, 9], "{[7,10)}"), ([7], "{[7,8)}"), ([3, 1, 2, 6], "{[1,4),[6,7)}"), ([], None)],
)
def test_ids_that_a_step_made_are_kept_as_ranges(cast: Cast, ids: list[int], ranges: str | None) -> None:
    with recorded_batch(user=cast.admin, how="bulk", description="Made") as batch:
        note_created(batch, RENEWAL, ids)
    assert batch.created_ids.get("renewals_renewal") == ranges
