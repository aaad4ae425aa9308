"""The signals of accounts as the engine's health takes them, and the rules that they are weighed by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from accounts.models import AccountSignal, HealthFactor, HealthWeightVersion
from forecasting.engine import health
from forecasting.engine.arrays import Integers
from forecasting.frames.binary_copy import Column, copy_out

# Keys that are columns of AccountSignal; any other is read from the custom values.
MEASURES = frozenset(field.name for field in AccountSignal._meta.concrete_fields if field.null)
CUSTOM = "CASE WHEN jsonb_typeof(s.custom_values->%s) = 'number' THEN (s.custom_values->>%s)::float8 END"


@dataclass(frozen=True)
class HealthRules:
    """Factors by position, and the weights in force by segment; under None those of segments without their own."""

    factors: tuple[HealthFactor, ...]
    versions: dict[int | None, HealthWeightVersion]

    def weighing(self, segment_ids: Integers) -> health.Weighing:
        """As the engine takes it, for accounts of these segments (-1: none)."""
        rows = {segment: row for row, segment in enumerate(self.versions)}
        versions = list(self.versions.values())
        others = rows[None]
        known, place = np.unique(segment_ids, return_inverse=True)
        row_of = np.array([rows.get(int(segment), others) for segment in known], dtype=np.int64)
        weights = [[float(one.weights.get(factor.key, 0)) for factor in self.factors] for one in versions]
        return health.Weighing(
            weights=np.array(weights, dtype=np.float64).reshape(len(versions), len(self.factors)),
            stale_days=np.array([factor.stale_days for factor in self.factors], dtype=np.int64),
            healthy_from=np.array([one.healthy_from for one in versions], dtype=np.float64),
            watch_from=np.array([one.watch_from for one in versions], dtype=np.float64),
            row=row_of[place] if known.size else np.zeros(0, dtype=np.int64),
        )

    def version_of(self, segment_id: int | None) -> HealthWeightVersion:
        return self.versions.get(segment_id) or self.versions[None]


def load_health_rules() -> HealthRules:
    """Two queries. The newest version of each segment; one without weights ends the segment's own."""
    newest = HealthWeightVersion.objects.order_by("segment_id", "-created_at", "-pk").distinct("segment_id")
    versions = {one.segment_id: one for one in newest if one.weights or one.segment_id is None}
    versions.setdefault(None, HealthWeightVersion(weights={}))
    return HealthRules(tuple(HealthFactor.objects.all()), versions)


def read_measured(
    cursor: Any, rules: HealthRules, account_ids: Integers, condition: str, parameters: tuple[object, ...]
) -> health.Measured:
    """The signals `s` that meet a condition, of accounts whose sorted ids are given; others are left out."""
    columns = [Column("account_id", "int8", "s.account_id"), Column("day", "date", "s.measured_on")]
    rows = copy_out(
        cursor,
        [*columns, *(_value_column(factor) for factor in rules.factors)],
        f"accounts_accountsignal s WHERE {condition}",
        parameters,
    )
    place = np.searchsorted(account_ids, rows["account_id"])
    is_known = np.append(account_ids, -1)[place] == rows["account_id"]
    order = np.lexsort((rows["day"], place))
    order = order[is_known[order]]
    x = np.full((order.size, len(rules.factors)), np.nan)
    for column, factor in enumerate(rules.factors):
        x[:, column] = health.scale(rows[f"value_{factor.position}"][order], factor.worst_value, factor.best_value)
    return health.Measured(place[order], rows["day"][order].astype(np.int64), x)


def _value_column(factor: HealthFactor) -> Column:
    name = f"value_{factor.position}"
    if factor.key in MEASURES and not factor.is_custom:
        return (
            Column(name, "float8", f"COALESCE(s.{factor.key}::int::float8, 'NaN')")
            if _is_flag(factor.key)
            else Column(name, "float8", f"COALESCE(s.{factor.key}::float8, 'NaN')")
        )
    return Column(name, "float8", f"COALESCE({CUSTOM}, 'NaN')", (factor.key, factor.key))


def _is_flag(key: str) -> bool:
    return AccountSignal._meta.get_field(key).get_internal_type() == "BooleanField"
