"""Undo per field: what stands is put back, what somebody changed since is kept and listed."""

import datetime as dt
import uuid
from collections import defaultdict
from decimal import Decimal

import pytest
from django.db import connection

from accounts.models import AccountSignal
from renewals.history.batches import note_created_now, recorded_batch
from renewals.history.kinds import CONTRACT, RENEWAL
from renewals.history.undo import BatchGone, NotYours, undo_batch
from renewals.models import ChangeBatch, ChurnReason, Contract, Renewal, RenewalScore, Stage
from tests.cast import Cast, make_account, make_renewal
from tests.renewals.history.steps import AS_OF, bulk, change, open_again, won


def values(renewal: Renewal, *names: str) -> tuple[object, ...]:
    return Renewal.objects.values_list(*names).get(pk=renewal.pk)


def test_bulk_edit_is_undone_in_one_step_and_scored(cast: Cast) -> None:
    first, second = Stage.objects.order_by("position")[:2]
    rows = [make_renewal(owner=cast.rep, stage=first) for _ in range(3)]
    batch_id = bulk(rows, cast.manager, "Stage of 3 renewals", stage=second, confidence=80)

    answer = undo_batch(batch_id=batch_id, user=cast.manager, as_of=AS_OF)

    assert answer.text == "Undone: 6 cells"
    assert [values(row, "stage", "confidence") for row in rows] == [(first.pk, None)] * 3
    own = ChangeBatch.objects.get(pk=answer.batch_id)
    assert (own.how, own.user, own.row_count, own.undoes, own.description) == (
        "undo", cast.manager, 3, batch_id, "Undo of Stage of 3 renewals",
    )  # fmt: skip
    assert sorted(answer.renewal_ids) == sorted(row.pk for row in rows)
    assert RenewalScore.objects.filter(renewal__in=rows).count() == 3


def test_undo_of_an_undo_is_a_redo_and_can_be_undone_again(cast: Cast) -> None:
    row = make_renewal(owner=cast.rep, confidence=40)
    batch_id = change(row, cast.rep, confidence=70)

    undone = undo_batch(batch_id=batch_id, user=cast.rep, as_of=AS_OF)
    assert values(row, "confidence") == (40,)
    assert undone.batch_id
    redone = undo_batch(batch_id=undone.batch_id, user=cast.rep, as_of=AS_OF)
    assert values(row, "confidence") == (70,)
    assert redone.batch_id
    again = undo_batch(batch_id=redone.batch_id, user=cast.rep, as_of=AS_OF)

    assert values(row, "confidence") == (40,)
    assert (undone.text, redone.text, again.text) == ("Undone: 1 cell", "Redone: 1 cell", "Undone: 1 cell")
    assert list(ChangeBatch.objects.order_by("made_at").values_list("how", "description")) == [
        ("undo", "Undo of Confidence of 1 renewal"),
        ("redo", "Redo of Confidence of 1 renewal"),
        ("undo", "Undo of Confidence of 1 renewal"),
    ]


def test_cell_that_somebody_changed_since_is_kept_and_listed(cast: Cast) -> None:
    rows = [make_renewal(owner=cast.rep, confidence=40, next_step="Call") for _ in range(2)]
    batch_id = bulk(rows, cast.rep, "Two columns of 2 renewals", confidence=70, next_step="Send the offer")
    change(rows[0], cast.manager, confidence=55)
    at = RENEWAL.event_model.objects.order_by("-pgh_id").first().pgh_created_at

    answer = undo_batch(batch_id=batch_id, user=cast.rep, as_of=AS_OF)

    assert answer.text == "Undone: 3 cells; kept 1 that Mona Manager changed since"
    assert [values(row, "confidence", "next_step") for row in rows] == [(55, "Call"), (40, "Call")]
    [kept] = answer.kept
    assert (kept.row_id, kept.label, kept.theirs, kept.who, kept.at, kept.reason) == (
        rows[0].pk, "Confidence", "55\N{NO-BREAK SPACE}%", "Mona Manager", at, "",
    )  # fmt: skip


def test_second_undo_of_the_same_step_finds_it_done(cast: Cast) -> None:
    row = make_renewal(owner=cast.rep, confidence=40)
    batch_id = change(row, cast.rep, confidence=70)
    undo_batch(batch_id=batch_id, user=cast.rep, as_of=AS_OF)

    answer = undo_batch(batch_id=batch_id, user=cast.rep, as_of=AS_OF)

    assert (answer.text, answer.batch_id, answer.kept_count) == ("It is already as it was before.", None, 0)
    assert ChangeBatch.objects.count() == 1


