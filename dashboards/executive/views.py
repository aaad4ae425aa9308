"""The executive page, and its mail."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import signed_in
from accounts.forms import posted
from accounts.models import User, get_company
from dashboards.executive.forms import MailForm
from dashboards.executive.page import build_executive
from dashboards.executive.services import ask_for_mail, save_mail
from dashboards.frame import show_dashboard
from dashboards.models import ExecutiveMail, RollUp

PAGE = "dashboards:executive"


@require_GET
def executive(request: HttpRequest) -> HttpResponse:
    return show_dashboard(
        request, PAGE, "Executive", build_executive, is_personal=True, is_of_rows=True,
        template="dashboards/executive/page.html",
        more={"mail": _mail_of(signed_in(request))},
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
def executive_mail(request: HttpRequest) -> HttpResponse:
    """When the reader gets the page by mail; admins see who else does."""
    user = signed_in(request)
    form = MailForm(posted(request), instance=_mail_of(user))
    if form.is_valid():
        saved = save_mail(user=user, now=timezone.now(), **form.cleaned_data)
        said = (
            f"goes to {user.email} next on {saved.next_on:%A, %d %b}, at {saved.hour:02}:00" if saved.is_on else "stops"
        )
        messages.success(request, f"Your mail of this page {said}.")
        return redirect("dashboards:executive_mail")
    company = get_company()
    context = {
        "form": form,
        "mail": _mail_of(user),
        "company": company,
        "everybody": ExecutiveMail.objects.with_people() if user.is_admin else None,
    }
    return render(request, "dashboards/executive/by_mail.html", context, status=422 if form.is_bound else 200)


@require_POST
def send_executive_mail(request: HttpRequest) -> HttpResponse:
    user = signed_in(request)
    ask_for_mail(user=user, now=timezone.now())
    when = "within a minute" if RollUp.objects.exists() else "once the figures of the first recompute are there"
    messages.success(request, f"The page goes to {user.email} {when}.")
    return redirect("dashboards:executive_mail")


def _mail_of(user: User) -> ExecutiveMail | None:
    return ExecutiveMail.objects.select_related("last_mail").filter(user=user).first()
