"""An export that was edited comes back: what is taken, what is left out and why, and that nothing else is touched."""

import datetime as dt
import io
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
import xlsxwriter

from accounts.models import Company, User, get_company
from config.history import recorded_as
from renewals.bulk import services
from renewals.bulk.services import confirm_edit, process_edit, receive_edited_file
from renewals.history.undo import undo_batch
from renewals.imports.reader import FileRejected
from renewals.models import BulkEdit, ChangeBatch, ChurnReason, Offer, Renewal, Stage
from tests.cast import Cast, make_renewal
from tests.renewals.bulk.bulk_book import verdicts
from tests.renewals.exports.export_book import Line, as_csv, csv_lines, exported, sheet

Change = dict[str, str]


def brought_back(user: User, content: bytes, name: str = "renewals.csv") -> BulkEdit:
    return receive_edited_file(file_name=name, chunks=[content], user=user)


def edited(user: User, changes: dict[int, Change], query: str = "outcome=all") -> BulkEdit:
    """Export as this user, change cells of rows by their ids, bring the file back."""
    lines = csv_lines(exported(user, query))
    for line in lines:
        line.update(changes.get(int(line["id"]), {}))
    return brought_back(user, as_csv(lines))


def problems(edit: BulkEdit, renewal: Renewal) -> list[tuple[str, str]]:
    return [(one["field"], one["reason"]) for one in edit.rows.get(renewal_id=renewal.pk).problems]


def wanted(edit: BulkEdit, renewal: Renewal) -> dict[str, str | None]:
    return dict(edit.rows.get(renewal_id=renewal.pk).wanted)


def rich_rows(cast: Cast) -> list[Renewal]:
    reason = ChurnReason.objects.order_by("pk").first()
    return [
        make_renewal(
            owner=cast.rep,
            forecast_amount=Decimal("9000.50"),
            offer=Offer.objects.create(name="=Suite; +plus"),
            confidence=70,
            next_step="-5 % if they sign; =today()",
            next_step_on=dt.date(2026, 12, 1),
            expected_order_on=dt.date(2026, 12, 2),
        ),
        make_renewal(owner=cast.rep, outcome="lost", final_amount=0, churn_reason=reason),
        make_renewal(owner=cast.rep, outcome="renewed", final_amount=12345, ordered_on=dt.date(2026, 11, 5)),
        make_renewal(owner=cast.rep, next_step="'=quoted | piped"),
    ]


@pytest.mark.parametrize("format", ["csv", "xlsx"])
def test_a_file_that_nobody_edited_changes_nothing(cast: Cast, format: str) -> None:
    rows = rich_rows(cast)
    edit = brought_back(cast.rep, exported(cast.rep, "outcome=all", format), f"renewals.{format}")
    assert (edit.state, edit.row_count, edit.message) == ("planned", 0, "")
    assert edit.notes[-1] == f"{len(rows)} rows of the file are as exported, and left alone."
    assert edit.notes[0].startswith("These columns cannot be changed here, and are not looked at: Account, Segment,")


def test_edited_cells_are_one_step_and_undone_as_one(cast: Cast) -> None:
    offer, stage = Offer.objects.create(name="Premier"), Stage.objects.order_by("position")[3]
    first, second = make_renewal(owner=cast.rep), make_renewal(owner=cast.rep, next_step="Call")
    still = make_renewal(owner=cast.rep)
    edit = edited(
        cast.rep,
        {
            first.pk: {
                "Stage": stage.name.upper(),
                "Forecast": "13,500.25",
                "Offer": "premier",
                "Confidence %": "80 %",
                "Owner": "Tom Mate",
                "Expected order": "05 Dec 2026",
            },
            second.pk: {"Next step": "", "Account": "read-only, so ignored"},
        },
    )
    assert wanted(edit, first) == {
        "stage_id": str(stage.pk),
        "forecast_amount": "13500.25",
        "offer_id": str(offer.pk),
        "confidence": "80",
        "owner_id": str(cast.team_mate.pk),
        "expected_order_on": "2026-12-05",
    }
    assert wanted(edit, second) == {"next_step": ""}
    assert still.pk not in verdicts(edit)
    confirm_edit(edit=edit)
    assert (edit.state, edit.written_count) == ("done", 2)
    first.refresh_from_db()
    assert (first.owner, first.forecast_amount, first.account.name) == (
        cast.team_mate,
        Decimal("13500.25"),
        Renewal.objects.get(pk=first.pk).account.name,
    )
    batch = ChangeBatch.objects.get(pk=edit.batch_id)
    assert (batch.how, batch.description) == ("import", "Edited file renewals.csv · 2 renewals")
    undo_batch(batch_id=batch.pk, user=cast.manager, as_of=get_company().today())
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.owner, first.forecast_amount, second.next_step) == (cast.rep, None, "Call")


