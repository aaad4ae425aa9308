"""What shifts do to the book: inputs are changed first, then the engine judges the rows that they touched, once.

Every shift is on rows of the book as it is, so shifts of different kinds may come in any order. Of one kind, moves,
uplifts and log-odds add up in any order; a date that is set, points, a cap and a bound depend on what came before.

- An open renewal alone has a date, an amount, a likelihood or an owner to shift; tolerances judge decided ones too.
- A due day or a tolerance that changes changes the likelihood as in a recompute: by what it says that the renewal is
  still open so many days before or after its due day; without a fitted likelihood by the log-odds between the shrunken
  rates of its old class and its new one. One that had lapsed begins at the rate of its new class.
- Likelihood and the rep's confidence are joined anew by the measured weights, those of the new owner where it changes.
- An expected order that is moved comes, if it comes, on that day and not when orders usually come; one that is moved
  past the last tolerated day is a win-back: no renewal, probability 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forecasting.engine.amounts import ceilings
from forecasting.engine.arrays import NO_DAY, Booleans, Floats, Integers
from forecasting.engine.likelihood import HIGHEST, LOWEST, apply_rates
from forecasting.engine.log_odds import expit, logit
from forecasting.engine.probability import join_probability
from forecasting.engine.timing import TimingClass, classify, resolve_policy
from forecasting.frames import Arrays, day_number
from forecasting.frames.book import LOST, MISSING
from forecasting.frames.scoring import STEP_COLUMNS, STORED_DIGITS, calendar_days, survivor_steps
from forecasting.scenarios.book import ScenarioBook
from forecasting.scenarios.shifts import TOLERANCES, Kind, Shift
from renewals.forms import EARLIEST_ON, LATEST_ON

POLICY_COLUMNS: Final = (*STEP_COLUMNS, "account_id", "industry_id")
OWN: Final = -1  # a tolerance of the policy, not of the scenario


@dataclass
class Effect:
    """What one shift came to: rows it is on, rows it changed, and what its reader has to know, in sentences."""

    chosen_count: int
    changed_count: int = 0
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Shifted:
    """The book under a scenario. Arrays that nothing touched are the book's own.

    rows            with `uplift` and tolerances of their own where a shift gives them
    is_order_moved  rows whose order is expected on `order_day`, which is of `order_timing`, and not on any other day
    is_changed      rows that any figure may differ for
    """

    rows: Arrays
    timing: Integers
    probability: Floats
    is_order_moved: Booleans
    order_day: Integers
    order_timing: Integers
    is_changed: Booleans
    effects: list[Effect]


class _Draft:
    """Inputs while shifts are applied: a column is copied when it is first written."""

    def __init__(self, book: ScenarioBook) -> None:
        self.book = book
        self.rows: Arrays = dict(book.rows)
        self.tolerances = {name: np.full(book.row_count, OWN, dtype=np.int32) for name in TOLERANCES}
        self.likelihood_shifts: list[tuple[Shift, Integers, Effect]] = []
        self.is_order_moved = np.zeros(book.row_count, dtype=np.bool_)

    def write(self, name: str, where: Integers, values: Any) -> None:
        if self.rows[name] is self.book.rows[name]:
            self.rows[name] = self.rows[name].copy()
        self.rows[name][where] = values

    def changed(self, name: str) -> Booleans:
        before, now = self.book.rows[name], self.rows[name]
        if now is before:
            return np.zeros(self.book.row_count, dtype=np.bool_)
        return np.not_equal(now, before)


def apply_shifts(book: ScenarioBook, shifts: Sequence[tuple[Shift, Booleans]]) -> Shifted:
    """The book under shifts, each with the rows that it is on. Without any, the book as it is."""
    draft = _Draft(book)
    effects = []
    for shift, is_chosen in shifts:
        effect = Effect(int(np.count_nonzero(is_chosen)))
        effects.append(effect)
        SHIFTS[shift.kind](draft, shift, is_chosen, effect)
    return _judge(draft, effects)


def _on_open(draft: _Draft, is_chosen: Booleans, effect: Effect) -> Integers:
    where = np.flatnonzero(is_chosen & draft.book.is_open)
    decided = effect.chosen_count - where.size
    if decided:
        effect.notes.append(f"{decided:,} decided already: left as {'it is' if decided == 1 else 'they are'}.")
    effect.changed_count = int(where.size)
    return where


def _shift_likelihood(draft: _Draft, shift: Shift, is_chosen: Booleans, effect: Effect) -> None:
    where = _on_open(draft, is_chosen, effect)
    draft.likelihood_shifts.append((shift, where, effect))


def _shift_date(column: str) -> Callable[[_Draft, Shift, Booleans, Effect], None]:
    def apply(draft: _Draft, shift: Shift, is_chosen: Booleans, effect: Effect) -> None:
        where = _on_open(draft, is_chosen, effect)
        before = draft.rows[column][where]
        if shift.is_set:
            moved = np.full(where.size, day_number(shift.day()), dtype=np.int32)
        else:
            is_blank = before == NO_DAY
            moved = np.clip(
                before.astype(np.int64) + (shift.days("days") or 0), day_number(EARLIEST_ON), day_number(LATEST_ON)
            )
            moved = np.where(is_blank, NO_DAY, moved)
            if is_blank.any():
                effect.notes.append(f"{np.count_nonzero(is_blank):,} without that date: nothing to move.")
        effect.changed_count = int(np.count_nonzero(moved != before))
        draft.write(column, where, moved)
        if column == "expected":
            draft.is_order_moved[where] = moved != before

    return apply


def _shift_tolerances(draft: _Draft, shift: Shift, is_chosen: Booleans, effect: Effect) -> None:
    where = np.flatnonzero(is_chosen)
    for name in TOLERANCES:
        days = shift.days(name)
        if days is not None:
            draft.tolerances[name][where] = days
            effect.changed_count = int(where.size)


def _shift_amount(draft: _Draft, shift: Shift, is_chosen: Booleans, effect: Effect) -> None:
    """A factor on what each brings if it is renewed; the engine holds it at the contract's ceiling."""
    where = _on_open(draft, is_chosen, effect)
    percent = float(shift.values["percent"])
    effect.changed_count = int(where.size) if percent else 0
    if not effect.changed_count:
        return
    uplift = draft.rows.get("uplift")
    draft.rows["uplift"] = np.ones(draft.book.row_count) if uplift is None else uplift
    draft.rows["uplift"][where] *= 1 + percent / 100
    before, lifted, limit = lifted_amounts(draft.rows, where)
    held = np.count_nonzero((lifted > limit) & (lifted > before))
    if held:
        effect.notes.append(f"{held:,} held at the uplift cap, or the locked price, of their contract.")


