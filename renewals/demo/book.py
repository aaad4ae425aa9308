"""Contract lines, term after term: when each is due, what the customer decided and for how much."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from renewals.demo import profile
from renewals.demo.arrays import NONE, Flags, Floats, Ints, chance, draw, first_day_of, last_day_of, sigmoid
from renewals.demo.customers import Customers

MAX_TERMS = 6


@dataclass(frozen=True)
class Window:
    history_from: int
    as_of: int
    horizon: int


@dataclass(frozen=True, eq=False)
class Lines:
    """One value per contract line, which keeps product, term, due day and conditions from term to term."""

    customer: Ints
    product: Ints
    term_months: Ints
    due_month: Ints  # of the first recorded term, counted from January 1970
    due_day: Ints  # of the month; 31 is its last day
    is_new: Flags  # its first recorded term is its first term of all
    amount: Floats
    is_auto: Flags
    notice_days: Ints
    uplift_cap: Floats  # NaN where there is none
    has_ramp: Flags


@dataclass(frozen=True, eq=False)
class Terms:
    """One value per term of a line, in the order of lines and dates. Amounts are whole units of the line's currency."""

    line: Ints
    customer: Ints
    is_first: Flags
    starts: Ints
    due: Ints
    baseline: Floats
    uplift: Floats
    state: Floats  # hidden z
    logit: Floats  # hidden logit of P(renewed)
    champion_left: Flags
    is_renewed: Flags
    is_lost: Flags  # neither: still open on the day of the demo
    decided: Ints  # day of order or decline; of those that went silent, the day that this was recorded; NONE if open
    final: Floats
    cross_sell: Floats

    def __len__(self) -> int:
        return len(self.line)

    def take(self, rows: Ints | slice) -> Terms:
        return Terms(**{field.name: getattr(self, field.name)[rows] for field in dataclasses.fields(self)})

    @property
    def is_open(self) -> Flags:
        return ~(self.is_renewed | self.is_lost)


def draw_lines(rng: np.random.Generator, customers: Customers, window: Window) -> Lines:
    customer = np.repeat(np.arange(len(customers)), customers.line_count)
    count, segment = len(customer), customers.segment[customer]

    def by_segment(name: str) -> Floats:
        return np.array([getattr(part, name) for part in profile.SEGMENTS])[segment]

    term_code = np.zeros(count, dtype=np.int64)
    for code, part in enumerate(profile.SEGMENTS):
        rows = np.flatnonzero(segment == code)
        term_code[rows] = draw(rng, part.term_shares, len(rows))
    term_months = np.array(profile.TERM_MONTHS)[term_code]
    is_new = customers.since[customer] >= window.history_from
    amount = np.exp(np.log(by_segment("median_amount")) + by_segment("amount_sigma") * rng.standard_normal(count))
    is_auto = chance(rng, by_segment("auto_renew_share"), count)
    notice = np.array([30, 60, 90])[draw(rng, (0.5, 0.3, 0.2), count)]
    return Lines(
        customer=customer,
        product=draw(rng, (0.36, 0.24, 0.18, 0.12, 0.10), count),
        term_months=term_months,
        due_month=_first_due_month(rng, customers.since[customer], term_months, is_new, window),
        due_day=np.where(chance(rng, profile.MONTH_END_SHARE, count), 31, rng.integers(1, 29, count)),
        is_new=is_new,
        amount=round_amount(np.where(np.arange(count) == _first_of(customer), amount, amount * 0.4)),
        is_auto=is_auto,
        notice_days=np.where(is_auto, notice, np.where(chance(rng, 0.2, count), 30, 0)),
        uplift_cap=np.where(chance(rng, 0.35, count), np.array(profile.UPLIFT_CAPS)[rng.integers(0, 4, count)], np.nan),
        has_ramp=chance(rng, by_segment("ramp_share"), count) & (term_months > 12),
    )


def _first_of(customer: Ints) -> Ints:
    """For each line, the index of its customer's first line."""
    return np.searchsorted(customer, customer)


