"""The early-month review as a page; the call is frozen by the page of calls, with its permission."""

from __future__ import annotations

from functools import cache

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET

from accounts.models import User
from dashboards.frame import Frame, _shared, _workbook, filters_of, keeper_of, pills_of, read_frame
from dashboards.review.due import Due, read_due
from dashboards.review.page import build_tiles, build_totals, words
from dashboards.review.said import Said, read_said


@require_GET
def review(request: HttpRequest) -> HttpResponse:
    frame = read_frame(request, "dashboards:review")
    is_now = frame.has_figures and frame.past is None

    @cache
    def read() -> tuple[Due, Said | None]:
        return read_due(frame), read_said(frame.user, frame.scope, frame.company.today())

    if request.GET.get("format") == "xlsx":
        return _workbook(frame, build_tiles(frame, *read()) if is_now else [])
    keep = keeper_of(frame, is_personal=False, is_of_rows=True)
    context = {**_shared(frame), "title": "Early-month review"}
    if frame.has_figures:
        context["filters"] = keep("filters", lambda: filters_of(pills_of(frame)))
    if is_now:
        context |= {
            "head": keep("head", lambda: _head(frame, read()[0])),
            "tiles": keep("tiles", lambda: _tiles(frame, *read())),
            "note": f"Early-month review of {frame.company.today():%B %Y}",
            "may_freeze": frame.user.role in {User.Role.ADMIN, User.Role.MANAGER},
        }
    else:
        context["xlsx_url"] = ""  # there is nothing to export
    status = 422 if frame.problem and frame.asked is None else 200
    return render(request, "dashboards/review.html", context | {"is_now": is_now}, status=status)


def _head(frame: Frame, due: Due) -> SafeString:
    return render_to_string(
        "dashboards/_review_head.html", {"totals": build_totals(frame, due), "words": words(frame, due)}
    )


def _tiles(frame: Frame, due: Due, said: Said | None) -> SafeString:
    return render_to_string("dashboards/_review_tiles.html", {"tiles": build_tiles(frame, due, said), "said": said})
