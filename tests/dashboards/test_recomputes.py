"""A recompute leaves alone what is as it was, and says what one from nothing says, whatever was changed before it."""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter

import pytest
from django.db import connection, transaction

from accounts.models import Invoice, Ticket
from dashboards.rollups import work
from dashboards.rollups.services import bring_up_to_date
from forecasting.health import refresh_health
from forecasting.mrr.services import roll_up_mrr
from renewals.models import Renewal
from tests.cast import Cast
from tests.dashboards.books import draw_book
from tests.forecasting.forecast_book import AS_OF, recompute

DERIVED = (
    *(f"renewals_{name}" for name in ("renewalscore", "renewalquality", "accountbreach")),
    *(f"forecasting_{name}" for name in ("linesource", "forecastline", "mrrmovement", "mrrline", "mrrofferline")),
    *(f"forecasting_{name}" for name in ("mrrlevel", "mrrcohort", "mrrtriangle", "mrrrollup")),
    *(f"dashboards_{name}" for name in ("rollup", "cell", "lateaccount", "mixcell", "pace", "likelycell", "lostmonth")),
    *(f"dashboards_{name}" for name in ("openrenewal", "opencell", "openday", "ownerwork", "workrollup")),
    *(f"accounts_{name}" for name in ("accounthealth", "healthday")),
)
NOT_SAID = {"id", "run_id", "edit_count", "rolled_up_at", "created_at"}
SOME = "id IN (SELECT id FROM {} ORDER BY md5(id::text || '{{seed}}') LIMIT 5)"
RENEWALS, ACCOUNTS = SOME.format("renewals_renewal"), SOME.format("accounts_account")
# {n} is drawn from 1 to 9.
CHANGES = (
    f"UPDATE renewals_renewal SET baseline_amount = baseline_amount + {{n}} WHERE {RENEWALS}",
    f"UPDATE renewals_renewal SET due_on = due_on + 9 * {{n}} WHERE {RENEWALS} AND outcome = 'open'",
    f"UPDATE renewals_renewal SET ordered_on = ordered_on - {{n}} WHERE {RENEWALS} AND outcome = 'renewed'",
    f"UPDATE renewals_renewal SET confidence = 10 * {{n}} WHERE {RENEWALS}",
    f"UPDATE renewals_renewal SET owner_id = (SELECT max(id) - {{n}} % 5 FROM accounts_user) WHERE {RENEWALS}",
    f"UPDATE renewals_renewal SET currency = (ARRAY['EUR', 'USD', 'GBP'])[1 + {{n}} % 3] WHERE {RENEWALS}",
    f"UPDATE renewals_renewal SET is_excluded = true, excluded_reason = 'A test' WHERE {RENEWALS}",
    f"UPDATE renewals_contract SET product = 'P{{n}}' WHERE {SOME.format('renewals_contract')}",
    f"UPDATE accounts_account SET segment_id = (SELECT max(id) - {{n}} % 3 FROM accounts_segment) WHERE {ACCOUNTS}",
    f"UPDATE accounts_account SET last_touch_on = '2026-11-0{{n}}' WHERE {ACCOUNTS}",
    "UPDATE accounts_user SET team_id = (SELECT max(id) - {n} % 2 FROM accounts_team) WHERE role = 'rep'",
    "UPDATE accounts_company SET fiscal_year_start_month = 1 + {n}",
    "INSERT INTO accounts_exchangerate (currency, effective_on, rate) VALUES ('GBP', '2026-01-0{n}', 1.{n})"
    " ON CONFLICT DO NOTHING",
    "UPDATE renewals_stage SET default_confidence = 10 * {n} WHERE position % 2 = {n} % 2",
    "UPDATE renewals_timingpolicyversion SET late_days = grace_days + 10 * {n}",
    "UPDATE renewals_riskweightversion SET weights = weights"
    " || jsonb_build_object((SELECT key FROM renewals_riskfactor WHERE position = {n}), {n})",
    "UPDATE accounts_ticket SET opened_on = opened_on - {n}, resolved_on = NULL WHERE id % 3 = {n} % 3",
    "UPDATE accounts_invoice SET has_failed = NOT has_failed WHERE id % 3 = {n} % 3",
    "UPDATE accounts_accountsignal SET csat_score = 2, severe_ticket_count = {n} WHERE id % 3 = {n} % 3",
    "UPDATE renewals_renewalscore SET probability = 0.{n} WHERE renewal_id % 3 = {n} % 3",
    "UPDATE forecasting_forecastline SET p10_amount = 0, p90_amount = p90_amount + {n} WHERE id % 7 = {n} % 7",
    "DELETE FROM forecasting_forecastline WHERE id % 7 = {n} % 7",
)


def execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(sql)


def bring_up(day: dt.date) -> dict[str, Counter[str]]:
    """All that is derived, after a recompute and what follows one."""
    recompute(day)
    assert roll_up_mrr()
    refresh_health(as_of=day)
    assert bring_up_to_date()
    work.follow_work()
    return {table: rows_of(table) for table in (*DERIVED, "accounts_accountsignal")}


def rows_of(table: str) -> Counter[str]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table}")
        names = [column.name for column in cursor.description]
        return Counter(
            repr([said(value) for name, value in zip(names, row, strict=True) if name not in NOT_SAID])
            for row in cursor.fetchall()
        )


def said(value: object) -> object:
    """Floats are sums, in whatever order their rows lie."""
    if isinstance(value, float):
        return f"{value:.9g}"
    return bytes(value) if isinstance(value, memoryview) else value


def from_nothing(day: dt.date) -> dict[str, Counter[str]]:
    with transaction.atomic():
        for table in DERIVED:
            execute(f"DELETE FROM {table}")
        for marks in ("accounts_stalesignal", "accounts_stalehealth"):
            execute(f"INSERT INTO {marks} SELECT id, now() FROM accounts_account ON CONFLICT DO NOTHING")
        found = bring_up(day)
        transaction.set_rollback(True)
    return found


@pytest.mark.parametrize("seed", range(3))
def test_recompute_after_changes_is_one_from_nothing(cast: Cast, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    draw, day = random.Random(seed), AS_OF
    for number, renewal in enumerate(draw_book(cast, 700 + seed)):
        on = AS_OF + dt.timedelta(days=draw.randint(-200, 20))
        Ticket.objects.create(account=renewal.account, external_id=f"T{number}", severity="urgent", opened_on=on)
        invoice = Invoice(account=renewal.account, external_id=f"I{number}", amount=1, currency="EUR", due_on=on)
        invoice.has_failed = number % 2 == 1
        invoice.save()
    for _ in range(5):
        day += dt.timedelta(days=draw.choice([0, 0, 1, 9, 40]))
        monkeypatch.setattr("accounts.models.Company.today", lambda company, now=None, day=day: day)
        changes = draw.sample(CHANGES, 3)
        for change in changes:
            execute(change.format(n=draw.randint(1, 9), seed=draw.random()))
        Renewal.objects.filter(
            pk=draw.choice(list(Renewal.objects.order_by("pk").values_list("pk", flat=True)))
        ).delete()
        found, right = bring_up(day), from_nothing(day)
        assert {table: found[table] - right[table] for table in found if found[table] != right[table]} == {}, changes
