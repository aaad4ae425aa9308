import datetime as dt
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from accounts.models import Account, Ticket

TODAY = dt.date(2026, 6, 30)
MakeTicket = Callable[..., Ticket]


@pytest.fixture
def make_ticket(db: None) -> MakeTicket:
    numbers = count(1)

    def make(account: Account, subject: str = "", days_ago: int = 10, **fields: Any) -> Ticket:
        return Ticket.objects.create(
            account=account,
            external_id=f"F{next(numbers)}",
            subject=subject,
            opened_on=fields.pop("today", TODAY) - dt.timedelta(days_ago),
            **fields,
        )

    return make
