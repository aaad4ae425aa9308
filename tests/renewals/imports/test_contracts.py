import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import Account, AttributeDefinition, Segment, get_company
from renewals.imports.services import ImportRejected, confirm_import
from renewals.imports.staging import stage_rows
from renewals.models import Contract, ImportBatch, Renewal, Stage
from tests.cast import Cast, make_account, make_renewal
from tests.renewals.imports.conftest import CONTRACTS, HEADING, Import, assert_no_row_is_lost, findings_of, refusals_of

ROW = "A1,Acme,C1,2026-01-01,2026-12-31,12000\n"
REGISTER: dict[str, Any] = {
    "rows": "contracts",
    "expiry_moved": "renewed",
    "account": {"name": "Company"},
    "contract": {
        "number": {"column": "No", "strip": "*"},
        "ends_on": {"column": "Ends", "dates": ["%m/%d/%y"]},
        "term_months": 12,
        "currency": {"value": "USD"},
    },
    "renewal": {"ordered_on": {"stands_in": "file_on"}},
    "file": {"file_on_in_name": "%Y-%m-%d"},
}


def result(batch: ImportBatch) -> dict[str, tuple[int, int, int]]:
    return {kind: (c["created"], c["changed"], c["unchanged"]) for kind, c in batch.result.items()}


def test_a_contract_brings_its_account_and_its_renewal(run_import: Import) -> None:
    batch = run_import(HEADING + ROW)
    assert (batch.state, batch.message) == ("done", "")
    assert result(batch) == {"accounts": (1, 0, 0), "contracts": (1, 0, 0), "renewals": (1, 0, 0)}
    renewal = Renewal.objects.select_related("contract", "account", "stage").get()
    assert (renewal.account.external_id, renewal.account.name) == ("A1", "Acme")
    assert (renewal.contract.number, renewal.contract.starts_on, renewal.contract.is_term_assumed) == (
        "C1",
        dt.date(2026, 1, 1),
        False,
    )
    assert (renewal.due_on, renewal.baseline_amount, renewal.currency) == (dt.date(2026, 12, 31), Decimal(12000), "EUR")
    assert (renewal.outcome, renewal.stage) == ("open", Stage.objects.order_by("position").first())


def test_the_same_file_twice_changes_nothing_and_leaves_no_history(run_import: Import) -> None:
    text = HEADING + ROW + "A2,Beta,C2,2026-02-01,2027-01-31,500.50\n"
    run_import(text)
    before = list(Renewal.objects.values())
    batch = run_import(text)
    assert result(batch) == {"accounts": (0, 0, 2), "contracts": (0, 0, 2), "renewals": (0, 0, 2)}
    assert list(Renewal.objects.values()) == before
    for model in (Account, Contract, Renewal):
        assert model.pgh_event_model.objects.count() == 0  # type: ignore[attr-defined]


def test_a_check_counts_what_the_import_then_does_and_writes_nothing(run_import: Import) -> None:
    make_account(external_id="A1", name="Old name")
    text = HEADING + ROW + "A2,Beta,C2,2026-02-01,2027-01-31,500.50\nA2,Beta,C3,2026-02-01,2026-01-31,1\n"
    check = run_import(text, is_check=True)
    assert check.state == "checked"
    assert (Contract.objects.count(), Account.objects.get().name) == (0, "Old name")
    batch = run_import(text)
    assert batch.result == check.result
    assert findings_of(batch) == findings_of(check)
    assert refusals_of(batch) == [(4, "Ends", "2026-01-31", "ends_before_start")]
    assert_no_row_is_lost(batch)


def test_a_change_is_recorded_as_an_import_by_its_user(run_import: Import, cast: Cast) -> None:
    run_import(HEADING + ROW)
    batch = run_import(HEADING + ROW.replace("12000", "13000"), user=cast.admin)
    assert result(batch) == {"accounts": (0, 0, 1), "contracts": (0, 1, 0), "renewals": (0, 1, 0)}
    event = Renewal.pgh_event_model.objects.get()  # type: ignore[attr-defined]
    assert event.baseline_amount == Decimal(12000)
    context = event.pgh_context
    assert (context["user"], context["how"], context["batch"]) == (cast.admin.pk, "import", batch.pk)


