"""The scores of a run as their table gets them: at first in one go, after that only what differs."""

from typing import Any

import numpy as np
import pytest
from django.db import connection, transaction

from forecasting import services
from forecasting.frames import encode_rows
from forecasting.models import Run
from forecasting.services.locks import Lock, take_lock
from renewals.models import Renewal, RenewalScore
from tests.cast import Cast, make_account, make_renewal
from tests.forecasting.forecast_book import AS_OF, recompute

CATALOGUE = """
SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'renewals_renewalscore'
UNION ALL
SELECT conname, concat_ws(' ', contype, convalidated, pg_get_constraintdef(oid))
FROM pg_constraint WHERE conrelid = 'renewals_renewalscore'::regclass ORDER BY 1, 2
"""


def catalogue() -> list[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(CATALOGUE)
        return [(str(name), str(definition)) for name, definition in cursor.fetchall()]


def row_versions() -> dict[int, Any]:
    """Where each score lies and who wrote it: a row that is written anew has another of both."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT renewal_id, (ctid, xmin)::text FROM renewals_renewalscore")
        return dict(cursor.fetchall())


def test_first_fill_leaves_indexes_and_constraints_as_they_were(cast: Cast) -> None:
    before = catalogue()
    assert {"renewals_renewalscore_pkey", "renewal_score_risk", "renewal_score_probabilities"} <= dict(before).keys()
    for _ in range(3):
        make_renewal(owner=cast.rep)
    assert recompute().changed_count == 3
    assert catalogue() == before


def test_first_fill_and_merge_write_the_same(cast: Cast) -> None:
    for confidence in (None, 20, 90):
        make_renewal(owner=cast.rep, confidence=confidence)
    recompute()
    filled = list(RenewalScore.objects.order_by("pk").values())
    RenewalScore.objects.exclude(pk=filled[0]["renewal_id"]).delete()
    assert recompute().changed_count == 2
    assert list(RenewalScore.objects.order_by("pk").values()) == filled


def test_score_without_any_input_is_null_after_a_fill_and_after_a_merge(cast: Cast) -> None:
    make_renewal(owner=cast.rep)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE renewals_riskweightversion SET weights = '{}'")
    recompute()
    assert RenewalScore.objects.get().risk_score is None
    make_renewal(owner=cast.rep)
    assert recompute().changed_count == 1
    assert set(RenewalScore.objects.values_list("risk_score", flat=True)) == {None}


def test_run_with_one_changed_row_writes_one_row(cast: Cast) -> None:
    renewals = [make_renewal(owner=cast.rep) for _ in range(6)]
    recompute()
    before = row_versions()
    Renewal.objects.filter(pk=renewals[2].pk).update(confidence=7)
    assert recompute().changed_count == 1
    after = row_versions()
    assert [pk for pk in before if before[pk] != after[pk]] == [renewals[2].pk]


def test_contributions_that_differ_are_written(cast: Cast) -> None:
    """They are compared by a hash: other values, another order, another number of factors."""
    pks = [make_renewal(owner=cast.rep).pk for _ in range(3)]
    recompute()
    whole = list(RenewalScore.objects.order_by("pk").values())
    contributions = list(whole[0]["contributions"])
    for pk, held in zip(pks, ([*contributions, -1], contributions[::-1], [0, *contributions[1:]]), strict=True):
        assert held != contributions
        RenewalScore.objects.filter(pk=pk).update(contributions=held)
    assert recompute().changed_count == 3
    assert list(RenewalScore.objects.order_by("pk").values()) == whole


def test_renewal_deleted_before_the_first_fill_has_no_score(cast: Cast) -> None:
    gone, kept = make_renewal(owner=cast.rep), make_renewal(owner=cast.rep, account=make_account(owner=cast.rep))
    services.request_run(reason=Run.Reason.DEMAND, user=None)
    run = services.claim_run(as_of=AS_OF)
    assert run is not None
    for chunk_id in services.prepare_run(run_id=run.pk):
        services.stage_chunk(chunk_id=chunk_id)
    gone.delete()
    assert services.publish_run(run_id=run.pk)
    assert list(RenewalScore.objects.values_list("pk", flat=True)) == [kept.pk]
    assert Run.objects.get(pk=run.pk).changed_count == 1


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_fill_that_fails_leaves_the_table_whole(cast: Cast) -> None:
    before = catalogue()
    make_renewal(owner=cast.rep)
    services.request_run(reason=Run.Reason.DEMAND, user=None)
    run = services.claim_run(as_of=AS_OF)
    assert run is not None
    (chunk_id,) = services.prepare_run(run_id=run.pk)
    services.stage_chunk(chunk_id=chunk_id)
    with connection.cursor() as cursor:
        # A likelihood that no score may have, as bytes that a fault could leave.
        cursor.execute("SELECT octet_length(scores) FROM forecasting_stagedframe")
        assert cursor.fetchone()[0] > 0
        likelihood_at = 1 + 2 + (4 + 8) + (4 + 4) + (4 + 8) + (4 + 2) + (4 + 4) + (4 + 8) + 4
        cursor.execute(
            "UPDATE forecasting_stagedframe SET scores = overlay(scores PLACING '\\x4010' FROM %s FOR 2)",
            [likelihood_at],
        )
    with pytest.raises(Exception, match="renewal_score_probabilities"):
        services.publish_run(run_id=run.pk)
    assert catalogue() == before
    assert not RenewalScore.objects.exists()
    with transaction.atomic():
        take_lock(Lock.SCORES)  # nobody holds it any more


def test_encoded_rows_are_as_long_as_they_say() -> None:
    rows = encode_rows({"a": np.arange(3), "b": np.zeros((3, 2), dtype=np.int16)})
    assert len(rows) == 3 * (2 + 4 + 8 + 4 + 20 + 2 * 6)
