"""Who may do what. Views ask here first: an outsider gets 404, somebody who may look but not change gets 403."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from accounts.models import User

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