def test_outcomes_come_back_with_their_parts(cast: Cast) -> None:
    reason = ChurnReason.objects.order_by("name").first()
    lost, won, ordered, reopened = (make_renewal(owner=cast.rep) for _ in range(4))
    Renewal.objects.filter(pk=reopened.pk).update(outcome="renewed", ordered_on="2026-11-05", final_amount=7)
    edit = edited(
        cast.rep,
        {
            lost.pk: {"Outcome": "lost", "Churn reason": str(reason)},
            won.pk: {"Outcome": "Renewed", "Final amount": "15000", "Ordered": "2026-11-20"},
            ordered.pk: {"Ordered": "2026-11-19"},
            reopened.pk: {"Ordered": ""},
        },
    )
    confirm_edit(edit=edit)
    assert edit.written_count == 4
    values = Renewal.objects.order_by("pk").values_list("outcome", "churn_reason__name", "final_amount", "ordered_on")
    assert list(values) == [
        ("lost", str(reason), 0, None),
        ("renewed", None, 15000, dt.date(2026, 11, 20)),
        ("renewed", None, 12000, dt.date(2026, 11, 19)),
        ("open", None, None, None),
    ]


def test_a_worker_says_when_somebody_changed_a_cell_in_the_company_s_time(cast: Cast, monkeypatch: Any) -> None:
    Company.objects.update(time_zone="Asia/Kathmandu")
    row = make_renewal(owner=cast.rep, confidence=20)
    (line,) = csv_lines(exported(cast.rep))
    with recorded_as(user_id=cast.manager.pk, how="cell"):
        Renewal.objects.filter(pk=row.pk).update(confidence=35)
    monkeypatch.setattr(services, "READ_AT_ONCE", 10)
    edit = brought_back(cast.rep, as_csv([{**line, "Confidence %": "90"}]))
    process_edit(edit.pk)
    (problem,) = edit.rows.get().problems
    at = row.events.get().pgh_created_at + dt.timedelta(hours=5, minutes=45)  # type: ignore[attr-defined]
    assert problem["reason"] == f"Mona Manager changed it since the export, {at:%d %b at %H:%M}."


def test_a_cell_that_somebody_changed_since_the_export_is_shown_and_kept(cast: Cast) -> None:
    row = make_renewal(owner=cast.rep, confidence=20, next_step="Call")
    content = exported(cast.rep)
    with recorded_as(user_id=cast.manager.pk, how="cell"):
        Renewal.objects.filter(pk=row.pk).update(confidence=35)
    (line,) = csv_lines(content)
    edit = brought_back(cast.rep, as_csv([{**line, "Confidence %": "90", "Next step": "Write"}]))
    (problem,) = edit.rows.get().problems
    assert problem.pop("reason").startswith("Mona Manager changed it since the export, ")
    assert problem == {
        "field": "confidence",
        "column": "confidence",
        "text": "90",
        "was": "20",
        "now": "35",
    }
    assert wanted(edit, row) == {"next_step": "Write"}
    confirm_edit(edit=edit)
    row.refresh_from_db()
    assert (row.confidence, row.next_step) == (35, "Write")


def test_untouched_cells_never_bring_back_what_they_were(cast: Cast) -> None:
    """The file still has the old confidence; somebody's newer one stays, and is no conflict."""
    row = make_renewal(owner=cast.rep, confidence=20)
    content = exported(cast.rep)
    Renewal.objects.filter(pk=row.pk).update(confidence=35)
    (line,) = csv_lines(content)
    edit = brought_back(cast.rep, as_csv([{**line, "Next step": "Write"}]))
    confirm_edit(edit=edit)
    row.refresh_from_db()
    assert (row.confidence, row.next_step, edit.written_count) == (35, "Write", 1)


def test_somebody_who_is_faster_than_the_yes_is_not_written_over(cast: Cast) -> None:
    row = make_renewal(owner=cast.rep, confidence=20)
    edit = edited(cast.rep, {row.pk: {"Confidence %": "90"}})
    Renewal.objects.filter(pk=row.pk).update(confidence=35)
    confirm_edit(edit=edit)
    assert verdicts(edit) == {row.pk: ("skipped", "Changed since: Confidence.")}


