"""The weights page beside what came, on decided renewals whose truth is known."""

import pytest
from django.core.cache import cache
from django.db.models.expressions import RawSQL

from accounts.models import Account, Segment
from forecasting.weighing.judge import judge_weights
from renewals.models import RiskFactor, RiskWeightVersion
from tests.cast import Cast
from tests.forecasting.learning.decided import make_decided


@pytest.fixture(autouse=True)
def no_answers_of_other_tests(db: None) -> None:
    cache.clear()


def spread_ages() -> None:
    """Ages of customers that have nothing to do with what they decide."""
    since = RawSQL("date '2022-06-01' - (id * 7919 %% 1500)::int", ())
    Account.objects.update(customer_since_on=since)


def weigh(**weights: float) -> None:
    keys = RiskFactor.objects.values_list("key", flat=True)
    RiskWeightVersion.objects.create(weights={key: weights.get(key, 0) for key in keys})


def test_weights_that_rank_the_wrong_way_are_mended(cast: Cast) -> None:
    """Usage decides, and the weights look at everything else."""
    make_decided(600, signal=3.0)
    spread_ages()
    weigh(usage_trend=1, contract_age=30)
    found = judge_weights(None)
    assert found.count == 600
    assert found.whole is not None
    assert found.suggested is not None
    assert found.gain is not None
    assert found.standard_error is not None
    assert found.gain > found.standard_error
    assert found.suggested["usage_trend"] > 1
    assert sum(found.suggested.values()) == pytest.approx(31, abs=0.2)
    assert {one.name for one in found.segments} == {"Enterprise", "Small"}
    assert sum(fifth.count for fifth in found.fifths) == 600


def test_weights_of_a_segment_are_judged_on_its_own_rows(cast: Cast) -> None:
    make_decided(300, signal=3.0)
    segment = Segment.objects.get(name="Small")
    weigh(usage_trend=10)
    RiskWeightVersion.objects.create(segment=segment, weights={"usage_trend": 5})
    whole, own = judge_weights(None), judge_weights(segment.pk)
    assert whole.count + own.count == 300
    assert own.whole is not None
    assert own.whole.words == "ranks as outcomes do"


def test_without_history_nothing_is_said_or_suggested(cast: Cast) -> None:
    found = judge_weights(None)
    assert (found.count, found.whole, list(found.segments), list(found.fifths)) == (0, None, [], [])
    assert (found.suggested, found.gain) == (None, None)
    page = cast.client_of("admin").get("/rules/weights/outcomes/").content.decode()
    assert "Too few decided renewals of both outcomes (0 in all)" in page


def test_suggested_weights_are_filled_in_and_saved_only_by_the_admin(cast: Cast) -> None:
    make_decided(600, signal=3.0)
    spread_ages()
    weigh(usage_trend=1, contract_age=30)
    client, before = cast.client_of("admin"), RiskWeightVersion.objects.count()
    part = client.get("/rules/weights/outcomes/").content.decode()
    assert 'href="/rules/weights/?segment=&amp;suggested=1"' in part
    page = client.get("/rules/weights/?segment=&suggested=1")
    suggested = judge_weights(None).suggested
    assert suggested is not None
    assert page.context["form"].initial["usage_trend"] == suggested["usage_trend"]
    content = page.content.decode()
    assert "Suggested weights, beside those in force" in content
    assert '<small class="p-muted">1 → </small>' in content
    assert RiskWeightVersion.objects.count() == before
    data = {key: str(value) for key, value in page.context["form"].initial.items()}
    assert client.post("/rules/weights/", data).status_code == 302
    newest = RiskWeightVersion.objects.order_by("-pk").first()
    assert newest is not None
    assert newest.weights["usage_trend"] == suggested["usage_trend"]
