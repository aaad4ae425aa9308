"""What an import of tickets wrote, taken back."""

import pytest

from accounts.models import StaleSignal, Ticket, get_company
from renewals.history.undo import undo_batch
from tests.cast import Cast, make_account
from tests.renewals.imports.conftest import Import
from tests.renewals.imports.test_records import HEAD, TICKETS

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


def test_an_import_of_tickets_is_taken_back_as_one_step(run_import: Import, cast: Cast) -> None:
    account = make_account(external_id="C1")
    run_import(HEAD + "C1,T1,,,2026-03-01,,0,,\n", TICKETS)
    batch = run_import(HEAD + "C1,T1,bug,,2026-03-01,2026-03-04,0,,\nC1,T2,,,2026-03-02,,,,\n", TICKETS)
    StaleSignal.objects.all().delete()
    assert batch.step_id is not None
    undo_batch(batch_id=batch.step_id, user=cast.admin, as_of=get_company().today())
    assert list(Ticket.objects.values_list("external_id", "category", "resolved_on")) == [("T1", "other", None)]
    assert list(StaleSignal.objects.values_list("account", flat=True)) == [account.pk]
