"""What renewals asks of this room; see renewals.scoring.

To ask for a run takes no arithmetic, so an import, a bulk edit or an undo on the command line loads none: what needs
NumPy is imported where it is asked for. A web process has all of it from its pages.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from forecasting.requests import request_run
from renewals.scoring import (
    LikelihoodExplanation,
    OutlookExplanation,
    ProposedTolerances,
    TimingMove,
    WeightsJudgement,
)

__all__ = [
    "explain_likelihood",
    "explain_outlook",
    "judge_weights",
    "preview_timing",
    "request_run",
    "score_renewals",
]


def score_renewals(renewal_ids: Sequence[int], *, as_of: dt.date) -> None:
    from forecasting import services

    services.score_renewals(renewal_ids=renewal_ids, as_of=as_of)


def preview_timing(proposed: ProposedTolerances, *, as_of: dt.date) -> list[TimingMove]:
    from forecasting import services

    return services.preview_timing(proposed=proposed, as_of=as_of)


def explain_likelihood(renewal_id: int, *, as_of: dt.date) -> LikelihoodExplanation | None:
    from forecasting.learning.explain import explain_likelihood as explain

    return explain(renewal_id=renewal_id, as_of=as_of)


def explain_outlook(renewal_id: int, *, as_of: dt.date) -> OutlookExplanation | None:
    from forecasting.outlook_words import explain_outlook as explain

    return explain(renewal_id=renewal_id, as_of=as_of)


def judge_weights(segment_id: int | None) -> WeightsJudgement:
    from forecasting.weighing.judge import judge_weights as judge

    return judge(segment_id)
