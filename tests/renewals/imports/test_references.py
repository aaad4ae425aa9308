"""The foreign keys of new rows: proved together where PostgreSQL lets us, checked one by one where it does not."""

from collections.abc import Iterator

import psycopg2
import pytest
from django.db import IntegrityError, OperationalError, connection, connections, transaction

from accounts.models import Account, Segment, get_company
from renewals.imports.mapping import parse_mapping
from renewals.imports.references import insert_rows
from renewals.imports.run import Run
from renewals.models import Contract, Renewal
from tests.cast import make_account
from tests.renewals.imports.conftest import CONTRACTS, HEADING, Import

ROW = "A1,Acme,C1,2026-01-01,2026-12-31,12000\n"
INSERT = """INSERT INTO accounts_account (name, external_id, region, attributes, segment_id, created_at, updated_at)
    VALUES ('New', 'N1', '', '{}', %s, now(), now())"""


@pytest.fixture
def run(db: None) -> Iterator[Run]:
    today = get_company().today()
    with connection.cursor() as cursor:
        run = Run(
            cursor=cursor,
            mapping=parse_mapping(CONTRACTS, "Test"),
            as_of=today,
            file_on=today,
            user=None,
            is_applied=True,
        )
        run.note_first_ids()
        yield run


def role() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW session_replication_role")
        return str(cursor.fetchone()[0])


def test_a_row_that_points_to_nothing_is_refused(run: Run) -> None:
    with pytest.raises(IntegrityError, match=r"^1 segments that the file names are gone\. Import it again\.$"):
        insert_rows(run, Account, INSERT, [999_999])


def test_a_row_that_points_to_something_or_to_nothing_at_all_goes_in(run: Run) -> None:
    segment = Segment.objects.create(name="Harbours")
    assert insert_rows(run, Account, INSERT, [segment.pk]) == 1
    assert insert_rows(run, Account, INSERT.replace("N1", "N2"), [None]) == 1
    assert set(Account.objects.values_list("external_id", "segment")) == {("N1", segment.pk), ("N2", None)}
    assert role() == "origin"


def test_a_row_that_points_to_a_missing_account_is_refused(run: Run) -> None:
    insert = """INSERT INTO renewals_contract (account_id, number, product, starts_on, ends_on, is_term_assumed,
            recurring_amount, one_off_amount, currency, is_auto_renewing, notice_days, created_at, updated_at)
        SELECT unnest(%s), 'C1', '', '2026-01-01', '2026-12-31', false, 1, 0, 'EUR', false, 0, now(), now()"""
    older = make_account()
    run.note_first_ids()
    insert_rows(run, Account, INSERT, [None])
    made = Account.objects.get(external_id="N1")
    assert insert_rows(run, Contract, insert, [[older.pk, made.pk]]) == 2
    missing = [made.pk + 1, made.pk + 2]
    with pytest.raises(IntegrityError, match=r"^2 accounts that the file names are gone\. Import it again\.$"):
        insert_rows(run, Contract, insert, [missing])


def test_rows_of_earlier_imports_are_not_looked_at_again(run: Run) -> None:
    older = make_account(external_id="Old")
    run.note_first_ids()
    assert insert_rows(run, Account, INSERT, [None]) == 1
    run.cursor.execute(f"SELECT external_id FROM {run.new_rows('accounts_account')} AND id > %s", [older.pk])
    assert run.cursor.fetchall() == [("N1",)]


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_what_a_new_row_points_to_is_held_until_the_commit(run: Run) -> None:
    segment = Segment.objects.create(name="Harbours")
    other = connections["default"].copy()
    with transaction.atomic():
        insert_rows(run, Account, INSERT, [segment.pk])
        with other.cursor() as cursor:
            cursor.execute("SET lock_timeout = 100")
            with pytest.raises(OperationalError) as refused:
                cursor.execute("DELETE FROM accounts_segment WHERE id = %s", [segment.pk])
    other.close()
    assert isinstance(refused.value.__cause__, psycopg2.errors.LockNotAvailable)
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM accounts_segment WHERE id = %s", [segment.pk])


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_who_may_not_vouch_has_postgresql_check_each_row(run: Run) -> None:
    run.execute("CREATE ROLE test_plain; GRANT ALL ON ALL TABLES IN SCHEMA public TO test_plain")
    run.execute("GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO test_plain")

    @transaction.atomic
    def insert() -> None:
        run.execute("SET LOCAL ROLE test_plain")
        assert insert_rows(run, Account, INSERT, [999_999]) == 1

    try:
        # The message is PostgreSQL's own, and comes at the commit.
        with pytest.raises(IntegrityError, match="violates foreign key constraint"):
            insert()
    finally:
        run.execute("DROP OWNED BY test_plain; DROP ROLE test_plain")


def test_an_import_leaves_every_key_whole_and_later_writes_are_checked_again(run_import: Import) -> None:
    run_import(HEADING + ROW)
    renewal = Renewal.objects.select_related("contract__account", "account", "stage").get()
    assert renewal.contract.account == renewal.account == Account.objects.get()
    assert role() == "origin"
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(IntegrityError), transaction.atomic():
            cursor.execute("UPDATE renewals_contract SET account_id = 999999")
    assert Contract.objects.get().account == renewal.account
