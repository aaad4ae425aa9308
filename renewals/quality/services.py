"""Writes of data quality by a person: a rule that an admin saves, a row that one click mends."""

from __future__ import annotations

import datetime as dt

from django.core.exceptions import PermissionDenied

from accounts.models import User
from renewals.access import NOT_EDITABLE, may_edit
from renewals.forms import CellForm, Editing
from renewals.models import Renewal
from renewals.models.quality import DataRule, RenewalQuality
from renewals.quality.fixes import NoFix, suggest
from renewals.rules.services.change import rule_written
from renewals.scoring import scoring
from renewals.services import Change, update_renewal


class FixRefused(ValueError):
    """The fix was not written; the message says why."""


def save_rule(*, by: User, rule: DataRule) -> int:
    """Save a rule and ask for the recompute that judges the book by it; the id of its run."""
    with rule_written(by):
        rule.save()
        return scoring().request_run(reason="rule", user=by)


def fix_renewal(*, renewal_id: int, rule: DataRule, value: str, seen: str, user: User, as_of: dt.date) -> Change:
    """Write what the rule suggests for this row, as an edit of its cell by this user.

    `value` is the suggestion that the person agreed to, `seen` the cell as they saw it.

    Raises:
        FixRefused: the row no longer breaks the rule, the suggestion is another one by now, or the cell refuses it.
        StaleRenewal: somebody has changed the cell since.
        PermissionDenied: the user may not edit the row.
    """
    renewal = Renewal.objects.select_related("contract", "stage", "owner", "account__owner").get(pk=renewal_id)
    if not may_edit(user, renewal):
        raise PermissionDenied(NOT_EDITABLE)
    if not RenewalQuality.objects.filter(pk=renewal_id, rule_ids__contains=[rule.pk]).exists():
        raise FixRefused(f"{renewal.account} no longer breaks “{rule}”.")
    try:
        suggestion = suggest(rule, renewal, as_of=as_of)
    except NoFix as reason:
        raise FixRefused(str(reason)) from None
    if suggestion.value != value:
        raise FixRefused(f"The suggestion is another one by now: {suggestion.text}.")
    form = CellForm({"value": value, "was": seen}, field=suggestion.field, editing=Editing(user, as_of))
    if not form.is_valid():
        raise FixRefused(form.message)
    return update_renewal(
        renewal_id=renewal_id,
        field=suggestion.field,
        value=form.cleaned_data["value"],
        seen=seen,
        user=user,
        as_of=as_of,
    )
