"""Capacity over HTTP: the page with its what-if, and the sum of a week."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET

from accounts.models import User
from dashboards.capacity.forms import WhatIfForm
from dashboards.capacity.page import Picture, build_capacity, draw_picture, hours_of, rows_url
from dashboards.capacity.reads import Line, WhatIf
from dashboards.frame import Frame, _shared, _workbook, content_of, filters_of, keeper_of, read_frame
from forecasting.scopes.scope import Pill, read_pills

PAGE = "dashboards:capacity"
INVALID = 422
NOT_THEN = "Capacity looks ahead from today: it cannot be asked as at a past day."


@dataclass(frozen=True)
class SumRow:
    """A line of the sum of a week: count x hours / weeks / sharers."""

    line: Line
    person: str
    hours: Decimal
    url: str


@require_GET
def capacity(request: HttpRequest) -> HttpResponse:
    frame, form = _read(request)
    is_shown = frame.has_figures and frame.past is None and form.is_valid()
    if request.GET.get("format") == "xlsx":
        whole = replace(frame, is_whole=True)
        return _workbook(frame, build_capacity(draw_picture(whole, _what_if(form))).tiles if is_shown else [])
    # The boxes of the what-if are among the choices of the address that the key has.
    keep = keeper_of(frame, is_personal=_is_rep(frame.user), is_of_rows=True)
    filters = keep("filters", lambda: filters_of(_pills(frame))) if frame.has_figures else None
    content = None
    if is_shown:
        content = keep("content", lambda: content_of(frame, build_capacity(draw_picture(frame, _what_if(form)))))
    context = {**_context(frame, form, content), "filters": filters}
    return render(request, "dashboards/capacity/page.html", context, status=_status(frame, form))


def _read(request: HttpRequest) -> tuple[Frame, WhatIfForm]:
    frame = read_frame(request, PAGE)
    user, scope = frame.user, frame.scope
    if _is_rep(user) and scope.owner is not None and scope.owner != user:
        raise Http404("You see your own capacity, and the average of your team.")
    return frame, WhatIfForm(request.GET)


def _is_rep(user: User) -> bool:
    return user.role == User.Role.REP and not user.sees_all


def _status(frame: Frame, form: WhatIfForm) -> int:
    return INVALID if not form.is_valid() or (frame.problem and frame.asked is None) else 200


def _what_if(form: WhatIfForm) -> WhatIf:
    given = form.cleaned_data
    rate = given["utilisation"]
    return WhatIf(given["people"] or 0, None if rate is None else rate / 100, given["hours"])


def _pills(frame: Frame) -> list[Pill]:
    """A person's hours belong to no segment, and a rep is told of nobody else."""
    hidden = {"Segment", "Owner"} if _is_rep(frame.user) else {"Segment"}
    return [pill for pill in read_pills(frame.user, frame.scope) if pill.label not in hidden]


def _context(frame: Frame, form: WhatIfForm, content: SafeString | None) -> dict[str, Any]:
    scope = frame.scope
    names = form.fields
    return {
        **_shared(frame),
        "title": "Capacity",
        "form": form,
        "content": content,
        "not_then": NOT_THEN if frame.past else "",
        "is_what_if": any(name in scope.kept for name in names),
        "without_url": scope.url(**dict.fromkeys(names)),
        "kept": [(name, value) for name, value in scope.query.items() if name not in names],
    }


@require_GET
def capacity_sum(request: HttpRequest) -> HttpResponse:
    """Every line of a week's work, of all who are shown or of one, which add up to it; and the hours there are."""
    frame, form = _read(request)
    if not frame.has_figures or frame.past is not None or not form.is_valid():
        raise Http404("There is no capacity to take apart.")
    picture = draw_picture(frame, _what_if(form))
    week, people = _week(picture, request.GET.get("week", "")), _people(picture, request.GET.get("person", ""))
    rows = _sum_rows(picture, week, people)
    book = picture.book
    monday = book.mondays[week]
    context = {
        **_shared(frame),
        "who": book.people[people[0]].name if request.GET.get("person") else "Everybody shown",
        "monday": monday,
        "rows": rows,
        "work": hours_of(float(book.load[people, week].sum())),
        "people": [
            (book.people[at].name, int(book.days[at, week]), hours_of(float(book.capacity[at, week]))) for at in people
        ],
        "hours": hours_of(float(book.capacity[people, week].sum())),
        "terms": book.terms,
        "full": hours_of(book.full_week_hours),
        "back_url": frame.scope.url(week=None, person=None),
    }
    return render(request, "dashboards/capacity/sum.html", context)


def _week(picture: Picture, text: str) -> int:
    try:
        return list(picture.book.mondays).index(dt.date.fromisoformat(text))
    except ValueError:
        raise Http404(f"There is no week that begins on {text!r} among those shown.") from None


def _people(picture: Picture, text: str) -> list[int]:
    if not text:
        return list(picture.shown)
    at = int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else -1
    if at not in picture.shown:
        raise Http404(f"There is no person {text!r} among those shown.")
    return [at]


def _sum_rows(picture: Picture, week: int, people: list[int]) -> list[SumRow]:
    """The largest first."""
    chosen = set(people)
    lines = [line for line in picture.book.lines_of(sorted(chosen)) if line.work.first <= week <= line.work.last]
    lines.sort(key=lambda line: -line.work.share)
    return [
        SumRow(
            line,
            picture.book.people[line.work.person].name,
            round(Decimal(line.work.share), 2),
            rows_url(picture, line.work.person, line.due_on, line.segment_id, line.stage_id),
        )
        for line in lines
    ]
