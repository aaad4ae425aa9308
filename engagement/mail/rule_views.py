"""Templates and the rule of notices: pages for admins."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from accounts.access import admin_required, signed_in
from engagement.mail import services
from engagement.mail.fields import FIELDS
from engagement.mail.forms import NoticeForm, TemplateForm
from engagement.mail.reading import read_outbox
from engagement.models import MailTemplate, NoticeRule

INVALID = 422


@require_GET
@admin_required
def rules(request: HttpRequest) -> HttpResponse:
    return _rules(request, NoticeForm(instance=NoticeRule.objects.get()))


@require_http_methods(["GET", "POST"])
@admin_required
def notices(request: HttpRequest) -> HttpResponse:
    form = NoticeForm(request.POST or None, instance=NoticeRule.objects.get())
    if form.is_valid():
        services.save_notice_rule(user=signed_in(request), rule=form.instance)
        messages.success(request, "The rule of notices is saved.")
        return redirect("mail:rules")
    return _rules(request, form, status=INVALID if form.is_bound else 200)


def _rules(request: HttpRequest, form: NoticeForm, status: int = 200) -> HttpResponse:
    templates = MailTemplate.objects.all()
    context = {"form": form, "templates": templates, "outbox": read_outbox()}
    return render(request, "mail/rules.html", context, status=status)


@require_http_methods(["GET", "POST"])
@admin_required
def new_template(request: HttpRequest) -> HttpResponse:
    return _edit(request, MailTemplate())


@require_http_methods(["GET", "POST"])
@admin_required
def edit_template(request: HttpRequest, pk: int) -> HttpResponse:
    return _edit(request, get_object_or_404(MailTemplate, pk=pk))


def _edit(request: HttpRequest, template: MailTemplate) -> HttpResponse:
    form = TemplateForm(request.POST or None, instance=template)
    if form.is_valid():
        services.save_template(user=signed_in(request), template=form.instance)
        messages.success(request, f"The template {template} is saved.")
        return redirect("mail:rules")
    name = MailTemplate.objects.filter(pk=template.pk).values_list("name", flat=True).first()
    fields = [(code, label) for code, (label, _) in FIELDS.items()]
    context = {"form": form, "name": name or "New template", "fields": fields}
    return render(request, "mail/template.html", context, status=INVALID if form.is_bound else 200)
