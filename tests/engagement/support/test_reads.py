import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import Account, Ticket, get_company
from engagement.support.habit import Activity
from engagement.support.reads import read_activity, read_unusual
from tests.cast import Cast, make_account, make_rate, make_renewal

pytestmark = pytest.mark.django_db
TODAY = dt.date(2026, 6, 30)
numbers = iter(range(1, 1000))


def make_ticket(account: Account, days_ago: int, **fields: Any) -> Ticket:
    return Ticket.objects.create(
        account=account, external_id=f"S{next(numbers)}", opened_on=TODAY - dt.timedelta(days_ago), **fields
    )


def test_tickets_are_counted_in_their_spans(cast: Cast) -> None:
    account = make_account(owner=cast.rep)
    make_ticket(account, 0, severity="urgent", reporter="Ann", reopened_count=1)
    make_ticket(account, 29, severity="high", reporter="Bob", resolved_on=TODAY)
    make_ticket(account, 30, severity="high", reporter="Ann", resolved_on=TODAY, subject="Cancel our plan")
    make_ticket(account, 59, subject="How to EXPORT all data", resolved_on=TODAY)
    make_ticket(account, 60, reopened_count=2, category="ending_service", resolved_on=TODAY)
    make_ticket(account, 90, category="ending_service", resolved_on=TODAY)
    make_ticket(account, 394, resolved_on=TODAY)
    make_ticket(account, 395, resolved_on=TODAY)
    make_ticket(account, 500, severity="urgent")
    make_ticket(account, -1)
    assert read_activity(cast.rep, as_of=TODAY) == {
        account.pk: Activity(
            severe_open=2,
            severe_before=1,
            reopened_recent=1,
            reopened_before=1,
            opened_quiet=4,
            opened_before=5,
            reporters_recent=2,
            reporters_before=1,
            ending_recent=3,
        )
    }


def test_the_most_at_stake_comes_first_in_the_reporting_currency(cast: Cast) -> None:
    make_rate("USD", "0.5")
    small, large = make_account(owner=cast.rep), make_account(owner=cast.rep)
    make_renewal(owner=cast.rep, account=small, baseline_amount=Decimal(100))
    make_renewal(owner=cast.rep, account=small, baseline_amount=Decimal(7), currency="JPY")
    make_renewal(owner=cast.rep, account=large, baseline_amount=Decimal(500), currency="USD")
    make_renewal(owner=cast.rep, account=large, is_excluded=True, excluded_reason="Agreed")
    for account in (small, large):
        make_ticket(account, 1, severity="urgent")
    found = read_unusual(cast.rep, as_of=TODAY)
    assert [(row.account, row.stake.amount) for row in found.rows] == [(large, Decimal(250)), (small, Decimal(100))]
    assert (found.count, found.amount, found.without_rate) == (2, Decimal(350), ["JPY"])
    assert read_unusual(cast.rep, as_of=TODAY, code="silence").rows == []
    assert read_unusual(cast.outsider, as_of=TODAY).rows == []


def test_the_page_lists_what_the_reader_may_see(cast: Cast) -> None:
    account = make_account(owner=cast.rep, name="Hooli <b>")
    make_renewal(owner=cast.rep, account=account)
    Ticket.objects.create(
        account=account, external_id="S0", severity="urgent", subject="Cancel", opened_on=get_company().today()
    )
    page = cast.client_of("rep").get("/support/").content.decode()
    assert "Hooli &lt;b&gt;" in page
    assert "1 ticket about leaving or exporting in 90 days" in page
    assert "12,000" in page
    assert "Hooli" not in cast.client_of("outsider").get("/support/").content.decode()
    assert "Hooli" not in cast.client_of("rep").get("/support/?kind=silence").content.decode()