def lifted_amounts(rows: Arrays, where: Integers) -> tuple[Integers, Integers, Integers]:
    """(what is forecast, or the baseline where nothing is; that with its uplift; the most of it) in cents."""
    row = {
        name: rows[name][where] for name in ("baseline", "forecast", "uplift_cap", "price_locked", "due", "cross_sell")
    }
    before = np.where(row["forecast"] == MISSING, row["baseline"], row["forecast"])
    ceiling = ceilings(row["baseline"], row["uplift_cap"], row["price_locked"], row["due"], row["cross_sell"])
    return before, np.rint(before * rows["uplift"][where]).astype(np.int64), np.maximum(ceiling, before)


def _shift_owner(draft: _Draft, shift: Shift, is_chosen: Booleans, effect: Effect) -> None:
    where = _on_open(draft, is_chosen, effect)
    if not shift.values["owner"]:
        effect.changed_count = 0
        return
    owner = int(shift.values["owner"])
    effect.changed_count = int(np.count_nonzero(draft.rows["owner_id"][where] != owner))
    draft.write("owner_id", where, owner)


SHIFTS: Final[dict[Kind, Callable[[_Draft, Shift, Booleans, Effect], None]]] = {
    Kind.LIKELIHOOD: _shift_likelihood,
    Kind.DUE: _shift_date("due"),
    Kind.ORDER: _shift_date("expected"),
    Kind.TOLERANCES: _shift_tolerances,
    Kind.UPLIFT: _shift_amount,
    Kind.OWNER: _shift_owner,
}


