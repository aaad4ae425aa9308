"""Which rows disagree, and which are pinned, as the central table's address asks for them."""

from django.http import QueryDict

from forecasting.engine.probability import STRONG_DISAGREEMENT
from renewals.models import Renewal, RenewalScore
from renewals.overrides.filters import STRONG_POINTS, disagreeing
from renewals.overrides.services import pin_probability
from renewals.table.filter_kinds import Reader
from renewals.table.filters import read_query
from tests.cast import Cast, make_renewal
from tests.forecasting.forecast_book import AS_OF, recompute


def test_strong_is_what_the_engine_calls_strong() -> None:
    assert STRONG_POINTS / 100 == STRONG_DISAGREEMENT


def test_rows_disagree_from_the_bound_on(cast: Cast) -> None:
    said = (41, 40, 39, None, 100, 99)
    rows = [make_renewal(owner=cast.rep, confidence=confidence) for confidence in said]
    decided = make_renewal(owner=cast.rep, confidence=1, outcome="renewed", ordered_on=AS_OF, final_amount=1)
    recompute()
    RenewalScore.objects.filter(renewal__outcome="open").update(likelihood=0.70)

    def found(query: str) -> set[int | None]:
        read = read_query(QueryDict(query), Reader(cast.rep, AS_OF))
        assert read.problems == []
        return set(read.apply(Renewal.objects.all()).values_list("confidence", flat=True))

    assert found("disagreement=lower") == {40, 39}
    assert found("disagreement=higher") == {100}
    assert found("disagreement=lower&disagreement=higher") == {40, 39, 100}
    assert decided.pk not in Renewal.objects.filter(disagreeing(points=1)).values_list("pk", flat=True)
    assert found("outcome=all") == {*said, 1}
    pin_probability(
        renewal_id=rows[0].pk, user=cast.rep, percent=5, reason="No", until_on=AS_OF, seen_id=None, as_of=AS_OF
    )
    assert found("pinned=yes") == {41}


def test_a_filter_that_is_not_known_is_said(cast: Cast) -> None:
    reader = Reader(cast.rep, AS_OF)
    assert read_query(QueryDict("pinned=no"), reader).problems == ["Pinned: “no” is not yes."]
    assert read_query(QueryDict("disagreement=x"), reader).problems == [
        "Rep against model: “x” is not one of higher, lower."
    ]
