"""Steps to undo: what a colleague's hand, a bulk edit or an import leaves behind."""

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

from accounts.models import User
from config.history import recorded_as
from renewals.history.batches import recorded_batch
from renewals.models import Renewal

AS_OF = dt.date(2026, 11, 21)


def change(renewal: Renewal, user: User | None, *, how: str = "cell", **values: Any) -> uuid.UUID:
    """One edit by one person, as a step of its own."""
    with recorded_as(user_id=user.pk if user else None, how=how) as batch_id:
        Renewal.objects.filter(pk=renewal.pk).update(**values)
    return batch_id


def bulk(rows: list[Renewal], user: User, text: str, **values: Any) -> uuid.UUID:
    with recorded_batch(user=user, how="bulk", description=text) as batch:
        batch.row_count = Renewal.objects.filter(pk__in=[row.pk for row in rows]).update(**values)
    return batch.id


def won(amount: int = 13000) -> dict[str, Any]:
    return {"outcome": "renewed", "ordered_on": dt.date(2026, 11, 20), "final_amount": Decimal(amount)}


def open_again() -> dict[str, Any]:
    return {"outcome": "open", "ordered_on": None, "final_amount": None, "declined_on": None, "churn_reason": None}