def test_what_the_customer_decided_is_put_back_together(cast: Cast) -> None:
    row = make_renewal(owner=cast.rep)
    batch_id = change(row, cast.rep, **won())

    answer = undo_batch(batch_id=batch_id, user=cast.rep, as_of=AS_OF)

    assert values(row, "outcome", "ordered_on", "final_amount") == ("open", None, None)
    assert answer.cell_count == 3


def test_what_the_customer_decided_is_kept_whole_where_a_part_was_changed(cast: Cast) -> None:
    row = make_renewal(owner=cast.rep, confidence=40)
    batch_id = change(row, cast.rep, confidence=100, **won(13000))
    change(row, cast.manager, final_amount=Decimal(12500))

    answer = undo_batch(batch_id=batch_id, user=cast.rep, as_of=AS_OF)

    assert values(row, "outcome", "ordered_on", "final_amount", "confidence") == (
        "renewed", dt.date(2026, 11, 20), Decimal(12500), 40,
    )  # fmt: skip
    assert {(kept.label, kept.theirs, kept.who or kept.reason) for kept in answer.kept} == {
        ("Final amount", "€\N{NO-BREAK SPACE}12,500", "Mona Manager"),
        ("Outcome", "Renewed", "It belongs together with another cell that was kept."),
        ("Ordered", "20 Nov 2026", "It belongs together with another cell that was kept."),
    }
    assert answer.text == "Undone: 1 cell; kept 3"


def test_cross_sold_part_stays_with_the_decision_it_is_a_part_of(cast: Cast) -> None:
    row = make_renewal(owner=cast.rep, cross_sell_amount=Decimal(9000), forecast_amount=Decimal(20000))
    reason = ChurnReason.objects.create(name="Moved away")
    lost = {"outcome": "lost", "final_amount": Decimal(0), "churn_reason": reason, "cross_sell_amount": Decimal(0)}
    batch_id = change(row, cast.rep, **lost)
    change(row, cast.manager, **{**open_again(), **won(5000)})

    undo_batch(batch_id=batch_id, user=cast.rep, as_of=AS_OF)

    assert values(row, "outcome", "final_amount", "cross_sell_amount") == ("renewed", Decimal(5000), Decimal(0))


def test_rule_of_the_database_keeps_the_one_row_and_says_so(cast: Cast) -> None:
    """Another renewal of the contract has taken the old due date meanwhile."""
    contract = make_renewal(owner=cast.rep).contract
    moved, free = (
        make_renewal(owner=cast.rep, contract=contract, account=contract.account, due_on=dt.date(2027, 1, day))
        for day in (1, 2)
    )
    batch_id = bulk([moved], cast.manager, "Due date of 2 renewals", due_on=dt.date(2027, 2, 1))
    with recorded_batch(user=cast.manager, how="bulk", description="Both") as both:
        Renewal.objects.filter(pk=free.pk).update(notice_days=30)
    Renewal.objects.filter(pk=free.pk).update(due_on=dt.date(2027, 1, 1))

    answer = undo_batch(batch_id=batch_id, user=cast.manager, as_of=AS_OF)

    assert answer.text == "Nothing was undone: kept 1"
    assert [(kept.row_id, kept.label, kept.reason) for kept in answer.kept] == [
        (moved.pk, "Due", "It no longer fits the other rows (renewal_once_per_due_date).")
    ]
    assert values(moved, "due_on") == (dt.date(2027, 2, 1),)
    assert undo_batch(batch_id=both.id, user=cast.manager, as_of=AS_OF).text == "Undone: 1 cell"


def test_one_refused_row_does_not_stop_the_others(cast: Cast) -> None:
    rows = [make_renewal(owner=cast.rep, baseline_amount=Decimal(0), final_amount=Decimal(0), outcome="renewed",
                         ordered_on=dt.date(2026, 11, 1)) for _ in range(9)]  # fmt: skip
    batch_id = bulk(rows, cast.manager, "Baseline and final amount", baseline_amount=5, final_amount=5)
    change(rows[4], cast.manager, baseline_amount=7)

    answer = undo_batch(batch_id=batch_id, user=cast.manager, as_of=AS_OF)

    # A renewed one of baseline 7 cannot have a final amount of 0.
    assert answer.cell_count == 16
    assert {(kept.row_id, kept.label, kept.reason or kept.who) for kept in answer.kept} == {
        (rows[4].pk, "Baseline", "Mona Manager"),
        (rows[4].pk, "Final amount",
         "A renewed one has an order date and a final amount; a lost one has neither."),
    }  # fmt: skip


