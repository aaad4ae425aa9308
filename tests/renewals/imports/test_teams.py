"""What a manager's file may touch: what their team owns, and nothing else."""

import datetime as dt
from typing import Any

from accounts.models import Account
from renewals.models import Contract, Renewal
from tests.cast import Cast, make_account, make_renewal
from tests.renewals.imports.conftest import CONTRACTS, HEADING, Import, assert_no_row_is_lost, refusals_of


def test_a_managers_rows_reach_only_their_team(run_import: Import, cast: Cast) -> None:
    make_account(external_id="OURS", name="Ours", owner=cast.rep)
    theirs = make_account(external_id="THEIRS", name="Theirs", owner=cast.outsider)
    make_account(external_id="NOBODYS", name="Nobodys", owner=None)
    text = HEADING + "".join(
        f"{name.upper()},{name} changed,C-{name},2026-01-01,2026-12-31,1\n"
        for name in ("Ours", "Theirs", "Nobodys", "New")
    )
    batch = run_import(text, user=cast.manager)
    assert refusals_of(batch) == [
        (3, "Account", "THEIRS", "account_of_another_team"),
        (4, "Account", "NOBODYS", "account_of_another_team"),
    ]
    theirs.refresh_from_db()
    assert theirs.name == "Theirs"
    assert dict(Renewal.objects.values_list("account__name", "owner__name")) == {
        "Ours changed": "Rhea Rep",
        "New changed": "Mona Manager",
    }
    assert_no_row_is_lost(batch)


def test_an_owner_of_another_team_cannot_be_named(run_import: Import, cast: Cast) -> None:
    mapping: dict[str, Any] = {**CONTRACTS, "account": {**CONTRACTS["account"], "owner": "Owner"}}
    text = HEADING.replace("\n", ",Owner\n") + "".join(
        f"{n},N{n},C{n},2026-01-01,2026-12-31,1,{email}\n"
        for n, email in enumerate(["rhea.rep@example.com", "otto.outsider@example.com", "who@example.com"])
    )
    batch = run_import(text, mapping, user=cast.manager)
    assert refusals_of(batch) == [
        (3, "Owner", "otto.outsider@example.com", "account_of_another_team"),
        (4, "Owner", "who@example.com", "unknown_user"),
    ]
    assert Account.objects.get().owner == cast.rep
    assert refusals_of(run_import(text, mapping, user=cast.admin)) == [(4, "Owner", "who@example.com", "unknown_user")]


def test_a_renewal_of_another_team_stays_as_it_is(run_import: Import, cast: Cast) -> None:
    account = make_account(external_id="A1", owner=cast.rep)
    contract = Contract.objects.create(
        account=account, number="C1", starts_on=dt.date(2026, 1, 1), ends_on=dt.date(2026, 12, 31), currency="EUR"
    )
    make_renewal(owner=cast.outsider, account=account, contract=contract, due_on=dt.date(2026, 12, 31))
    before = list(Renewal.objects.values())
    batch = run_import(HEADING + "A1,Acme,C1,2026-01-01,2026-12-31,99\n", user=cast.manager)
    assert refusals_of(batch) == [(2, "Contract", "C1", "renewal_of_another_team")]
    assert (list(Renewal.objects.values()), Contract.objects.get().recurring_amount) == (before, 0)


def test_a_manager_makes_no_lists_and_no_attributes(run_import: Import, cast: Cast) -> None:
    lists = {**CONTRACTS, "account": {**CONTRACTS["account"], "segment": {"column": "Seg", "create_missing": True}}}
    text = HEADING.replace("\n", ",Seg\n") + "A1,Acme,C1,2026-01-01,2026-12-31,1,Moon\n"
    assert refusals_of(run_import(text, lists, user=cast.manager)) == [(2, "Seg", "Moon", "unknown_segment")]
    attributes = {**CONTRACTS, "attributes": {"moon": {"column": "Seg", "kind": "category"}}}
    batch = run_import(text, attributes, user=cast.manager)
    assert batch.message == "The custom attribute “moon” is not known yet; an admin imports it first."
