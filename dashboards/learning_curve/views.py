"""The learning curve: whether a renewal takes fewer hours the more of them were done."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.http import require_GET

from accounts.models import User
from dashboards.frame import _shared, _workbook, read_frame
from dashboards.learning_curve.page import build_learning_curve
from forecasting.scope import read_pills

INVALID = 422


@require_GET
def learning_curve(request: HttpRequest) -> HttpResponse:
    """A rep is told of nobody else, and so is not asked whose."""
    frame = read_frame(request, "dashboards:learning_curve")
    user, scope = frame.user, frame.scope
    is_rep = user.role == User.Role.REP and not user.sees_all
    if is_rep and scope.owner is not None and scope.owner != user:
        raise Http404("You see your own learning curve, and that of your team.")
    made = build_learning_curve(frame, is_rep=is_rep) if frame.has_figures else None
    if request.GET.get("format") == "xlsx":
        return _workbook(frame, made.tiles if made else [])
    pills = [pill for pill in read_pills(user, scope) if not (is_rep and pill.label == "Owner")]
    context = {**_shared(frame), "title": "Learning curve", "pills": pills}
    if made:
        parts = {"totals": made.totals, "words": made.words, "tiles": made.tiles, "frame": frame}
        context["content"] = render_to_string("dashboards/_content.html", parts)
    return render(
        request, "dashboards/page.html", context, status=INVALID if frame.problem and not frame.asked else 200
    )
