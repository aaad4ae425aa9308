"""Imports of touches, people, parents and new names, taken back as one step each."""

import datetime as dt
from typing import Any

import pytest

from accounts.models import Account, AccountSignal, Contact, Industry, Segment, Touch, User
from accounts.touches.people import edit_contact
from accounts.touches.services import delete_touch, edit_touch, log_touch
from config.history import recorded_as
from renewals.history.kinds import TOUCH
from renewals.history.undo import undo_batch
from renewals.models import ImportBatch
from tests.cast import Cast, make_account
from tests.renewals.history.steps import AS_OF
from tests.renewals.imports.conftest import Import, run_import
from tests.renewals.imports.test_people import CONTACT_HEAD, CONTACTS, TOUCH_HEAD, TOUCHES

__all__ = ["run_import"]
pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)
ACCOUNTS: dict[str, Any] = {
    "rows": "accounts",
    "account": {
        "external_id": "Account",
        "name": "Name",
        "parent": "Parent",
        "segment": {"column": "Segment", "create_missing": True},
        "industry": {"column": "Industry", "create_missing": True},
    },
}
ACCOUNT_HEAD = "Account,Name,Parent,Segment,Industry\n"
NOW = dt.datetime(2026, 11, 21, 9, tzinfo=dt.UTC)


def undo(batch: ImportBatch, user: User) -> str:
    assert batch.step_id is not None
    return undo_batch(batch_id=batch.step_id, user=user, as_of=AS_OF).text


def touches() -> list[tuple[object, ...]]:
    return list(Touch.objects.order_by("external_id").values_list("external_id", "kind", "note"))


def last_touch(account: Account) -> dt.date | None:
    return Account.objects.values_list("last_touch_on", flat=True).get(pk=account.pk)


def test_touches_of_an_import_go_with_it_and_come_back_with_its_redo(cast: Cast, run_import: Import) -> None:
    account = make_account(external_id="C1", owner=cast.rep, last_touch_on=dt.date(2026, 2, 1))
    run_import(TOUCH_HEAD + "C1,T1,call,2026-01-10,,Old,\n", TOUCHES)
    batch = run_import(TOUCH_HEAD + "C1,T1,mail,2026-01-10,,New,\nC1,T2,call,2026-03-05,,,\n", TOUCHES)
    after = [("T1", "mail", "New"), ("T2", "call", "")]
    assert (touches(), last_touch(account)) == (after, dt.date(2026, 3, 5))

    assert undo(batch, cast.manager) == "Undone: 3 cells, 1 new row removed"
    assert (touches(), last_touch(account)) == ([("T1", "call", "Old")], dt.date(2026, 2, 1))
    events = TOUCH.event_model._default_manager
    assert list(events.filter(pgh_label="before_delete").values_list("external_id", "pgh_context__how")) == [
        ("T2", "undo")
    ]
    redo = undo_batch(batch_id=events.latest("pgh_id").pgh_context_id, user=cast.manager, as_of=AS_OF)
    assert redo.text == "Redone: 3 cells, 1 row brought back"
    assert (touches(), last_touch(account)) == (after, dt.date(2026, 3, 5))


def test_touch_that_somebody_changed_since_is_kept_and_listed(cast: Cast, run_import: Import) -> None:
    account = make_account(external_id="C1", owner=cast.rep)
    batch = run_import(TOUCH_HEAD + "C1,T1,call,2026-03-05,,,\nC1,T2,call,2026-03-06,,,\n", TOUCHES)
    edited = Touch.objects.get(external_id="T1")
    edit_touch(touch_id=edited.pk, user=cast.rep, values={"note": "They sign in May"}, now=NOW)
    assert batch.step_id is not None

    answer = undo_batch(batch_id=batch.step_id, user=cast.admin, as_of=AS_OF)

    assert answer.text == "Undone: 1 cell, 1 new row removed; kept 1"
    assert [(kept.kind, kept.row_id, kept.reason) for kept in answer.kept] == [
        ("touch", edited.pk, "It was changed since.")
    ]
    # The last touch is the one that is left, though the account had none before the import.
    assert (touches(), last_touch(account)) == ([("T1", "call", "They sign in May")], dt.date(2026, 3, 5))


def test_last_touch_is_never_earlier_than_a_touch_of_another_import(cast: Cast, run_import: Import) -> None:
    account = make_account(external_id="C1", owner=cast.rep)
    later = run_import(TOUCH_HEAD + "C1,T1,call,2026-03-05,,,\n", TOUCHES)
    run_import(TOUCH_HEAD + "C1,T2,call,2026-03-01,,,\n", TOUCHES)
    undo(later, cast.admin)
    assert (touches(), last_touch(account)) == ([("T2", "call", "")], dt.date(2026, 3, 1))


def test_touch_by_hand_over_an_imported_one_keeps_what_was_known_before_both(cast: Cast, run_import: Import) -> None:
    account = make_account(external_id="C1", owner=cast.rep, last_touch_on=dt.date(2026, 2, 1))
    batch = run_import(TOUCH_HEAD + "C1,T1,call,2026-03-05,,,\n", TOUCHES)
    by_hand = log_touch(account_id=account.pk, user=cast.rep, kind="call", happened_at=NOW, now=NOW)
    assert undo(batch, cast.admin) == "Undone: 1 new row removed; kept 1 that Rhea Rep changed since"
    assert last_touch(account) == dt.date(2026, 11, 21)
    delete_touch(touch_id=by_hand.pk, user=cast.rep, now=NOW)
    assert last_touch(account) == dt.date(2026, 2, 1)


