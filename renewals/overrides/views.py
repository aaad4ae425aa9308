"""Pin a probability, and take it off: from the drawer, the page of the renewal, and lists that lead here."""

from __future__ import annotations

import json

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from accounts.access import signed_in
from accounts.models import get_company
from renewals.access import get_editable_renewal
from renewals.drawer.views import load_renewal, show
from renewals.models import Override
from renewals.overrides.forms import PinForm
from renewals.overrides.services import NotOpen, StaleOverride, pin_probability, unpin_probability
from renewals.table.columns import DATE


@require_POST
def pin(request: HttpRequest, pk: int) -> HttpResponse:
    user, as_of = signed_in(request), get_company().today()
    get_editable_renewal(user, pk)
    form = PinForm(_posted(request), as_of=as_of)
    if not form.is_valid():
        return show(request, load_renewal(user, pk), status=422, pin_form=form)
    said = form.cleaned_data
    try:
        pinned = pin_probability(
            renewal_id=pk,
            user=user,
            percent=said["percent"],
            reason=said["reason"],
            until_on=said["until_on"],
            seen_id=said["seen"],
            as_of=as_of,
        )
    except StaleOverride as stale:
        return show(request, load_renewal(user, pk), status=409, pin_form=form, pin_conflict=_said(stale.current))
    except NotOpen as refused:
        return show(request, load_renewal(user, pk), status=422, pin_form=form, pin_conflict=str(refused))
    return _answer(request, pk, f"Pinned at {pinned.percent} % until {pinned.until_on:{DATE}}.")


@require_POST
def unpin(request: HttpRequest, pk: int) -> HttpResponse:
    user, as_of = signed_in(request), get_company().today()
    get_editable_renewal(user, pk)
    seen = request.POST.get("seen", "")
    try:
        unpin_probability(
            renewal_id=pk, user=user, seen_id=int(seen) if seen.isdecimal() and len(seen) < 19 else None, as_of=as_of
        )
    except StaleOverride as stale:
        return show(request, load_renewal(user, pk), status=409, pin_conflict=_said(stale.current))
    return _answer(request, pk, "The pin is off; model and rep count again.")


def _posted(request: HttpRequest) -> dict[str, str]:
    return {name: value.replace("\x00", "") for name, value in request.POST.items() if isinstance(value, str)}


def _said(current: Override | None) -> str:
    if current is None:
        return "The pin that you saw is off by now. What stands here is as it is now."
    return (
        f"{current.pinned_by} pinned {current.percent} % until {current.until_on:{DATE}} meanwhile: {current.reason}."
        " Pinning again puts yours in its place."
    )


def _answer(request: HttpRequest, pk: int, text: str) -> HttpResponse:
    if not request.headers.get("HX-Request"):
        messages.success(request, text)
        back = request.POST.get("next", "")
        is_ours = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
        return redirect(back if is_ours else f"{reverse('renewals:row', args=[pk])}#d-chances")
    response = show(request, load_renewal(signed_in(request), pk))
    response.headers["HX-Trigger"] = json.dumps({"toast": {"text": text}, "renewals:changed": {"ids": [pk]}})
    return response
