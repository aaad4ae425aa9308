"""What is read for one renewal: why its score is what it is, the account's signals, its other renewals."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from accounts.models import AccountSignal, User
from accounts.templatetags.money import percent
from renewals.models import Renewal, RenewalScore, RiskBand, RiskFactor, RiskWeightVersion
from renewals.scoring import LikelihoodExplanation, OutlookExplanation, scoring
from renewals.table.columns import DATE, RISK_TONES

LARGEST = 3
OTHERS_SHOWN = 12
# Older than so many measurements, a signal says nothing of today.
MEASUREMENTS_READ = 400
MISSING = -1  # as RenewalScore.contributions holds it


@dataclass(frozen=True)
class Factor:
    """A factor's share of the score in points; `width` is per cent of the largest one."""

    label: str
    explanation: str
    points: float
    width: int
    score_without: float  # the score if this factor were harmless


@dataclass(frozen=True)
class MissingInput:
    """A factor without an input, and the bounds of the score once there is one."""

    label: str
    lowest: float
    highest: float


@dataclass(frozen=True)
class Judgement:
    score: float
    tone: str
    factors: list[Factor]
    missing: list[MissingInput]

    @property
    def largest(self) -> list[Factor]:
        return [factor for factor in self.factors[:LARGEST] if factor.points > 0]


def read_judgement(renewal: Renewal) -> Judgement | None:
    """The score taken apart, the largest share first; None where nothing has been scored. Two queries."""
    score: RenewalScore | None = getattr(renewal, "score", None)
    if score is None:
        return None
    known = list(RiskFactor.objects.all())
    points = {factor.pk: _points(score, factor) for factor in known}
    largest = max((value for value in points.values() if value is not None), default=0) or 1
    total = score.risk_score or 0.0
    factors = [
        Factor(factor.label, factor.explanation, value, round(100 * value / largest), round(total - value, 2))
        for factor in known
        if (value := points[factor.pk]) is not None
    ]
    factors.sort(key=lambda factor: -factor.points)
    return Judgement(
        score=total,
        tone=RISK_TONES[RiskBand.of(total)],
        factors=factors,
        missing=_missing(renewal, total, [(factor, points[factor.pk] is None) for factor in known]),
    )


def _points(score: RenewalScore, factor: RiskFactor) -> float | None:
    hundredths = score.contributions[factor.position] if factor.position < len(score.contributions) else MISSING
    return None if hundredths == MISSING else hundredths / 100


def _missing(renewal: Renewal, total: float, factors: list[tuple[RiskFactor, bool]]) -> list[MissingInput]:
    """With weight W behind the score s, an input of weight w moves it to s W / (W + w) at best, and 100 w / (W + w)
    above that at worst (docs/domain.md section 5). The heaviest first; one that has no weight changes nothing."""
    weights = _weights(renewal)
    behind = sum(weights.get(factor.key, 0.0) for factor, is_missing in factors if not is_missing)
    found = []
    for factor, is_missing in factors:
        weight = weights.get(factor.key, 0.0)
        if is_missing and weight > 0:
            lowest = total * behind / (behind + weight)
            found.append((weight, MissingInput(factor.label, lowest, lowest + 100 * weight / (behind + weight))))
    return [one for _, one in sorted(found, key=lambda pair: -pair[0])]


def _weights(renewal: Renewal) -> dict[str, float]:
    """Those in force for the account's segment, or for segments without their own: the newest version of each."""
    versions = RiskWeightVersion.objects.order_by("segment_id", "-created_at", "-pk").distinct("segment_id")
    by_segment = {version.segment_id: version.weights for version in versions}
    segment_id = renewal.account.segment_id
    return dict(by_segment.get(segment_id) or by_segment.get(None) or {})


@dataclass(frozen=True)
class Term:
    """A factor's share of the log-odds; `width` is per cent of the largest one."""

    label: str
    text: str
    log_odds: str
    width: int
    is_gain: bool


@dataclass(frozen=True)
class Likelihood:
    """Why a renewal has its likelihood; the shown log-odds add up as they stand."""

    explanation: LikelihoodExplanation
    base: str
    total: str
    terms: list[Term]


