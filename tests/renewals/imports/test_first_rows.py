"""The first rows of a company: their indexes are built once they are in, and are the same as before."""

import pytest
from django.db import connection

from accounts.models import Account
from renewals.imports import upsert
from renewals.models import Contract, Renewal
from tests.renewals.imports.conftest import CONTRACTS, HEADING, Import

TABLES = ("accounts_account", "renewals_contract", "renewals_renewal")


def rows_of(name: str) -> str:
    lines = (f"{name}{n},Firm {name}{n},K-{name}{n},2026-01-01,2026-12-31,{n + 1}.50\n" for n in range(20))
    return HEADING + "".join(lines)


def indexes() -> dict[str, tuple[int, str]]:
    """Oid and definition of each index, by name."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexrelid::regclass::text, indexrelid, pg_get_indexdef(indexrelid) FROM pg_index"
            " WHERE indrelid = ANY (%s::regclass[])",
            [list(TABLES)],
        )
        return {name: (oid, definition) for name, oid, definition in cursor.fetchall()}


def test_indexes_are_built_again_after_the_first_rows_and_stay_for_later_ones(
    run_import: Import, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upsert, "FIRST_ROWS", range(20, 100))
    before = indexes()

    run_import(rows_of("A"), CONTRACTS)

    first = indexes()
    assert {name: definition for name, (_, definition) in first.items()} == {
        name: definition for name, (_, definition) in before.items()
    }
    built = {name for name in first if first[name][0] != before[name][0]}
    assert {"account_name_id", "contract_number", "renewal_outcome_due"} <= built
    # What other tables point to, and what keeps rows apart, is never missing.
    assert not built & {
        "accounts_account_pkey",
        "account_external_id_once",
        "contract_term_once",
        "renewals_renewal_pkey",
    }
    assert (Account.objects.count(), Contract.objects.count(), Renewal.objects.count()) == (20, 20, 20)
    assert [row.contract.number for row in Renewal.objects.filter(account__name="Firm A3")] == ["K-A3"]

    run_import(rows_of("B"), CONTRACTS)

    assert indexes() == first
    assert Renewal.objects.count() == 40


def test_a_few_first_rows_go_in_as_they_are(run_import: Import) -> None:
    before = indexes()
    run_import(rows_of("A"), CONTRACTS)
    assert indexes() == before
    assert Renewal.objects.count() == 20


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_nobody_who_reads_the_empty_book_is_waited_for(run_import: Import, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upsert, "FIRST_ROWS", range(20, 100))
    before = indexes()
    reader = connection.copy()
    try:
        reader.set_autocommit(False)
        with reader.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM renewals_renewal")

            run_import(rows_of("A"), CONTRACTS)
    finally:
        reader.close()
    after = indexes()
    assert after["account_name_id"] != before["account_name_id"]
    assert after["renewal_outcome_due"] == before["renewal_outcome_due"]
    assert Renewal.objects.count() == 20
