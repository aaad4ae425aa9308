"""What other weights or bands would make of the accounts of a segment, before they are saved."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from django.db import connection

from accounts.models import HealthBand, HealthWeightVersion, Segment
from forecasting.engine import health
from forecasting.engine.arrays import Floats, Integers
from forecasting.frames.binary_copy import Column, copy_out
from forecasting.frames.health import HealthRules, load_health_rules, read_measured
from forecasting.health.refresh import EPOCH

# Of more accounts a part is looked at: every n-th by its id, the same ones whenever asked.
MOST_ACCOUNTS: Final = 20_000


@dataclass(frozen=True)
class Move:
    before: HealthBand | None
    after: HealthBand | None
    count: int


@dataclass(frozen=True)
class Preview:
    """`moves`: accounts by band before and after, the unmoved too. `sampled`: one in so many accounts was looked at."""

    account_count: int
    sampled: int
    moves: list[Move]
    mean_before: float | None
    mean_after: float | None

    @property
    def moved_count(self) -> int:
        return sum(move.count for move in self.moves if move.before != move.after)


def preview_weights(
    *, segment: Segment | None, weights: Mapping[str, float], healthy_from: int, watch_from: int, as_of: dt.date
) -> Preview:
    """Judge the accounts that these weights would be for by the present rules and by these; nothing is written.

    None as segment: those of every segment without weights of its own.
    """
    rules = load_health_rules()
    version = HealthWeightVersion(
        segment=segment, weights=dict(weights), healthy_from=healthy_from, watch_from=watch_from
    )
    changed = replace(rules, versions={**rules.versions, segment.pk if segment else None: version})
    ids, segment_ids, sampled = _accounts_of(segment, rules)
    today = (as_of - EPOCH).days
    oldest = today - max((factor.stale_days for factor in rules.factors), default=0)
    with connection.cursor() as cursor:
        measured = read_measured(
            cursor,
            rules,
            ids,
            "s.account_id = ANY(%s) AND s.measured_on BETWEEN DATE '1970-01-01' + %s AND DATE '1970-01-01' + %s",
            (ids.tolist(), max(oldest, 0), today),
        )
    (score, band), (new_score, new_band) = (
        _present(measured, one, segment_ids, today, ids.size) for one in (rules, changed)
    )
    pairs, counts = np.unique(np.stack([band, new_band]), axis=1, return_counts=True)
    moves = [
        Move(_band(before), _band(after), int(count)) for (before, after), count in zip(pairs.T, counts, strict=True)
    ]
    return Preview(int(ids.size), sampled, moves, _mean(score), _mean(new_score))


def _accounts_of(segment: Segment | None, rules: HealthRules) -> tuple[Integers, Integers, int]:
    """Sorted ids and segments of the accounts, and the share that they are."""
    own = [pk for pk in rules.versions if pk is not None]
    condition, parameters = ("a.segment_id = %s", (segment.pk,)) if segment else (
        "(a.segment_id IS NULL OR a.segment_id <> ALL(%s))", (own,)
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM accounts_account a WHERE {condition}", parameters)
        sampled = -(-cursor.fetchone()[0] // MOST_ACCOUNTS) or 1
        columns = [Column("id", "int8", "a.id"), Column("segment_id", "small_id", "COALESCE(a.segment_id, -1)")]
        found = copy_out(
            cursor,
            columns,
            f"accounts_account a WHERE {condition} AND a.id %% %s = 0 ORDER BY a.id",
            (*parameters, sampled),
        )
    return found["id"], found["segment_id"], sampled


def _present(
    measured: health.Measured, rules: HealthRules, segment_ids: Integers, today: int, count: int
) -> tuple[Floats, Integers]:
    """Score (NaN) and band (-1 where there is none) of each account on the day."""
    _, standing = health.judge(measured, rules.weighing(segment_ids), today)
    score, band = np.full(count, np.nan), np.full(count, -1, dtype=np.int16)
    score[standing.steps.account], band[standing.steps.account] = standing.steps.score, standing.steps.band
    return score, band


def _band(code: int) -> HealthBand | None:
    return None if code < 0 else HealthBand(int(code))


def _mean(score: Floats) -> float | None:
    known = score[~np.isnan(score)]
    return round(float(known.mean()), 1) if known.size else None
