"""From what is asked to what is written: whose rows, which are refused, what somebody else changed meanwhile, undo."""

import csv
import datetime as dt
import io
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import get_company
from config.history import recorded_as
from renewals.bulk.changes import ChangesInvalid, read_changes
from renewals.bulk.selection import Selection, SelectionUnreadable, read_selection
from renewals.bulk.services import NotWaiting, confirm_edit, discard_edit, plan_edit
from renewals.history.undo import undo_batch
from renewals.models import BulkEdit, ChangeBatch, ChurnReason, Renewal, Stage
from tests.cast import Cast, make_renewal
from tests.renewals.bulk.bulk_book import confirmed, planned, planned_all, verdicts

CONFIDENT: dict[str, Any] = {"confidence_action": "set", "confidence_value": "70"}
NOT_YOURS = "You may look at this renewal, not change it."


def confidences(*rows: Renewal) -> list[int | None]:
    found = dict(Renewal.objects.values_list("pk", "confidence"))
    return [found[row.pk] for row in rows]


def test_dry_run_writes_nothing_and_says_what_each_row_would_become(cast: Cast) -> None:
    first, second = make_renewal(owner=cast.rep, confidence=20), make_renewal(owner=cast.rep, confidence=70)
    edit = planned(cast.rep, [first, second], **CONFIDENT)
    assert (edit.state, edit.row_count, edit.ready_count) == ("planned", 2, 1)
    row = edit.rows.get(renewal_id=first.pk)
    assert (row.seen, row.wanted) == ({"confidence": "20"}, {"confidence": "70"})
    assert verdicts(edit)[second.pk] == ("same", "")
    assert confidences(first, second) == [20, 70]
    assert not first.events.exists()  # type: ignore[attr-defined]


def test_confirmed_edit_is_one_step_of_the_history_scored_and_undone_as_one(cast: Cast) -> None:
    stages = list(Stage.objects.order_by("position"))
    rows = [make_renewal(owner=cast.rep, stage=stages[0]) for _ in range(3)]
    edit = confirmed(planned(cast.rep, rows, stage_action="set", stage_value=str(stages[2].pk)))
    assert (edit.state, edit.written_count, edit.skipped_count) == ("done", 3, 0)
    batch = ChangeBatch.objects.get(pk=edit.batch_id)
    assert (batch.how, batch.user, batch.row_count) == ("bulk", cast.rep, 3)
    assert batch.description == f"Stage → {stages[2].name} · 3 renewals"
    assert confidences(*rows) == [stages[2].default_confidence] * 3
    assert all(hasattr(row, "score") for row in Renewal.objects.select_related("score"))
    undo_batch(batch_id=batch.pk, user=cast.rep, as_of=get_company().today())
    assert confidences(*rows) == [None] * 3
    assert set(Renewal.objects.values_list("stage", flat=True)) == {stages[0].pk}


def test_all_that_match_are_asked_again_and_only_the_editable_ones_taken(cast: Cast) -> None:
    mine = [make_renewal(owner=cast.rep) for _ in range(2)]
    make_renewal(owner=cast.team_mate)
    hidden = make_renewal(owner=cast.outsider)
    decided = make_renewal(owner=cast.rep, outcome="lost", final_amount=0)
    edit = confirmed(planned_all(cast.rep, "outcome=open", **CONFIDENT))
    assert verdicts(edit) == {row.pk: ("written", "") for row in mine}
    assert edit.not_yours_count == 1
    assert confidences(*mine, hidden, decided) == [70, 70, None, None]


def test_ticked_rows_of_others_are_refused_and_unseen_ones_are_not_even_told(cast: Cast) -> None:
    mine, mates, hidden = (make_renewal(owner=who) for who in (cast.rep, cast.team_mate, cast.outsider))
    edit = confirmed(planned(cast.rep, [mine, mates, hidden], **CONFIDENT))
    assert verdicts(edit) == {mine.pk: ("written", ""), mates.pk: ("refused", NOT_YOURS)}
    assert confidences(mates, hidden) == [None, None]