def test_what_a_person_typed_stays_and_blanks_are_filled(run_import: Import) -> None:
    mapping = {**CONTRACTS, "renewal": {"confidence": "Confidence", "next_step": "Step", "stage": "Stage"}}
    text = HEADING.replace("\n", ",Confidence,Step,Stage\n") + ROW.replace("\n", ",80,Call them,Proposal\n")
    run_import(HEADING + ROW)
    verbal = Stage.objects.get(name="Verbal yes")
    Renewal.objects.update(confidence=35, stage=verbal)
    run_import(text, mapping)
    renewal = Renewal.objects.get()
    assert (renewal.confidence, renewal.next_step, renewal.stage) == (35, "Call them", verbal)
    mapping["renewal"]["confidence"] = {"column": "Confidence", "overwrite": True}
    run_import(text, mapping)
    assert Renewal.objects.get().confidence == 80


def test_a_blank_cell_empties_nothing(run_import: Import) -> None:
    mapping = {**CONTRACTS, "contract": {**CONTRACTS["contract"], "product": "Product"}}
    run_import(HEADING.replace("\n", ",Product\n") + ROW.replace("\n", ",Platform\n"), mapping)
    batch = run_import(HEADING.replace("\n", ",Product\n") + ROW.replace("12000\n", ",\n"), mapping)
    assert result(batch)["contracts"] == (0, 0, 1)
    assert Contract.objects.get().product == "Platform"


def test_a_corrected_end_takes_the_open_renewal_along(run_import: Import) -> None:
    run_import(HEADING + ROW)
    Renewal.objects.update(confidence=60)
    run_import(HEADING + ROW.replace("2026-12-31", "2027-03-31"))
    renewal = Renewal.objects.get()
    assert (renewal.due_on, renewal.confidence, renewal.contract.ends_on) == (
        dt.date(2027, 3, 31),
        60,
        dt.date(2027, 3, 31),
    )


def test_a_later_end_in_a_register_decides_the_earlier_term(run_import: Import) -> None:
    run_import("Company,No,Ends\nAcme,77**,6/30/26\nBeta,78,6/30/26\n", REGISTER, name="2026-05-01 list.csv")
    batch = run_import("Company,No,Ends\nACME ,77,6/30/27\nBeta,78,6/30/26\n", REGISTER, name="2026-08-13 list.csv")
    assert result(batch) == {"accounts": (0, 0, 2), "contracts": (1, 0, 1), "renewals": (1, 1, 1)}
    terms = Renewal.objects.filter(account__name="Acme").order_by("due_on")
    assert list(
        terms.values_list("due_on", "outcome", "ordered_on", "contract__starts_on", "contract__is_term_assumed")
    ) == [
        (dt.date(2026, 6, 30), "renewed", dt.date(2026, 8, 13), dt.date(2025, 7, 1), True),
        (dt.date(2027, 6, 30), "open", None, dt.date(2026, 7, 1), True),
    ]
    assert Renewal.objects.get(account__name="Beta").outcome == "open"
    assert (2, "Ends", "2027-06-30", "expiry_moved", "warning") in findings_of(batch)
    older = run_import("Company,No,Ends\nAcme,77,1/31/26\n", REGISTER, name="2026-01-01 list.csv")
    assert refusals_of(older) == [(2, "Ends", "2026-01-31", "earlier_end")]
    again = run_import("Company,No,Ends\nAcme,77,6/30/26\n", REGISTER, name="2026-05-01 list.csv")
    assert result(again)["renewals"] == (0, 0, 1)


def test_a_register_whose_name_lacks_its_day_is_refused(run_import: Import) -> None:
    batch = run_import("Company,No,Ends\nAcme,77,6/30/26\n", REGISTER, name="list.csv")
    assert batch.state == "failed"
    assert batch.message == "The mapping reads the day of the file from its name, as %Y-%m-%d, and “list.csv” has none."


def test_a_total_counts_by_the_year_and_one_of_a_short_term_stays(run_import: Import) -> None:
    mapping = {
        **CONTRACTS,
        "contract": {**CONTRACTS["contract"], "recurring_amount": {"column": "Amount", "amount_is": "total"}},
    }
    run_import(
        HEADING + "A1,Acme,C1,2026-01-01,2027-12-31,24000\nA1,Acme,C2,2026-01-01,2026-03-31,500\n"
        "A1,Acme,C3,2026-01-01,2026-12-31,0\n",
        mapping,
    )
    amounts = dict(Contract.objects.values_list("number", "recurring_amount"))
    assert amounts == {"C1": Decimal(12000), "C2": Decimal(500), "C3": Decimal(0)}


