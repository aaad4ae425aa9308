"""A file is imported by the import itself, and taken back as one step."""

import pytest
from django.db import connection

from accounts.models import Account, AccountSignal, AttributeDefinition, User
from renewals.history.undo import undo_batch
from renewals.models import ChangeBatch, Contract, ImportBatch, Renewal
from renewals.quality.evaluate import evaluate_all
from tests.cast import Cast
from tests.renewals.history.steps import AS_OF, change
from tests.renewals.imports.conftest import CONTRACTS, HEADING, Import, run_import

__all__ = ["run_import"]
pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)
FIRST = f"{HEADING}A-1,Acme,C-1,2026-01-01,2026-12-31,1200\nA-2,Globex,C-2,2026-02-01,2027-01-31,900\n"
SECOND = f"{HEADING}A-1,Acme Ltd,C-1,2026-01-01,2026-12-31,1500\nA-3,Initech,C-3,2026-03-01,2027-02-28,700\n"


def the_book() -> dict[str, list[tuple[object, ...]]]:
    return {
        "accounts": list(Account.objects.order_by("external_id").values_list("external_id", "name")),
        "contracts": list(Contract.objects.order_by("number").values_list("number", "recurring_amount")),
        "renewals": list(Renewal.objects.order_by("contract__number").values_list("due_on", "baseline_amount")),
    }


def steps() -> list[ChangeBatch]:
    return list(ChangeBatch.objects.order_by("made_at"))


def undo(batch: ChangeBatch, user: User) -> str:
    return undo_batch(batch_id=batch.pk, user=user, as_of=AS_OF).text


def test_import_is_one_step_and_its_undo_leaves_the_book_as_it_was(cast: Cast, run_import: Import) -> None:
    run_import(FIRST, user=cast.manager, name="first.csv")
    before = the_book()
    run_import(SECOND, user=cast.manager, name="second.csv")
    after = the_book()
    evaluate_all(as_of=AS_OF)
    first, second = steps()
    assert (second.how, second.user, second.description, second.row_count) == (
        "import", cast.manager, "Import of second.csv: 2 rows", 2,
    )  # fmt: skip

    assert undo(second, cast.manager) == "Undone: 3 cells, 3 new rows removed"
    assert the_book() == before
    [*_, own] = steps()
    assert undo(own, cast.manager) == "Redone: 3 cells, 3 rows brought back"
    assert the_book() == after
    assert undo(first, cast.manager).startswith("Undone: 3 new rows removed; kept 3")
    assert [number for number, _ in the_book()["contracts"]] == ["C-1", "C-3"]


def test_attributes_that_an_import_defined_go_with_it_where_nothing_else_has_them(
    cast: Cast, run_import: Import
) -> None:
    mapping = {
        **CONTRACTS,
        "attributes": {name: {"column": name, "kind": "category"} for name in ("plan", "tier", "old")},
    }
    heading = f"{HEADING.strip()},plan,tier,old\n"
    AttributeDefinition.objects.create(key="old", label="Old", kind="category")
    run_import(f"{heading}A-1,Acme,C-1,2026-01-01,2026-12-31,1200,Gold,one,x\n", mapping, user=cast.admin)
    Account.objects.create(external_id="B-1", name="Other", attributes={"tier": "two"})
    [step] = steps()
    undo(step, cast.admin)
    assert set(AttributeDefinition.objects.values_list("key", flat=True)) == {"tier", "old"}
    [_, own] = steps()
    assert undo(own, cast.admin).startswith("Redone")
    assert dict(AttributeDefinition.objects.values_list("key", "label")) == {
        "plan": "Plan",
        "tier": "Tier",
        "old": "Old",
    }
    assert Account.objects.get(external_id="A-1").attributes == {"plan": "Gold", "tier": "one", "old": "x"}


def test_page_of_an_import_takes_it_back(cast: Cast, run_import: Import) -> None:
    done = run_import(FIRST, user=cast.manager)
    again = run_import(FIRST, user=cast.manager)
    client = cast.client_of("manager")
    undo_url = f"/history/undo/{done.step_id}/"

    assert f'action="{undo_url}" data-step' in client.get(f"/imports/{done.pk}/").content.decode()
    assert again.step_id is None
    assert "/history/undo/" not in client.get(f"/imports/{again.pk}/").content.decode()
    client.post(undo_url)
    assert the_book()["contracts"] == []


def test_check_and_file_without_news_are_no_steps(cast: Cast, run_import: Import) -> None:
    run_import(FIRST, user=cast.manager, is_check=True)
    assert steps() == []
    run_import(FIRST, user=cast.manager)
    run_import(FIRST, user=cast.manager)
    assert ImportBatch.objects.count() == 3
    assert len(steps()) == 1


def test_signals_brought_later_keep_their_account(cast: Cast, run_import: Import) -> None:
    run_import(FIRST, user=cast.manager)
    account = Account.objects.get(external_id="A-1")
    AccountSignal.objects.create(account=account, measured_on=AS_OF, csat_score=3)

    answer = undo_batch(batch_id=steps()[0].pk, user=cast.manager, as_of=AS_OF)

    assert [(kept.row, kept.reason) for kept in answer.kept] == [("Acme", "It has account signals.")]
    assert list(Account.objects.values_list("name", flat=True)) == ["Acme"]


def test_renewal_that_a_rep_worked_on_stays_with_its_contract(cast: Cast, run_import: Import) -> None:
    run_import(FIRST, user=cast.manager)
    worked = Renewal.objects.get(contract__number="C-2")
    change(worked, cast.rep, next_step="Call")

    assert undo(steps()[0], cast.manager) == "Undone: 3 new rows removed; kept 3"
    assert the_book()["contracts"] == [("C-2", 900)]
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


SIGNALS = {
    "rows": "signals", "per": "day", "unknown_account": "refuse", "account": {"external_id": "Account"},
    "signal": {"measured_on": "Day", "csat_score": "CSAT", "nps_score": "NPS"},
}  # fmt: skip


def test_signals_of_an_import_are_taken_back_with_it(cast: Cast, run_import: Import) -> None:
    run_import(FIRST, user=cast.manager)
    run_import("Account,Day,CSAT,NPS\nA-1,2026-01-05,4,\n", SIGNALS, user=cast.manager)
    run_import("Account,Day,CSAT,NPS\nA-1,2026-01-05,2,30\nA-2,2026-01-06,5,50\n", SIGNALS, user=cast.manager)

    def measured() -> list[tuple[object, ...]]:
        rows = AccountSignal.objects.order_by("account__external_id", "measured_on")
        return list(rows.values_list("account__external_id", "csat_score", "nps_score"))

    assert measured() == [("A-1", 2, 30), ("A-2", 5, 50)]
    assert undo(steps()[-1], cast.manager) == "Undone: 2 cells, 1 new row removed"
    assert measured() == [("A-1", 4, None)]
    assert undo(steps()[-1], cast.manager) == "Redone: 2 cells, 1 row brought back"
    assert measured() == [("A-1", 2, 30), ("A-2", 5, 50)]
