"""What the reps wrote about their renewals: owner, stage, confidence, forecast, offer, next step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from renewals.demo import profile, words
from renewals.demo.arrays import NONE, Flags, Floats, Ints, chance, sigmoid
from renewals.demo.book import Lines, Terms, Window, round_amount
from renewals.demo.customers import Customers

NOT_STARTED, IN_CONTACT, PROPOSAL, NEGOTIATION, VERBAL_YES, WILL_NOT_RENEW = range(6)
STAGE_CONFIDENCE = (0.40, 0.55, 0.65, 0.75, 0.90, 0.05)
# More than so many days before the decision, the work has usually come this far.
STAGE_DAYS = (150, 90, 45, 14)
BLANK_STEP = ""


@dataclass(frozen=True, eq=False)
class Reps:
    """Owners by index. Those who left still own a few rows."""

    theatre: Ints
    has_left: Flags
    bias: Floats  # hidden
    noise: Floats  # hidden


@dataclass(frozen=True, eq=False)
class Desk:
    """One value per renewal, in the order of `Terms`; NONE or NaN where the rep wrote nothing."""

    owner: Ints
    stage: Ints
    confidence: Ints  # per cent
    forecast: Floats
    cross_sell: Floats
    offer: Ints
    expected_order: Ints
    declined: Ints
    churn_reason: Ints
    next_step: list[str]
    next_step_on: Ints
    exclusion: Ints
    last_touch: Ints


def draw_reps(rng: np.random.Generator, open_count: int) -> Reps:
    """Reps for an open book of this size, dealt to the theatres by their share of it, at least two each."""
    count = max(profile.MIN_REPS, round(open_count / profile.OPEN_RENEWALS_PER_REP))
    shares = np.array(
        [sum(part.share for part in profile.REGIONS if part.theatre == name) for name in profile.THEATRES]
    )
    counts = np.maximum(2, np.rint(shares * count).astype(np.int64))
    theatre = np.repeat(np.arange(len(counts)), counts)
    has_left = np.zeros(len(theatre), dtype=np.bool_)
    has_left[np.cumsum(counts) - 1] = counts > 2  # the last one of each theatre that can spare one
    return Reps(
        theatre=theatre,
        has_left=has_left,
        bias=rng.normal(0.45, 0.55, len(theatre)),
        noise=rng.uniform(0.4, 1.1, len(theatre)),
    )


def draw_account_owners(rng: np.random.Generator, customers: Customers, reps: Reps) -> Ints:
    theatre_of = np.array([profile.THEATRES.index(region.theatre) for region in profile.REGIONS])
    owner = np.full(len(customers), NONE, dtype=np.int64)
    for theatre in range(len(profile.THEATRES)):
        rows = np.flatnonzero(theatre_of[customers.region] == theatre)
        members = np.flatnonzero(reps.theatre == theatre)
        weights = np.where(reps.has_left[members], 0.08, 1.0)
        owner[rows] = rng.choice(members, size=len(rows), p=weights / weights.sum())
    return np.where(chance(rng, 0.02, len(owner)), NONE, owner)


def work_the_book(
    rng: np.random.Generator,
    customers: Customers,
    lines: Lines,
    terms: Terms,
    reps: Reps,
    account_owner: Ints,
    window: Window,
    *,
    churn_reason_count: int,
) -> Desk:
    count, is_open = len(terms), terms.is_open
    owner = _owners(rng, terms, reps, account_owner, window)
    decision = terms.due - lines.notice_days[terms.line]
    stage = _stages(rng, terms, decision - window.as_of)
    confidence = _confidence(rng, terms, reps, owner, stage)
    forecast = _forecast(rng, terms, stage)
    cross_sell = np.where(terms.is_renewed, terms.cross_sell, 0.0)
    hopes = is_open & (stage >= PROPOSAL) & (stage < WILL_NOT_RENEW) & chance(rng, 0.05, count) & ~np.isnan(forecast)
    hoped = round_amount(terms.baseline * rng.uniform(0.05, 0.3, count))
    offer = lines.product[terms.line] * 3 + np.where(lines.term_months[terms.line] > 12, 1, 0)
    offer = np.where(chance(rng, 0.12, count), lines.product[terms.line] * 3 + 2, offer)
    no_offer = np.where(is_open & (stage <= IN_CONTACT), 0.45, 0.04)
    next_step, next_step_on = _next_steps(rng, terms, stage, window)
    knows_day = is_open & (stage >= IN_CONTACT) & (stage < WILL_NOT_RENEW) & chance(rng, 0.7, count)
    hoped_day = np.rint(terms.due + rng.normal(-9, 12, count)).astype(np.int64)
    hoped_day = np.where(hoped_day <= window.as_of, window.as_of + rng.integers(3, 28, count), hoped_day)
    return Desk(
        owner=owner,
        stage=stage,
        confidence=confidence,
        forecast=np.where(hopes, forecast + hoped, forecast),
        cross_sell=np.where(hopes, hoped, cross_sell),
        offer=np.where(chance(rng, no_offer, count), NONE, offer),
        expected_order=np.where(knows_day, hoped_day, NONE),
        declined=np.where(terms.is_lost & chance(rng, 0.94, count), terms.decided, NONE),
        churn_reason=_churn_reasons(rng, terms, churn_reason_count),
        next_step=next_step,
        next_step_on=next_step_on,
        exclusion=np.where(
            chance(rng, 0.004, count) & terms.is_lost, rng.integers(0, len(words.EXCLUSION_REASONS), count), NONE
        ),
        last_touch=np.minimum(np.where(is_open, window.as_of, terms.decided), window.as_of)
        - np.minimum(rng.gamma(1.1, 26, count), 400).astype(np.int64),
    )


def _owners(rng: np.random.Generator, terms: Terms, reps: Reps, account_owner: Ints, window: Window) -> Ints:
    """The account's owner; of what was decided long ago, sometimes a rep who had the account before."""
    count, owner = len(terms), account_owner[terms.customer]
    theatre = reps.theatre[np.maximum(owner, 0)]
    first = np.searchsorted(reps.theatre, theatre)
    size = np.searchsorted(reps.theatre, theatre, side="right") - first
    before = first + (rng.random(count) * size).astype(np.int64)
    was_other = ~terms.is_open & (terms.due < window.as_of - 365) & chance(rng, 0.15, count)
    return np.where(was_other & (owner != NONE), before, owner)


