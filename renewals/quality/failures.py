"""When the book could not be judged by the data rules: how often it was tried after a run, and what was wrong.

Kept in the cache's table until a run is judged, a newer one comes, or a day has gone by.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.core.cache import cache

MOST_ATTEMPTS = 3
KEY = "data-rules-failed"
KEPT_SECONDS = 24 * 3600


@dataclass(frozen=True)
class Failure:
    run_id: int
    attempt_count: int
    reason: str

    @property
    def is_given_up(self) -> bool:
        return self.attempt_count >= MOST_ATTEMPTS


def read_failure() -> Failure | None:
    found: Failure | None = cache.get(KEY)
    return found


def may_try(run_id: int) -> bool:
    """A run of its own, so a recompute, is tried anew."""
    failure = read_failure()
    return failure is None or failure.run_id != run_id or not failure.is_given_up


def note_failure(run_id: int, error: Exception) -> None:
    before = read_failure()
    count = before.attempt_count if before and before.run_id == run_id else 0
    reason = " ".join(str(error).split())[:300] or type(error).__name__
    cache.set(KEY, Failure(run_id, count + 1, reason), KEPT_SECONDS)


def forget_failure() -> None:
    cache.delete(KEY)
