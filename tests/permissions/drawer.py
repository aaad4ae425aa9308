"""One renewal as a page and as a form, its notes, and the list of those one was called to."""

from accounts.models import get_company
from renewals.drawer.notes import write_note
from renewals.models import Note, Renewal
from tests.cast import Cast
from tests.permissions import Row, Value, everybody, only
from tests.permissions.table import EDITORS, INVALID, READERS, STALE, renewal

WRITERS = everybody(302, viewer=403, auditor=403, outsider=404, other_manager=404)
PLAIN = {role: 302 if status == 200 else status for role, status in EDITORS.items()}


def note(cast: Cast) -> int:
    """One of the rep's, on the rep's renewal."""
    found = (
        Note.objects.first()
        or write_note(renewal=Renewal.objects.get(pk=renewal(cast)), author=cast.rep, text="Called Ana").note
    )
    return found.pk


def save(data: dict[str, str], expect: dict[str, int]) -> Row:
    return Row("drawer:save", expect, kwargs={"pk": renewal}, method="post", data=data)


def today(cast: Cast) -> str:
    return str(get_company().today())


def pin(data: dict[str, Value], expect: dict[str, int]) -> Row:
    return Row("drawer:pin", expect, kwargs={"pk": renewal}, method="post", data=data)


ROWS = [
    Row("drawer:detail", READERS, kwargs={"pk": renewal}),
    Row("drawer:detail", everybody(404), kwargs={"pk": 999_999_999}),
    Row("drawer:save", everybody(405), kwargs={"pk": renewal}),
    save({"confidence": "70", "was-confidence": "40"}, PLAIN),
    save({"confidence": "abc", "was-confidence": "40"}, INVALID),
    save({"confidence": "70", "was-confidence": "39"}, STALE),
    pin({"percent": "30", "until_on": today, "reason": "No"}, PLAIN),
    pin({"percent": "130"}, INVALID),
    pin({"percent": "30", "until_on": today, "reason": "No", "seen": "7"}, STALE),
    Row("drawer:pin", everybody(405), kwargs={"pk": renewal}),
    Row("drawer:unpin", STALE, kwargs={"pk": renewal}, method="post", data={"seen": "7"}),
    Row("drawer:unpin", everybody(405), kwargs={"pk": renewal}),
    Row("drawer:options", everybody(200), kwargs={"field": "owner"}),
    Row("drawer:options", everybody(404), kwargs={"field": "stage"}),
    Row("drawer:add_note", WRITERS, kwargs={"pk": renewal}, method="post", data={"text": "Called Ana"}),
    Row("drawer:add_note", everybody(405), kwargs={"pk": renewal}),
    Row("notes:list", everybody(200)),
    Row("notes:unread", everybody(200)),
    Row("notes:read", everybody(302), method="post"),
    Row("notes:edit", only("rep", status=302, outsider=404, other_manager=404), kwargs={"pk": note}, method="post",
        data={"text": "Called Bea"}),
    Row("notes:delete", only("rep", "admin", status=302, outsider=404, other_manager=404), kwargs={"pk": note},
        method="post"),
]  # fmt: skip