def _judge(draft: _Draft, effects: list[Effect]) -> Shifted:
    book = draft.book
    has_own = np.logical_or.reduce([days != OWN for days in draft.tolerances.values()])
    is_judged = draft.changed("due") | has_own
    tolerances = _tolerances(draft, effects)
    if has_own.any():
        draft.rows |= zip(TOLERANCES, tolerances, strict=False)
    timing = book.rows["timing"]
    if is_judged.any():
        timing = np.where(is_judged, _classes(draft.rows, draft.rows["ordered"], tolerances, book), timing)
    likelihood = _likelihood(draft, timing, tolerances, is_judged)
    is_rejoined = (timing != book.rows["timing"]) | (likelihood != book.rows["likelihood"]) | draft.changed("owner_id")
    probability = _probability(draft, timing, likelihood, np.flatnonzero(is_rejoined))
    is_moved = draft.is_order_moved & (timing <= TimingClass.OVERDUE)
    order_day = np.maximum(draft.rows["expected"], day_number(book.report.as_of))
    order_timing = _classes(draft.rows, order_day, tolerances, book)
    is_late = is_moved & (order_timing == TimingClass.WIN_BACK)
    if is_late.any():
        probability = np.where(is_late, 0.0, probability)
        last = max(at for at, effect in enumerate(effects) if effect.changed_count)
        effects[last].notes.append(
            f"{np.count_nonzero(is_late):,} would be ordered after the last tolerated day: won back, not renewed."
        )
    is_changed = is_judged | is_rejoined | is_moved
    if "uplift" in draft.rows:
        is_changed |= draft.rows["uplift"] != 1
    return Shifted(draft.rows, timing, probability, is_moved, order_day, order_timing, is_changed, effects)


Tolerances = tuple[Integers, Integers, Integers, Booleans]


def policy_tolerances(rows: Arrays, book: ScenarioBook) -> Tolerances:
    """Early, grace and late days of the policy version in force on each row's due day, and whether in business days."""
    policies = book.rules.policies
    if not rows["due"].size:
        none = np.empty(0, dtype=np.int64)
        return none, none, none, none.astype(np.bool_)
    policy = resolve_policy(
        policies,
        account_ids=rows["account_id"],
        segment_ids=rows["segment_id"],
        industry_ids=rows["industry_id"],
        due=rows["due"],
    )
    days = policies.early_days[policy], policies.grace_days[policy], policies.late_days[policy]
    return *days, policies.is_business[policy]


def _tolerances(draft: _Draft, effects: list[Effect]) -> Tolerances:
    """Those of the scenario before those of the policy. Late days below the grace days are raised to them."""
    early, grace, late, is_business = policy_tolerances(draft.rows, draft.book)
    early, grace, late = (
        np.where(own == OWN, days, own)
        for own, days in zip(draft.tolerances.values(), (early, grace, late), strict=True)
    )
    is_short = late < grace
    if is_short.any():
        effects[-1].notes.append(f"{np.count_nonzero(is_short):,} with fewer late than grace days: late days raised.")
    return early, grace, np.maximum(late, grace), is_business


def _classes(rows: Arrays, ordered: NDArray[Any], tolerances: Tolerances, book: ScenarioBook) -> NDArray[Any]:
    early, grace, late, is_business = tolerances
    today = day_number(book.report.as_of)
    classes, _ = classify(rows["due"], ordered, rows["outcome"] == LOST, today, early, grace, late, is_business)
    return classes.astype(book.rows["timing"].dtype)