def test_rolling_terms_are_renewed_up_to_the_day_of_the_file(run_import: Import) -> None:
    mapping = {
        "rows": "contracts",
        "is_rolling": True,
        "file": {"file_on": "2024-12-31"},
        "account": {"name": "Name"},
        "contract": {
            "number": "Sub",
            "starts_on": "Start",
            "ended_on": "End",
            "term_months": {"column": "Billing", "values": {"monthly": 1, "annual": 12}},
            "recurring_amount": {"column": "MRR", "amount_is": "month"},
            "currency": {"value": "USD"},
        },
    }
    text = "Name,Sub,Start,End,Billing,MRR\nAcme,S1,2024-09-30,,monthly,100\nAcme,S2,2023-03-01,2024-06-15,annual,50\n"
    batch = run_import(text, mapping)
    assert result(batch)["renewals"] == (6, 0, 0)
    kept = Renewal.objects.order_by("contract__number", "due_on")
    assert list(
        kept.values_list("contract__number", "due_on", "outcome", "ordered_on", "declined_on", "final_amount")
    ) == [
        ("S1", dt.date(2024, 10, 29), "renewed", dt.date(2024, 10, 29), None, Decimal(1200)),
        ("S1", dt.date(2024, 11, 29), "renewed", dt.date(2024, 11, 29), None, Decimal(1200)),
        ("S1", dt.date(2024, 12, 29), "renewed", dt.date(2024, 12, 29), None, Decimal(1200)),
        ("S1", dt.date(2025, 1, 29), "open", None, None, None),
        ("S2", dt.date(2024, 2, 29), "renewed", dt.date(2024, 2, 29), None, Decimal(600)),
        ("S2", dt.date(2025, 2, 28), "lost", None, dt.date(2024, 6, 15), Decimal(0)),
    ]
    assert result(run_import(text, mapping))["renewals"] == (0, 0, 6)
    later = {**mapping, "file": {"file_on": "2025-02-01"}}
    assert result(run_import(text, later))["renewals"] == (1, 1, 5)


def test_repeats_are_named_and_contradictions_refused(run_import: Import) -> None:
    batch = run_import(
        HEADING + ROW + "A2,Beta,C2,2026-01-01,2026-12-31,5\n" + ROW + "A2,Beta,C2,2026-01-01,2026-12-31,6\n"
        "A3,Gamma,C1,2026-01-01,2026-12-31,7\n"
    )
    assert findings_of(batch) == [
        (3, "Contract", "C2", "conflicting_rows", "refused"),
        (4, "Contract", "C1", "identical_repeat", "warning"),
        (5, "Contract", "C2", "conflicting_rows", "refused"),
    ]
    assert batch.findings.get(row_number=4).reason == "repeats row 2 word for word"
    assert batch.findings.get(row_number=5).reason.startswith("contradicts row 3")
    assert (batch.imported_count, batch.refused_count, batch.repeated_count) == (2, 2, 1)
    assert not Account.objects.filter(external_id="A2").exists()
    assert_no_row_is_lost(batch)


def test_accounts_are_found_by_id_then_by_name_and_never_guessed(run_import: Import) -> None:
    known, named = make_account(external_id="A1", name="Acme"), make_account(external_id="", name="Beta  Ltd")
    make_account(name="Twin")
    make_account(name="twin")
    batch = run_import(
        HEADING + "A1,Acme Corp,C1,2026-01-01,2026-12-31,1\nB7,BETA LTD,C2,2026-01-01,2026-12-31,1\n"
        ",Twin,C3,2026-01-01,2026-12-31,1\n,acme corp,C4,2026-01-01,2026-12-31,1\n"
    )
    known.refresh_from_db()
    named.refresh_from_db()
    assert (known.name, named.external_id, named.name) == ("Acme Corp", "B7", "Beta  Ltd")
    assert refusals_of(batch) == [(4, "Account", "Twin", "ambiguous_account")]
    assert set(known.contracts.values_list("number", flat=True)) == {"C1", "C4"}