def test_rows_of_others_and_rows_that_are_not_there_are_refused(cast: Cast) -> None:
    mine, mates, hidden = (make_renewal(owner=who) for who in (cast.rep, cast.team_mate, cast.outsider))
    lines = csv_lines(exported(cast.admin))
    for line in lines:
        line["Confidence %"] = "90"
    nobody = {**lines[0], "id": "999999999"}
    edit = brought_back(cast.rep, as_csv([*lines, nobody, {**lines[0], "id": "x"}, lines[0]]))
    found = {(pk, row): (verdict, reason) for pk, row, verdict, reason in edit.rows.values_list(
        "renewal_id", "row_number", "verdict", "reason")}  # fmt: skip
    stranger = "There is no renewal with this id that you may see."
    assert found == {
        (mine.pk, 2): ("ready", ""),
        (mates.pk, 3): ("refused", "You may look at this renewal, not change it."),
        (hidden.pk, 4): ("refused", stranger),
        (999999999, 5): ("refused", stranger),
        (None, 6): ("refused", "The id is not the number of a renewal."),
        (mine.pk, 7): ("refused", "This renewal stands in row 2 already."),
    }


@pytest.mark.parametrize(
    ("change", "field", "reason"),
    [
        ({"Stage": ""}, "stage", "Stage cannot be blank."),
        ({"Stage": "Nowhere"}, "stage", "There is no stage “Nowhere” that you can choose."),
        ({"Forecast": "-5"}, "forecast_amount", "Forecast is not negative: “-5”."),
        ({"Forecast": "9.000,50"}, "forecast_amount", "An amount is written 96500 or 96,500.00, not “9.000,50”."),
        ({"Forecast": "=1+1"}, "forecast_amount", "An amount is written 96500 or 96,500.00, not “=1+1”."),
        ({"Confidence %": "170"}, "confidence", "Confidence is a whole number from 0 to 100, not “170”."),
        ({"Owner": ""}, "owner", "Owner cannot be blank."),
        ({"Owner": "Otto Outsider"}, "owner", "There is no owner “Otto Outsider” that you can choose."),
        (
            {"Expected order": "05/11/2026"},
            "expected_order_on",
            "Write the day as 2026-11-05: “05/11/2026” reads differently from country to country.",
        ),
        ({"Ordered": "2090-01-01"}, "ordered_on", "in the future"),
        ({"Outcome": "Lost"}, "outcome", "A lost renewal needs its churn reason."),
        ({"Outcome": "Gone"}, "outcome", "Outcome is open, renewed or lost, not “Gone”."),
        ({"Final amount": "5"}, "final_amount", "A final amount belongs to a renewed one: set Outcome to Renewed too."),
        ({"Churn reason": "Price"}, "churn_reason", "A churn reason belongs to a lost one: set Outcome to Lost too."),
        ({"Next step": "x" * 201}, "next_step", "at most 200 characters"),
    ],
)
def test_what_a_cell_cannot_be_is_told_and_the_others_are_taken(
    cast: Cast, change: Change, field: str, reason: str
) -> None:
    row = make_renewal(owner=cast.rep)
    edit = edited(cast.rep, {row.pk: {**change, "Next step due": "2026-12-24"}})
    ((found_field, found_reason),) = problems(edit, row)
    assert found_field == field
    assert reason in found_reason
    assert wanted(edit, row) == {"next_step_on": "2026-12-24"}


def test_a_row_of_which_no_cell_can_be_taken_is_refused(cast: Cast) -> None:
    row = make_renewal(owner=cast.rep)
    edit = edited(cast.rep, {row.pk: {"Confidence %": "170"}})
    assert verdicts(edit) == {row.pk: ("refused", "None of its changed cells can be taken.")}
    assert edit.ready_count == 0


def spoiled(line: Line) -> Line:
    return {**line, "_state": line["_state"][:-6], "Confidence %": "5"}


@pytest.mark.parametrize("spoil", [spoiled, lambda line: {**spoiled(line), "_state": ""}])
def test_a_row_without_its_state_is_refused(cast: Cast, spoil: Callable[[Line], Line]) -> None:
    row = make_renewal(owner=cast.rep)
    (line,) = csv_lines(exported(cast.rep))
    edit = brought_back(cast.rep, as_csv([spoil(line)]))
    ((verdict, reason),) = verdicts(edit).values()
    assert (verdict, reason[:50]) == ("refused", "Its _state is missing, damaged or that of another ")
    row.refresh_from_db()
    assert row.confidence is None


