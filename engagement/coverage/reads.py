"""The accounts that a user sees, with what is at risk in them and the touch model that is suggested."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
from django.db import connection

from accounts.models import Account, User
from engagement.coverage.allocation import HIGH, LOW, MID, MODELS, Coverage, suggest
from engagement.models import CoverageTerms
from forecasting.frames.binary_copy import Arrays, Column, copy_out
from renewals.models import Renewal

HORIZON_DAYS, QUARTERS = 365, 4
NOT_SET = -1
LABELS = {**{code: Account.TouchModel(name).label for code, name in enumerate(MODELS)}, NOT_SET: "Not set"}
COLUMNS = (
    Column("id", "int8", "q.account_id"),
    Column("owner_id", "int8", "COALESCE(q.owner_id, -1)"),
    Column("segment_id", "int8", "COALESCE(q.segment_id, -1)"),
    Column("present", "int2", "CASE q.touch_model WHEN 'low' THEN 0 WHEN 'mid' THEN 1 WHEN 'high' THEN 2 ELSE -1 END"),
    Column("baseline", "float8", "q.baseline"),
    Column("stake", "float8", "q.stake"),
)


@dataclass(frozen=True, eq=False)
class Plan:
    """n accounts with an open renewal due within HORIZON_DAYS, the overdue too; amounts in the reporting currency.

    rows       id, owner_id, segment_id, present (-1: not set), baseline, stake: what may be lost of the baseline
    suggested  int64[n]
    owners     int64[r], ids of the reps by their position in `coverage.owner`
    """

    rows: Arrays
    coverage: Coverage
    suggested: Any
    owners: Any
    without_rate: list[str]

    @property
    def present(self) -> Any:
        """What is not set is looked after as little as low touch."""
        return np.maximum(self.rows["present"].astype(np.int64), LOW)

    @property
    def is_change(self) -> Any:
        return self.rows["present"] != self.suggested

    @property
    def gain(self) -> Any:
        """What the suggested model saves more than the present one, an hour more of it; of a step down, an hour less.

        Hours are of a quarter, and what is at risk is of a year.
        """
        hours = QUARTERS * (self.coverage.hours_of(self.suggested) - self.coverage.hours_of(self.present))
        saved = self.coverage.saved_of(self.suggested) - self.coverage.saved_of(self.present)
        return np.divide(saved, hours, out=np.zeros(saved.size), where=hours != 0)


def read_terms() -> dict[int | None, CoverageTerms]:
    """Those of each segment that has its own, and under None those of all others."""
    return {None: CoverageTerms()} | {one.segment_id: one for one in CoverageTerms.objects.all()}


def read_plan(user: User, *, as_of: dt.date, rates: Mapping[str, Decimal], owner_id: int | None = None) -> Plan:
    """Of the renewals that the user sees, those of one owner of accounts where one is given. Two statements.

    What is at risk of a renewal is its baseline times the probability that it does not renew.
    """
    renewals = Renewal.objects.visible_to(user).open()
    renewals = renewals.filter(due_on__lte=as_of + dt.timedelta(days=HORIZON_DAYS), is_excluded=False)
    if owner_id is not None:
        renewals = renewals.filter(account__owner=owner_id)
    ids, parameters = renewals.order_by().values("pk").query.sql_with_params()
    currencies = list(rates)
    source = f"""(
        SELECT a.id AS account_id, a.owner_id, a.segment_id, a.touch_model,
            coalesce(sum(r.baseline_amount * c.rate), 0)::float8 AS baseline,
            coalesce(sum(r.baseline_amount * c.rate * (1 - coalesce(s.probability, 1))), 0)::float8 AS stake
        FROM renewals_renewal r JOIN accounts_account a ON a.id = r.account_id
        LEFT JOIN renewals_renewalscore s ON s.renewal_id = r.id
        LEFT JOIN unnest(%s::text[], %s::numeric[]) c (currency, rate) ON c.currency = r.currency
        WHERE r.id IN ({ids}) GROUP BY a.id) q ORDER BY q.account_id"""
    with connection.cursor() as cursor:
        rows = copy_out(cursor, COLUMNS, source, [currencies, [rates[one] for one in currencies], *parameters])
    used = renewals.order_by().values_list("currency", flat=True).distinct()
    return make_plan(rows, read_terms(), without_rate=sorted(set(used) - set(currencies)))


def make_plan(rows: Arrays, terms: Mapping[int | None, CoverageTerms], *, without_rate: list[str]) -> Plan:
    owners = np.unique(rows["owner_id"][rows["owner_id"] >= 0])
    owner = np.where(rows["owner_id"] >= 0, np.searchsorted(owners, rows["owner_id"]), -1)
    places = {segment: place for place, segment in enumerate(terms)}
    known, inverse = np.unique(rows["segment_id"], return_inverse=True)
    place = np.array([places.get(int(one), places[None]) for one in known], dtype=np.int64)[inverse]
    hours = np.array([[one.low_hours, one.mid_hours, one.high_hours] for one in terms.values()], dtype=np.float64)
    saved = np.array([[one.low_saved_rate, one.mid_saved_rate, one.high_saved_rate] for one in terms.values()])
    coverage = Coverage(
        owner=owner,
        stake=np.maximum(rows["stake"], 0),
        hours=hours[place],
        saved_rate=saved[place],
        rep_hours=np.full(owners.size, float(terms[None].rep_hours)),
    )
    return Plan(rows, coverage, suggest(coverage), owners, without_rate)


def fingerprint(plan: Plan) -> str:
    """Of what would be changed: two readers who see the same changes see the same."""
    changed = plan.is_change
    content = plan.rows["id"][changed].tobytes() + plan.rows["present"][changed].tobytes()
    return hashlib.sha256(content + plan.suggested[changed].tobytes()).hexdigest()[:24]


@dataclass(frozen=True)
class MatrixRow:
    label: str
    counts: list[int]  # by suggested model: low, mid, high


def read_matrix(plan: Plan) -> list[MatrixRow]:
    """Accounts by present and suggested touch model."""
    rows = []
    for code in (HIGH, MID, LOW, NOT_SET):
        is_there = plan.rows["present"] == code
        counts = np.bincount(plan.suggested[is_there], minlength=len(MODELS)).tolist()
        rows.append(MatrixRow(LABELS[code], counts))
    return rows


@dataclass(frozen=True)
class RepRow:
    """A rep's accounts and hours of a quarter, now and as suggested. `owner_id` None: accounts without an owner."""

    owner_id: int | None
    name: str
    account_count: int
    counts: list[int]  # suggested low, mid, high
    present_hours: float
    suggested_hours: float
    rep_hours: float | None
    present_saved: float
    suggested_saved: float

    @property
    def more_saved(self) -> float:
        return self.suggested_saved - self.present_saved

    @property
    def is_over(self) -> bool:
        return self.rep_hours is not None and self.suggested_hours > self.rep_hours