def test_an_unreadable_filter_never_widens_what_is_edited(cast: Cast) -> None:
    make_renewal(owner=cast.rep)
    with pytest.raises(SelectionUnreadable, match="Stage: there is no “99999999”"):
        planned_all(cast.rep, "outcome=open&stage=99999999", **CONFIDENT)
    assert not BulkEdit.objects.exists()


@pytest.mark.parametrize(
    ("address", "filters"),
    [
        ("stage=3&sort=-due_on&page=2&per_page=50&columns=account", "stage=3"),
        ("sort=due_on", "outcome=all"),
        ("", ""),
        ("q=a%26b&owner=me", "q=a%26b&owner=me"),
    ],
)
def test_a_selection_keeps_the_filters_of_the_address_and_not_its_view(address: str, filters: str) -> None:
    assert read_selection({"all": "yes"}, address) == Selection(query=filters, is_all=True)


@pytest.mark.parametrize(
    ("ids", "message"),
    [("", "No renewal is chosen"), ("1,x", "“x” is not the number"), ("1;2", "“1;2” is not"), ("-4", "“-4” is not")],
)
def test_a_selection_that_names_no_rows_is_refused(ids: str, message: str) -> None:
    with pytest.raises(SelectionUnreadable, match=message):
        read_selection({"ids": ids}, "")


def test_a_row_that_somebody_changed_since_is_skipped_and_told(cast: Cast) -> None:
    faster, other_field, free = (make_renewal(owner=cast.rep, confidence=10) for _ in range(3))
    edit = planned(cast.rep, [faster, other_field, free], **CONFIDENT)
    with recorded_as(user_id=cast.manager.pk, how="cell"):
        Renewal.objects.filter(pk=faster.pk).update(confidence=33)
        Renewal.objects.filter(pk=other_field.pk).update(next_step="Call them")
    confirm_edit(edit=edit)
    assert verdicts(edit) == {
        faster.pk: ("skipped", "Changed since: Confidence by Mona Manager."),
        other_field.pk: ("written", ""),
        free.pk: ("written", ""),
    }
    assert (edit.written_count, edit.skipped_count) == (2, 1)
    assert confidences(faster, other_field, free) == [33, 70, 70]


def test_what_a_decision_was_derived_from_is_compared_too(cast: Cast) -> None:
    """Renewed at what was forecast: a forecast that has moved since is not booked at its old value."""
    row = make_renewal(owner=cast.rep, forecast_amount=Decimal("9000.00"))
    edit = planned(cast.rep, [row], outcome_action="set", outcome_value="renewed")
    Renewal.objects.filter(pk=row.pk).update(forecast_amount=Decimal("9500.00"))
    confirm_edit(edit=edit)
    assert verdicts(edit) == {row.pk: ("skipped", "Changed since: Forecast.")}


def test_somebody_who_wrote_the_same_is_no_conflict(cast: Cast) -> None:
    row = make_renewal(owner=cast.rep, confidence=10)
    edit = planned(cast.rep, [row], **CONFIDENT)
    Renewal.objects.filter(pk=row.pk).update(confidence=70)
    confirm_edit(edit=edit)
    assert verdicts(edit) == {row.pk: ("written", "")}


def test_a_row_handed_away_or_deleted_meanwhile_is_refused(cast: Cast) -> None:
    handed, deleted = make_renewal(owner=cast.rep), make_renewal(owner=cast.rep)
    edit = planned(cast.rep, [handed, deleted], **CONFIDENT)
    Renewal.objects.filter(pk=handed.pk).update(owner=cast.team_mate)
    Renewal.objects.filter(pk=deleted.pk).delete()
    confirm_edit(edit=edit)
    assert verdicts(edit) == {
        handed.pk: ("refused", NOT_YOURS),
        deleted.pk: ("refused", "This renewal is no longer there."),
    }
    assert (edit.written_count, edit.batch_id) == (0, None)
    assert confidences(handed) == [None]


