"""Accounts with an open renewal are marked with their last touch, whoever writes and however."""

import datetime as dt
import time
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connection, transaction

from accounts.models import Account
from renewals.models import OpenAccount, Renewal
from tests.cast import Cast, make_account, make_renewal
from tests.renewals.conftest import mistaken_marks

DAY = dt.date(2026, 10, 1)
LOST = "UPDATE renewals_renewal SET outcome = 'lost', final_amount = 0 WHERE id = ANY (%s)"
OPEN = "UPDATE renewals_renewal SET outcome = 'open', final_amount = NULL WHERE id = ANY (%s)"


def execute(statement: str, *params: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)


def marks() -> dict[int, dt.date | None]:
    return dict(OpenAccount.objects.values_list("account_id", "last_touch_on"))


def test_a_mark_stands_while_anything_is_open(cast: Cast) -> None:
    account = make_account(last_touch_on=DAY)
    rows = [make_renewal(owner=cast.rep, account=account) for _ in range(2)]
    assert marks() == {account.pk: DAY}
    execute(LOST, [rows[0].pk])
    assert marks() == {account.pk: DAY}
    execute(LOST, [row.pk for row in rows])
    assert marks() == {}
    execute(OPEN, [rows[1].pk])
    assert marks() == {account.pk: DAY}
    execute("DELETE FROM renewals_renewal WHERE id = %s", rows[1].pk)
    assert marks() == {}


def test_a_mark_follows_the_last_touch_and_the_account_of_a_renewal(cast: Cast) -> None:
    first, second = make_account(last_touch_on=DAY), make_account()
    row = make_renewal(owner=cast.rep, account=first)
    Account.objects.update(last_touch_on=DAY + dt.timedelta(9))
    assert marks() == {first.pk: DAY + dt.timedelta(9)}
    Renewal.objects.filter(pk=row.pk).update(account=second)
    assert marks() == {second.pk: DAY + dt.timedelta(9)}
    Account.objects.update(last_touch_on=None)
    assert marks() == {second.pk: None}


def at_once(*writers: tuple[str, object]) -> None:
    """Each statement in a connection of its own; all are written before the first is committed."""
    start = Barrier(len(writers))

    def write(statement: str, param: object) -> None:
        try:
            with transaction.atomic():
                connection.ensure_connection()
                start.wait(10)
                execute(statement, param)
                time.sleep(0.2)
        finally:
            connection.close()

    threads = [Thread(target=write, args=writer) for writer in writers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_two_who_close_the_last_two_leave_no_mark(transactional_db: None, cast: Cast) -> None:
    account = make_account(last_touch_on=DAY)
    rows = [make_renewal(owner=cast.rep, account=account) for _ in range(2)]
    at_once((LOST, [rows[0].pk]), (LOST, [rows[1].pk]))
    assert marks() == {}


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_one_who_opens_while_another_closes_and_a_third_notes_a_touch(transactional_db: None, cast: Cast) -> None:
    account = make_account(last_touch_on=DAY)
    opened, closed = (make_renewal(owner=cast.rep, account=account) for _ in range(2))
    for _ in range(3):
        execute(LOST, [opened.pk])
        execute(OPEN, [closed.pk])
        touch = "UPDATE accounts_account SET last_touch_on = last_touch_on + 1 WHERE id = %s"
        at_once((OPEN, [opened.pk]), (LOST, [closed.pk]), (touch, account.pk))
        assert mistaken_marks() == []
        assert list(marks()) == [account.pk]