def read_likelihood(renewal: Renewal, *, as_of: dt.date) -> Likelihood | None:
    """The likelihood taken apart; None for one that is not open."""
    if renewal.outcome != Renewal.Outcome.OPEN:
        return None
    found = scoring().explain_likelihood(renewal.pk, as_of=as_of)
    if found is None:
        return None
    shown = add_up([found.base_log_odds, *(part.log_odds for part in found.parts)], found.log_odds)
    largest = max((abs(part.log_odds) for part in found.parts), default=0) or 1
    return Likelihood(
        explanation=found,
        base=_signed(shown[0]),
        total=_signed(round(found.log_odds * 100)),
        terms=[
            Term(part.label, part.text, _signed(hundredths), round(100 * abs(part.log_odds) / largest), part.points > 0)
            for part, hundredths in zip(found.parts, shown[1:], strict=True)
        ],
    )


def read_outlook(renewal: Renewal, *, as_of: dt.date) -> OutlookExplanation | None:
    """What it is expected to bring, and when; None for one that is not open."""
    return scoring().explain_outlook(renewal.pk, as_of=as_of) if renewal.outcome == Renewal.Outcome.OPEN else None


def add_up(values: Sequence[float], total: float) -> list[int]:
    """Each value in whole hundredths so that they add up to those of the total: the largest remainders give way."""
    exact = [value * 100 for value in values]
    whole = [round(value) for value in exact]
    missing = round(total * 100) - sum(whole)
    step = 1 if missing > 0 else -1
    for place in sorted(range(len(whole)), key=lambda at: step * (whole[at] - exact[at]))[: abs(missing)]:
        whole[place] += step
    return whole


def _signed(hundredths: int) -> str:
    return f"{'+' if hundredths > 0 else '−' if hundredths < 0 else ''}{abs(hundredths) / 100:.2f}"


@dataclass(frozen=True)
class Signal:
    label: str
    text: str
    measured_on: dt.date


def _change(value: float) -> str:
    sign = "" if round(abs(value) * 100) == 0 else "+" if value > 0 else "−"
    return f"{sign}{percent(abs(value))}"


def _number(value: float) -> str:
    return f"{value:,.1f}".removesuffix(".0").replace("-", "−")


SIGNALS: dict[str, tuple[str, Callable[[Any], str]]] = {
    "usage_change_rate": ("Product usage, 90 days", _change),
    "seat_change_rate": ("Seats", _change),
    "login_change_rate": ("Logins", _change),
    "sentiment_score": ("Sentiment, 1 to 5", _number),
    "severe_ticket_count": ("Severe tickets open", str),
    "reopened_ticket_rate": ("Tickets reopened", percent),
    "csat_score": ("CSAT, 1 to 5", _number),
    "nps_score": ("NPS", _number),
    "late_payment_days": ("Days late in paying", _number),
    "failed_payment_count": ("Failed payments", str),
    "chargeback_count": ("Chargebacks", str),
    "has_champion_left": ("Champion left", lambda value: "Yes" if value else "No"),
    "last_touch_on": ("Last touch", lambda value: f"{value:{DATE}}"),
}


def read_signals(account_id: int, *, as_of: dt.date) -> list[Signal]:
    """The newest value of each that was measured on or before the day. One query."""
    measured = (
        AccountSignal.objects.filter(account=account_id, measured_on__lte=as_of)
        .order_by("-measured_on")
        .values("measured_on", *SIGNALS)[:MEASUREMENTS_READ]
    )
    newest: dict[str, Signal] = {}
    for record in measured:
        for name, (label, text_of) in SIGNALS.items():
            if name not in newest and record[name] is not None:
                newest[name] = Signal(label, text_of(record[name]), record["measured_on"])
    return [newest[name] for name in SIGNALS if name in newest]


def read_others(renewal: Renewal, user: User) -> list[Renewal]:
    """The account's other renewals that this user may see, the latest due first."""
    rows = Renewal.objects.visible_to(user).filter(account=renewal.account_id).exclude(pk=renewal.pk)
    return list(rows.select_related("contract", "stage", "score").order_by("-due_on", "-pk")[:OTHERS_SHOWN])