def test_outcomes_must_be_whole(run_import: Import) -> None:
    mapping = {**CONTRACTS, "renewal": {"outcome": "Outcome", "ordered_on": "Ordered", "declined_on": "Declined"}}
    heading = HEADING.replace("\n", ",Outcome,Ordered,Declined\n")
    future = (get_company().today() + dt.timedelta(days=1)).isoformat()
    rows = [
        "renewed,2026-12-20,",
        "renewed,,",
        "lost,2026-12-20,",
        "lost,,2026-11-01",
        ",2020-01-02,",
        ",,",
        f",{future},",
    ]
    batch = run_import(
        heading + "".join(f"A,Acme,C{n},2025-01-01,2025-12-31,1,{row}\n" for n, row in enumerate(rows)), mapping
    )
    assert refusals_of(batch) == [
        (2, "Ordered", "2026-12-20", "future_order"),
        (3, "Ordered", "", "blank"),
        (4, "Outcome", "lost", "outcome_contradicts"),
        (8, "Ordered", future, "future_order"),
    ]
    assert dict(Renewal.objects.values_list("contract__number", "outcome")) == {
        "C3": "lost",
        "C4": "renewed",
        "C5": "open",
    }
    assert Renewal.objects.get(contract__number="C4").final_amount == Decimal(1)


def test_a_final_amount_belongs_to_what_was_renewed(run_import: Import) -> None:
    mapping = {**CONTRACTS, "renewal": {"outcome": "Outcome", "ordered_on": "Ordered", "final_amount": "Final"}}
    heading = HEADING.replace("\n", ",Outcome,Ordered,Final\n")
    rows = ["renewed,2026-01-02,5", "lost,,5", "open,,5", "open,,0", ",,5"]
    text = heading + "".join(f"A,Acme,C{n},2025-01-01,2025-12-31,1,{row}\n" for n, row in enumerate(rows))
    batch = run_import(text, mapping)
    contradicted = [(row, "Final", "5.00", "outcome_contradicts") for row in (3, 4, 6)]
    assert refusals_of(batch) == contradicted
    # Of a renewal that the book has as renewed, a row may tell the amount alone; but not that it is nothing.
    for final, refused in (("7", []), ("0", [(2, "Final", "0.00", "outcome_contradicts")])):
        batch = run_import(heading + f"A,Acme,C0,2025-01-01,2025-12-31,1,,,{final}\n", mapping)
        assert (batch.message, refusals_of(batch)) == ("", refused)
    assert Renewal.objects.get(contract__number="C0").final_amount == Decimal(7)


def test_open_in_a_file_reopens_nothing(run_import: Import) -> None:
    mapping = {**CONTRACTS, "renewal": {"outcome": {"value": "open"}}}
    run_import(HEADING + ROW, mapping)
    Renewal.objects.update(outcome="lost", final_amount=0)
    batch = run_import(HEADING + ROW, mapping)
    assert result(batch)["renewals"] == (0, 0, 1)
    assert Renewal.objects.get().outcome == "lost"


def test_news_of_a_renewal_changes_it_and_makes_none(run_import: Import, cast: Cast) -> None:
    account = make_account(external_id="A1", owner=cast.rep)
    renewal = make_renewal(owner=cast.rep, account=account, due_on=dt.date(2026, 10, 31))
    mapping = {
        "rows": "renewals",
        "account": {"external_id": "Account"},
        "renewal": {"due_on": "Due", "outcome": "Outcome", "ordered_on": "Ordered"},
    }
    batch = run_import(
        "Account,Due,Outcome,Ordered\nA1,2026-10-31,renewed,2026-11-05\nA1,2027-10-31,lost,\nA9,2026-10-31,lost,\n",
        mapping,
    )
    renewal.refresh_from_db()
    assert (renewal.outcome, renewal.ordered_on, renewal.final_amount) == (
        "renewed",
        dt.date(2026, 11, 5),
        Decimal(12000),
    )
    assert refusals_of(batch) == [(3, "Account", "A1", "unknown_renewal"), (4, "Account", "A9", "unknown_account")]
    assert Renewal.objects.count() == 1


