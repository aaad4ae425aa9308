"""A paste of more rows than a request may write: taken over HTTP, written by a worker process, undone as one step."""

import datetime as dt
import json

import pytest
from django.urls import reverse

from accounts.models import get_company
from renewals.bulk.services import AT_ONCE
from renewals.history.undo import undo_batch
from renewals.models import BulkEdit, ChangeBatch, Contract, Renewal, Stage
from tests.cast import Cast, make_account
from tests.renewals.paste.pastes import asked
from tests.workers import kill, start_worker, wait_until

COUNT = AT_ONCE + 1
DUE_ON = dt.date(2026, 12, 15)


def make_rows(cast: Cast) -> list[Renewal]:
    account, stage = make_account(owner=cast.rep), Stage.objects.order_by("position")[0]
    starts_on = DUE_ON - dt.timedelta(days=364)
    contracts = Contract.objects.bulk_create(
        Contract(account=account, number=f"P-{number}", starts_on=starts_on, ends_on=DUE_ON, currency="EUR")
        for number in range(COUNT)
    )
    values = {"account": account, "owner": cast.rep, "due_on": DUE_ON, "currency": "EUR", "stage": stage}
    return Renewal.objects.bulk_create(Renewal(contract=contract, confidence=50, **values) for contract in contracts)


def confidences() -> list[int | None]:
    return list(Renewal.objects.order_by("pk").values_list("confidence", flat=True))


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_worker_writes_what_a_request_took(cast: Cast) -> None:
    rows = make_rows(cast)
    wanted = [place % 40 for place in range(COUNT)]
    paste = json.dumps(asked(rows, ["confidence"], [[str(value)] for value in wanted]))
    answer = cast.client_of("rep").post(reverse("paste:cells"), {"paste": paste})
    assert answer.status_code == 200, answer.content
    assert "in the background" in answer.json()["panel"]
    assert confidences() == [50] * COUNT
    edit = BulkEdit.objects.get()
    Renewal.objects.filter(pk=rows[7].pk).update(confidence=99)  # a colleague, before the worker comes to it

    worker = start_worker()
    try:
        wait_until(lambda: BulkEdit.objects.get(pk=edit.pk).state == BulkEdit.State.DONE)
    finally:
        kill(worker)

    assert confidences() == [*wanted[:7], 99, *wanted[8:]]
    batch = ChangeBatch.objects.get()
    assert (batch.how, batch.user, batch.row_count) == ("paste", cast.rep, COUNT - 1)
    undo_batch(batch_id=batch.pk, user=cast.rep, as_of=get_company().today())
    assert confidences() == [50] * 7 + [99] + [50] * (COUNT - 8)