def test_an_edit_is_confirmed_once(cast: Cast) -> None:
    row = make_renewal(owner=cast.rep, forecast_amount=Decimal(100))
    edit = planned(cast.rep, [row], forecast_amount_action="scale", forecast_amount_percent="10")
    confirm_edit(edit=edit)
    with pytest.raises(NotWaiting, match="done already"):
        confirm_edit(edit=edit)
    with pytest.raises(NotWaiting):
        discard_edit(edit=edit)
    row.refresh_from_db()
    assert row.forecast_amount == Decimal("110.00")


def test_only_the_chosen_rows_are_written(cast: Cast) -> None:
    first, second = make_renewal(owner=cast.rep), make_renewal(owner=cast.rep)
    edit = planned(cast.rep, [first, second], **CONFIDENT)
    confirm_edit(edit=edit, row_ids=[edit.rows.get(renewal_id=second.pk).pk])
    assert confidences(first, second) == [None, 70]
    assert verdicts(edit) == {first.pk: ("ready", ""), second.pk: ("written", "")}


@pytest.mark.parametrize(
    ("asked", "field", "message"),
    [
        ({}, "", "nothing is asked for yet"),
        ({"stage_action": "clear"}, "stage", "cannot be changed in this way"),
        ({"stage_action": "set", "stage_value": "Nowhere"}, "stage", "There is no stage “Nowhere”"),
        ({"confidence_action": "set", "confidence_value": "101"}, "confidence", "from 0 to 100, not “101”"),
        ({"confidence_action": "set"}, "confidence", "say what to set it to"),
        ({"confidence_action": "scale", "confidence_percent": "5"}, "confidence", "cannot be changed in this way"),
        ({"forecast_amount_action": "set", "forecast_amount_value": "96,50"}, "forecast_amount", "not “96,50”"),
        ({"forecast_amount_action": "scale", "forecast_amount_percent": "-101"}, "forecast_amount", "-100 to 1,000"),
        ({"forecast_amount_action": "scale", "forecast_amount_percent": "0"}, "forecast_amount", "not by 0"),
        ({"forecast_amount_action": "scale", "forecast_amount_percent": "1e3"}, "forecast_amount", "not “1e3”"),
        ({"expected_order_on_action": "shift", "expected_order_on_days": "1.5"}, "expected_order_on", "not “1.5”"),
        ({"expected_order_on_action": "shift", "expected_order_on_days": "99999"}, "expected_order_on", "3,650"),
        ({"ordered_on_action": "set", "ordered_on_value": "2030-01-01"}, "ordered_on", "in the future"),
        ({"outcome_action": "set", "outcome_value": "lost"}, "outcome", "needs its churn reason"),
        ({"outcome_action": "set", "outcome_value": "gone"}, "outcome", "open, renewed or lost, not “gone”"),
        ({"owner_action": "clear"}, "owner", "cannot be blank"),
        ({"owner_action": "set", "owner_value": "Otto Outsider"}, "owner", "no owner “Otto Outsider”"),
        ({"next_step_action": "set", "next_step_value": "x" * 201}, "next_step", "at most 200"),
        ({"confidence_action": "explode"}, "confidence", "cannot be changed in this way"),
    ],
)
def test_what_cannot_be_asked_for_is_told_by_its_field(
    cast: Cast, asked: dict[str, str], field: str, message: str
) -> None:
    row = make_renewal(owner=cast.rep)
    with pytest.raises(ChangesInvalid) as refused:
        plan_edit(selection=Selection(ids=(row.pk,)), changes=read_changes(asked), user=cast.rep)
    assert message in refused.value.errors[field]
    assert not BulkEdit.objects.exists()


