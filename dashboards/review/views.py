"""The early-month review as a page; the call is frozen by the page of calls, with its permission."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.models import User
from dashboards.frame import _shared, _workbook, read_frame
from dashboards.review.due import read_due
from dashboards.review.page import build_tiles, build_totals, words
from dashboards.review.said import read_said
from forecasting.scope import read_pills


@require_GET
def review(request: HttpRequest) -> HttpResponse:
    frame = read_frame(request, "dashboards:review")
    context = {**_shared(frame), "title": "Early-month review", "pills": read_pills(frame.user, frame.scope)}
    is_now = frame.has_figures and frame.past is None
    if is_now:
        due, said = read_due(frame), read_said(frame.user, frame.scope, frame.company.today())
        tiles = build_tiles(frame, due, said)
        if request.GET.get("format") == "xlsx":
            return _workbook(frame, tiles)
        context |= {
            "totals": build_totals(frame, due),
            "words": words(frame, due),
            "tiles": tiles,
            "note": f"Early-month review of {frame.company.today():%B %Y}",
            "may_freeze": frame.user.role in {User.Role.ADMIN, User.Role.MANAGER},
            "said": said,
        }
    elif request.GET.get("format") == "xlsx":
        return _workbook(frame, [])
    status = 422 if frame.problem and frame.asked is None else 200
    return render(request, "dashboards/review.html", context | {"is_now": is_now}, status=status)