def test_the_state_of_another_row_is_recognised(cast: Cast) -> None:
    make_renewal(owner=cast.rep, confidence=1), make_renewal(owner=cast.rep, confidence=2)
    first, second = csv_lines(exported(cast.rep))
    edit = brought_back(cast.rep, as_csv([{**first, "_state": second["_state"], "Confidence %": "5"}]))
    assert [verdict for verdict, _ in verdicts(edit).values()] == ["refused"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "The file is empty."),
        (b"%PDF-1.7", "This is a PDF"),
        (b"id,Stage\n1,Open\n", "The file has no column _state."),
        (b"Stage,Offer\na,b\n", "The file has no column id and _state."),
        (b"id,_state,Account\n1,s1,x\n", "The file has none of the columns that can be edited"),
        (b"id,_state,Stage,Stage\n1,s1,x,y\n", "stands over 2 columns"),
        (b'id,_state,Stage\n1,s1,"x\n', "opens a quote"),
    ],
)
def test_a_file_that_is_no_export_is_rejected_in_words(cast: Cast, content: bytes, message: str) -> None:
    edit = brought_back(cast.rep, content)
    assert edit.state == "failed"
    assert message in edit.message
    assert not edit.rows.exists()


def test_a_file_past_the_size_limit_is_not_kept(cast: Cast, settings: Any) -> None:
    settings.IMPORT_MAX_BYTES = 100
    with pytest.raises(FileRejected, match="larger than"):
        brought_back(cast.rep, b"x" * 101)
    assert not BulkEdit.objects.exists()


def test_days_that_a_spreadsheet_has_written_its_own_way_are_untouched(cast: Cast) -> None:
    row = make_renewal(owner=cast.rep, expected_order_on=dt.date(2026, 11, 5), next_step_on=dt.date(2026, 1, 9))
    for first, second in (("05/11/2026", "1/9/2026"), ("11/5/2026", "09-Jan-26"), ("5.11.2026", "2026/01/09")):
        edit = edited(cast.rep, {row.pk: {"Expected order": first, "Next step due": second}})
        assert edit.row_count == 0, (first, second, edit.rows.first())


def test_a_workbook_edited_in_a_spreadsheet_comes_back(cast: Cast) -> None:
    """Numbers as numbers, days as days, a product with its long fraction, an error and a formula of their own."""
    row = make_renewal(owner=cast.rep, forecast_amount=Decimal("1000.00"), expected_order_on=dt.date(2026, 12, 1))
    head, cells = sheet(exported(cast.rep, format="xlsx"))
    cells[head.index("Forecast")] = 1000 * 1.07251234
    cells[head.index("Expected order")] = dt.date(2026, 12, 24)
    cells[head.index("Confidence %")] = 55
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as workbook:
        day = workbook.add_format({"num_format": "dd/mm/yyyy"})
        page = workbook.add_worksheet()
        page.write_row(0, 0, head)
        for place, value in enumerate(cells):
            if isinstance(value, dt.date):
                page.write_datetime(1, place, value, day)
            else:
                page.write(1, place, value)
    edit = brought_back(cast.rep, out.getvalue(), "edited.xlsx")
    assert edit.message == ""
    assert wanted(edit, row) == {
        "forecast_amount": "1072.51",
        "expected_order_on": "2026-12-24",
        "confidence": "55",
    }


def test_a_large_file_is_read_by_a_worker(cast: Cast, monkeypatch: Any) -> None:
    row = make_renewal(owner=cast.rep)
    monkeypatch.setattr(services, "READ_AT_ONCE", 10)
    edit = edited(cast.rep, {row.pk: {"Confidence %": "5"}})
    assert edit.state == "planning"
    process_edit(edit.pk)
    edit.refresh_from_db()
    assert (edit.state, verdicts(edit)) == ("planned", {row.pk: ("ready", "")})


def test_only_the_ticked_rows_of_a_file_are_taken(cast: Cast) -> None:
    first, second = make_renewal(owner=cast.rep), make_renewal(owner=cast.rep)
    edit = edited(cast.rep, {row.pk: {"Confidence %": "5"} for row in (first, second)})
    client = cast.client_of("rep")
    page = client.get(f"/bulk/{edit.pk}/").content.decode()
    assert "Accept all 2 good rows" in page
    ticked = edit.rows.get(renewal_id=second.pk).pk
    client.post(f"/bulk/{edit.pk}/confirm/", {"accept": "ticked", "row": [ticked]})
    assert list(Renewal.objects.order_by("pk").values_list("confidence", flat=True)) == [None, 5]


def test_columns_that_are_not_in_the_file_are_left_alone(cast: Cast) -> None:
    row = make_renewal(owner=cast.rep, confidence=20, next_step="Call")
    lines = csv_lines(exported(cast.rep, "columns=next_step"))
    assert "Confidence %" not in lines[0]
    edit = brought_back(cast.rep, as_csv([{**lines[0], "Next step": "Write", "Mine": "1"}]))
    assert wanted(edit, row) == {"next_step": "Write"}
    assert "These columns are not of an export, and are not looked at: Mine." in edit.notes
