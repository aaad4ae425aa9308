"""The weights in force over decided renewals, as far as their factors were known before the decision."""

from __future__ import annotations

from typing import Final

import numpy as np
from django.core.cache import cache
from django.db import connection

from accounts.models import Segment, get_company
from forecasting.engine import factors, risk
from forecasting.engine.arrays import Booleans, Floats, Integers
from forecasting.engine.timing import TimingClass
from forecasting.engine.weighing import Ranking, rank, suggest_weights
from forecasting.frames import Accounts, Rules, current_rules, day_number, judge, read_book
from forecasting.models import Run
from renewals.models import RiskFactor
from renewals.scoring import RankedRows, RiskFifth, WeightsJudgement

# More rows move an AUC by less than its interval, and the page is waited for.
MOST_ROWS: Final = 40_000
KEPT_SECONDS: Final = 3600
FIFTHS: Final = 5


def judge_weights(segment_id: int | None) -> WeightsJudgement:
    """Kept for an hour, until a run is published or a rule changes."""
    run = Run.objects.only("pk").latest_published()
    key = f"weights-{run.pk if run else 0}-{get_company().rules_version}-{segment_id or 0}"
    found: WeightsJudgement | None = cache.get(key)
    if found is None:
        found = _judge(segment_id)
        cache.set(key, found, KEPT_SECONDS)
    return found


def _judge(segment_id: int | None) -> WeightsJudgement:
    rules = current_rules()
    x, is_lost, due, segments = _decided(rules)
    row = int(rules.weight_rows(np.array([segment_id or -1]))[0])
    weights = rules.weights[row]
    # Those whose scores a new version would change.
    own = segments == segment_id if segment_id else rules.weight_rows(segments) == len(rules.weighted_segment_ids)
    scores = risk.score(x, rules.weights, rules.weight_rows(segments)).score
    names = dict(Segment.objects.values_list("pk", "name"))
    by_segment = [
        (names.get(int(pk), "No segment"), rank(scores[segments == pk], is_lost[segments == pk]))
        for pk in np.unique(segments)
    ]
    suggestion = suggest_weights(x[own], is_lost[own], due[own], weights) if own.any() and weights.sum() else None
    keys = {factor.position: factor.key for factor in RiskFactor.objects.all()}
    return WeightsJudgement(
        whole=_told("These weights", rank(scores[own], is_lost[own])),
        segments=[told for name, found in sorted(by_segment, key=lambda one: one[0]) if (told := _told(name, found))],
        fifths=_fifths(scores[own], is_lost[own]),
        count=int(np.count_nonzero(own)),
        suggested={keys[at]: float(value) for at, value in enumerate(suggestion.weights) if at in keys}
        if suggestion and suggestion.is_offered
        else None,
        gain=suggestion.gain if suggestion else None,
        standard_error=suggestion.standard_error if suggestion else None,
        unseen_count=suggestion.count if suggestion else 0,
    )


def _decided(rules: Rules) -> tuple[Floats, Booleans, Integers, Integers]:
    """(factors, whether lost, due day, segment) of decided and lapsed renewals at their horizon."""
    as_of = get_company().today()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM renewals_renewal WHERE outcome <> 'open'")
        accounts = Accounts.one_in(-(-cursor.fetchone()[0] // MOST_ROWS))
        book = read_book(cursor, rules, accounts, closed_by=as_of)
    judged = judge(book, rules, day_number(as_of))
    is_counted = judged.is_closed & ~book.renewals["is_excluded"]
    # What has no date (stage, price, custom attributes) is not known of that day, and says nothing here.
    x = factors.built_in_factors(judged.inputs, extra_count=rules.factor_count - len(factors.FACTOR_KEYS))
    is_lost = (judged.timing < TimingClass.EARLY) | (judged.timing > TimingClass.LATE)
    rows = book.renewals
    return (
        x[is_counted],
        is_lost[is_counted],
        rows["due"][is_counted].astype(np.int64),
        rows["segment_id"][is_counted].astype(np.int64),
    )


def _told(name: str, found: Ranking | None) -> RankedRows | None:
    if found is None:
        return None
    return RankedRows(name, found.count, found.lost_count, found.auc, found.lowest, found.highest)


def _fifths(scores: Floats, is_lost: Booleans) -> list[RiskFifth]:
    """From the lowest scores to the highest, as even as whole rows can be."""
    known = np.flatnonzero(~np.isnan(scores))
    if known.size < FIFTHS:
        return []
    parts = np.array_split(known[np.argsort(scores[known], kind="stable")], FIFTHS)
    return [
        RiskFifth(float(scores[part].min()), float(scores[part].max()), int(part.size), float(is_lost[part].mean()))
        for part in parts
    ]
