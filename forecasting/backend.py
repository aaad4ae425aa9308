"""What renewals asks of this room; see renewals.scoring."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from accounts.models import User
from forecasting import services
from forecasting.learning.explain import explain_likelihood as explain
from renewals.scoring import LikelihoodExplanation, OutlookExplanation, ProposedTolerances, TimingMove


def score_renewals(renewal_ids: Sequence[int], *, as_of: dt.date) -> None:
    services.score_renewals(renewal_ids=renewal_ids, as_of=as_of)


def request_run(*, reason: str, user: User | None) -> int:
    return services.request_run(reason=reason, user=user)


def preview_timing(proposed: ProposedTolerances, *, as_of: dt.date) -> list[TimingMove]:
    return services.preview_timing(proposed=proposed, as_of=as_of)


def explain_likelihood(renewal_id: int, *, as_of: dt.date) -> LikelihoodExplanation | None:
    return explain(renewal_id=renewal_id, as_of=as_of)


def explain_outlook(renewal_id: int, *, as_of: dt.date) -> OutlookExplanation | None:
    from forecasting.outlook_words import explain_outlook as explain

    return explain(renewal_id=renewal_id, as_of=as_of)
