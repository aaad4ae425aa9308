"""Imports of touches and of the people of accounts."""

import datetime as dt
from typing import Any

from accounts.models import Account, AccountSignal, Contact, Touch, get_company
from tests.cast import Cast, make_account
from tests.renewals.imports.conftest import Import, assert_no_row_is_lost, refusals_of

TOUCHES: dict[str, Any] = {
    "rows": "touches",
    "account": {"external_id": "Account"},
    "touch": {
        "id": "Id",
        "kind": {"column": "Kind", "values": {"phone": "call"}},
        "happened_on": "Day",
        "author": "By",
        "note": "Note",
        "next_touch_on": "Next",
    },
}
TOUCH_HEAD = "Account,Id,Kind,Day,By,Note,Next\n"
CONTACTS: dict[str, Any] = {
    "rows": "contacts",
    "account": {"external_id": "Account"},
    "contact": {"name": "Name", "email": "Email", "role": "Role", "is_champion": "Champion", "left_on": "Left"},
}
CONTACT_HEAD = "Account,Name,Email,Role,Champion,Left\n"


def test_touches_stand_at_noon_and_move_the_last_touch_forward_only(run_import: Import, cast: Cast) -> None:
    one = make_account(external_id="C1", last_touch_on=dt.date(2026, 2, 1))
    other = make_account(external_id="C2", last_touch_on=dt.date(2026, 5, 1))
    text = TOUCH_HEAD + (
        "C1,T1,Phone,2026-03-01,rhea.rep@example.com,Went well,2026-04-01\n"
        "C1,T2,Meeting,2026-03-05,,,\nC2,T3,review,2026-03-01,,,\n"
    )
    batch = run_import(text, TOUCHES)
    assert_no_row_is_lost(batch)
    assert batch.result == {
        "accounts": {"created": 0, "changed": 1, "unchanged": 1},
        "touches": {"created": 3, "changed": 0, "unchanged": 0},
    }
    kept = Touch.objects.get(external_id="T1")
    assert (kept.kind, kept.author, kept.note, kept.next_touch_on) == (
        "call", cast.rep, "Went well", dt.date(2026, 4, 1),
    )  # fmt: skip
    zone = get_company().today(kept.happened_at)
    assert (zone, kept.happened_at.minute) == (dt.date(2026, 3, 1), 0)
    days = dict(Account.objects.values_list("pk", "last_touch_on"))
    assert days == {one.pk: dt.date(2026, 3, 5), other.pk: dt.date(2026, 5, 1)}
    again = run_import(text, TOUCHES).result
    assert again["touches"] == {"created": 0, "changed": 0, "unchanged": 3}
    assert again["accounts"] == {"created": 0, "changed": 0, "unchanged": 2}


def test_touches_that_cannot_be_are_refused_each_with_its_reason(run_import: Import) -> None:
    make_account(external_id="C1")
    make_account(external_id="C2")
    run_import(TOUCH_HEAD + "C2,T9,call,2026-03-01,,,\n", TOUCHES)
    tomorrow = get_company().today() + dt.timedelta(days=1)
    batch = run_import(
        TOUCH_HEAD
        + f"C9,T1,call,2026-03-01,,,\nC1,T2,call,{tomorrow},,,\nC1,T3,pigeon,2026-03-01,,,\n"
        + "C1,T4,call,2026-03-02,,,2026-03-02\nC1,T5,call,2026-03-01,nobody@example.com,,\nC1,T9,call,2026-03-01,,,\n"
        + "C1,T6,call,2026-03-01,,,\n",
        TOUCHES,
    )
    assert refusals_of(batch) == [
        (2, "Account", "C9", "unknown_account"),
        (3, "Day", str(tomorrow), "future_touch"),
        (4, "Kind", "pigeon", "not_a_touch_kind"),
        (5, "Next", "2026-03-02", "next_touch_too_early"),
        (6, "By", "nobody@example.com", "unknown_user"),
        (7, "Account", "C1", "moved_account"),
    ]
    assert_no_row_is_lost(batch)
    assert sorted(Touch.objects.values_list("external_id", flat=True)) == ["T6", "T9"]


