"""What a timing policy would change, before it is saved. Nothing is written."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

import numpy as np
from django.db import connection

from forecasting.engine.arrays import Integers
from forecasting.engine.timing import PolicyTable, classify, resolve_policy
from forecasting.frames import Arrays, copy_out, day_number, read_reporting
from forecasting.frames.book import ACCOUNT_COLUMNS, LOST, RENEWAL_COLUMNS, currency_column
from forecasting.frames.rules import PolicyEntry, policy_entries, policy_table
from renewals.models import TimingClass
from renewals.scoring import ProposedTolerances, TimingMove

READ: Final = {"account_id", "segment_id", "industry_id", "due", "ordered", "outcome", "baseline"}


def preview_timing(*, proposed: ProposedTolerances, as_of: dt.date) -> list[TimingMove]:
    """Renewals that would change class if this version were in force, by class before and after, in reporting currency.

    Both classes are taken as of the same day, so that only the proposal moves anything. Rows whose currency has no rate
    count, but bring no amount.
    """
    report = read_reporting(as_of=as_of)
    with connection.cursor() as cursor:
        rows = copy_out(
            cursor,
            [
                *(column for column in (*RENEWAL_COLUMNS, *ACCOUNT_COLUMNS) if column.name in READ),
                currency_column(report.currencies),
            ],
            "renewals_renewal r JOIN accounts_account a ON a.id = r.account_id"
            " WHERE (%s::bigint IS NULL OR a.id = %s) AND (%s::bigint IS NULL OR a.segment_id = %s)"
            " AND (%s::bigint IS NULL OR a.industry_id = %s)",
            [value for value in (proposed.account_id, proposed.segment_id, proposed.industry_id) for _ in range(2)],
        )
    before = _classes(rows, policy_table(policy_entries()), as_of)
    after = _classes(rows, policy_table(_with_proposed(policy_entries(), proposed)), as_of)
    rates = np.array([*(float(rate) for rate in report.rates.values()), 0.0])
    baseline = np.rint(rows["baseline"] * rates[rows["currency"]])
    moved = np.flatnonzero(before != after)
    width = len(TimingClass)
    code = before[moved].astype(np.int64) * width + after[moved]
    counts = np.bincount(code, minlength=width * width)
    amounts = np.bincount(code, baseline[moved], width * width)
    return [
        TimingMove(int(move) // width, int(move) % width, int(counts[move]), int(amounts[move]))
        for move in np.flatnonzero(counts)
    ]


def _classes(rows: Arrays, policies: PolicyTable, as_of: dt.date) -> Integers:
    if not rows["due"].size:
        return np.empty(0, dtype=np.int8)
    ids: dict[str, Any] = {f"{name}s": rows[name] for name in ("account_id", "segment_id", "industry_id")}
    policy = resolve_policy(policies, due=rows["due"], **ids)
    classes, _ = classify(
        rows["due"],
        rows["ordered"],
        rows["outcome"] == LOST,
        day_number(as_of),
        policies.early_days[policy],
        policies.grace_days[policy],
        policies.late_days[policy],
        policies.is_business[policy],
    )
    return classes


def _with_proposed(entries: list[PolicyEntry], proposed: ProposedTolerances) -> list[PolicyEntry]:
    """The versions with this one added, or in the place of the one for the same scope from the same day."""
    entry: PolicyEntry = (
        proposed.account_id,
        proposed.segment_id,
        proposed.industry_id,
        day_number(proposed.effective_from),
        proposed.early_days,
        proposed.grace_days,
        proposed.late_days,
        proposed.is_business,
    )
    return [*(other for other in entries if other[:4] != entry[:4]), entry]
