"""Whatever the rows are like, a fit gives probabilities, an explanation that adds up, and a model JSON can hold."""

import json

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.engine.fitted import Categories, Model, Numbers, Rows, fit

kinds = st.sampled_from(["normal", "flag", "same", "never", "huge", "skewed", "few", "many", "gaps"])


def column(kind, n, rng):
    match kind:
        case "normal":
            return Numbers(rng.normal(size=n))
        case "flag":
            return Numbers((rng.random(n) < 0.03).astype(float))
        case "same":
            return Numbers(np.full(n, 7.0))
        case "never":
            return Numbers(np.full(n, np.nan))
        case "huge":
            return Numbers(rng.normal(size=n) * 1e15)
        case "skewed":
            return Numbers(rng.lognormal(0, 3, n))
        case "few":
            return Categories(rng.integers(-1, 3, n), ("a", "b", "c"))
        case "many":
            return Categories(rng.integers(-1, 40, n), tuple(f"value {place}" for place in range(40)))
    gaps = rng.normal(size=n)
    gaps[rng.random(n) < 0.5] = np.nan
    return Numbers(gaps)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 450),
    st.lists(kinds, max_size=6),
    st.integers(1, 6),
    st.sampled_from([0.0, 0.02, 0.15, 0.5, 0.97, 1.0]),
    st.booleans(),
    st.integers(0, 2),
    st.integers(0, 2**32 - 1),
)
def test_any_rows_can_be_fitted(n, kinds, cohorts, rate, has_scores, gap, seed):
    rng = np.random.default_rng(seed)
    columns = {f"{place} {kind}": column(kind, n, rng) for place, kind in enumerate(kinds)}
    segments = tuple(name for name in columns if name.endswith(("few", "many")))[:2]
    scores = np.where(rng.random(n) < 0.5, rng.uniform(0, 100, n), np.nan) if has_scores else np.empty(0)
    accounts = rng.integers(0, max(n // 3, 1), n)
    rows = Rows(columns, segments, rng.integers(0, cohorts, n), rng.random(n) < rate, accounts, scores)
    model = fit(rows, gap=gap)
    p = model.likelihood(rows)
    assert ((p >= 0.0019) & (p <= 0.9981)).all()
    told = model.explain(rows)
    total = told.base + sum(told.contributions.values(), start=np.zeros(n))
    assert np.abs(total - model.formula.log_odds(rows)).max(initial=0.0) < 1e-8
    assert 0.03 <= model.shock.size <= 0.3
    assert model.reason
    again = Model.from_dict(json.loads(json.dumps(model.to_dict(), allow_nan=False)))
    assert np.array_equal(again.likelihood(rows), p)
