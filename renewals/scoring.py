"""The door through which renewals asks for what forecasting computes.

Rooms point one way (forecasting knows renewals, never the reverse), so who answers is named in settings, as a database
backend is. Nothing else in this app may reach for forecasting.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from importlib import import_module
from typing import Protocol, cast

from django.conf import settings

from accounts.models import User


@dataclass(frozen=True)
class ProposedTolerances:
    """A timing policy version that is not saved yet: where it applies, from when, and its days."""

    account_id: int | None
    segment_id: int | None
    industry_id: int | None
    effective_from: dt.date
    early_days: int
    grace_days: int
    late_days: int
    is_business: bool


@dataclass(frozen=True)
class TimingMove:
    """How many renewals, and how much baseline in the reporting currency, go from one timing class to another."""

    before: int
    after: int
    count: int
    baseline_cents: int


@dataclass(frozen=True)
class LikelihoodPart:
    """What one factor does to a likelihood: log-odds against the average renewal, which add up to the whole exactly.

    `text` says what is known and what that does; `points` is by how much the likelihood would be lower without it.
    """

    label: str
    text: str
    log_odds: float
    points: float


@dataclass(frozen=True)
class LikelihoodChange:
    """A change of one factor, in words, and the likelihood with it."""

    text: str
    likelihood: float


@dataclass(frozen=True)
class LikelihoodExplanation:
    """Why an open renewal has its likelihood. `base_log_odds` and the parts add up to `log_odds`.

    Without a fitted version there are no parts: `words` says what is used instead, and why.
    """

    version: int | None
    words: str
    likelihood: float
    base_likelihood: float
    base_log_odds: float
    log_odds: float
    parts: Sequence[LikelihoodPart]
    changes: Sequence[LikelihoodChange]


@dataclass(frozen=True)
class OrderChance:
    """How likely the order is in by so many days after the due day, if the renewal is renewed."""

    days: int
    rate: float


@dataclass(frozen=True)
class OutlookExplanation:
    """What an open renewal is expected to bring, in its own currency.

    mean_amount        on average if it is renewed; `words` say how that came about
    expected_amount    that times its probability, to the cent: what every total of it adds up
    collected_amount   what of that is expected to be paid, 1 - `default_rate` of it
    chances            of its order, from `order_count` orders of the account and those of its segment
    """

    mean_amount: Decimal
    expected_amount: Decimal
    collected_amount: Decimal
    default_rate: float
    words: Sequence[str]
    chances: Sequence[OrderChance]
    order_count: int


@dataclass(frozen=True)
class RankedRows:
    """How well the risk score ranked decided renewals: AUC, the chance that a lost one scored above a renewed one."""

    name: str
    count: int
    lost_count: int
    auc: float
    lowest: float
    highest: float

    @property
    def words(self) -> str:
        if self.lowest > 0.5:
            return "ranks as outcomes do"
        return "ranks the wrong way round" if self.highest < 0.5 else "no better than chance"


@dataclass(frozen=True)
class RiskFifth:
    """A fifth of the decided renewals by risk score, and what share of it was lost."""

    lowest: float
    highest: float
    count: int
    lost_rate: float


@dataclass(frozen=True)
class WeightsJudgement:
    """Weights against what came of the renewals that they score.

    `suggested` by factor, where weights fitted on older rows ranked newer ones better by more than the standard error;
    `gain` is by how much, and None where there are too few rows to tell.
    """

    whole: RankedRows | None
    segments: Sequence[RankedRows]
    fifths: Sequence[RiskFifth]
    count: int
    suggested: dict[str, float] | None
    gain: float | None
    standard_error: float | None
    unseen_count: int


class ScoringBackend(Protocol):
    def score_renewals(self, renewal_ids: Sequence[int], *, as_of: dt.date) -> None:
        """Score these rows anew inside the caller's transaction; their forecast periods are refreshed on commit."""

    def request_run(self, *, reason: str, user: User | None) -> int:
        """Recompute the whole book once the caller's transaction commits; reuses a waiting run. Gives its id."""

    def explain_likelihood(self, renewal_id: int, *, as_of: dt.date) -> LikelihoodExplanation | None:
        """Why a renewal has its likelihood, as it would be scored now; None where it is not open or not scored yet."""

    def explain_outlook(self, renewal_id: int, *, as_of: dt.date) -> OutlookExplanation | None:
        """What a renewal is expected to bring, and when; None where it is not open or not scored yet."""

    def judge_weights(self, segment_id: int | None) -> WeightsJudgement:
        """Whether the weights of a segment (None: of those without their own) rank as outcomes do, and better ones."""

    def preview_timing(self, proposed: ProposedTolerances, *, as_of: dt.date) -> list[TimingMove]:
        """What would change class if this version were in force; nothing is written."""


def scoring() -> ScoringBackend:
    return cast(ScoringBackend, import_module(settings.SCORING_BACKEND))
