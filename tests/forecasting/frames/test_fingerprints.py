"""The bits by which a run knows a score again."""

from typing import Any

import numpy as np
import pytest
from django.db import connection
from numpy.typing import NDArray

from forecasting.frames.fingerprints import DERIVED, fingerprints
from renewals.models import RenewalScore
from tests.cast import Cast, make_renewal
from tests.forecasting.forecast_book import recompute


def drawn_scores(count: int = 40) -> dict[str, NDArray[Any]]:
    draw = np.random.default_rng(8)
    scores: dict[str, NDArray[Any]] = {name: draw.integers(0, 10_000, count) for name in DERIVED}
    for name in ("risk_score", "likelihood", "probability", "completeness"):
        scores[name] = draw.random(count)
    scores["contributions"] = draw.integers(-1, 10_000, (count, 13)).astype(np.int16)
    return scores


@pytest.mark.parametrize("name", DERIVED)
def test_every_column_counts_for_its_row_alone(name: str) -> None:
    scores = drawn_scores()
    before = fingerprints(scores)
    changed = scores[name].copy()
    changed[7] = changed[7] + 1
    after = fingerprints(scores | {name: changed})
    assert np.flatnonzero(before != after).tolist() == [7]


def test_columns_that_trade_values_differ() -> None:
    scores = drawn_scores()
    traded = scores | {"mean_cents": scores["mean_upsell_cents"], "mean_upsell_cents": scores["mean_cents"]}
    assert (fingerprints(scores) != fingerprints(traded)).all()


def test_only_values_count() -> None:
    scores = drawn_scores(4)
    scores["risk_score"] = np.array([np.nan, 0.0, 3.0, np.nan])
    same = scores | {"risk_score": np.array([-np.nan, -0.0, 3.0, np.float64("nan")])}
    same |= {
        "timing_class": scores["timing_class"].astype(np.int16),
        "account_id": scores["account_id"].astype(np.int32),
    }
    same["contributions"] = np.asfortranarray(scores["contributions"])
    np.testing.assert_array_equal(fingerprints(scores), fingerprints(same))


def test_more_factors_are_another_row() -> None:
    scores = drawn_scores()
    longer = np.pad(scores["contributions"], ((0, 0), (0, 1)))
    assert (fingerprints(scores) != fingerprints(scores | {"contributions": longer})).all()


def stored() -> list[dict[str, Any]]:
    return list(RenewalScore.objects.order_by("pk").values(*DERIVED, "edit_count", "fingerprint"))


@pytest.mark.parametrize("name", DERIVED)
def test_score_that_somebody_wrote_otherwise_is_put_right(cast: Cast, name: str) -> None:
    for _ in range(3):
        make_renewal(owner=cast.rep, confidence=40, forecast_amount=900)
    recompute()
    right = stored()
    assert all(row["fingerprint"] for row in right)
    value = {
        "contributions": "contributions || 1::smallint",
        "account_id": "(SELECT max(id) FROM accounts_account WHERE id <> account_id)",
        "risk_score": "COALESCE(risk_score, 0) + 1",
        "mean_upsell_cents": "mean_upsell_cents + 1",
        "mean_cents": "mean_cents + 1",
    }.get(name, f"{name} + 1" if name.endswith(("_class", "_days", "_count", "_cents")) else f"{name} / 2 + 0.01")
    before = right[1]
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE renewals_renewalscore SET {name} = {value} WHERE account_id = %s", [before["account_id"]]
        )
    (wrong,) = [row for row in stored() if row["fingerprint"] is None]
    assert wrong[name] != before[name]
    assert recompute().changed_count == 1
    assert stored() == right


def test_bits_that_are_gone_are_written_again(cast: Cast) -> None:
    make_renewal(owner=cast.rep)
    recompute()
    right = stored()
    RenewalScore.objects.update(fingerprint=None)
    assert recompute().changed_count == 1
    assert recompute().changed_count == 0
    assert stored() == right