def test_value_that_is_gone_is_kept_and_the_other_columns_return(cast: Cast) -> None:
    old = Stage.objects.create(name="Old way", position=90)
    row = make_renewal(owner=cast.rep, stage=old, confidence=40)
    batch_id = change(row, cast.rep, stage=Stage.objects.order_by("position").first(), confidence=50)
    old.delete()

    answer = undo_batch(batch_id=batch_id, user=cast.rep, as_of=AS_OF)

    assert values(row, "confidence") == (40,)
    assert [(kept.label, kept.reason) for kept in answer.kept] == [("Stage", "What it was before is gone.")]


def test_rows_that_the_user_may_not_edit_any_more_are_kept(cast: Cast) -> None:
    mine, handed_over = (make_renewal(owner=cast.rep, confidence=40) for _ in range(2))
    batch_id = bulk([mine, handed_over], cast.rep, "Confidence of 2 renewals", confidence=70)
    change(handed_over, cast.manager, owner=cast.team_mate)

    answer = undo_batch(batch_id=batch_id, user=cast.rep, as_of=AS_OF)

    assert [values(row, "confidence") for row in (mine, handed_over)] == [(40,), (70,)]
    assert [(kept.row_id, kept.reason) for kept in answer.kept] == [
        (handed_over.pk, "You may look at this row, not change it.")
    ]


def test_rows_of_another_team_are_counted_but_not_told(cast: Cast) -> None:
    mine, theirs = make_renewal(owner=cast.rep, confidence=40), make_renewal(owner=cast.outsider, confidence=40)
    batch_id = bulk([mine, theirs], cast.admin, "Confidence of 2 renewals", confidence=70)

    answer = undo_batch(batch_id=batch_id, user=cast.rep, as_of=AS_OF)

    assert (answer.text, answer.kept, answer.hidden_count) == ("Undone: 1 cell; kept 1", [], 1)
    assert values(theirs, "confidence") == (70,)


def test_step_that_a_user_may_not_see_or_change(cast: Cast) -> None:
    batch_id = change(make_renewal(owner=cast.rep, confidence=40), cast.rep, confidence=70)
    for user, refusal in ((cast.viewer, NotYours), (cast.team_mate, NotYours), (cast.outsider, BatchGone)):
        with pytest.raises(refusal):
            undo_batch(batch_id=batch_id, user=user, as_of=AS_OF)
    for user in (cast.admin, cast.outsider):
        with pytest.raises(BatchGone):
            undo_batch(batch_id=uuid.uuid4(), user=user, as_of=AS_OF)
    assert Renewal.objects.get().confidence == 70


def test_rep_puts_back_neither_a_column_nor_an_owner_that_a_rep_cannot_write(cast: Cast) -> None:
    row = make_renewal(owner=cast.outsider, confidence=40)
    batch_id = change(row, cast.admin, owner=cast.rep, confidence=50, baseline_amount=Decimal(99))

    answer = undo_batch(batch_id=batch_id, user=cast.rep, as_of=AS_OF)

    assert values(row, "owner", "confidence", "baseline_amount") == (cast.rep.pk, 40, Decimal(99))
    assert {kept.label: kept.reason for kept in answer.kept} == {
        "Baseline": "Your role does not write this.", "Owner": "Your role does not write this.",
    }  # fmt: skip


def test_one_renewal_of_a_step_is_undone_alone(cast: Cast) -> None:
    rows = [make_renewal(owner=cast.rep, confidence=40) for _ in range(2)]
    batch_id = bulk(rows, cast.rep, "Confidence of 2 renewals", confidence=70)

    answer = undo_batch(batch_id=batch_id, user=cast.rep, as_of=AS_OF, renewal_id=rows[0].pk)

    assert [values(row, "confidence") for row in rows] == [(40,), (70,)]
    assert answer.renewal_ids == [rows[0].pk]


def test_row_changed_by_somebody_between_two_changes_of_the_step_is_kept(cast: Cast) -> None:
    row = make_renewal(owner=cast.rep, confidence=40, next_step="Call")
    first = change(row, cast.rep, confidence=50)
    change(row, cast.manager, next_step="Visit")
    last = change(row, cast.rep, confidence=60)
    RENEWAL.event_model.objects.filter(pgh_context_id=last).update(pgh_context_id=first)

    answer = undo_batch(batch_id=first, user=cast.rep, as_of=AS_OF)

    assert values(row, "confidence", "next_step") == (60, "Visit")
    assert {kept.reason for kept in answer.kept} == {"Somebody else changed this row while it ran."}


