"""On the demo company, whose generating process is known: what a backtest should find there."""

import datetime as dt

import numpy as np
import pytest

from accounts.models import Segment, User
from forecasting.accuracy.backtest import run_backtest
from renewals.demo import load, profile
from renewals.demo.arrays import day_number
from renewals.demo.book import Window
from renewals.demo.desk import Reps, draw_reps

TODAY = dt.date(2026, 11, 21)
RENEWALS, SEED = 6_000, 1


def reps_of_the_demo() -> Reps:
    """Drawn as the demo draws them: the same seed, in the same order."""
    rng = np.random.default_rng(SEED)
    fiscal_year_on = load.fiscal_year_of(TODAY, profile.FISCAL_YEAR_START_MONTH)
    window = Window(
        history_from=day_number(fiscal_year_on.replace(year=fiscal_year_on.year - profile.HISTORY_YEARS)),
        as_of=day_number(TODAY),
        horizon=day_number(TODAY) + profile.HORIZON_DAYS,
    )
    _, _, terms = load._draw_book(rng, RENEWALS, window)
    recorded = terms.take(np.flatnonzero(terms.due <= window.horizon))
    return draw_reps(rng, int(recorded.is_open.sum()))


@pytest.mark.django_db
def test_the_bias_of_reps_and_the_rates_of_segments_are_found() -> None:
    """A rep's word is 0.8 logit + bias + noise: who is hopeful by nature says more above what comes."""
    load.load_demo(renewal_count=RENEWALS, seed=SEED, as_of=TODAY)
    found = run_backtest(origin_count=4, as_of=TODAY)
    assert len(found.periods) >= 3
    reps = reps_of_the_demo()
    keys = list(User.objects.filter(email__regex=r"^rep(\.\d+)?@").order_by("pk").values_list("pk", flat=True))
    assert len(keys) == reps.bias.size
    leaning, bias = [], []
    for key, hidden in zip(keys, reps.bias.tolist(), strict=True):
        content = found.scopes.get(("owner", key))
        word = content["horizons"]["90"]["worded"]["rep"] if content else None
        if word and word["judged"] >= 30:
            leaning.append(word["lean"])
            bias.append(hidden)
    assert len(bias) >= 3
    assert np.corrcoef(leaning, bias)[0, 1] > 0.7
    assert bias[int(np.argmin(leaning))] == min(bias)
    # Segments come in the order of their hidden rates, and the forecast tells them apart in the same order.
    rate = {part.name: part.renewal_logit for part in profile.SEGMENTS}
    ids = dict(Segment.objects.values_list("name", "pk"))
    told = {name: found.scopes["segment", ids[name]]["horizons"]["90"]["all"]["model"] for name in rate}
    assert told["SMB"]["said"] < told["Mid-market"]["said"] < told["Enterprise"]["said"]
    assert told["SMB"]["came"] < told["Mid-market"]["came"] < told["Enterprise"]["came"]
