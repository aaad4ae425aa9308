"""What an open table asks every two seconds. Where nothing changed the answer is empty, and costs one statement."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, JsonResponse
from django.template.loader import render_to_string
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.access import signed_in
from accounts.models import Company, User
from renewals.live.changes import (
    UnreadableVersions,
    Version,
    count_new,
    newest_id,
    read_edits,
    read_present,
    read_versions,
)
from renewals.models import RenewalQuerySet
from renewals.table.columns import Sight
from renewals.table.filters import Query
from renewals.table.matching import read_matching
from renewals.table.rows import load_rows

OWN_PARAMETERS = ("seen", "since")


@require_GET
@never_cache
def changes(request: HttpRequest) -> HttpResponse:
    """`seen`: the rows of the page and their versions; `since`, now and then: the newest id when the page was made, or
    blank to be told; beside them the page's own address, which says its columns and what matches.

    204 where nothing changed. Else `rows`: the changed ones as table rows; `edits`: who changed them and when, but for
    the asker's own doing and for what was only computed anew; `unmatched`: those that the filter no longer lets
    through; `gone`: ids that the user cannot see, which reads the same whether they ever were; `new`: how many newer
    rows match; `since`.
    """
    user = signed_in(request)
    try:
        seen = read_versions(request.GET.get("seen", ""))
    except UnreadableVersions as problem:
        return HttpResponseBadRequest(str(problem))
    since = request.GET.get("since")
    if since and not (since.isascii() and since.isdigit() and len(since) <= 18):
        return HttpResponseBadRequest("since: it is not the id of a row.")
    answer = _changed(request, user, seen)
    if since is not None:
        answer |= _new(request, user, since)
    return JsonResponse(answer) if answer else HttpResponse(status=204)


def _changed(request: HttpRequest, user: User, seen: dict[int, Version]) -> dict[str, Any]:
    present = read_present(user, list(seen))
    gone = [pk for pk in seen if pk not in present]
    changed = [pk for pk, version in present.items() if version != seen[pk]]
    answer: dict[str, Any] = {"gone": gone} if gone else {}
    if changed:
        company, query, matching = _page(request, user)
        edited = {pk: seen[pk] for pk in changed if present[pk].event > seen[pk].event}
        edits = read_edits(user, edited) if edited else {}
        kept = set(matching.filter(pk__in=changed).order_by().values_list("pk", flat=True))
        rows = load_rows(changed, Sight.of(user, company), query.columns)
        answer |= {
            "rows": render_to_string("renewals/_rows.html", {"rows": rows}),
            "edits": {pk: {"by": edit.by, "at": edit.at} for pk, edit in edits.items()},
            "unmatched": [pk for pk in changed if pk not in kept],
        }
    return answer


def _new(request: HttpRequest, user: User, since: str) -> dict[str, Any]:
    if not since:
        return {"since": newest_id()}
    _, _, matching = _page(request, user)
    count = count_new(matching, int(since))
    return {"new": count} if count else {}


def _page(request: HttpRequest, user: User) -> tuple[Company, Query, RenewalQuerySet]:
    """The page's address as the table reads it."""
    params = request.GET.copy()
    for name in OWN_PARAMETERS:
        params.pop(name, None)
    return read_matching(user, params)
