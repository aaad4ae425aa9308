"""Alerts of renewals that an import made do not keep it from being taken back."""

import uuid

from django.db import connection

from accounts.models import Account
from engagement.alerts.services import mute_rule
from engagement.alerts.watch import look_for_causes
from engagement.models import Alert, AlertMute, Notification
from renewals.history.kinds import ACCOUNT, CONTRACT, RENEWAL
from renewals.history.removal import remove_made
from renewals.models import ChangeBatch, Contract, Renewal
from tests.cast import Cast, make_renewal
from tests.engagement.alerts.test_watch import grounded, in_days

__all__ = ["grounded"]


def test_rows_of_an_import_are_taken_back_with_their_alerts(grounded: Cast) -> None:
    renewal = make_renewal(owner=grounded.rep, due_on=in_days(3))
    assert look_for_causes() == 1
    mute_rule(user=grounded.rep, alert=Alert.objects.get())
    made = {
        RENEWAL.table: f"{{[{renewal.pk},{renewal.pk}]}}",
        CONTRACT.table: f"{{[{renewal.contract_id},{renewal.contract_id}]}}",
        ACCOUNT.table: f"{{[{renewal.account_id},{renewal.account_id}]}}",
    }
    batch = ChangeBatch.objects.create(id=uuid.uuid4(), how="import", description="A file", created_ids=made)
    for kind in (RENEWAL, CONTRACT, ACCOUNT):
        gone = remove_made(kind, batch, frozenset)
        assert (len(gone.ids), gone.kept) == (1, {})
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    for model in (Renewal, Contract, Account, Alert, Notification, AlertMute):
        assert not model.objects.exists()
