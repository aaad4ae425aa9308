"""Timing policies: versions are added and, while they are not in force yet, deleted; never changed."""

from __future__ import annotations

import datetime as dt

from accounts.models import User
from renewals.models import TimingPolicy, TimingPolicyVersion
from renewals.rules.services.change import request_scores, rule_written


class VersionInForce(Exception):
    """Renewals are judged by this version already; only a newer one can take its place."""


def add_timing_version(*, by: User, policy: TimingPolicy, version: TimingPolicyVersion) -> int:
    """Save the version, and its policy where that is new; the id of the recompute.

    Raises:
        IntegrityError: since the form asked, somebody saved this scope, or a version of it from that day.
    """
    with rule_written(by):
        if policy._state.adding:
            policy.save()
        version.policy = policy
        version.created_by = by
        version.save()
        return request_scores(by)


def delete_timing_version(*, by: User, version_id: int, today: dt.date) -> int:
    """Take back a version before its day; its policy goes with it when it was the only one. The id of the recompute."""
    with rule_written(by):
        version = TimingPolicyVersion.objects.select_for_update().select_related("policy").get(pk=version_id)
        if version.effective_from <= today:
            raise VersionInForce(f"This version is in force since {version.effective_from:%d %b %Y}; add a newer one.")
        policy = version.policy
        version.delete()
        if not policy.versions.exists():
            policy.delete()
        return request_scores(by)
