"""Names of customers, put together from word lists so that hundreds of thousands stay plausible and mostly unique."""

from __future__ import annotations

import numpy as np

from renewals.demo import words
from renewals.demo.arrays import Ints
from renewals.demo.profile import INDUSTRIES, REGIONS


def customer_names(rng: np.random.Generator, *, segment: Ints, industry: Ints, region: Ints, public: int) -> list[str]:
    """One name per customer; a public body where the segment is `public`. A name that came up before gets a place."""
    count = len(segment)
    draws = rng.integers(0, 2**31, size=(count, 6)).tolist()
    seen: set[str] = set()
    names: list[str] = []
    rows = zip(segment.tolist(), industry.tolist(), region.tolist(), draws, strict=True)
    for in_segment, in_industry, in_region, draw in rows:
        is_public = in_segment == public
        name = (_public_name if is_public else _company_name)(in_industry, in_region, draw)
        if name in seen:
            place = _coined(draw[5], draw[4])
            name = f"{name} {place}" if is_public else f"{place} {name}"
        seen.add(name)
        names.append(name)
    return names


def person_names(rng: np.random.Generator, count: int) -> list[str]:
    pairs = [f"{given} {family}" for family in words.FAMILY_NAMES for given in words.GIVEN_NAMES]
    order = rng.permutation(len(pairs)).tolist()
    return [pairs[order[index % len(pairs)]] for index in range(count)]


def _coined(stem: int, ending: int) -> str:
    return words.STEMS[stem % len(words.STEMS)] + words.ENDINGS[ending % len(words.ENDINGS)]


def _public_name(industry: int, region: int, draw: list[int]) -> str:
    local = words.LOCAL_PUBLIC_PATTERNS.get(REGIONS[region].name, words.PUBLIC_PATTERNS)
    patterns = local[INDUSTRIES[industry].name]
    return patterns[draw[0] % len(patterns)].format(_coined(draw[1], draw[2]))


def _company_name(industry: int, region: int, draw: list[int]) -> str:
    trades = words.TRADES[INDUSTRIES[industry].name]
    forms = words.LEGAL_FORMS[REGIONS[region].name]
    trade, form = trades[draw[0] % len(trades)], forms[draw[3] % len(forms)]
    match draw[5] % 10:
        case 0:
            family = words.FAMILY_NAMES[draw[1] % len(words.FAMILY_NAMES)]
            partner = words.FAMILY_NAMES[draw[2] % len(words.FAMILY_NAMES)]
            start = f"{family} & {partner}" if partner != family else f"{family} Brothers"
        case 1:
            start = f"{words.FAMILY_NAMES[draw[1] % len(words.FAMILY_NAMES)]} {_coined(draw[2], draw[4])}"
        case _:
            start = _coined(draw[1], draw[2])
    return f"{start} {trade} {form}".rstrip()
