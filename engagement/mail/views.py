"""Mail to customers over HTTP: written from a renewal's row, looked at in a list, proposed by the rule of notices."""

from __future__ import annotations

import json
import uuid
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django.views.decorators.vary import vary_on_headers

from accounts.access import signed_in
from accounts.models import Contact, User, get_company
from accounts.touches.reading import contacts_of
from engagement.mail import services
from engagement.mail.fields import Facts, TemplateWrong
from engagement.mail.forms import LetterForm
from engagement.mail.notices import Letter, write_letter
from engagement.mail.outbox import MailRefused
from engagement.mail.reading import VIEWS, count_views, mails_of_renewal, mails_of_view, show
from engagement.mail.sending import try_mail_again
from engagement.mail.services import MailGone, recipients_among, sender_of
from engagement.models import CustomerMail, MailTemplate
from renewals.access import get_editable_renewal, get_visible_renewal, may_edit
from renewals.models import Renewal

INVALID, STALE = 422, 409
SECTION = "mails"
IDS = "mail_%s"  # beside the other forms of the drawer
PAGE_SIZE = 50
GONE = "This notice was sent or dismissed meanwhile."


@require_GET
def mails(request: HttpRequest) -> HttpResponse:
    user = signed_in(request)
    view = request.GET.get("show", "")
    view = view if view in VIEWS else "proposed"
    is_mine = request.GET.get("whose", "mine" if user.role == User.Role.REP else "all") == "mine"
    page = Paginator(mails_of_view(user, view, is_mine=is_mine), PAGE_SIZE).get_page(request.GET.get("page"))
    editable = set(
        Renewal.objects.editable_by(user).filter(pk__in=[mail.renewal_id for mail in page]).values_list("pk", flat=True)
    )
    counts = count_views(user, is_mine=is_mine)
    context = {
        "rows": [show(mail, may_write=mail.renewal_id in editable) for mail in page],
        "editable": editable,
        "page": page,
        "view": view,
        "views": [(code, label, counts[code]) for code, label in VIEWS.items()],
        "is_mine": is_mine,
        "today": get_company().today(),
    }
    return render(request, "mail/list.html", context)


@require_GET
@vary_on_headers("HX-Target")
def of_renewal(request: HttpRequest, renewal_id: int) -> HttpResponse:
    """The mails of a renewal: a part of its drawer, and a page of its own without scripts."""
    return _section(request, get_visible_renewal(signed_in(request), renewal_id))


@require_http_methods(["GET", "POST"])
@vary_on_headers("HX-Target")
def write(request: HttpRequest, renewal_id: int) -> HttpResponse:
    """Choose a template and contacts, edit, look at it, send it. Each step is the same form."""
    user = signed_in(request)
    get_editable_renewal(user, renewal_id)
    rows = Renewal.objects.select_related("account__segment", "contract", "offer", "owner")
    renewal = get_object_or_404(rows, pk=renewal_id)
    contacts = list(contacts_of(renewal.account_id))
    if request.method == "GET":
        return _fill_in(request, renewal, contacts)
    form = LetterForm(request.POST, contacts=contacts, auto_id=IDS)
    if not form.is_valid():
        return _show_form(request, renewal, contacts, form, status=INVALID)
    step = request.POST.get("step", "")
    if step == "send":
        return _send(request, renewal, contacts, form)
    return _show_form(request, renewal, contacts, form, is_preview=step == "preview")


def _fill_in(request: HttpRequest, renewal: Renewal, contacts: list[Contact]) -> HttpResponse:
    """The form with the chosen template's text, for the chosen contacts; or for the champions."""
    user, templates = signed_in(request), list(MailTemplate.objects.filter(is_active=True))
    proposals = CustomerMail.objects.proposed().filter(renewal=renewal)
    proposal = proposals.filter(pk=_number(request.GET.get("proposal")) or 0).first()
    wanted = _number(request.GET.get("template")) or (proposal.template_id if proposal else None)
    template = next((each for each in templates if each.pk == wanted), templates[0] if templates else None)
    able = recipients_among(contacts)
    asked = {_number(pk) for pk in request.GET.getlist("to")}
    chosen = [contact for contact in able if contact.pk in asked]
    chosen = chosen or [contact for contact in able if contact.is_champion] or able[:1]
    company = get_company()
    letter, problem = Letter("", "", ()), ""
    if template:
        try:
            facts = Facts(renewal.account, renewal, chosen, user, company, company.today())
            letter = write_letter(template, facts)
        except TemplateWrong as wrong:
            problem = str(wrong)
    form = LetterForm(
        contacts=contacts,
        auto_id=IDS,
        initial={
            "to": [contact.pk for contact in chosen],
            "subject": letter.subject,
            "text": letter.text,
            "key": uuid.uuid4().hex,
            "template": template.pk if template else None,
            "proposal": proposal.pk if proposal else None,
        },
    )
    blank = ", ".join(letter.blank_fields)
    return _show_form(request, renewal, contacts, form, blank_fields=blank, problem=problem)


