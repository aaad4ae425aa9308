"""From the book to its scores. The same steps whether it is one row after an edit or a range of accounts of a run.

What may be known when: an open renewal is judged by everything up to `as_of`. A closed one (decided or lapsed) is
judged by what was known DECISION_HORIZON_DAYS before its decision, because the likelihood is learned from it: with
anything later it would learn the outcome from its consequences. So its signals stop at that day, what has no date
(stage, forecast, custom attributes) counts as missing, and of the account's other renewals only those decided by then
count.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from accounts.models import AttributeDefinition
from forecasting.engine import factors, likelihood, probability, risk, timing
from forecasting.engine.arrays import NO_DAY, Booleans, Floats, Integers
from forecasting.engine.fitted import Model, Rows
from forecasting.engine.log_odds import expit
from forecasting.engine.survivors import Survivors, clock, kind_of
from forecasting.frames.binary_copy import Arrays
from forecasting.frames.book import LOST, MISSING, Book, account_day_keys
from forecasting.frames.likelihood_columns import WORKED_DAYS, build_columns
from forecasting.frames.outlook import mean_amounts
from forecasting.frames.rules import CustomFactor, Rules

DECISION_HORIZON_DAYS: Final = 30
# Rates are stored to a hundredth of a percent, which is more than is known: they do not flicker from day to day.
STORED_DIGITS: Final = 4
STEP_COLUMNS: Final = ("due", "segment_id", "is_auto_renewing", "notice_days")


@dataclass(frozen=True, eq=False)
class Judged:
    """What the rules alone say of n renewals, before any likelihood."""

    policy: Integers  # index into rules.policies
    timing: Integers
    days: Integers
    is_closed: Booleans  # decided or lapsed
    decided: Integers  # day of the decision, for a lapsed one the day after its last tolerated one; NO_DAY while open
    known_until: Integers  # last day whose facts count
    risk: risk.RiskScores
    inputs: factors.FactorInputs

    @property
    def is_renewed(self) -> Booleans:
        """Came within tolerance."""
        found: Booleans = (self.timing >= timing.TimingClass.EARLY) & (self.timing <= timing.TimingClass.LATE)
        return found


def judge(book: Book, rules: Rules, as_of: int, *, horizon_days: Integers | int = DECISION_HORIZON_DAYS) -> Judged:
    rows = book.renewals
    policies = rules.policies
    policy = timing.resolve_policy(
        policies,
        account_ids=rows["account_id"],
        segment_ids=rows["segment_id"],
        industry_ids=rows["industry_id"],
        due=rows["due"],
    )
    classes, days = timing.classify(
        rows["due"],
        rows["ordered"],
        rows["outcome"] == LOST,
        as_of,
        policies.early_days[policy],
        policies.grace_days[policy],
        policies.late_days[policy],
        policies.is_business[policy],
    )
    is_closed = classes >= timing.TimingClass.LAPSED
    decided = _decision_days(rows, classes, late_calendar_days(policies, policy))
    # A lost one stopped ageing on the day it was lost.
    is_lost = classes == timing.TimingClass.LOST
    lost_after = timing.days_between(rows["due"], decided, policies.is_business[policy])
    days = np.where(is_lost, lost_after, days)
    known_until = np.where(is_closed, np.minimum(decided, rows["due"]) - horizon_days, as_of)
    # Counted to one day before the due day: the age on the day of the look would tell who was decided early.
    aged_until = np.where(is_closed, rows["due"] - horizon_days, as_of)
    inputs = _factor_inputs(book, rules, classes, is_closed, decided, known_until, aged_until, as_of)
    x = factors.built_in_factors(inputs, extra_count=rules.factor_count - len(factors.FACTOR_KEYS))
    for factor in rules.custom_factors:
        x[:, factor.position] = np.where(is_closed, np.nan, _custom_factor(factor, rows, as_of))
    scores = risk.score(x, rules.weights, rules.weight_rows(rows["segment_id"]))
    return Judged(policy, classes, days, is_closed, decided, known_until, scores, inputs)


def score_book(book: Book, rules: Rules, judged: Judged) -> dict[str, NDArray[Any]]:
    """The columns of RenewalScore, in its types; risk_score is NaN where nothing is known of the renewal."""
    rows = book.renewals
    band = risk.risk_band(judged.risk.score)
    rate, count = likelihood.apply_rates(rules.rates, rows["segment_id"], judged.timing, band)
    if rules.likelihood is not None:
        places = np.flatnonzero(judged.timing < likelihood.STATE_COUNT)
        rate[places] = fitted_likelihood(rules.likelihood, book, rules, judged, places)
        count[places] = rules.likelihood.row_count
    joined = probability.join_probability(
        likelihood=rate,
        confidence=confidence_rates(rows["confidence"]),
        rep_ids=rows["owner_id"],
        timing=judged.timing,
        records=rules.records,
        pinned=pinned_rates(rows, judged.known_until),
    )
    return {
        "renewal_id": rows["id"],
        "account_id": rows["account_id"],
        "timing_class": judged.timing.astype(np.int16),
        "timing_days": judged.days.astype(np.int32),
        "risk_score": judged.risk.score,
        # Once decided, the likelihood is what came.
        "likelihood": np.where(np.isnan(rate), joined, rate).round(STORED_DIGITS),
        "likelihood_count": count.astype(np.int32),
        "probability": joined.round(STORED_DIGITS),
        **mean_amounts(rows, judged.timing, rules.outlook),
        "completeness": judged.risk.completeness.round(STORED_DIGITS),
        "contributions": judged.risk.contributions,
    }


def open_rows(book: Book, rules: Rules, judged: Judged, places: Integers) -> Rows:
    """Open renewals as the fitted likelihood is asked about them."""
    rows = book.renewals
    is_worked = rows["due"] - judged.known_until <= rules.inputs.horizon_days + WORKED_DAYS
    columns = build_columns(
        book,
        judged,
        rules.inputs,
        places=places,
        progress=rules.stage_progress[rules.stages_at(rows["stage_id"])],
        is_worked=is_worked,
    )
    none = np.zeros(places.size, dtype=np.int64)
    return Rows(columns, (), none, none.astype(np.bool_), scores=judged.risk.score[places])


def open_steps(book: Book, rules: Rules, judged: Judged, places: Integers) -> Floats:
    """Log-odds that it adds to what is learned from all decided renewals that these are still open on their day.

    The fitted likelihood is learned from every settled renewal, at one horizon before its decision. One that is open
    has outlived those that declined or ordered before: see engine.survivors.
    """
    rows = {name: book.renewals[name][places] for name in STEP_COLUMNS}
    late = late_calendar_days(rules.policies, judged.policy[places])
    return survivor_steps(rules.survivors, rows, judged.known_until[places], late)


def survivor_steps(survivors: Survivors, rows: Arrays, day: Integers | int, late_days: Integers) -> Floats:
    """Log-odds that being open on `day` adds, of n rows with STEP_COLUMNS; late days are calendar days."""
    notice = np.maximum(rows["notice_days"], 0)
    return survivors.log_odds(
        segment_ids=rows["segment_id"],
        kind=kind_of(is_auto_renewing=rows["is_auto_renewing"] == 1, notice_days=notice),
        place=clock(days_left=rows["due"].astype(np.int64) - day, notice_days=notice, late_days=late_days),
    )


def fitted_likelihood(model: Model, book: Book, rules: Rules, judged: Judged, places: Integers) -> Floats:
    """float64[len(places)] of open renewals, each by itself: few or many at once give the same."""
    log_odds = model.formula.log_odds(open_rows(book, rules, judged, places))
    level = rules.outlook.shock.level_of(book.renewals["due"][places])
    found = expit(log_odds + open_steps(book, rules, judged, places) + level)
    return np.clip(found, likelihood.LOWEST, likelihood.HIGHEST)


def confidence_rates(confidence: Integers) -> Floats:
    """Percent to 0..1, NaN where blank."""
    return np.where(confidence == MISSING, np.nan, confidence / 100)


def pinned_rates(rows: dict[str, NDArray[Any]], as_of: Integers | int) -> Floats | None:
    """What is pinned on each row and still counts on the day, 0..1, NaN where nothing is; None where nowhere is."""
    counts = (rows["pinned"] != MISSING) & (rows["pinned_until"] >= as_of)
    return np.where(counts, rows["pinned"] / 100, np.nan) if counts.any() else None


def late_calendar_days(policies: timing.PolicyTable, policy: Integers) -> Integers:
    """Late days as calendar days; business days reach at most 7 days in 5, and a weekend, further."""
    return calendar_days(policies.late_days[policy], policies.is_business[policy])


def calendar_days(days: Integers, is_business: Booleans) -> Integers:
    return np.where(is_business, days * 7 // 5 + 3, days)


def _decision_days(rows: dict[str, NDArray[Any]], classes: Integers, latest: Integers) -> Integers:
    decided = np.where(rows["ordered"] != NO_DAY, rows["ordered"], rows["declined"]).astype(np.int64)
    is_undated_loss = (classes == timing.TimingClass.LOST) & (rows["declined"] == NO_DAY)
    np.copyto(decided, rows["due"], where=is_undated_loss)
    np.copyto(decided, rows["due"] + latest + 1, where=classes == timing.TimingClass.LAPSED)
    return decided


def _factor_inputs(
    book: Book,
    rules: Rules,
    classes: Integers,
    is_closed: Booleans,
    decided: Integers,
    known_until: Integers,
    aged_until: Integers,
    as_of: int,
) -> factors.FactorInputs:
    rows = book.renewals
    signals = _signals_known(book, rules, known_until)
    since = np.where(rows["customer_since"] != NO_DAY, rows["customer_since"], rows["starts"])
    rise = np.divide(
        rows["forecast"] - rows["baseline"],
        rows["baseline"],
        out=np.full(book.row_count, np.nan),
        where=(rows["baseline"] > 0) & (rows["forecast"] != MISSING),
    )
    return factors.FactorInputs(
        row_count=book.row_count,
        usage_change_rate=signals["usage_change_rate"],
        days_since_touch=_days_since_touch(rows["last_touch"], signals["last_touch"], known_until),
        severe_ticket_count=signals["severe_ticket_count"],
        reopened_ticket_rate=signals["reopened_ticket_rate"],
        csat_score=signals["csat_score"],
        nps_score=signals["nps_score"],
        late_payment_days=signals["late_payment_days"],
        failed_payment_count=signals["failed_payment_count"],
        chargeback_count=signals["chargeback_count"],
        contract_age_days=np.where(since == NO_DAY, np.nan, np.maximum(aged_until - since, 0)),
        term_days=np.where(rows["ends"] == NO_DAY, np.nan, rows["ends"] - rows["starts"] + 1.0),
        past_late_rate=_past_late_rate(book, classes, is_closed, decided, known_until),
        price_rise_rate=np.where(is_closed, np.nan, rise),
        champion_left=signals["has_champion_left"],
        size_change_rate=signals["seat_change_rate"],
        stage_progress=np.where(is_closed, np.nan, rules.stage_progress[rules.stages_at(rows["stage_id"])]),
        days_left=np.where(is_closed, np.nan, rows["due"] - as_of),
    )


def _signals_known(book: Book, rules: Rules, known_until: Integers) -> dict[str, NDArray[Any]]:
    """Each signal of each row: the newest that is not blank up to the row's day, missing when it is stale by then."""
    count = book.signal_keys.size
    here = np.searchsorted(book.signal_keys, account_day_keys(book.account, known_until), side="right") - 1
    # Rows of other accounts end where this account's begin.
    first = np.searchsorted(book.signal_keys, account_day_keys(book.account, NO_DAY))
    places = np.arange(count)
    known: dict[str, NDArray[Any]] = {}
    for name, values in book.signals.items():
        if name in ("account_id", "measured"):
            continue
        is_blank = values == NO_DAY if values.dtype.kind == "i" else np.isnan(values)
        newest = np.append(np.maximum.accumulate(np.where(is_blank, -1, places)), -1)[here]
        is_known = newest >= first
        if name in rules.stale_days and count:
            age = known_until - book.signals["measured"][np.maximum(newest, 0)]
            is_known &= age <= rules.stale_days[name]
        blank = NO_DAY if values.dtype.kind == "i" else np.nan
        known[name] = np.where(is_known, np.append(values, values.dtype.type(blank))[newest], blank)
    return known