def people() -> list[tuple[object, ...]]:
    return list(Contact.objects.order_by("name").values_list("name", "role", "is_champion", "left_on"))


def test_people_of_an_import_go_with_it_and_so_does_what_it_told_of_champions(cast: Cast, run_import: Import) -> None:
    make_account(external_id="C1", owner=cast.rep)
    run_import(CONTACT_HEAD + "C1,Ada,ada@example.com,Head,yes,\n", CONTACTS)
    before = people()
    batch = run_import(CONTACT_HEAD + "C1,Ada,ada@example.com,Head,yes,2026-11-01\nC1,Bo,bo@example.com,,,\n", CONTACTS)
    assert len(people()) == 2
    assert list(AccountSignal.objects.values_list("has_champion_left", flat=True)) == [True]

    assert undo(batch, cast.admin) == "Undone: 1 cell, 2 new rows removed"
    assert people() == before == [("Ada", "Head", True, None)]
    assert AccountSignal.objects.count() == 0


def test_person_whom_somebody_changed_since_is_kept_and_still_tells_of_champions(
    cast: Cast, run_import: Import
) -> None:
    make_account(external_id="C1", owner=cast.rep)
    batch = run_import(CONTACT_HEAD + "C1,Ada,ada@example.com,,yes,2026-11-01\nC1,Bo,,,yes,2026-11-02\n", CONTACTS)
    ada = Contact.objects.get(name="Ada")
    edit_contact(contact=ada, user=cast.rep, values={"phone": "+44 20"}, today=AS_OF)

    assert undo(batch, cast.admin) == "Undone: 2 new rows removed; kept 1"
    assert people() == [("Ada", "", True, dt.date(2026, 11, 1))]
    # The import's own signal went with it; that the champion who stays has left is told anew.
    assert list(AccountSignal.objects.values_list("measured_on", "has_champion_left")) == [(AS_OF, True)]


def families() -> dict[str, str | None]:
    return dict(Account.objects.order_by("external_id").values_list("external_id", "family__external_id"))


def test_accounts_below_each_other_go_together_with_the_names_they_brought(cast: Cast, run_import: Import) -> None:
    make_account(external_id="C1")
    before = (families(), list(Segment.objects.values_list("name")), list(Industry.objects.values_list("name")))
    batch = run_import(
        ACCOUNT_HEAD + "C1,,H1,,\nH1,Group,H2,Strategic accounts,Shipping\nH2,Holding,,,Shipping\nC2,Leaf,C1,,\n",
        ACCOUNTS,
    )
    assert families() == {"C1": "H1", "C2": "C1", "H1": "H2", "H2": None}

    assert undo(batch, cast.admin) == "Undone: 1 cell, 5 new rows removed"
    assert (
        families(), list(Segment.objects.values_list("name")), list(Industry.objects.values_list("name"))
    ) == before  # fmt: skip


def test_new_name_that_others_use_by_now_stays(cast: Cast, run_import: Import) -> None:
    batch = run_import(ACCOUNT_HEAD + "C1,One,,,Shipping\n", ACCOUNTS)
    make_account(external_id="C2", industry=Industry.objects.get(name="Shipping"))
    assert undo(batch, cast.admin) == "Undone: 1 new row removed; kept 1"
    assert Industry.objects.filter(name="Shipping").exists()


def test_parent_that_stands_below_the_account_by_now_is_not_put_back(cast: Cast, run_import: Import) -> None:
    former = make_account(external_id="C1")
    account = make_account(external_id="C2", family=former)
    make_account(external_id="C3")
    batch = run_import(ACCOUNT_HEAD + "C2,,C3,,\n", ACCOUNTS)
    with recorded_as(user_id=cast.manager.pk, how="page"):
        Account.objects.filter(pk=former.pk).update(family=account)
    assert batch.step_id is not None

    answer = undo_batch(batch_id=batch.step_id, user=cast.admin, as_of=AS_OF)

    assert [(kept.row, kept.label, kept.reason) for kept in answer.kept] == [
        (account.name, "Family", "It would stand above itself: the account stands above its former parent by now.")
    ]
    assert families() == {"C1": "C2", "C2": "C3", "C3": None}


def test_account_that_tickets_brought_goes_with_the_signals_made_of_them(cast: Cast, run_import: Import) -> None:
    tickets = {
        "rows": "tickets",
        "unknown_account": "create",
        "account": {"external_id": "Account", "name": "Account"},
        "ticket": {"id": "Ticket", "opened_on": "Opened", "severity": "Severity"},
    }
    batch = run_import("Account,Ticket,Opened,Severity\nC1,T1,2026-03-01,urgent\n", tickets)
    assert AccountSignal.objects.filter(severe_ticket_count=1).exists()
    assert undo(batch, cast.admin) == "Undone: 2 new rows removed"
    assert not Account.objects.exists()
    assert not AccountSignal.objects.exists()