def test_people_are_known_again_by_email_or_else_by_name(run_import: Import) -> None:
    account = make_account(external_id="C1")
    Contact.objects.create(account=account, name="Ben Bare")
    text = CONTACT_HEAD + "C1,Ann Able,Ann@x.example,CTO,yes,\nC1,ben bare,ben@x.example,Buyer,,\nC1,Cy,,,,\n"
    batch = run_import(text, CONTACTS)
    assert batch.result["contacts"] == {"created": 2, "changed": 1, "unchanged": 0}
    people = account.contacts.values_list("name", "email", "role", "is_champion")
    assert list(people) == [
        ("Ann Able", "Ann@x.example", "CTO", True),
        ("Cy", "", "", False),
        ("ben bare", "ben@x.example", "Buyer", False),
    ]
    assert run_import(text, CONTACTS).result["contacts"] == {"created": 0, "changed": 0, "unchanged": 3}
    run_import(CONTACT_HEAD + "C1,Ann Baker,ANN@x.example,,,\n", CONTACTS)
    assert Contact.objects.get(email="ANN@x.example").name == "Ann Baker"
    assert Contact.objects.count() == 3


def test_the_last_champion_who_left_is_a_signal_once(run_import: Import) -> None:
    account = make_account(external_id="C1")
    run_import(CONTACT_HEAD + "C1,Ann,,,yes,\nC1,Bea,,,yes,2026-01-05\n", CONTACTS)
    assert not AccountSignal.objects.exists()
    for _ in range(2):
        run_import(CONTACT_HEAD + "C1,Ann,,,,2026-03-01\n", CONTACTS)
    told = AccountSignal.objects.values_list("account", "measured_on", "has_champion_left")
    assert list(told) == [(account.pk, get_company().today(), True)]


def test_people_who_cannot_be_are_refused_each_with_its_reason(run_import: Import) -> None:
    account = make_account(external_id="C1")
    Contact.objects.create(account=account, name="Ann", email="ann@x.example")
    tomorrow = get_company().today() + dt.timedelta(days=1)
    batch = run_import(
        CONTACT_HEAD
        + f"C9,Zed,,,,\nC1,Bea,bea at x,,,\nC1,Cy,,,,{tomorrow}\nC1,,d@x.example,,,\nC1,Eve,,,perhaps,\n"
        + "C1,Ann,ann@x.example,CTO,,\nC1,Ann,,CEO,,\n",
        CONTACTS,
    )
    assert refusals_of(batch) == [
        (2, "Account", "C9", "unknown_account"),
        (3, "Email", "bea at x", "not_an_email"),
        (4, "Left", str(tomorrow), "future_contact"),
        (5, "Name", "", "blank"),
        (6, "Champion", "perhaps", "not_a_flag"),
        (8, "Email", "ann", "conflicting_rows"),
    ]
    assert_no_row_is_lost(batch)
    assert Contact.objects.get().role == "CTO"


def test_a_manager_brings_people_and_touches_of_their_own_team_only(run_import: Import, cast: Cast) -> None:
    make_account(external_id="C1", owner=cast.rep)
    make_account(external_id="C2", owner=cast.outsider)
    touches = run_import(
        TOUCH_HEAD + "C1,T1,call,2026-03-01,,,\nC2,T2,call,2026-03-01,,,\n", TOUCHES, user=cast.manager
    )
    people = run_import(CONTACT_HEAD + "C1,Ann,,,,\nC2,Bea,,,,\n", CONTACTS, user=cast.manager)
    refused = [(3, "Account", "C2", "account_of_another_team")]
    assert (refusals_of(touches), refusals_of(people)) == (refused, refused)
    assert (Touch.objects.count(), Contact.objects.count()) == (1, 1)


def test_a_check_writes_neither(run_import: Import) -> None:
    make_account(external_id="C1")
    touches = run_import(TOUCH_HEAD + "C1,T1,call,2026-03-01,,,\n", TOUCHES, is_check=True)
    people = run_import(CONTACT_HEAD + "C1,Ann,,,yes,2026-01-01\n", CONTACTS, is_check=True)
    assert touches.result["touches"] == people.result["contacts"] == {"created": 1, "changed": 0, "unchanged": 0}
    assert [model.objects.count() for model in (Touch, Contact, AccountSignal)] == [0, 0, 0]
