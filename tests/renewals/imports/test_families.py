"""Accounts that a file puts below others."""

from typing import Any

import pytest

from accounts.models import Account
from renewals.imports.keys import MappingError
from renewals.imports.mapping import parse_mapping
from tests.cast import Cast, make_account
from tests.renewals.imports.conftest import CONTRACTS, Import, assert_no_row_is_lost, findings_of, refusals_of

ACCOUNTS: dict[str, Any] = {"rows": "accounts", "account": {"external_id": "Id", "name": "Name", "parent": "Parent"}}
HEAD = "Id,Name,Parent\n"


def families() -> dict[str, str | None]:
    return dict(Account.objects.order_by("external_id").values_list("external_id", "family__external_id"))


def test_parents_may_be_new_known_or_further_down_the_file(run_import: Import) -> None:
    make_account(external_id="TOP", name="Top")
    text = HEAD + "A,A,B\nB,B,TOP\nC,C,\n"
    batch = run_import(text, ACCOUNTS)
    assert_no_row_is_lost(batch)
    assert families() == {"A": "B", "B": "TOP", "C": None, "TOP": None}
    assert batch.result["accounts"] == {"created": 3, "changed": 0, "unchanged": 0}
    assert run_import(text, ACCOUNTS).result["accounts"] == {"created": 0, "changed": 0, "unchanged": 3}
    # A blank says nothing; another parent moves the account.
    assert run_import(HEAD + "A,A,\nB,B,C\n", ACCOUNTS).result["accounts"] == {
        "created": 0, "changed": 1, "unchanged": 1,
    }  # fmt: skip
    assert families() == {"A": "B", "B": "C", "C": None, "TOP": None}


def test_a_loop_is_refused_row_by_row_and_the_rest_is_kept(run_import: Import) -> None:
    batch = run_import(HEAD + "A,A,B\nB,B,C\nC,C,A\nD,D,D\nE,E,F\nF,F,\nG,G,A\n", ACCOUNTS)
    assert refusals_of(batch) == [
        (2, "Parent", "B", "family_loop"),
        (3, "Parent", "C", "family_loop"),
        (4, "Parent", "A", "family_loop"),
        (5, "Parent", "D", "family_loop"),
        (8, "Parent", "A", "unknown_parent"),
    ]
    reasons = dict(batch.findings.values_list("row_number", "reason"))
    assert reasons[5] == "is the account itself: nothing is above itself"
    assert reasons[2] == "stands below this account already, by this file or the book: it would be above itself"
    assert_no_row_is_lost(batch)
    assert families() == {"E": "F", "F": None}


def test_a_loop_through_the_book_is_refused(run_import: Import) -> None:
    top = make_account(external_id="TOP", name="Top")
    middle = make_account(external_id="MID", name="Middle", family=top)
    make_account(external_id="LOW", name="Low", family=middle)
    batch = run_import(HEAD + "TOP,Top renamed,LOW\nLOW,Low renamed,TOP\n", ACCOUNTS)
    # Judged together: the file takes LOW from below MID, so that nothing stands above itself but these two.
    assert [finding[0] for finding in refusals_of(batch)] == [2, 3]
    assert families() == {"LOW": "MID", "MID": "TOP", "TOP": None}
    assert set(Account.objects.values_list("name", flat=True)) == {"Top", "Middle", "Low"}
    alone = run_import(HEAD + "TOP,Top,LOW\n", ACCOUNTS)
    assert refusals_of(alone) == [(2, "Parent", "LOW", "family_loop")]


def test_a_refused_row_leaves_the_book_s_edge_to_be_judged_again(run_import: Import) -> None:
    """B stands below A in the book. The file moves B away, but that row is refused; then A cannot go below B."""
    a = make_account(external_id="A", name="A")
    make_account(external_id="B", name="B", family=a)
    batch = run_import(HEAD + "A,A,B\nB,B,NOWHERE\n", ACCOUNTS)
    assert refusals_of(batch) == [(2, "Parent", "B", "family_loop"), (3, "Parent", "NOWHERE", "unknown_parent")]
    assert families() == {"A": None, "B": "A"}


def test_a_manager_puts_nothing_below_another_team(run_import: Import, cast: Cast) -> None:
    make_account(external_id="MINE", owner=cast.rep)
    make_account(external_id="THEIRS", owner=cast.outsider)
    batch = run_import(HEAD + "A,A,THEIRS\nB,B,MINE\n", ACCOUNTS, user=cast.manager)
    assert refusals_of(batch) == [(2, "Parent", "THEIRS", "account_of_another_team")]
    assert Account.objects.get(external_id="B").family == Account.objects.get(external_id="MINE")


def test_a_parent_is_read_with_accounts_alone() -> None:
    with pytest.raises(MappingError) as refused:
        parse_mapping({**CONTRACTS, "account": {"external_id": "Account", "parent": "Parent"}})
    assert str(refused.value) == 'account.parent: only read with rows = "accounts", not with contracts.'


def test_findings_name_row_field_value_and_reason(run_import: Import) -> None:
    batch = run_import(HEAD + "A,A,NOWHERE\n", ACCOUNTS)
    assert findings_of(batch) == [(2, "Parent", "NOWHERE", "unknown_parent", "refused")]
    assert batch.findings.get().reason == "no account has this id, in the book or in this file"
