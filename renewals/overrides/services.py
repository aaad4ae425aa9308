"""Pin a probability on a renewal, take it off again, and let go of those whose last day is over.

Whoever may edit the row may pin on it. The row is scored anew in the same transaction, by the steps of a recompute.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from config.history import recorded_as
from renewals.access import lock_editable_renewal
from renewals.models import Override, Renewal, RenewalScore, TimingClass
from renewals.scoring import scoring


class NotOpen(ValueError):
    """The renewal is decided, or has lapsed: what it counts as is no longer a matter of judgement."""


class StaleOverride(Exception):
    """Somebody pinned, or took off, a probability since the page was read. `current` is what stands now."""

    def __init__(self, current: Override | None) -> None:
        super().__init__("Somebody changed the pinned probability meanwhile.")
        self.current = current


def pin_probability(
    *, renewal_id: int, user: User, percent: int, reason: str, until_on: dt.date, seen_id: int | None, as_of: dt.date
) -> Override:
    """A pin in the place of the one that was seen (None: of none).

    Raises:
        StaleOverride: another one stands than was seen.
        NotOpen: the renewal is decided or has lapsed.
    """
    with transaction.atomic(), recorded_as(user_id=user.pk, how="page"):
        renewal = lock_editable_renewal(user, renewal_id)
        score = RenewalScore.objects.filter(pk=renewal.pk).first()
        if renewal.outcome != Renewal.Outcome.OPEN:
            raise NotOpen("This renewal is decided; a probability is pinned on open ones.")
        if score is not None and score.timing_class == TimingClass.LAPSED:
            raise NotOpen("This renewal has lapsed and counts as lost until it is revived; nothing is pinned on it.")
        current = _standing(renewal.pk, seen_id, as_of)
        if current is not None:
            _end(current, user)
        pinned = Override.objects.create(
            renewal=renewal,
            percent=percent,
            reason=reason,
            until_on=until_on,
            pinned_by=user,
            likelihood_then=score.likelihood if score else None,
            # Under a pin the joined one is not known; it was when the first of the chain was made.
            joined_then=current.joined_then if current else score.probability if score else None,
            confidence_then=renewal.confidence,
        )
        scoring().score_renewals([renewal.pk], as_of=as_of)
    return pinned


def unpin_probability(*, renewal_id: int, user: User, seen_id: int | None, as_of: dt.date) -> None:
    """Take off the pin that was seen. StaleOverride where another one stands, or none."""
    with transaction.atomic(), recorded_as(user_id=user.pk, how="page"):
        renewal = lock_editable_renewal(user, renewal_id)
        current = _standing(renewal.pk, seen_id, as_of)
        if current is None:
            raise StaleOverride(None)
        _end(current, user)
        scoring().score_renewals([renewal.pk], as_of=as_of)


def end_expired(*, as_of: dt.date) -> int:
    """Let go of the pins whose last day is over, and score their rows without; how many. Run by beat."""
    with transaction.atomic(), recorded_as(user_id=None, how="job"):
        expired = Override.objects.filter(ended_at__isnull=True, until_on__lt=as_of)
        found = list(expired.select_for_update(skip_locked=True))
        if found:
            Override.objects.filter(pk__in=[one.pk for one in found]).update(ended_at=timezone.now())
            scoring().score_renewals([one.renewal_id for one in found], as_of=as_of)
    return len(found)


def _standing(renewal_id: int, seen_id: int | None, as_of: dt.date) -> Override | None:
    """The pin of a locked renewal, which is the one that was seen. One that is over does not count as seen, nor stands:
    it is ended here, where beat has not done so yet."""
    current = Override.objects.filter(renewal=renewal_id, ended_at__isnull=True).select_for_update().first()
    if current is not None and current.until_on < as_of:
        _end(current, None)
        current = None
    if (current.pk if current else None) != seen_id:
        raise StaleOverride(current)
    return current


def _end(override: Override, user: User | None) -> None:
    override.ended_at, override.ended_by = timezone.now(), user
    override.save(update_fields=["ended_at", "ended_by"])