def _stages(rng: np.random.Generator, terms: Terms, days_left: Ints) -> Ints:
    count = len(terms)
    reached = sum((days_left < days).astype(np.int64) for days in STAGE_DAYS)
    reached = reached - chance(rng, 0.32, count) + chance(rng, 0.10, count)
    reached = np.clip(reached, NOT_STARTED, VERBAL_YES)
    gives_up = (terms.logit < 0.6) & (days_left < 80) & chance(rng, 0.4, count)
    won_from = np.where(chance(rng, 0.8, count), VERBAL_YES, NEGOTIATION)
    lost_from = np.where(chance(rng, 0.72, count), WILL_NOT_RENEW, rng.integers(IN_CONTACT, VERBAL_YES, count))
    stage = np.where(gives_up, WILL_NOT_RENEW, reached)
    return np.where(terms.is_renewed, won_from, np.where(terms.is_lost, lost_from, stage)).astype(np.int64)


def _confidence(rng: np.random.Generator, terms: Terms, reps: Reps, owner: Ints, stage: Ints) -> Ints:
    count, known = len(terms), np.where(owner == NONE, 0, owner)
    belief = 0.8 * terms.logit + reps.bias[known] + reps.noise[known] * rng.standard_normal(count)
    usual = np.array(STAGE_CONFIDENCE)[stage]
    spoken = np.where(terms.is_open, (belief + np.log(usual / (1 - usual))) / 2, belief)
    spoken = np.where(terms.is_open & (stage == WILL_NOT_RENEW), rng.normal(-2.6, 0.5, count), spoken)
    per_cent = (np.clip(np.rint(sigmoid(spoken) * 20), 1, 19) * 5).astype(np.int64)
    is_blank = np.where(terms.is_open, np.where(stage == NOT_STARTED, 0.12, 0.03), 0.02)
    return np.where(chance(rng, is_blank, count), NONE, per_cent)


def _forecast(rng: np.random.Generator, terms: Terms, stage: Ints) -> Floats:
    count = len(terms)
    dreams = chance(rng, 0.12, count) & (stage >= PROPOSAL) & (stage < WILL_NOT_RENEW)
    shrinks = chance(rng, 0.07, count)
    factor = np.where(stage >= PROPOSAL, 1 + terms.uplift, 1.0)
    factor = np.where(dreams, 1 + terms.uplift + rng.gamma(2, 0.10, count), factor)
    factor = np.where(shrinks & ~dreams, rng.uniform(0.5, 0.95, count), factor)
    expected = round_amount(terms.baseline * factor)
    last_word = np.where(terms.is_renewed & chance(rng, 0.7, count), terms.final, expected)
    amount = np.where(terms.is_open & (stage == WILL_NOT_RENEW), 0.0, last_word)
    return np.where(chance(rng, np.where(terms.is_open, 0.05, 0.01), count), np.nan, amount)


def _churn_reasons(rng: np.random.Generator, terms: Terms, reason_count: int) -> Ints:
    """Index into the reasons in the order of their making: price, champion, usage and so on."""
    count = len(terms)
    weights = np.array([5.0, 2.5, 4.0, 3.0, 2.0, 1.5, 1.2, 0.8, 1.5])[:reason_count]
    edges = np.cumsum(weights) / weights.sum()
    reason = np.minimum(np.searchsorted(edges, rng.random(count), side="right"), reason_count - 1)
    reason = np.where(terms.champion_left & chance(rng, 0.55, count), min(1, reason_count - 1), reason)
    reason = np.where((terms.state < -1.2) & chance(rng, 0.35, count), min(2, reason_count - 1), reason)
    return np.where(terms.is_lost & chance(rng, 0.96, count), reason, NONE)


def _next_steps(rng: np.random.Generator, terms: Terms, stage: Ints, window: Window) -> tuple[list[str], Ints]:
    count = len(terms)
    width = len(words.NEXT_STEPS[0])
    texts = [text for steps in words.NEXT_STEPS for text in steps] + list(words.OVERDUE_STEPS) + [BLANK_STEP]
    blank = len(texts) - 1
    picked = stage * width + rng.integers(0, width, count)
    is_overdue = terms.is_open & (terms.due < window.as_of) & (stage != WILL_NOT_RENEW)
    chasing = len(words.NEXT_STEPS) * width + rng.integers(0, len(words.OVERDUE_STEPS), count)
    picked = np.where(is_overdue, chasing, picked)
    is_blank = ~terms.is_open | chance(rng, np.where(stage == NOT_STARTED, 0.55, 0.12), count)
    picked = np.where(is_blank, blank, picked)
    day = np.where(is_blank, NONE, window.as_of + rng.integers(-16, 32, count))
    return np.array(texts, dtype=object)[picked].tolist(), day
