"""Raw signals to risk factors: x between 0 (harmless) and 1 (worst), NaN where the signal is missing.

Source: docs/domain.md section 5. A signal that is older than its factor's `stale_days` is passed as NaN by the caller,
who knows when each was seen: a stale signal is a missing one, lowers data completeness and never counts as zero.
The ranges below are starting points that hold across businesses; the weights are what an admin tunes.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from forecasting.engine.arrays import NO_DAY, Floats, Integers, require_fractions

FACTOR_KEYS: Final = (
    "usage_trend",
    "days_since_touch",
    "severe_tickets",
    "satisfaction",
    "payment_behaviour",
    "contract_age",
    "past_lateness",
    "price_rise",
    "champion_left",
    "size_change",
    "stage_pace",
)

WORKING_DAYS_BEFORE_DUE: Final = 120.0  # a renewal is expected to move from the first stage to the last in this time


@dataclass(frozen=True, eq=False)
class FactorInputs:
    """Signals of n renewals, float[n] each, NaN = missing; None = missing for every row. Rates are fractions."""

    row_count: int
    usage_change_rate: Floats | None = None  # change of product usage, -0.3 = 30 % less
    days_since_touch: Floats | None = None
    severe_ticket_count: Floats | None = None  # open ones, above what is usual for the account
    reopened_ticket_rate: Floats | None = None  # of solved tickets, above what is usual for the account
    csat_score: Floats | None = None  # 1 to 5
    nps_score: Floats | None = None  # -100 to 100
    late_payment_days: Floats | None = None  # mean days that invoices are paid after they are due
    failed_payment_count: Floats | None = None
    chargeback_count: Floats | None = None
    contract_age_days: Floats | None = None  # since the customer's first term began
    term_days: Floats | None = None
    past_late_rate: Floats | None = None  # of the account's earlier decided renewals: late or lost
    price_rise_rate: Floats | None = None
    champion_left: Floats | None = None  # 0 or 1
    size_change_rate: Floats | None = None  # change of seats, -0.2 = 20 % fewer
    stage_progress: Floats | None = None  # 0 to 1, NaN once decided
    days_left: Floats | None = None  # until the decision is due; below 0 when past it


def built_in_factors(inputs: FactorInputs, extra_count: int = 0) -> Floats:
    """float32[n, 11 + extra_count] in the order of `FACTOR_KEYS`; the extra columns, for custom factors, are NaN.

    Each signal runs linearly from x = 0 to x = 1 over its range and is held at the ends:

        usage_trend        usage change, +5 % to -30 %
        days_since_touch   14 to 90 days
        severe_tickets     the worse of open severe tickets 0 to 2 and reopened rate 5 to 30 %
        satisfaction       mean of CSAT 4.5 to 3 and NPS +40 to -30, whichever are there
        payment_behaviour  the worst of days late 3 to 45, failed payments 0 to 2, chargebacks 0 to 1
        contract_age       mean of age 5 years to half a year and term 3 years to a month, whichever are there
        past_lateness      the rate itself
        price_rise         +3 to +20 %
        champion_left      0 or 1
        size_change        seats, 0 to -20 %
        stage_pace         how far the stage lags behind the share of the last 120 days that is gone
    """
    n = inputs.row_count
    x: Floats = np.full((n, len(FACTOR_KEYS) + extra_count), np.nan, dtype=np.float32)

    def ramp(values: Floats | None, low: float, high: float) -> Floats:
        return np.full(n, np.nan, dtype=np.float32) if values is None else numeric_factor(values, low, high)

    tickets = (ramp(inputs.severe_ticket_count, 0, 2), ramp(inputs.reopened_ticket_rate, 0.05, 0.3))
    satisfaction = (ramp(inputs.csat_score, 4.5, 3), ramp(inputs.nps_score, 40, -30))
    payments = (
        ramp(inputs.late_payment_days, 3, 45),
        ramp(inputs.failed_payment_count, 0, 2),
        ramp(inputs.chargeback_count, 0, 1),
    )
    ages = (ramp(inputs.contract_age_days, 1826, 183), ramp(inputs.term_days, 1096, 30))
    time_gone = ramp(inputs.days_left, WORKING_DAYS_BEFORE_DUE, 0)
    columns = (
        ramp(inputs.usage_change_rate, 0.05, -0.3),
        ramp(inputs.days_since_touch, 14, 90),
        _worst(*tickets),
        _mean_of_present(*satisfaction),
        _worst(*payments),
        _mean_of_present(*ages),
        ramp(inputs.past_late_rate, 0, 1),
        ramp(inputs.price_rise_rate, 0.03, 0.2),
        ramp(inputs.champion_left, 0, 1),
        ramp(inputs.size_change_rate, 0, -0.2),
        np.maximum(time_gone - ramp(inputs.stage_progress, 0, 1), 0),
    )
    for position, column in enumerate(columns):
        x[:, position] = column
    return x


def numeric_factor(values: Floats, low: float, high: float) -> Floats:
    """float32[n]: 0 at `low` (harmless) and beyond, 1 at `high` (worst) and beyond, linear between.

    `low` above `high` reverses the direction. Raises ValueError when the two are equal.
    """
    if low == high:
        raise ValueError(f"low and high are both {low}: a factor needs a range")
    x = (np.asarray(values, dtype=np.float64) - low) / (high - low)
    return np.clip(x, 0, 1).astype(np.float32)


def flag_factor(values: Floats, is_risk_when_set: bool = True) -> Floats:
    """float32[n] from flags 0, 1 or NaN."""
    return numeric_factor(values, 0, 1) if is_risk_when_set else numeric_factor(values, 1, 0)


def date_factor(days: Integers, today: int, low: float, high: float) -> Floats:
    """float32[n] from the age of each day at `today`, in days (negative for a day to come); `NO_DAY` is missing."""
    days = np.asarray(days)
    age = np.where(days == NO_DAY, np.nan, today - days.astype(np.float64))
    return numeric_factor(age, low, high)


def category_factor(codes: Integers, risk_by_code: Floats) -> Floats:
    """float32[n]: `risk_by_code[code]`, each between 0 and 1; a negative code is missing.

    Raises ValueError naming the code whose risk is out of range, and IndexError for a code that has no risk.
    """
    codes = np.asarray(codes)
    risks = np.append(np.asarray(risk_by_code, dtype=np.float32), np.float32(np.nan))
    require_fractions(risks[:-1], "risk_by_code")
    return risks[np.where(codes < 0, risks.size - 1, codes)]


def _worst(*columns: Floats) -> Floats:
    """The highest that is there, NaN where none is."""
    worst: Floats = np.fmax.reduce(columns)
    return worst


def _mean_of_present(first: Floats, second: Floats) -> Floats:
    """Mean of the two, or the one that is there."""
    return (np.where(np.isnan(first), second, first) + np.where(np.isnan(second), first, second)) / 2
