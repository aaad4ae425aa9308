"""The learning curve: whether a renewal takes fewer hours the more of them were done."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.models import User
from dashboards.frame import Frame, _shared, _workbook, content_of, filters_of, keeper_of, pills_of, read_frame
from dashboards.learning_curve.page import build_learning_curve
from forecasting.scopes.scope import Pill

INVALID = 422


@require_GET
def learning_curve(request: HttpRequest) -> HttpResponse:
    """A rep is told of nobody else, and so is not asked whose."""
    frame = read_frame(request, "dashboards:learning_curve")
    user, scope = frame.user, frame.scope
    is_rep = user.role == User.Role.REP and not user.sees_all
    if is_rep and scope.owner is not None and scope.owner != user:
        raise Http404("You see your own learning curve, and that of your team.")
    if request.GET.get("format") == "xlsx":
        return _workbook(frame, build_learning_curve(frame, is_rep=is_rep).tiles if frame.has_figures else [])
    context = {**_shared(frame), "title": "Learning curve"}
    if frame.has_figures:
        keep = keeper_of(frame, is_personal=is_rep, is_of_rows=True)
        context["filters"] = keep("filters", lambda: filters_of(_pills(frame, is_rep=is_rep)))
        context["content"] = keep("content", lambda: content_of(frame, build_learning_curve(frame, is_rep=is_rep)))
    return render(
        request, "dashboards/page.html", context, status=INVALID if frame.problem and not frame.asked else 200
    )


def _pills(frame: Frame, *, is_rep: bool) -> list[Pill]:
    return [pill for pill in pills_of(frame) if not (is_rep and pill.label == "Owner")]