def test_news_that_cannot_be_are_refused_row_by_row(run_import: Import) -> None:
    numbers = [f"C{n}" for n in range(9)]
    run_import(HEADING + "".join(f"A1,Acme,{number},2025-01-01,2025-12-31,1\n" for number in numbers))
    fields = {"outcome": "Outcome", "ordered_on": "Ordered", "declined_on": "Declined", "final_amount": "Final"}
    mapping = {
        "rows": "renewals",
        "account": {"external_id": "Account"},
        "contract": {"number": "Contract"},
        "renewal": {"due_on": "Due", **fields},
    }
    future = (get_company().today() + dt.timedelta(days=1)).isoformat()
    news = [
        "renewed,,,",
        "lost,2025-12-01,,",
        f"renewed,{future},,",
        f"lost,,{future},",
        "renewed,2025-12-01,,0",
        "lost,,,5",
        ",,,5",
        "lost,,2025-12-01,0",
        ",2025-12-01,,5",
    ]
    rows = "".join(f"A1,{number},2025-12-31,{new}\n" for number, new in zip(numbers, news, strict=True))
    text = "Account,Contract,Due,Outcome,Ordered,Declined,Final\n" + rows
    refused = [
        (2, "Ordered", "", "blank"),
        (3, "Outcome", "lost", "outcome_contradicts"),
        (4, "Ordered", future, "future_order"),
        (5, "Declined", future, "future_decline"),
        (6, "Final", "0.00", "outcome_contradicts"),
        (7, "Final", "5.00", "outcome_contradicts"),
        (8, "Final", "5.00", "outcome_contradicts"),
    ]
    for is_check in (True, False):
        batch = run_import(text, mapping, is_check=is_check)
        assert (batch.message, refusals_of(batch)) == ("", refused)
    decided = Renewal.objects.exclude(outcome="open").values_list("contract__number", "outcome", "final_amount")
    assert set(decided) == {("C7", "lost", Decimal(0)), ("C8", "renewed", Decimal(5))}
    zero = "Account,Contract,Due,Final\nA1,C8,2025-12-31,0\n"
    batch = run_import(zero, {**mapping, "renewal": {"due_on": "Due", "final_amount": "Final"}})
    assert (batch.message, refusals_of(batch)) == ("", [(2, "Final", "0.00", "outcome_contradicts")])


def test_attributes_are_defined_and_kept(run_import: Import) -> None:
    mapping = {
        **CONTRACTS,
        "attributes": {
            "seats": {"column": "Seats", "kind": "number"},
            "tier": {"column": "Tier", "kind": "category", "holder": "renewal"},
            "signed": {"column": "Signed", "kind": "date", "dates": ["%d.%m.%Y"]},
            "pilot": {"column": "Pilot", "kind": "flag", "label": "Is a pilot"},
        },
    }
    text = HEADING.replace("\n", ",Seats,Tier,Signed,Pilot\n") + ROW.replace("\n", ',12,"Go""ld\\",1.2.2026,yes\n')
    run_import(text, mapping)
    assert Account.objects.get().attributes == {"seats": 12, "signed": "2026-02-01", "pilot": True}
    assert Renewal.objects.get().attributes == {"tier": 'Go"ld\\'}
    assert dict(AttributeDefinition.objects.values_list("key", "kind")) == {
        "seats": "number", "tier": "category", "signed": "date", "pilot": "flag",
    }  # fmt: skip
    assert result(run_import(text, mapping)) == {"accounts": (0, 0, 1), "contracts": (0, 0, 1), "renewals": (0, 0, 1)}
    mapping["attributes"]["seats"]["kind"] = "category"
    assert run_import(text, mapping).message.startswith(
        "The custom attribute “seats” is known as number, kept with the account"
    )


def test_new_names_join_their_lists_only_when_the_import_is_written(run_import: Import) -> None:
    mapping = {**CONTRACTS, "account": {**CONTRACTS["account"], "segment": {"column": "Seg", "create_missing": True}}}
    text = HEADING.replace("\n", ",Seg\n") + ROW.replace("\n", ",Public\n")
    run_import(text, mapping, is_check=True)
    assert not Segment.objects.filter(name="Public").exists()
    run_import(text, mapping)
    assert Account.objects.get().segment == Segment.objects.get(name="Public")


