"""Who may do what. Views ask here first: an outsider gets 404, somebody who may look but not change gets 403."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404

from accounts.models import Account, User

View = TypeVar("View", bound=Callable[..., HttpResponseBase])


def signed_in(request: HttpRequest) -> User:
    """The user of a request. LoginRequiredMiddleware has already turned everybody else away."""
    return cast(User, request.user)


def role_required(*roles: str) -> Callable[[View], View]:
    """View decorator: 403 unless the user has one of the roles."""

    def decorate(view: View) -> View:
        @wraps(view)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if signed_in(request).role not in roles:
                raise PermissionDenied("Your role does not include this page.")
            return view(request, *args, **kwargs)

        return cast(View, checked)

    return decorate


admin_required = role_required(User.Role.ADMIN)


def get_visible_account(user: User, pk: int) -> Account:
    rows = Account.objects.visible_to(user).select_related("segment", "industry", "owner__team", "family")
    return get_object_or_404(rows, pk=pk)


def may_edit_account(user: User, account_id: int) -> bool:
    """Whether the user writes touches and people of this account."""
    return user.is_admin or Account.objects.editable_by(user).filter(pk=account_id).exists()


def get_editable_account(user: User, pk: int) -> Account:
    account = get_visible_account(user, pk)
    if not may_edit_account(user, pk):
        raise PermissionDenied("You may look at this account; its owner, the owner's manager or an admin writes there.")
    return account
