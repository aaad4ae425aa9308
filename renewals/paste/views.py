"""A block of cells over HTTP: JSON with the rows as they are now, what could not be taken, and what to ask."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts.access import signed_in
from accounts.models import User, get_company
from renewals.bulk.services import AT_ONCE
from renewals.models import Renewal
from renewals.paste.judge import CONFLICT, GONE, LOCKED, OUTSIDE, ROW, Finding
from renewals.paste.request import Paste, PasteUnreadable, read_paste
from renewals.paste.services import Pasted, paste_cells
from renewals.paste.words import group_findings, told
from renewals.table.columns import Sight, read_columns
from renewals.table.rows import load_rows

LOOK_ONLY = "You may look, not change. Nothing was saved."


@require_POST
def paste(request: HttpRequest) -> HttpResponse:
    """`paste`: see read_paste. 200: written, or by a job; `rows`, `toast`, and the `findings` that were left out.

    Nothing is written, and `panel` asks what to do, with 422: cells that cannot be taken; 409: only such that somebody
    else was faster in; 403: nothing of it may be changed; 404: nothing of it may be seen. 400: it is no paste.
    """
    user = signed_in(request)
    try:
        asked = read_paste(request.POST.get("paste", ""))
    except PasteUnreadable as problem:
        return _refused(f"{problem} Nothing was saved.", 400)
    company = get_company()
    if user.role == User.Role.VIEWER:
        is_seen = Renewal.objects.visible_to(user).filter(pk__in=asked.rows).exists()
        return _refused(LOOK_ONLY, 403 if is_seen else 404)
    with timezone.override(company.time_zone):
        pasted = paste_cells(paste=asked, user=user, as_of=company.today())
        answer: dict[str, Any] = {"findings": [_finding(one) for one in pasted.findings]}
        if pasted.findings and not asked.is_partial:
            return JsonResponse(answer | {"panel": _panel(asked, pasted)}, status=_status(pasted))
        if pasted.edit:
            return JsonResponse(
                answer | {"panel": render_to_string("paste/_job.html", {"edit": pasted.edit, "at_once": AT_ONCE})}
            )
        columns, _ = read_columns([request.headers.get("X-Columns", "")])
        seen = Renewal.objects.visible_to(user).filter(pk__in=asked.rows).values_list("pk", flat=True)
        rows = load_rows(list(seen), Sight.of(user, company), columns)
        answer |= {"rows": render_to_string("renewals/_rows.html", {"rows": rows}), "toast": _toast(asked, pasted)}
    return JsonResponse(answer)


def _refused(text: str, status: int) -> JsonResponse:
    return JsonResponse({"toast": {"text": text, "level": "error"}, "findings": []}, status=status)


def _status(pasted: Pasted) -> int:
    if not pasted.is_anything_visible:
        return 404
    kinds = {finding.kind for finding in pasted.findings}
    if kinds == {CONFLICT}:
        return 409
    # Not a cell is left that this person could write: the rows are not theirs.
    return 403 if ROW in kinds and kinds <= {ROW, GONE, LOCKED, OUTSIDE} and not pasted.rows else 422


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "kind": finding.kind,
        "line": finding.line,
        "place": finding.place,
        "id": finding.renewal_id,
        "field": finding.field,
        "message": finding.message,
        "typed": finding.typed,
        "theirs_value": finding.theirs_value,
    }


def _panel(asked: Paste, pasted: Pasted) -> str:
    context = {
        "groups": group_findings(pasted.findings),
        "count": len(pasted.findings),
        "valid_count": pasted.cell_count,
        "conflict_count": pasted.conflict_count,
        "is_only_conflicts": pasted.conflict_count == len(pasted.findings),
    }
    return render_to_string("paste/_findings.html", context)


def _toast(asked: Paste, pasted: Pasted) -> dict[str, str]:
    left = f"; {len(pasted.findings):,} left as they were" if pasted.findings else ""
    if pasted.batch_id is None:
        return {"text": f"Nothing changed: every cell is so already{left}"}
    undo_url = reverse("history:undo", args=[pasted.batch_id])
    return {"text": told(asked, pasted.cell_count, pasted.rows) + left, "undoUrl": undo_url}