def test_name_that_somebody_adds_while_a_file_is_read_is_theirs(
    run_import: Import, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_and_add(*args: Any, **settings: Any) -> Any:
        found = stage_rows(*args, **settings)
        Segment.objects.create(name="public", position=7)
        return found

    monkeypatch.setattr("renewals.imports.services.stage_rows", read_and_add)
    mapping = {**CONTRACTS, "account": {**CONTRACTS["account"], "segment": {"column": "Seg", "create_missing": True}}}
    row, other = ROW.replace("\n", ",Public\n"), ROW.replace("A1,Acme,C1", "A2,Beta,C2").replace("\n", ",Private\n")
    batch = run_import(HEADING.replace("\n", ",Seg\n") + row + other, mapping)
    assert batch.state == "done", batch.message
    assert set(Account.objects.values_list("external_id", "segment__name")) == {("A1", "public"), ("A2", "Private")}
    assert Segment.objects.filter(name__iexact="public").count() == 1


def test_all_or_nothing_imports_nothing_where_a_row_is_refused(run_import: Import) -> None:
    batch = run_import(HEADING + ROW + "A2,Beta,,2026-01-01,2026-12-31,1\n", all_or_nothing=True)
    assert (batch.state, batch.message) == (
        "failed",
        "1 rows are refused, and you asked for all or nothing: nothing was imported.",
    )
    assert (Account.objects.count(), Contract.objects.count()) == (0, 0)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (HEADING, "The file has headings and no rows below them."),
        ("Account,Name\nA1,Acme\n", "The file has no column “Contract”, which this mapping needs. It has "
        "“Account”, “Name”."),
        (HEADING.replace("Amount", "contract") + ROW, "The heading “Contract” stands over 2 columns (3, 6). Give "
        "each its own heading."),
    ],
)  # fmt: skip
def test_files_that_do_not_fit_their_mapping_fail_as_a_whole(run_import: Import, content: str, message: str) -> None:
    batch = run_import(content)
    assert (batch.state, batch.message, batch.row_count) == ("failed", message, 0)


def test_a_column_that_a_row_can_do_without_is_only_noted(run_import: Import) -> None:
    batch = run_import("Account,Name,Contract,Starts,Ends\nA1,Acme,C1,2026-01-01,2026-12-31\n")
    assert batch.state == "done"
    assert findings_of(batch) == [(1, "Amount", "", "missing_column", "warning")]


def test_ragged_rows_are_refused_and_trailing_blanks_are_not(run_import: Import) -> None:
    batch = run_import(
        HEADING + ROW + "A2,Beta,C2\nA3,Gamma,C3,2026-01-01,2026-12-31,1,,\nA4,D,C4,2026-01-01,2026-12-31,1,x\n"
    )
    assert refusals_of(batch) == [
        (3, "", "A2,Beta,C2", "ragged_row"),
        (5, "", "A4,D,C4,2026-01-01,2026-12-31,1,x", "ragged_row"),
    ]
    assert batch.imported_count == 2
    assert_no_row_is_lost(batch)


def test_rows_left_out_by_the_mapping_are_counted_by_its_reason(run_import: Import) -> None:
    mapping = {**CONTRACTS, "leave_out": [{"column": "Name", "where": ["acme"], "reason": "not ours"}]}
    batch = run_import(HEADING + ROW + "A2,Beta,C2,2026-01-01,2026-12-31,1\n", mapping)
    assert (batch.left_out, batch.imported_count) == ({"not ours": 1}, 1)
    assert_no_row_is_lost(batch)


def test_a_batch_is_confirmed_once(run_import: Import) -> None:
    batch = run_import(HEADING + ROW, is_check=True)
    confirm_import(batch=batch, is_all_or_nothing=False)
    with pytest.raises(ImportRejected, match="This import is importing already"):
        confirm_import(batch=batch, is_all_or_nothing=False)


def test_new_renewals_get_their_ids_in_the_order_in_which_they_fall_due(run_import: Import) -> None:
    run_import(
        HEADING
        + "A1,Acme,C1,2026-01-01,2026-12-31,1\nA2,Beta,C2,2026-01-01,2026-06-30,1\nA1,Acme,C3,2026-01-01,2026-09-30,1\n"
    )
    numbers = Renewal.objects.order_by("pk").values_list("contract__number", flat=True)
    assert list(numbers) == ["C2", "C3", "C1"]
