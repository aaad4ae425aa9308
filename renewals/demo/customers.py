"""The demo's customers: who they are, and the hidden health that moves their decisions."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from renewals.demo import profile
from renewals.demo.arrays import NONE, Flags, Floats, Ints, chance, draw

REGISTERS_ITS_DAY = 365 * 6  # customers of before the history are up to this old at its start


@dataclass(frozen=True, eq=False)
class Customers:
    """Arrays of one value per customer; codes count into the tuples of `profile`."""

    segment: Ints
    industry: Ints
    region: Ints
    since: Ints  # day
    family: Ints  # index of the parent, or NONE
    line_count: Ints
    health: Floats  # hidden
    late_payer: Floats  # 0 for most, around 1 for late payers
    plan: Ints  # NONE where unknown
    integrations: Ints  # NONE where unknown
    is_reference: Flags

    def __len__(self) -> int:
        return len(self.segment)

    def first(self, count: int) -> Customers:
        fields = {field.name: getattr(self, field.name)[:count] for field in dataclasses.fields(self)}
        return Customers(**fields)


def draw_customers(rng: np.random.Generator, count: int, *, history_from: int, as_of: int) -> Customers:
    segment = draw(rng, [segment.share for segment in profile.SEGMENTS], count)
    industry = np.zeros(count, dtype=np.int64)
    for code in range(len(profile.SEGMENTS)):
        rows = np.flatnonzero(segment == code)
        industry[rows] = draw(rng, [industry.shares[code] for industry in profile.INDUSTRIES], len(rows))
    health = rng.standard_normal(count)
    is_old = chance(rng, 0.55, count)
    since = np.where(
        is_old,
        history_from - rng.integers(1, REGISTERS_ITS_DAY, count),
        rng.integers(history_from, as_of - 20, count),
    )
    plan = np.minimum(draw(rng, profile.SUPPORT_PLAN_SHARES, count) + (segment == 0), 2)
    integrations = rng.poisson(np.array([9.0, 6.0, 3.0, 5.0])[segment])
    return Customers(
        segment=segment,
        industry=industry,
        region=draw(rng, [region.share for region in profile.REGIONS], count),
        since=since,
        family=_families(rng, segment),
        line_count=1 + draw(rng, (0.86, 0.11, 0.03), count),
        health=health,
        late_payer=np.where(chance(rng, 0.14, count), rng.gamma(4, 0.25, count), 0.0),
        plan=np.where(chance(rng, 0.06, count), NONE, plan),
        integrations=np.where(chance(rng, 0.10, count), NONE, integrations),
        is_reference=chance(rng, np.where(health > 0.8, 0.18, 0.02), count),
    )


def _families(rng: np.random.Generator, segment: Ints) -> Ints:
    """One in twelve of the larger customers belongs to a parent, an earlier enterprise that has no parent itself."""
    count = len(segment)
    family = np.full(count, NONE, dtype=np.int64)
    children = np.flatnonzero((segment <= 1) & chance(rng, 0.08, count))
    parents = np.setdiff1d(np.flatnonzero(segment == 0), children)
    if len(parents) == 0:
        return family
    earlier = np.searchsorted(parents, children)
    picked = (rng.random(len(children)) * earlier).astype(np.int64)
    has_parent = earlier > 0
    family[children[has_parent]] = parents[picked[has_parent]]
    return family