def test_outcome_and_order_date_are_not_changed_apart(cast: Cast) -> None:
    asked = {"outcome_action": "set", "outcome_value": "open", "ordered_on_action": "clear"}
    with pytest.raises(ChangesInvalid, match="change one of the two"):
        plan_edit(selection=Selection(ids=(1,)), changes=read_changes(asked), user=cast.rep)


def test_only_an_admin_takes_owners_away(cast: Cast) -> None:
    row = make_renewal(owner=cast.rep)
    confirmed(planned(cast.admin, [row], owner_action="clear"))
    row.refresh_from_db()
    assert row.owner is None


def test_lost_brings_everything_that_belongs_to_it(cast: Cast) -> None:
    reason = ChurnReason.objects.order_by("name").first()
    assert reason is not None
    rows = [make_renewal(owner=cast.rep, forecast_amount=Decimal(5), cross_sell_amount=Decimal(2)) for _ in range(2)]
    asked = {"outcome_action": "set", "outcome_value": "lost", "outcome_churn_reason": str(reason.pk)}
    confirmed(planned(cast.rep, rows, **asked))
    today = get_company().today()
    columns = ("outcome", "churn_reason", "final_amount", "cross_sell_amount", "declined_on", "ordered_on")
    assert list(Renewal.objects.values_list(*columns)) == [("lost", reason.pk, 0, 0, today, None)] * 2


def test_hostile_texts_are_texts(cast: Cast) -> None:
    row = make_renewal(owner=cast.rep)
    text = "'); DROP TABLE renewals_renewal; -- %s {} \"<script>"
    edit = confirmed(planned(cast.rep, [row], next_step_action="set", next_step_value=text))
    row.refresh_from_db()
    assert (edit.written_count, row.next_step) == (1, text)


def test_statements_do_not_grow_with_the_rows(cast: Cast) -> None:
    rows = [make_renewal(owner=cast.rep, due_on=dt.date(2026, 12, 1)) for _ in range(42)]
    confirmed(planned(cast.rep, rows[:1], **CONFIDENT))  # fills the caches of scoring
    counts = []
    for part in (rows[1:2], rows[2:]):
        edit = planned(cast.rep, part, **CONFIDENT)
        with CaptureQueriesContext(connection) as captured:
            confirm_edit(edit=edit)
        assert edit.written_count == len(part)
        counts.append(len(captured))
    assert counts[0] == counts[1] < 40


def test_what_is_too_much_to_score_at_once_is_scored_by_a_run(cast: Cast, monkeypatch: Any) -> None:
    from forecasting.models import Run
    from renewals.bulk import apply

    monkeypatch.setattr(apply, "SCORED_AT_ONCE", 1)
    confirmed(planned(cast.rep, [make_renewal(owner=cast.rep)], **CONFIDENT))
    assert not Run.objects.exists()
    confirmed(planned(cast.rep, [make_renewal(owner=cast.rep) for _ in range(2)], **CONFIDENT))
    run = Run.objects.get()
    assert (run.reason, run.state, run.requested_by) == ("bulk", Run.State.WAITING, cast.rep)


def test_the_result_of_each_row_is_a_csv_without_formulas(cast: Cast) -> None:
    row = make_renewal(owner=cast.rep, next_step="Call")
    mates = make_renewal(owner=cast.team_mate)
    edit = confirmed(planned(cast.rep, [row, mates], next_step_action="set", next_step_value="=1+1"))
    response = cast.client_of("rep").get(f"/bulk/{edit.pk}/rows.csv")
    content = b"".join(response).decode("utf-8-sig")  # type: ignore[arg-type]
    lines = list(csv.DictReader(io.StringIO(content)))
    assert [(line["id"], line["Result"], line["Reason"], line["Changed"]) for line in lines] == [
        (str(row.pk), "Changed", "", "Next step: Call → =1+1"),
        (str(mates.pk), "Refused", NOT_YOURS, "Next step: – → =1+1"),
    ]
    assert response.headers["X-Row-Count"] == "2"
