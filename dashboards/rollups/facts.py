"""The rows that cells are made of, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from forecasting.engine.arrays import NO_ID
from forecasting.frames import SCORED, Arrays, Column, Reporting, copy_out
from forecasting.frames.book import MISSING, currency_column
from forecasting.frames.converted import converted_cents
from renewals.models.scores import HIGH_RISK_FROM, MEDIUM_RISK_FROM

BAND: Final = (
    f"CASE WHEN s.risk_score IS NULL THEN 0 WHEN s.risk_score >= {HIGH_RISK_FROM} THEN 3"
    f" WHEN s.risk_score >= {MEDIUM_RISK_FROM} THEN 2 ELSE 1 END"
)
COLUMNS: Final = (
    Column("id", "int8", "r.id"),
    Column("account_id", "int8", "r.account_id"),
    Column("owner_id", "int8", f"COALESCE(r.owner_id, {NO_ID})"),
    Column("segment_id", "int8", f"COALESCE(a.segment_id, {NO_ID})"),
    Column("due", "date", "r.due_on"),
    Column("ordered", "date", "r.ordered_on"),
    Column("timing", "int2", "s.timing_class"),
    Column("band", "int2", BAND),
    Column("baseline", "int8", "r.baseline_amount * 100"),
    Column("renewed", "int8", "COALESCE(r.final_amount, 0) * 100"),
    Column("cross_sell", "int8", "r.cross_sell_amount * 100"),
)
AMOUNTS: Final = ("baseline", "renewed", "cross_sell")
# Contracts take no part.
SOURCE: Final = SCORED.replace(" JOIN renewals_contract c ON c.id = r.contract_id", "")


def read_facts(cursor: Any, report: Reporting, condition: str = "TRUE", parameters: Sequence[object] = ()) -> Arrays:
    """The columns above of every scored renewal `r` that counts and meets a condition; amounts in reporting cents."""
    columns = [*COLUMNS, currency_column(report.currencies)]
    source = f"{SOURCE} WHERE NOT r.is_excluded AND {condition}"
    rows = copy_out(cursor, columns, source, parameters)
    is_rated = rows["currency"] != MISSING
    rows = {name: values[is_rated] for name, values in rows.items()}
    # What is kept where it is renewed, in the renewal's own currency.
    rows["own_kept"] = np.minimum(rows["renewed"], rows["baseline"])
    for name in AMOUNTS:
        rows[name] = converted_cents(rows[name], rows["currency"].astype(np.int64), report.rates)
    return rows
