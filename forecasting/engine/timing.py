"""When a renewal came, or how long it has been open: its timing class, and the policy version it is judged by.

Source of every rule: docs/domain.md section 3.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

import numpy as np

from forecasting.engine.arrays import NO_DAY, NO_ID, Booleans, Integers, reject_rows

__all__ = [
    "NO_DAY",
    "NO_ID",
    "PolicyScope",
    "PolicyTable",
    "TimingClass",
    "Tolerances",
    "classify",
    "days_between",
    "resolve_policy",
]


class TimingClass(IntEnum):
    """The code is the open class plus 4 once ordered; see `classify`."""

    UPCOMING = 0
    IN_WINDOW = 1
    OVERDUE = 2
    LAPSED = 3
    EARLY = 4
    ON_TIME = 5
    LATE = 6
    WIN_BACK = 7
    LOST = 8

    @property
    def label(self) -> str:
        return self.name.lower()


class PolicyScope(IntEnum):
    """From the most specific to the least."""

    ACCOUNT = 0
    SEGMENT_INDUSTRY = 1
    INDUSTRY = 2
    SEGMENT = 3
    DEFAULT = 4


@dataclass(frozen=True)
class Tolerances:
    """Tolerances of one policy version, in days. Raises ValueError naming the field that is out of range."""

    early_days: int
    grace_days: int
    late_days: int
    is_business: bool = False

    def __post_init__(self) -> None:
        if self.early_days < 0:
            raise ValueError(f"early_days is {self.early_days}: it must be 0 or more")
        if self.grace_days < 0:
            raise ValueError(f"grace_days is {self.grace_days}: it must be 0 or more")
        if self.late_days < self.grace_days:
            raise ValueError(f"late_days is {self.late_days}: it must be at least grace_days ({self.grace_days})")


def days_between(
    due: Integers | int,
    other: Integers | int,
    is_business: Booleans | bool = False,
    holidays: Sequence[int] | Integers = (),
) -> Integers:
    """Signed days from `due` to `other`, int64[n]: calendar days, or business days where `is_business`.

    A business day is Monday to Friday and not a holiday. A date that is not one counts as the next business day,
    at both ends: due on a Saturday and ordered on the Monday after is 0, due on a Friday and ordered on the Saturday
    is 1, because that order is dealt with on Monday. Swapping the dates changes only the sign. It equals
    `numpy.busday_count` between the two dates after `numpy.busday_offset(date, 0, roll="forward")`.
    """
    due, other = np.asarray(due, dtype=np.int64), np.asarray(other, dtype=np.int64)
    days: Integers = other - due
    if not np.any(is_business):
        return days
    weekday_holidays = _weekday_holidays(holidays)
    business = _business_days_before(other, weekday_holidays) - _business_days_before(due, weekday_holidays)
    return np.where(is_business, business, days)


def _weekday_holidays(holidays: Sequence[int] | Integers) -> Integers:
    unique = np.unique(np.asarray(holidays, dtype=np.int64))
    return unique[(unique + 3) % 7 < 5]


def _business_days_before(day: Integers, weekday_holidays: Integers) -> Integers:
    """Business days before `day`, counted from Monday 1969-12-29. Day 0 (1970-01-01) was a Thursday."""
    weeks, weekday = np.divmod(day + 3, 7)
    count: Integers = 5 * weeks + np.minimum(weekday, 5)
    if weekday_holidays.size:
        count -= np.searchsorted(weekday_holidays, day, side="left")
    return count


def classify(
    due: Integers,
    ordered: Integers,
    is_lost: Booleans,
    today: int,
    early_days: Integers | int,
    grace_days: Integers | int,
    late_days: Integers | int,
    is_business: Booleans | bool = False,
    holidays: Sequence[int] | Integers = (),
) -> tuple[Integers, Integers]:
    """Timing class of each renewal and the days it was judged by.

    With E, G, L the early, grace and late days of the policy, and d = ordered - due, or today - due while open:

        ordered: early d < -E, on_time -E <= d <= G, late G < d <= L, win_back d > L
        open:    upcoming,     in_window,            overdue,         lapsed, by the same bounds
        lost:    whatever its dates

    Returns (codes int8[n] of `TimingClass`, days int32[n]: d in the policy's kind of days, also for a lost renewal).
    The tolerances are taken as valid (see `Tolerances`). Raises ValueError naming the row of a missing due day.
    """
    due, ordered = np.asarray(due), np.asarray(ordered)
    reject_rows(due == NO_DAY, "due", due, "is missing: every renewal needs a due day")
    is_ordered = ordered != NO_DAY
    days = days_between(due, np.where(is_ordered, ordered, today), is_business, holidays)
    codes = (days >= -np.asarray(early_days)).astype(np.int8)
    codes += days > grace_days
    codes += days > late_days
    codes += 4 * is_ordered.view(np.int8)
    codes[np.asarray(is_lost, dtype=bool)] = TimingClass.LOST
    return codes, days.astype(np.int32)


@dataclass(frozen=True, eq=False)
class PolicyTable:
    """Every version of every timing policy: m entries in any order.

    An id that the scope does not use is `NO_ID`. Raises ValueError naming entry, field and value when a version's
    tolerances are invalid, an id that its scope needs is missing, a scope has two versions from the same day, or
    no default policy is there.
    """

    scope: Integers
    account_ids: Integers
    segment_ids: Integers
    industry_ids: Integers
    effective_from: Integers
    early_days: Integers
    grace_days: Integers
    late_days: Integers
    is_business: Booleans

    def __post_init__(self) -> None:
        for name in self.__dataclass_fields__:
            dtype = np.bool_ if name == "is_business" else np.int64
            object.__setattr__(self, name, np.asarray(getattr(self, name), dtype=dtype))
        late_reason = "is below grace_days"
        _reject_entries(self.early_days < 0, "early_days", self.early_days, "is below 0")
        _reject_entries(self.grace_days < 0, "grace_days", self.grace_days, "is below 0")
        _reject_entries(self.late_days < self.grace_days, "late_days", self.late_days, late_reason)
        if not (self.scope == PolicyScope.DEFAULT).any():
            raise ValueError("timing policies: there is no default policy")
        for scope in PolicyScope:
            for name in _key_names(scope):
                ids = getattr(self, name)
                _reject_entries((self.scope == scope) & (ids < 0), name, ids, f"is missing in a {scope.name} policy")

    @cached_property
    def scopes(self) -> "list[_ScopeVersions]":
        """The versions of each scope in use, sorted for look-up, the least specific first."""
        return [_ScopeVersions(self, scope) for scope in reversed(PolicyScope) if (self.scope == scope).any()]


def _reject_entries(is_bad: Booleans, field: str, values: Integers, reason: str) -> None:
    if is_bad.any():
        entry = int(np.argmax(is_bad))
        raise ValueError(f"timing policy {entry}: {field} {values[entry]} {reason}")


def _key_names(scope: PolicyScope) -> tuple[str, ...]:
    match scope:
        case PolicyScope.ACCOUNT:
            return ("account_ids",)
        case PolicyScope.SEGMENT_INDUSTRY:
            return ("segment_ids", "industry_ids")
        case PolicyScope.INDUSTRY:
            return ("industry_ids",)
        case PolicyScope.SEGMENT:
            return ("segment_ids",)
        case PolicyScope.DEFAULT:
            return ()


class _ScopeVersions:
    """Versions of one scope, sorted by (key, effective_from).

    A key is one number for the ids the scope is found by; key and day are joined into one sortable number, so that one
    binary search finds the last version of that key that is in force on a day.
    """

    def __init__(self, policies: PolicyTable, scope: PolicyScope) -> None:
        entries = np.flatnonzero(policies.scope == scope)
        self.key_names = _key_names(scope)
        self.known_ids = [np.unique(getattr(policies, name)[entries]) for name in self.key_names]
        starts = policies.effective_from[entries]
        self.first_day, self.span = int(starts.min()), int(starts.max() - starts.min()) + 1
        keys = self._keys([getattr(policies, name)[entries] for name in self.key_names], entries.size)
        joined = keys * self.span + (starts - self.first_day)
        order = np.argsort(joined, kind="stable")
        self.joined, self.keys, self.entries = joined[order], keys[order], entries[order].astype(np.int32)
        repeats = np.flatnonzero(self.joined[1:] == self.joined[:-1])
        if repeats.size:
            first, second = sorted((int(self.entries[repeats[0]]), int(self.entries[repeats[0] + 1])))
            day = policies.effective_from[second]
            raise ValueError(f"timing policy {second}: effective_from {day} is taken by policy {first} already")

    def _keys(self, ids: Sequence[Integers], n: int) -> Integers:
        """Position of each row's ids among the known ones; -1 where no policy names them."""
        keys = np.zeros(n, dtype=np.int64)
        for known, values in zip(self.known_ids, ids, strict=True):
            place = np.minimum(np.searchsorted(known, values), known.size - 1)
            keys = np.where((known[place] == values) & (keys >= 0), keys * known.size + place, -1)
        return keys

    def find(self, ids: Sequence[Integers], due: Integers) -> tuple[Integers, Booleans]:
        """(entry of the version in force, whether there is one) for each row."""
        keys = self._keys(ids, due.size)
        offset = np.clip(due - self.first_day, -1, self.span - 1)
        place = np.searchsorted(self.joined, keys * self.span + offset, side="right") - 1
        is_found = (place >= 0) & (keys >= 0)
        place = np.maximum(place, 0)
        is_found &= self.keys[place] == keys
        return self.entries[place], is_found


def resolve_policy(
    policies: PolicyTable,
    *,
    account_ids: Integers,
    segment_ids: Integers,
    industry_ids: Integers,
    due: Integers,
) -> Integers:
    """Index int32[n] into `policies` of the version each renewal is judged by.

    The version in force on the due day of the most specific policy that has one: account, then segment and industry,
    industry, segment, default. A policy with no version in force yet on that day is passed over. A due day before
    the first default version is judged by that first version, so that every renewal has a class.
    """
    due = np.asarray(due, dtype=np.int64)
    ids = {"account_ids": account_ids, "segment_ids": segment_ids, "industry_ids": industry_ids}
    found: Integers = np.empty(due.size, dtype=np.int32)
    for versions in policies.scopes:
        entries, is_found = versions.find([np.asarray(ids[name]) for name in versions.key_names], due)
        # The default comes first and is taken as it is: its first version also judges the days before it.
        found = np.where(is_found, entries, found) if versions.key_names else entries
    return found
