"""How a flagged account is marked where renewals are listed (settings.ROW_MARKS names this module)."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache

from django.db import connection
from django.urls import reverse
from django.utils.html import format_html

from accounts.templatetags.look import icon

# Of accounts that are shown: what each is flagged for, the oldest first. One index look-up an account.
FLAGGED = """
SELECT f.account_id, array_agg(coalesce(r.name, f.reason) ORDER BY f.flagged_at, f.id)
FROM engagement_flag f LEFT JOIN engagement_flagrule r ON r.id = f.rule_id
WHERE f.cleared_at IS NULL AND f.account_id = ANY(%s) GROUP BY f.account_id
"""


def account_marks(account_ids: Collection[int]) -> dict[int, str]:
    """Markup by account, of those that are flagged; one query for all of them."""
    with connection.cursor() as cursor:
        cursor.execute(FLAGGED, [sorted(set(account_ids))])
        return {pk: _mark(pk, tuple(reasons)) for pk, reasons in cursor.fetchall()}


@lru_cache(maxsize=4096)
def _mark(account_id: int, reasons: tuple[str, ...]) -> str:
    words = f"Flagged: {'; '.join(reasons)}"
    return format_html(
        '<a class="g-mark p-bad" href="{}#flags" title="{}" tabindex="-1">{}'
        '<span class="visually-hidden">{}</span></a>',
        reverse("account_page:page", args=[account_id]),
        words,
        icon("flag"),
        words,
    )
