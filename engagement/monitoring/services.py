"""The write to the rules of what is unmonitored."""

from __future__ import annotations

from collections.abc import Mapping

from django.core.exceptions import PermissionDenied
from django.db import transaction

from accounts.models import User
from config.history import recorded_as
from engagement.models import MonitoringRule
from engagement.monitoring.unmonitored import Terms


def save_rules(*, by: User, terms: Mapping[int | None, Terms | None]) -> None:
    """Set the days of each segment named, None being all others; a segment that is given None has no own rule."""
    if not by.is_admin:
        raise PermissionDenied("An admin sets when an account is unmonitored.")
    with transaction.atomic(), recorded_as(user_id=by.pk, how="rule"):
        for segment_id, term in terms.items():
            if term is None:
                MonitoringRule.objects.filter(segment=segment_id).delete()
                continue
            rule = MonitoringRule.objects.select_for_update().filter(segment=segment_id).first()
            rule = rule or MonitoringRule(segment_id=segment_id)
            if rule.pk and Terms(rule.due_within_days, rule.silent_days) == term:
                continue
            rule.due_within_days, rule.silent_days = term.due_within_days, term.silent_days
            rule.save()