def read_reps(plan: Plan) -> list[RepRow]:
    """The one with the most to gain first; accounts without an owner last. One query."""
    names = dict(User.objects.filter(pk__in=plan.owners.tolist()).values_list("pk", "name"))
    owner, size = plan.coverage.owner, plan.owners.size + 1
    owner = np.where(owner < 0, plan.owners.size, owner)

    def summed(values: Any) -> list[float]:
        return np.bincount(owner, weights=values, minlength=size).tolist()  # type: ignore[no-any-return]

    counts = np.stack([np.bincount(owner[plan.suggested == code], minlength=size) for code in (LOW, MID, HIGH)], axis=1)
    present, suggested = plan.present, plan.suggested
    hours = summed(plan.coverage.hours_of(present)), summed(plan.coverage.hours_of(suggested))
    saved = summed(plan.coverage.saved_of(present)), summed(plan.coverage.saved_of(suggested))
    rows = []
    for place in range(size):
        is_rep = place < plan.owners.size
        if not counts[place].sum():
            continue
        owner_id = int(plan.owners[place]) if is_rep else None
        rows.append(
            RepRow(
                owner_id=owner_id,
                name=names.get(owner_id, "?") if owner_id is not None else "Nobody",
                account_count=int(counts[place].sum()),
                counts=counts[place].tolist(),
                present_hours=hours[0][place],
                suggested_hours=hours[1][place],
                rep_hours=float(plan.coverage.rep_hours[place]) if is_rep else None,
                present_saved=saved[0][place],
                suggested_saved=saved[1][place],
            )
        )
    rows.sort(key=lambda row: (row.owner_id is None, row.present_saved - row.suggested_saved, row.name))
    return rows


@dataclass(frozen=True)
class AccountRow:
    account: Account
    present: str
    suggested: str
    is_change: bool
    is_up: bool
    baseline_amount: float
    stake_amount: float
    risk_rate: float | None
    present_hours: float
    suggested_hours: float
    gain_amount: float  # saved an hour


def order_of(plan: Plan, show: str) -> Any:
    """Places of the shown accounts: steps up ("up"), down ("down"), all changes (blank) or every account ("all").

    Steps up first, those that save the most an hour leading; then steps down, those that cost the least.
    """
    rises = plan.suggested > plan.rows["present"]
    falls = (plan.suggested < plan.rows["present"]) & plan.is_change
    chosen = {"up": rises, "down": falls, "all": np.ones(rises.size, dtype=bool)}.get(show, plan.is_change)
    places = np.flatnonzero(chosen)
    gain = plan.gain[places]
    rank = np.where(rises[places], 0, np.where(falls[places], 1, 2))
    key = np.where(rank == 1, gain, -gain)
    return places[np.lexsort((plan.rows["id"][places], -plan.rows["stake"][places], key, rank))]


def load_rows(plan: Plan, places: Any) -> list[AccountRow]:
    """The accounts at these places, in their order. One query."""
    ids = plan.rows["id"][places].tolist()
    accounts = Account.objects.select_related("owner", "segment").in_bulk(ids)
    gain, present, suggested = plan.gain, plan.present, plan.suggested
    present_hours, suggested_hours = plan.coverage.hours_of(present), plan.coverage.hours_of(suggested)
    rows = []
    for place, pk in zip(np.asarray(places).tolist(), ids, strict=True):
        if pk not in accounts:  # gone since
            continue
        baseline, stake = float(plan.rows["baseline"][place]), float(plan.rows["stake"][place])
        before, after = int(plan.rows["present"][place]), int(suggested[place])
        rows.append(
            AccountRow(
                account=accounts[pk],
                present=LABELS[before],
                suggested=LABELS[after],
                is_change=before != after,
                is_up=after > before,
                baseline_amount=baseline,
                stake_amount=stake,
                risk_rate=stake / baseline if baseline else None,
                present_hours=float(present_hours[place]),
                suggested_hours=float(suggested_hours[place]),
                gain_amount=float(gain[place]),
            )
        )
    return rows
