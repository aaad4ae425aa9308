"""One door to one renewal: 404 for those who may not know of it, 403 for those who may only look."""

from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404

from accounts.models import User
from config.instances import read_instance
from renewals.models import Renewal

NOT_EDITABLE = "You may look at this renewal; only its owner, the owner's manager or an admin edits it."


def may_edit(user: User, renewal: Renewal) -> bool:
    """The same rule as RenewalQuerySet.editable_by, for a row whose owner is at hand."""
    if user.role == User.Role.MANAGER and user.team_id is not None:
        return renewal.owner is not None and renewal.owner.team_id == user.team_id
    return user.is_admin or (user.role == User.Role.REP and renewal.owner_id == user.pk)


def get_visible_renewal(user: User, pk: int) -> Renewal:
    return get_object_or_404(Renewal.objects.visible_to(user).select_related("owner"), pk=pk)


def get_editable_renewal(user: User, pk: int) -> Renewal:
    renewal = get_visible_renewal(user, pk)
    if not may_edit(user, renewal):
        raise PermissionDenied(NOT_EDITABLE)
    return renewal


def lock_editable_renewal(user: User, pk: int) -> Renewal:
    """The row as it is now, locked until the transaction ends; 404 and 403 are decided by that state.

    Read alone: beside a row that was waited for, PostgreSQL puts the owner, stage and offer from before the wait.
    """
    renewal = read_instance(Renewal, "id = %s FOR NO KEY UPDATE", [pk])
    # Whoever may edit a row sees it.
    if renewal is None or not may_edit(user, renewal):
        get_visible_renewal(user, pk)
        raise PermissionDenied(NOT_EDITABLE)
    return renewal
