"""One door to one renewal: 404 for those who may not know of it, 403 for those who may only look."""

from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404

from accounts.models import User
from renewals.models import Renewal


def may_edit(user: User, renewal: Renewal) -> bool:
    match user.role:
        case User.Role.ADMIN:
            return True
        case User.Role.MANAGER:
            return renewal.owner is not None and renewal.owner.team_id == user.team_id
        case User.Role.REP:
            return renewal.owner_id == user.pk
    return False


def get_visible_renewal(user: User, pk: int) -> Renewal:
    return get_object_or_404(Renewal.objects.visible_to(user).select_related("owner"), pk=pk)


def get_editable_renewal(user: User, pk: int) -> Renewal:
    renewal = get_visible_renewal(user, pk)
    if not may_edit(user, renewal):
        raise PermissionDenied(
            "You may look at this renewal; only its owner, the owner's manager or an admin edits it."
        )
    return renewal
