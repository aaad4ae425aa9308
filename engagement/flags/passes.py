"""When the rules are asked: of the whole book after each published run and each saved rule, and on each new day; of the
accounts that people wrote in, a few seconds after they did.

Nothing is sent with an edit, and nothing is lost with the broker: each pass looks for what has happened since the last
one. An import asks for a run, so its rows wait for that.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection, transaction

from accounts.models import Account, AccountSignal, Contact, Invoice, Ticket, get_company
from engagement.flags.evaluate import Flagged, evaluate_flags
from engagement.models.flags import FlagPass
from engagement.tasks.stakes import refresh_stakes
from forecasting.models import Run
from renewals.models import Override, Renewal

# No transaction lasts longer: what began before is seen by one of the passes.
OVERLAP: Final = dt.timedelta(hours=1)
# More accounts than this are asked with all the others.
MOST_ACCOUNTS: Final = 20_000
# Events of a row say what it was: a renewal's account of now is asked too.
WRITTEN: Final = (Account, Renewal, Ticket, Invoice, Contact, AccountSignal, Override)
ACCOUNT_OF: Final = {
    Account: "e.pgh_obj_id",
    Renewal: "unnest(ARRAY[e.account_id, (SELECT account_id FROM renewals_renewal r WHERE r.id = e.pgh_obj_id)])",
    Override: "(SELECT account_id FROM renewals_renewal r WHERE r.id = e.renewal_id)",
}
# A row has the last 32 bits of the number of the transaction that wrote it, which is within 2^31 of ours on either
# side: parts of a transaction, and what began after us, have higher numbers.
IS_NEW: Final = """
e.xmin::text::bigint + (%(newest)s::bigint & ~4294967295) + CASE
    WHEN e.xmin::text::bigint > (%(newest)s::bigint & 4294967295) + 2147483648 THEN -4294967296
    WHEN e.xmin::text::bigint < (%(newest)s::bigint & 4294967295) - 2147483648 THEN 4294967296
    ELSE 0 END >= %(ended_below)s
"""


@dataclass(frozen=True)
class Passed:
    """What a pass did. `account_count` is None where it was the whole book's."""

    account_count: int | None
    flagged: Flagged
    stake_count: int


def judge_accounts(*, now: dt.datetime) -> Passed | None:
    """Ask the rules of what may have changed since the last pass; None where nothing has, or somebody is at it."""
    today = get_company().today(now)
    FlagPass.objects.get_or_create(pk=1)
    with transaction.atomic():
        last = FlagPass.objects.select_for_update(skip_locked=True).filter(pk=1).first()
        if last is None:
            return None
        run = Run.objects.latest_published()
        if run is None:
            return None
        # Read before anything else: what commits later is found by the next pass.
        ended_below, newest = _transactions()
        account_ids: list[int] | None = None
        if not (last.is_due or last.run_id != run.pk or last.judged_on != today or last.ended_below is None):
            account_ids = _find_written(last, newest)
            if len(account_ids) > MOST_ACCOUNTS:
                account_ids = None
        passed = None
        if account_ids is None or account_ids:
            flagged = evaluate_flags(as_of=today, now=now, account_ids=account_ids)
            stake_count = refresh_stakes(as_of=today, account_ids=account_ids)
            passed = Passed(None if account_ids is None else len(account_ids), flagged, stake_count)
        last.run_id, last.judged_on, last.judged_at, last.is_due = run.pk, today, now, False
        last.ended_below = ended_below
        last.save()
    return passed


def ask_for_pass() -> None:
    """The whole book is judged anew by the next pass."""
    if not FlagPass.objects.filter(pk=1).update(is_due=True):
        FlagPass.objects.get_or_create(pk=1)


def _find_written(last: FlagPass, newest: int) -> list[int]:
    """Accounts that somebody wrote in since the last pass. One statement over the newest events."""
    events = " UNION ALL ".join(_events_sql(model) for model in WRITTEN)
    since = (last.judged_at or dt.datetime.min.replace(tzinfo=dt.UTC)) - OVERLAP
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT DISTINCT account_id FROM ({events}) written JOIN accounts_account a ON a.id = account_id"
            f" LIMIT {MOST_ACCOUNTS + 1}",
            {"since": since, "newest": newest, "ended_below": last.ended_below},
        )
        return [pk for (pk,) in cursor.fetchall()]


def _events_sql(model: type[Any]) -> str:
    events = model._meta.get_field("events").related_model._meta.db_table
    account = ACCOUNT_OF.get(model, "e.account_id")
    return (
        f"SELECT {account} AS account_id FROM {events} e WHERE e.pgh_created_at >= %(since)s"
        f" AND coalesce(e.pgh_context ->> 'how', '') <> 'import' AND {IS_NEW}"
    )


def _transactions() -> tuple[int, int]:
    """The number below which all transactions have ended, and that of the present one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint, pg_current_xact_id()::text::bigint"
        )
        ended_below, newest = cursor.fetchone()
        return int(ended_below), int(newest)