def import_two_contracts(cast: Cast) -> tuple[uuid.UUID, list[Renewal]]:
    """An import by the manager that makes two accounts with contracts and renewals, and raises an older baseline."""
    older = make_renewal(owner=cast.rep)
    with recorded_batch(user=cast.manager, how="import", description="Import of book.csv") as batch:
        made = [make_renewal(owner=cast.rep, account=make_account(owner=cast.manager)) for _ in range(2)]
        for row in made:
            AccountSignal.objects.create(account=row.account, measured_on=AS_OF, csat_score=4)
        Renewal.objects.filter(pk=older.pk).update(baseline_amount=Decimal(13000))
        stamp = "UPDATE {} SET created_at = now() WHERE id = ANY(%s)"
        with connection.cursor() as cursor:
            for table, ids in (
                ("accounts_account", [row.account_id for row in made]),
                ("renewals_contract", [row.contract_id for row in made]),
                ("renewals_renewal", [row.pk for row in made]),
            ):
                cursor.execute(stamp.format(table), [ids])
        note_created_now(batch, defaultdict(int))
    return batch.id, [older, *made]


def test_undo_of_an_import_removes_what_it_made_and_restores_what_it_changed(cast: Cast) -> None:
    batch_id, [older, *_] = import_two_contracts(cast)

    answer = undo_batch(batch_id=batch_id, user=cast.manager, as_of=AS_OF)

    assert answer.text == "Undone: 1 cell, 8 new rows removed"
    assert list(Renewal.objects.values_list("pk", "baseline_amount")) == [(older.pk, Decimal(12000))]
    assert list(Contract.objects.all()) == [older.contract]
    assert AccountSignal.objects.count() == 0


def test_redo_of_an_import_brings_its_rows_back_as_they_were(cast: Cast) -> None:
    batch_id, _ = import_two_contracts(cast)
    before = list(Renewal.objects.order_by("pk").values())
    undone = undo_batch(batch_id=batch_id, user=cast.manager, as_of=AS_OF)
    assert undone.batch_id

    answer = undo_batch(batch_id=undone.batch_id, user=cast.manager, as_of=AS_OF)

    assert answer.text == "Redone: 1 cell, 8 rows brought back"
    after = list(Renewal.objects.order_by("pk").values())
    assert [{**row, "updated_at": None} for row in after] == [{**row, "updated_at": None} for row in before]
    # And once more: what the redo brought back goes again.
    assert answer.batch_id
    again = undo_batch(batch_id=answer.batch_id, user=cast.manager, as_of=AS_OF)
    assert again.kept == []
    assert again.text == "Undone: 1 cell, 8 new rows removed"
    assert Renewal.objects.count() == 1


def test_undo_of_an_import_keeps_new_rows_that_somebody_touched_or_used(cast: Cast) -> None:
    batch_id, [older, touched, used] = import_two_contracts(cast)
    change(touched, cast.rep, confidence=60)
    later = make_renewal(owner=cast.rep, contract=used.contract, account=used.account, due_on=dt.date(2027, 12, 15))

    answer = undo_batch(batch_id=batch_id, user=cast.manager, as_of=AS_OF)

    assert set(Renewal.objects.values_list("pk", flat=True)) == {older.pk, touched.pk, later.pk}
    reasons = {(kept.kind, kept.row_id): kept.reason for kept in answer.kept}
    assert reasons == {
        ("renewal", touched.pk): "It was changed since.",
        ("contract", touched.contract_id): "It has renewals.",
        ("contract", used.contract_id): "It has renewals.",
        ("account", touched.account_id): "It has contracts and renewals.",
        ("account", used.account_id): "It has contracts and renewals.",
    }
    assert answer.text == "Undone: 1 cell, 3 new rows removed; kept 5"


def test_contract_and_account_cells_of_an_import_are_put_back(cast: Cast) -> None:
    row = make_renewal(owner=cast.rep, account=make_account(owner=cast.rep, region="North"))
    with recorded_batch(user=cast.manager, how="import", description="Import of book.csv") as batch:
        Contract.objects.filter(pk=row.contract_id).update(product="Gold")
        row.account.region = "South"
        row.account.save()
    assert undo_batch(batch_id=batch.id, user=cast.manager, as_of=AS_OF).text == "Undone: 2 cells"
    row.refresh_from_db()
    assert (row.contract.product, row.account.region) == ("", "North")
    assert CONTRACT.event_model.objects.count() == 2


@pytest.mark.parametrize("name", ["rep", "team_mate", "viewer", "outsider"])
def test_import_is_not_undone_by_those_who_may_not_change_its_rows(cast: Cast, name: str) -> None:
    row = make_renewal(owner=cast.manager)
    with recorded_batch(user=cast.manager, how="import", description="Import of book.csv") as batch:
        Contract.objects.filter(pk=row.contract_id).update(product="Gold")
    with pytest.raises(BatchGone if name == "outsider" else NotYours):
        undo_batch(batch_id=batch.id, user=getattr(cast, name), as_of=AS_OF)
    assert Contract.objects.get().product == "Gold"
