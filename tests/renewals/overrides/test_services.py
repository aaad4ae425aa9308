"""A pinned probability: counted, and let go of, by edits and runs alike."""

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404

from forecasting import services as forecasting
from forecasting.as_at.book import score_at
from renewals.models import Override, Renewal, RenewalScore
from renewals.overrides.services import NotOpen, StaleOverride, end_expired, pin_probability, unpin_probability
from tests.cast import Cast, make_renewal
from tests.forecasting.forecast_book import AS_OF, recompute

UNTIL = dt.date(2026, 12, 15)


@pytest.fixture
def renewal(cast: Cast) -> Renewal:
    """Of the rep, who says 80 %; the likelihood without history is the prior of 85 %."""
    made = make_renewal(owner=cast.rep, confidence=80)
    recompute()
    return made


def pin(cast: Cast, renewal: Renewal, percent: int = 30, until_on: dt.date = UNTIL, **fields: object) -> Override:
    given = {"user": cast.rep, "reason": "The buyer left", "seen_id": None, "as_of": AS_OF, **fields}
    return pin_probability(renewal_id=renewal.pk, percent=percent, until_on=until_on, **given)  # type: ignore[arg-type]


def chances(renewal: Renewal) -> tuple[float, float]:
    score = RenewalScore.objects.get(pk=renewal.pk)
    return score.likelihood, score.probability


def test_pin_replaces_the_probability_and_leaves_the_likelihood(cast: Cast, renewal: Renewal) -> None:
    before = chances(renewal)
    pinned = pin(cast, renewal)
    assert chances(renewal) == (before[0], 0.30)
    assert (pinned.likelihood_then, pinned.joined_then, pinned.confidence_then) == (*before, 80)
    recompute()
    assert chances(renewal) == (before[0], 0.30)
    unpin_probability(renewal_id=renewal.pk, user=cast.manager, seen_id=pinned.pk, as_of=AS_OF)
    assert chances(renewal) == before
    pinned.refresh_from_db()
    assert pinned.ended_by == cast.manager


@pytest.mark.parametrize("few", [50, 0])
def test_edit_and_run_count_a_pin_alike(
    cast: Cast, renewal: Renewal, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = make_renewal(owner=cast.rep, account=renewal.account, confidence=50)
    pin(cast, renewal, percent=7)
    monkeypatch.setattr("forecasting.services.scores.FEW", few)
    forecasting.score_renewals(renewal_ids=[renewal.pk, other.pk], as_of=AS_OF)
    edited = chances(renewal), chances(other)
    assert edited[0][1] == 0.07
    assert edited[1][1] != 0.07
    recompute()
    assert (chances(renewal), chances(other)) == edited


def test_pin_falls_away_after_its_last_day(cast: Cast, renewal: Renewal) -> None:
    before = chances(renewal)
    pinned = pin(cast, renewal, until_on=AS_OF)
    assert end_expired(as_of=AS_OF) == 0
    recompute(AS_OF + dt.timedelta(days=1))
    assert chances(renewal)[1] == pytest.approx(before[1])
    assert end_expired(as_of=AS_OF + dt.timedelta(days=1)) == 1
    assert end_expired(as_of=AS_OF + dt.timedelta(days=1)) == 0
    pinned.refresh_from_db()
    assert (pinned.ended_at is not None, pinned.ended_by) == (True, None)


def test_expired_pin_leaves_the_score_at_once_without_a_run(cast: Cast, renewal: Renewal) -> None:
    before = chances(renewal)
    pin(cast, renewal, until_on=AS_OF)
    assert end_expired(as_of=AS_OF + dt.timedelta(days=1)) == 1
    assert chances(renewal) == before


def test_decided_renewal_is_what_came_whatever_is_pinned(cast: Cast, renewal: Renewal) -> None:
    pin(cast, renewal)
    Renewal.objects.filter(pk=renewal.pk).update(outcome="renewed", ordered_on=AS_OF, final_amount=12_000)
    recompute()
    assert chances(renewal) == (1.0, 1.0)


def test_a_new_pin_ends_the_one_that_was_seen(cast: Cast, renewal: Renewal) -> None:
    joined = chances(renewal)[1]
    first = pin(cast, renewal)
    second = pin(cast, renewal, percent=60, seen_id=first.pk)
    assert chances(renewal)[1] == 0.60
    assert second.joined_then == joined
    assert [one.pk for one in Override.objects.standing(AS_OF)] == [second.pk]


def test_a_pin_that_was_not_seen_is_not_replaced(cast: Cast, renewal: Renewal) -> None:
    first = pin(cast, renewal)
    with pytest.raises(StaleOverride) as stale:
        pin(cast, renewal, percent=99)
    assert stale.value.current == first
    with pytest.raises(StaleOverride):
        unpin_probability(renewal_id=renewal.pk, user=cast.rep, seen_id=None, as_of=AS_OF)
    assert Override.objects.count() == 1
    assert chances(renewal)[1] == 0.30


def test_only_who_may_edit_the_row_pins_on_it(cast: Cast, renewal: Renewal) -> None:
    before = chances(renewal)
    for user in (cast.team_mate, cast.viewer, cast.auditor):
        with pytest.raises(PermissionDenied):
            pin(cast, renewal, user=user)
    with pytest.raises(Http404):
        pin(cast, renewal, user=cast.outsider)
    assert (Override.objects.count(), chances(renewal)) == (0, before)


def test_nothing_is_pinned_on_what_is_no_longer_open(cast: Cast) -> None:
    lost = make_renewal(owner=cast.rep, outcome="lost", declined_on=AS_OF, final_amount=0)
    lapsed = make_renewal(owner=cast.rep, due_on=dt.date(2026, 1, 31))
    recompute()
    for one, word in ((lost, "decided"), (lapsed, "lapsed")):
        with pytest.raises(NotOpen, match=word):
            pin(cast, one)


def test_book_as_at_a_moment_has_the_pins_of_that_moment(cast: Cast, renewal: Renewal) -> None:
    pinned = pin(cast, renewal)
    unpin_probability(renewal_id=renewal.pk, user=cast.rep, seen_id=pinned.pk, as_of=AS_OF)
    pinned.refresh_from_db()
    assert pinned.ended_at is not None
    moments = (pinned.pinned_at - dt.timedelta(microseconds=1), pinned.pinned_at, pinned.ended_at)
    found = [float(score_at(moment).scores["probability"][0]) for moment in moments]
    assert found[1] == 0.30
    assert found[0] == found[2] != 0.30
