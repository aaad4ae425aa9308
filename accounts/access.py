"""Who may do what. Views ask here first: an outsider gets 404, somebody who may look but not change gets 403."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from accounts.models import User

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


def signed_in(request: HttpRequest) -> User:
    """The user of a request. LoginRequiredMiddleware has already turned everybody else away."""
    return cast(User, request.user)


def role_required(*roles: str) -> Callable[[View[P]], View[P]]:
    """View decorator: 403 unless the user has one of the roles."""

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def checked(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            if signed_in(request).role not in roles:
                raise PermissionDenied("Your role does not include this page.")
            return view(request, *args, **kwargs)

        return checked

    return decorate


admin_required = role_required(User.Role.ADMIN)