def _first_due_month(rng: np.random.Generator, since: Ints, term_months: Ints, is_new: Flags, window: Window) -> Ints:
    """A new line is due a term after its start; an old one within a term of the history's start. The season then moves
    each to a month of its own, within the twelve that follow."""
    count = len(since)
    history_month = int(np.array([window.history_from]).astype("datetime64[D]").astype("datetime64[M]").astype(int)[0])
    years = term_months // 12
    season = draw(rng, profile.MONTH_WEIGHTS, count)
    old = history_month + (season - history_month) % 12 + 12 * (rng.random(count) * years).astype(np.int64)
    start_month = since.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    # Some of a season's customers signed a few months off it: the nearest month of the season to signing plus term.
    plain_due = start_month + term_months
    shift = (season - plain_due + 6) % 12 - 6
    return np.where(is_new, np.maximum(plain_due + shift, start_month + 4), old)


def round_amount(amount: Floats) -> Floats:
    """Prices as people quote them: a whole price a month for small ones, hundreds for large ones."""
    unit = np.where(amount < 10_000, 12.0, 100.0)
    return np.maximum(np.round(amount / unit), 1) * unit


def draw_terms(rng: np.random.Generator, customers: Customers, lines: Lines, window: Window) -> Terms:
    """Play each line forward until it is lost, or still open on the day of the demo."""
    shocks = rng.normal(0, profile.QUARTER_SHOCK, 400)  # by quarter since 1970
    active = np.arange(len(lines.customer))
    month, amount = lines.due_month.copy(), lines.amount.copy()
    previous_due = _due(month - lines.term_months, lines.due_day)
    parts: list[Terms] = []
    for turn in range(MAX_TERMS):
        due = _due(month, lines.due_day[active])
        term = _play_term(
            rng, customers, lines, active, window,
            is_first=lines.is_new[active] & (turn == 0), starts=previous_due + 1, due=due, baseline=amount,
            shock=shocks[((month - profile.FISCAL_YEAR_START_MONTH + 1) // 3) % len(shocks)],
        )  # fmt: skip
        parts.append(term)
        goes_on = term.is_renewed
        active, previous_due, amount = active[goes_on], due[goes_on], term.final[goes_on]
        month = month[goes_on] + lines.term_months[active]
        if len(active) == 0:
            break
    names = [field.name for field in dataclasses.fields(Terms)]
    joined = Terms(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})
    return joined.take(np.lexsort((joined.due, joined.line)))


def _due(month: Ints, day: Ints) -> Ints:
    return np.where(day == 31, last_day_of(month), first_day_of(month) + day - 1)


def _play_term(
    rng: np.random.Generator,
    customers: Customers,
    lines: Lines,
    active: Ints,
    window: Window,
    *,
    is_first: Flags,
    starts: Ints,
    due: Ints,
    baseline: Floats,
    shock: Floats,
) -> Terms:
    count, customer = len(active), lines.customer[active]
    lasting = profile.HEALTH_SHARE
    state = lasting * customers.health[customer] + np.sqrt(1 - lasting**2) * rng.standard_normal(count)
    champion_left = chance(rng, profile.CHAMPION_LEFT_SHARE, count)
    segment = customers.segment[customer]
    usual = np.array([part.uplift_rate for part in profile.SEGMENTS])[segment]
    uplift = np.clip(rng.normal(usual, 0.025), 0, 0.2)
    uplift = np.where(np.isnan(lines.uplift_cap[active]), uplift, np.fmin(uplift, lines.uplift_cap[active]))
    logit = _renewal_logit(customers, customer, state, champion_left, uplift, is_first) + shock
    will_renew = chance(rng, sigmoid(logit), count)
    delta = _order_delta(rng, customers, lines, active)
    decline, is_recorded = _decline_day(rng, customers, lines, active, due, window)
    decided = np.where(will_renew, np.maximum(due + delta, starts + 20), np.maximum(decline, starts + 10))
    is_known = (decided <= window.as_of) & (will_renew | is_recorded)
    final, cross_sell = _final_amount(rng, state, baseline, uplift)
    return Terms(
        line=active,
        customer=customer,
        is_first=is_first,
        starts=starts,
        due=due,
        baseline=baseline,
        uplift=uplift,
        state=state,
        logit=logit,
        champion_left=champion_left,
        is_renewed=is_known & will_renew,
        is_lost=is_known & ~will_renew,
        decided=np.where(is_known, decided, NONE),
        final=np.where(will_renew, final, 0.0),
        cross_sell=np.where(will_renew, cross_sell, 0.0),
    )


def _renewal_logit(
    customers: Customers, customer: Ints, state: Floats, champion_left: Flags, uplift: Floats, is_first: Flags
) -> Floats:
    plan, integrations = customers.plan[customer], customers.integrations[customer]
    segment_logit = np.array([part.renewal_logit for part in profile.SEGMENTS])[customers.segment[customer]]
    industry_logit = np.array([part.renewal_logit for part in profile.INDUSTRIES])[customers.industry[customer]]
    plan_logit = np.where(plan == NONE, 0.0, np.array(profile.SUPPORT_PLAN_LOGITS)[np.maximum(plan, 0)])
    depth = np.where(integrations == NONE, 0.0, profile.INTEGRATION_LOGIT * (np.clip(integrations, 0, 15) - 5))
    logit: Floats = (
        segment_logit
        + industry_logit
        + plan_logit
        + depth
        + profile.STATE_LOGIT * state
        + profile.CHAMPION_LEFT_LOGIT * champion_left
        + profile.PRICE_LOGIT * np.maximum(uplift - 0.05, 0)
        + profile.FIRST_TERM_LOGIT * is_first
    )
    return logit


def _order_delta(rng: np.random.Generator, customers: Customers, lines: Lines, active: Ints) -> Ints:
    """Days from the due date to the order. A line that renews by itself is ordered between notice and due date."""
    count, customer = len(active), lines.customer[active]
    industry = customers.industry[customer]
    usual = np.array([part.order_days for part in profile.INDUSTRIES])[industry]
    usual = usual + np.array([part.order_days for part in profile.SEGMENTS])[customers.segment[customer]]
    tolerance = np.array([part.late_days for part in profile.INDUSTRIES])[industry]
    delta = usual + 22 * customers.late_payer[customer] + rng.normal(0, 13, count)
    slips = chance(rng, 0.17 + 0.15 * np.minimum(customers.late_payer[customer], 1), count)
    delta = np.where(slips, delta + rng.exponential(tolerance * 0.55), delta)
    delta = np.where(chance(rng, 0.08, count), -rng.integers(31, 130, count), delta)
    by_itself = -(rng.beta(2.2, 1.0, count) * lines.notice_days[active])
    return np.rint(np.where(lines.is_auto[active], by_itself, np.minimum(delta, 320))).astype(np.int64)


def _decline_day(
    rng: np.random.Generator, customers: Customers, lines: Lines, active: Ints, due: Ints, window: Window
) -> tuple[Ints, Flags]:
    """The day a lost one is declined or, where the customer went silent, given up; and whether anybody recorded it."""
    count = len(active)
    is_auto = lines.is_auto[active]
    said = due - lines.notice_days[active] - rng.integers(1, 80, count)
    is_silent = ~is_auto & chance(rng, 0.22, count)
    tolerance = np.array([part.late_days for part in profile.INDUSTRIES])[customers.industry[lines.customer[active]]]
    given_up = due + rng.integers(8, 40, count) + (tolerance * rng.random(count)).astype(np.int64)
    is_forgotten = is_silent & chance(rng, 0.35, count) & (due > window.as_of - 400)
    return np.where(is_silent, given_up, said), ~is_forgotten


def _final_amount(rng: np.random.Generator, state: Floats, baseline: Floats, uplift: Floats) -> tuple[Floats, Floats]:
    """What is renewed, and the part of it on products that were not in the contract."""
    count = len(state)
    draw_of_kind = rng.random(count)
    shrinks = draw_of_kind < np.clip(0.10 - 0.05 * state, 0.01, 0.35)
    grows = draw_of_kind > 1 - np.clip(0.15 + 0.06 * state, 0.02, 0.40)
    flat = chance(rng, 0.30, count)
    factor = np.where(flat, 1.0, 1 + uplift)
    factor = np.where(shrinks, rng.uniform(0.45, 0.96, count), factor)
    factor = np.where(grows, 1 + uplift + rng.gamma(2, 0.11, count), factor)
    renewed = np.where(flat & ~shrinks & ~grows, baseline, round_amount(baseline * factor))
    crosses = ~shrinks & chance(rng, 0.04, count)
    cross_sell = np.where(crosses, round_amount(baseline * rng.uniform(0.05, 0.4, count)), 0.0)
    return renewed + cross_sell, cross_sell