def _show_form(
    request: HttpRequest,
    renewal: Renewal,
    contacts: list[Contact],
    form: LetterForm,
    *,
    is_preview: bool = False,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    able = {contact.pk for contact in recipients_among(contacts)}
    user = signed_in(request)
    chosen = set(form.cleaned_data.get("to", ())) if form.is_bound and form.is_valid() else set()
    context = {
        "renewal": renewal,
        "form": form,
        "templates": MailTemplate.objects.filter(is_active=True),
        "template_id": _number(form["template"].value()),
        "proposal_id": _number(form["proposal"].value()),
        "left_out": [contact for contact in contacts if contact.pk not in able],
        "recipients": [contact for contact in contacts if str(contact.pk) in chosen],
        "is_preview": is_preview,
        "sender": sender_of(user),
        "reply_to": user.email,
        **more,
    }
    return render(request, _template(request, "write"), context, status=status)


def _send(request: HttpRequest, renewal: Renewal, contacts: list[Contact], form: LetterForm) -> HttpResponse:
    data = form.cleaned_data
    try:
        mail = services.send_mail_to_customer(
            user=signed_in(request),
            renewal_id=renewal.pk,
            contact_ids=[int(pk) for pk in data["to"]],
            subject=data["subject"],
            text=data["text"],
            key=data["key"],
            template_id=MailTemplate.objects.filter(pk=data["template"]).values_list("pk", flat=True).first(),
            proposal_id=data["proposal"],
            now=timezone.now(),
        )
    except MailRefused as refused:
        form.add_error(refused.field if refused.field in form.fields else None, str(refused))
        return _show_form(request, renewal, contacts, form, status=INVALID)
    except MailGone:
        form.add_error(None, GONE)
        return _show_form(request, renewal, contacts, form, status=STALE)
    return _answer(request, renewal, f"Mail to {', '.join(mail.to)} is queued.", has_touch=True)


@require_POST
def dismiss(request: HttpRequest, pk: int) -> HttpResponse:
    mail = _editable_mail(request, pk)
    try:
        services.dismiss_proposal(user=signed_in(request), mail=mail)
    except MailGone:
        return _answer(request, mail.renewal, GONE, is_error=True)
    return _answer(request, mail.renewal, "The notice is dismissed.")


@require_POST
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    mail = _editable_mail(request, pk)
    try:
        services.cancel_mail(mail=mail)
    except MailGone:
        return _answer(request, mail.renewal, "Too late: the mail is on its way, or was dealt with.", is_error=True)
    return _answer(request, mail.renewal, "The mail is called back. Its touch can be deleted.")


@require_POST
def retry(request: HttpRequest, pk: int) -> HttpResponse:
    mail = _editable_mail(request, pk)
    if not (mail.outgoing_id and try_mail_again(mail_id=mail.outgoing_id, now=timezone.now())):
        return _answer(request, mail.renewal, "There is nothing to try again.", is_error=True)
    return _answer(request, mail.renewal, "The mail is tried again within seconds.")


def _editable_mail(request: HttpRequest, pk: int) -> CustomerMail:
    rows = CustomerMail.objects.visible_to(signed_in(request)).select_related("renewal__account")
    mail = get_object_or_404(rows, pk=pk)
    get_editable_renewal(signed_in(request), mail.renewal_id)
    return mail


def _section(request: HttpRequest, renewal: Renewal) -> HttpResponse:
    user = signed_in(request)
    may_write = may_edit(user, renewal)
    context = {
        "renewal": renewal,
        "shown_mails": mails_of_renewal(renewal.pk, may_write=may_write),
        "may_write": may_write,
    }
    return render(request, _template(request, "section"), context)


def _template(request: HttpRequest, name: str) -> str:
    is_part = request.headers.get("HX-Target") == SECTION
    return f"mail/_{name}.html" if is_part else f"mail/{name}.html"


def _answer(
    request: HttpRequest, renewal: Renewal, text: str, *, is_error: bool = False, has_touch: bool = False
) -> HttpResponse:
    """The section anew where it was asked for, and word to the page around it; otherwise a redirect with a message."""
    if request.headers.get("HX-Target") != SECTION:
        (messages.error if is_error else messages.success)(request, text)
        where = request.POST.get("next", "")
        return redirect("mail:list" if where == "list" else reverse("renewals:row", args=[renewal.pk]))
    response = _section(request, get_visible_renewal(signed_in(request), renewal.pk))
    told: dict[str, Any] = {"toast": {"text": text} | ({"level": "error"} if is_error else {})}
    if has_touch:
        told |= {"mail:sent": {"account": renewal.account_id}, "renewals:changed": {"ids": [renewal.pk]}}
    response.headers["HX-Trigger"] = json.dumps(told)
    return response


def _number(text: Any) -> int | None:
    text = str(text or "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None