def _days_since_touch(of_account: Integers, of_signal: Integers, known_until: Integers) -> Floats:
    """Since the newest touch up to the row's day. The account's own date counts where it is not after that day."""
    of_account = np.where(of_account <= known_until, of_account, NO_DAY)
    of_signal = np.where(of_signal <= known_until, of_signal, NO_DAY)
    newest = np.maximum(of_account, of_signal)
    return np.where(newest == NO_DAY, np.nan, known_until - newest.astype(np.float64))


def _past_late_rate(
    book: Book, classes: Integers, is_closed: Booleans, decided: Integers, known_until: Integers
) -> Floats:
    """Of the account's renewals that were decided by the row's day, the share that came late, won back, lapsed or lost.

    A row never counts itself: while open it is not among them, and once closed its day lies before its decision.
    """
    past = np.flatnonzero(is_closed)
    keys = account_day_keys(book.account[past], decided[past])
    order = np.argsort(keys, kind="stable")
    past, keys = past[order], keys[order]
    is_late = ~np.isin(classes[past], (timing.TimingClass.EARLY, timing.TimingClass.ON_TIME))
    late_before = np.append(0, np.cumsum(is_late))
    last = np.searchsorted(keys, account_day_keys(book.account, known_until), side="right")
    first = np.searchsorted(keys, account_day_keys(book.account, NO_DAY))
    count = last - first
    late = late_before[last] - late_before[first]
    rate: Floats = np.divide(late, count, out=np.full(book.row_count, np.nan), where=count > 0)
    return rate


def _custom_factor(factor: CustomFactor, rows: dict[str, NDArray[Any]], as_of: int) -> Floats:
    values = rows[f"custom_{factor.position}"]
    kinds = AttributeDefinition.Kind
    match factor.kind:
        case kinds.CATEGORY:
            return factors.category_factor(values.astype(np.int64), np.array(list(factor.category_risks.values())))
        case kinds.FLAG:
            return factors.flag_factor(values, is_risk_when_set=factor.low <= factor.high)
        case kinds.DATE:
            return factors.numeric_factor(as_of - values, factor.low, factor.high)
        case _:
            return factors.numeric_factor(values, factor.low, factor.high)