def _likelihood(draft: _Draft, timing: Integers, tolerances: Tolerances, is_judged: Booleans) -> Floats:
    book = draft.book
    likelihood: Floats = book.rows["likelihood"]
    moved = np.flatnonzero(is_judged & (timing <= TimingClass.OVERDUE))
    if moved.size:
        likelihood = likelihood.copy()
        before, now = book.rows["timing"][moved], timing[moved]
        had_lapsed = before == TimingClass.LAPSED
        now_rate, _ = apply_rates(book.rules.rates, book.rows["segment_id"][moved], now, book.band[moved])
        own = np.clip(np.where(had_lapsed, now_rate, likelihood[moved]), LOWEST, HIGHEST)
        if book.rules.likelihood is None:
            known = np.where(had_lapsed, now, before)
            old_rate, _ = apply_rates(book.rules.rates, book.rows["segment_id"][moved], known, book.band[moved])
            step = logit(now_rate) - logit(old_rate)
        else:
            step = np.where(had_lapsed, 0.0, _open_step(draft, moved, tolerances))
        own = expit(logit(own) + step)
        likelihood[moved] = np.clip(own, LOWEST, HIGHEST)
    for shift, where, effect in draft.likelihood_shifts:
        where = where[timing[where] <= TimingClass.OVERDUE]
        by = float(shift.values["by"])
        effect.changed_count = int(where.size) if by else 0
        if effect.changed_count:
            likelihood = likelihood if likelihood is not book.rows["likelihood"] else likelihood.copy()
            likelihood[where] = _shifted(likelihood[where], shift.values["unit"], by, effect)
    # As a score stores it: what was shifted there and back is where it was.
    return likelihood if likelihood is book.rows["likelihood"] else likelihood.round(STORED_DIGITS)


def _open_step(draft: _Draft, where: Integers, tolerances: Tolerances) -> Floats:
    """Log-odds between what being open today, and due in its quarter, says under the shifts and without them."""
    book, today = draft.book, day_number(draft.book.report.as_of)
    steps: list[Floats] = []
    for rows, of_scenario in ((draft.rows, tolerances), (book.rows, None)):
        row = {name: rows[name][where] for name in POLICY_COLUMNS}
        _, _, late, is_business = policy_tolerances(row, book)
        if of_scenario is not None:
            late, is_business = of_scenario[2][where], of_scenario[3][where]
        level = book.rules.outlook.shock.level_of(row["due"])
        steps.append(level + survivor_steps(book.rules.survivors, row, today, calendar_days(late, is_business)))
    return steps[0] - steps[1]


def _shifted(likelihood: Floats, unit: str, by: float, effect: Effect) -> Floats:
    if unit == "log_odds":
        moved: Floats = np.clip(expit(logit(np.clip(likelihood, LOWEST, HIGHEST)) + by), LOWEST, HIGHEST)
        return moved
    wanted = likelihood + by / 100
    is_out = (wanted < LOWEST) | (wanted > HIGHEST)
    if is_out.any():
        effect.notes.append(
            f"{np.count_nonzero(is_out):,} held at {LOWEST:.1%} or {HIGHEST:.1%}: nothing open is certain."
        )
    held: Floats = np.clip(wanted, LOWEST, HIGHEST)
    return held


def _probability(draft: _Draft, timing: Integers, likelihood: Floats, where: Integers) -> Floats:
    probability: Floats = draft.book.rows["probability"]
    if not where.size:
        return probability
    probability = probability.copy()
    pinned = draft.book.pinned
    joined = join_probability(
        likelihood=likelihood[where],
        confidence=draft.book.confidence[where],
        rep_ids=draft.rows["owner_id"][where],
        timing=timing[where],
        records=draft.book.rules.records,
        pinned=None if pinned is None else pinned[where],
    )
    probability[where] = joined.round(STORED_DIGITS)
    return probability
