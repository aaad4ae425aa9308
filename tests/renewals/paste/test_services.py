"""A paste is one step, compared per field, and nothing at all where a cell is refused."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import get_company
from renewals.bulk.services import process_edit
from renewals.history.undo import undo_batch
from renewals.models import BulkEdit, ChangeBatch, ChurnReason, Offer, Renewal, Stage
from renewals.services import update_renewal
from tests.cast import Cast, make_account, make_renewal
from tests.renewals.paste.pastes import found, put

pytestmark = pytest.mark.django_db


def today() -> dt.date:
    return get_company().today()


def make_rows(cast: Cast, count: int = 3) -> list[Renewal]:
    rows = [
        make_renewal(
            owner=cast.rep,
            account=make_account(name=f"Customer {place}", owner=cast.rep),
            forecast_amount=Decimal(12_000),
            confidence=50,
        )
        for place in range(count)
    ]
    return fresh(rows)


def fresh(rows: list[Renewal]) -> list[Renewal]:
    return [Renewal.objects.get(pk=row.pk) for row in rows]


def test_paste_is_one_step_and_its_undo_another(cast: Cast) -> None:
    rows = make_rows(cast)
    offer = Offer.objects.create(name="Core, one year")
    lines = [["13000", "core, ONE year", "60%"], ["14,000.50", "", "70"], ["12000", "Core, one year", "50"]]

    pasted = put(cast.rep, rows, ["forecast_amount", "offer", "confidence"], lines)

    assert (pasted.findings, pasted.cell_count) == ([], 6)
    assert [(row.forecast_amount, row.offer, row.confidence) for row in fresh(rows)] == [
        (Decimal(13_000), offer, 60),
        (Decimal("14000.50"), None, 70),
        (Decimal(12_000), offer, 50),
    ]
    batch = ChangeBatch.objects.get()
    assert (batch.pk, batch.how, batch.user, batch.row_count) == (pasted.batch_id, "paste", cast.rep, 3)
    assert batch.description == "Paste into Confidence, Forecast and Offer of 3 renewals"
    undone = undo_batch(batch_id=batch.pk, user=cast.rep, as_of=today())
    assert (undone.cell_count, undone.kept_count) == (6, 0)
    assert [(row.forecast_amount, row.offer, row.confidence) for row in fresh(rows)] == [
        (Decimal(12_000), None, 50)
    ] * 3


def test_nothing_is_saved_where_a_cell_is_refused(cast: Cast) -> None:
    rows = make_rows(cast)
    lines = [["13000", "Nonsense"], ["96.500,00", ""], ["12500", ""]]

    pasted = put(cast.rep, rows, ["forecast_amount", "offer"], lines)

    assert found(pasted) == [
        (0, 1, "value", "There is no offer “Nonsense” that you can choose."),
        (1, 0, "value", "An amount is written 96500 or 96,500.00, not “96.500,00”."),
    ]
    assert (pasted.cell_count, pasted.batch_id) == (2, None)
    assert [row.forecast_amount for row in fresh(rows)] == [Decimal(12_000)] * 3
    assert not ChangeBatch.objects.exists()

    pasted = put(cast.rep, rows, ["forecast_amount", "offer"], lines, is_partial=True)

    assert len(pasted.findings) == 2
    assert [row.forecast_amount for row in fresh(rows)] == [Decimal(13_000), Decimal(12_000), Decimal(12_500)]
    assert ChangeBatch.objects.get().row_count == 2


def test_columns_and_lines_beyond_the_page_are_told(cast: Cast) -> None:
    rows = make_rows(cast, 1)

    pasted = put(cast.rep, rows, ["confidence"], [["60", "too wide"], ["70"]])

    assert found(pasted) == [
        (0, 1, "outside", "It is right of the last column."),
        (1, 0, "outside", "Line 2 is below the last row of this page. Show more rows, or paste fewer."),
    ]
    assert fresh(rows)[0].confidence == 50


def test_locked_column_and_row_of_another_say_why(cast: Cast) -> None:
    mine, theirs = make_rows(cast, 1)[0], make_renewal(owner=cast.team_mate, confidence=10)
    hidden = make_renewal(owner=cast.outsider, confidence=10)

    pasted = put(cast.rep, [mine, theirs, hidden], ["due_on", "confidence"], [["2027-01-01", "60"]] * 3)

    theirs_why = "Tom Mate owns this renewal; the owner, the team's manager or an admin edits it."
    gone = "This renewal is no longer there, or not yours to see."
    assert found(pasted) == [
        (0, 0, "locked", "Comes with the contract: change it there, or import it anew."),
        (1, 0, "row", theirs_why),
        (1, 1, "row", theirs_why),
        (2, 0, "gone", gone),
        (2, 1, "gone", gone),
    ]
    put(cast.rep, [mine, theirs, hidden], ["due_on", "confidence"], [["2027-01-01", "60"]] * 3, is_partial=True)
    assert [row.confidence for row in fresh([mine, theirs, hidden])] == [60, 10, 10]
    assert {row.due_on for row in fresh([mine, theirs, hidden])} == {mine.due_on}


def test_what_comes_back_as_it_was_copied_asks_for_nothing(cast: Cast) -> None:
    rows = [make_rows(cast, 1)[0], make_renewal(owner=cast.team_mate, confidence=10)]
    due = [str(row.due_on) for row in rows]
    was = [[due[0], "50"], [due[1], "10"]]

    pasted = put(cast.rep, rows, ["due_on", "confidence"], [[due[0], "60"], [due[1], "10"]], was=was)

    assert found(pasted) == []
    assert [row.confidence for row in fresh(rows)] == [60, 10]

    pasted = put(cast.rep, rows, ["due_on", "confidence"], [[due[0], "70"], [due[1], "11"]], was=was)

    assert [(one.line, one.place, one.kind) for one in pasted.findings] == [(0, 1, "conflict"), (1, 1, "row")]


def test_only_a_cell_that_somebody_changed_is_a_conflict(cast: Cast) -> None:
    rows = make_rows(cast)  # as the page showed them
    update = {"user": cast.manager, "as_of": today()}
    update_renewal(renewal_id=rows[0].pk, field="confidence", value=70, seen="50", **update)
    update_renewal(renewal_id=rows[1].pk, field="forecast_amount", value=Decimal(99), seen="12000.00", **update)
    update_renewal(renewal_id=rows[2].pk, field="confidence", value=80, seen="50", **update)

    pasted = put(cast.rep, rows, ["confidence"], [["60"], ["60"], ["80"]])

    (conflict,) = pasted.findings
    assert (conflict.line, conflict.kind, conflict.theirs_value) == (0, "conflict", "70")
    assert conflict.message.startswith("Mona Manager changed it at ")
    assert conflict.message.endswith(" to 70\xa0%. It was 50\xa0% here; yours is 60.")
    assert pasted.cell_count == 1  # the third is as wanted already
    put(cast.rep, rows, ["confidence"], [["60"], ["60"], ["80"]], is_partial=True)
    assert [row.confidence for row in fresh(rows)] == [70, 60, 80]

    # Mine, compared with what was shown as theirs.
    was = [[conflict.theirs_value], ["60"], ["80"]]
    put(cast.rep, rows, ["confidence"], [["60"], ["60"], ["80"]], was=was, is_partial=True)
    assert [row.confidence for row in fresh(rows)] == [60, 60, 80]


def test_cells_that_come_back_as_they_went_out_ask_for_nothing(cast: Cast) -> None:
    """A day that a spreadsheet has written in its own way, a name, an amount: none is a change, nor a conflict."""
    first, second = Stage.objects.order_by("position")[:2]
    row = make_renewal(
        owner=cast.rep, stage=first, expected_order_on=dt.date(2026, 11, 5), forecast_amount=Decimal(900)
    )
    Renewal.objects.filter(pk=row.pk).update(stage=second, confidence=33)
    columns = ["stage", "expected_order_on", "forecast_amount", "confidence", "outcome"]

    pasted = put(cast.rep, [row], columns, [[first.name.upper(), "05/11/2026", "900", "", "Open"]])

    assert (pasted.findings, pasted.rows, pasted.batch_id) == ([], [], None)


def test_outcome_comes_with_its_part_and_its_order_date(cast: Cast) -> None:
    rows = make_rows(cast, 4)
    reason = ChurnReason.objects.get(name="Price")
    lines = [["2026-11-05", "Renewed (12500)"], ["", "Lost (price)"], ["", "lost: Price"], ["", "Renewed"]]

    pasted = put(cast.rep, rows, ["ordered_on", "outcome"], lines)

    assert pasted.findings == []
    decided = [(row.outcome, row.ordered_on, row.final_amount, row.churn_reason) for row in fresh(rows)]
    assert decided == [
        ("renewed", dt.date(2026, 11, 5), Decimal(12_500), None),
        ("lost", None, Decimal(0), reason),
        ("lost", None, Decimal(0), reason),
        ("renewed", today(), Decimal(12_000), None),
    ]
    # Pasted again as it is copied now: nothing to do.
    lines = [["2026-11-05", "Renewed (12500)"], ["", "Lost (Price)"], ["", "Lost (Price)"], ["", "Renewed (12000)"]]
    assert put(cast.rep, fresh(rows), ["ordered_on", "outcome"], lines).rows == []


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("outcome", "Lost", "A lost renewal needs its churn reason."),
        ("outcome", "Maybe", "Outcome is open, renewed or lost, not “maybe”."),
        ("outcome", "Open (12)", "Outcome is Open, Renewed or Lost (its reason), not “Open (12)”."),
        ("stage", "", "Stage cannot be blank."),
        ("stage", "1", "There is no stage “1” that you can choose."),
        (
            "expected_order_on",
            "05/11/2026",
            "Write the day as 2026-11-05: “05/11/2026” reads differently from country to country.",
        ),
        ("ordered_on", "2030-01-01", "Ordered: 01 Jan 2030 is in the future; the latest is {today}."),
        ("confidence", "1e2", "Confidence is a whole number from 0 to 100, not “1e2”."),
        ("next_step", "x" * 201, "Next step has at most 200 characters, not 201."),
    ],
)
def test_values_are_judged_by_the_rule_of_the_open_cell(cast: Cast, name: str, text: str, message: str) -> None:
    row = make_rows(cast, 1)[0]

    pasted = put(cast.rep, [row], [name], [[text]])

    assert found(pasted) == [(0, 0, "value", message.format(today=f"{today():%d %b %Y}"))]


def test_order_date_of_one_that_is_not_renewed_is_refused_with_its_outcome(cast: Cast) -> None:
    row = make_rows(cast, 1)[0]

    pasted = put(cast.rep, [row], ["ordered_on", "outcome"], [["2026-11-05", "Lost (Price)"]])

    why = "An order date belongs to a renewed one: set Outcome to Renewed too."
    assert found(pasted) == [(0, 0, "value", why), (0, 1, "value", why)]


def test_a_cell_holds_one_line_and_a_guarded_text_is_taken_as_it_reads(cast: Cast) -> None:
    rows = make_rows(cast, 2)

    put(cast.rep, rows, ["next_step"], [["Call Ana,\r\nthen\tBen"], ["'=discount"]])

    assert [row.next_step for row in fresh(rows)] == ["Call Ana, then Ben", "=discount"]


def test_clearing_says_so(cast: Cast) -> None:
    rows = make_rows(cast, 2)

    put(cast.rep, rows, ["forecast_amount", "confidence"], [["", ""]] * 2, action="clear")

    assert [(row.forecast_amount, row.confidence) for row in fresh(rows)] == [(None, None)] * 2
    assert ChangeBatch.objects.get().description == "Clearing of Confidence and Forecast of 2 renewals"


def test_what_follows_from_a_value_is_written_with_it(cast: Cast) -> None:
    """As by the single cell: a stage brings its confidence where there is none."""
    first, second = Stage.objects.order_by("position")[:2]
    row = make_renewal(owner=cast.rep, stage=first)

    put(cast.rep, [row], ["stage"], [[second.name]])

    assert (fresh([row])[0].stage, fresh([row])[0].confidence) == (second, second.default_confidence)


def test_statements_do_not_grow_with_the_rows(cast: Cast) -> None:
    Offer.objects.create(name="Core")

    def count(rows: list[Renewal]) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert put(cast.rep, rows, ["forecast_amount", "offer"], [["1", "Core"]] * len(rows)).batch_id
        return len(queries)

    count(make_rows(cast, 1))
    assert count(make_rows(cast, 20)) == count(make_rows(cast, 2))


@pytest.mark.parametrize("is_partial", [False, True])
def test_many_rows_become_a_job(cast: Cast, is_partial: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("renewals.paste.services.AT_ONCE", 2)
    monkeypatch.setattr("renewals.bulk.services.AT_ONCE", 2)
    rows = make_rows(cast, 4)
    lines = [["60"], ["61"], ["abc" if is_partial else "62"], ["63"]]

    pasted = put(cast.rep, rows, ["confidence"], lines, is_partial=is_partial)

    assert pasted.edit is not None
    assert (pasted.batch_id, pasted.edit.state, pasted.edit.kind) == (None, BulkEdit.State.APPLYING, "paste")
    assert [row.confidence for row in fresh(rows)] == [50] * 4
    Renewal.objects.filter(pk=rows[1].pk).update(confidence=99)  # faster than the worker
    process_edit(pasted.edit.pk)
    assert [row.confidence for row in fresh(rows)] == [60, 99, 50 if is_partial else 62, 63]
    batch = ChangeBatch.objects.get()
    expected = 2 if is_partial else 3
    assert (batch.how, batch.row_count) == ("paste", expected)
    undo_batch(batch_id=batch.pk, user=cast.rep, as_of=today())
    assert [row.confidence for row in fresh(rows)] == [50, 99, 50, 50]
