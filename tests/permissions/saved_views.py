"""Saved views: who opens, keeps, changes and deletes them, of each kind."""

from collections.abc import Callable

from accounts.models import User
from renewals.models import SavedView
from renewals.saved_views.services import keep_view
from tests.cast import Cast
from tests.permissions import Row, everybody, only

Visibility = SavedView.Visibility
OPEN_ONE = "outcome=open"


def view(of: Callable[[Cast], User], visibility: str) -> Callable[[Cast], int]:
    def make(cast: Cast) -> int:
        owner = of(cast)
        found = SavedView.objects.filter(owner=owner, visibility=visibility).first()
        team = owner.team if visibility == Visibility.TEAM else None
        kept = found or keep_view(
            by=owner, name="One", visibility=visibility, team=team, is_default=False, address=OPEN_ONE
        )
        return kept.pk

    return make


PRIVATE = view(lambda cast: cast.rep, Visibility.PRIVATE)
TEAM = view(lambda cast: cast.rep, Visibility.TEAM)
EVERYONE = view(lambda cast: cast.admin, Visibility.EVERYONE)
OF_PRIVATE = only("rep", status=302, denied=404)
# The team sees it; who made it, the team's manager and an admin change it.
OF_TEAM = only("rep", "manager", "admin", status=302, auditor=404, outsider=404, other_manager=404)
OF_EVERYONE = only("admin", status=302)
KINDS = [(PRIVATE, OF_PRIVATE), (TEAM, OF_TEAM), (EVERYONE, OF_EVERYONE)]


def as_page(expect: dict[str, int]) -> dict[str, int]:
    return {role: 200 if status == 302 and role != "anonymous" else status for role, status in expect.items()}


def keep(data: dict[str, str], expect: dict[str, int]) -> Row:
    return Row("saved_views:new", expect, method="post", data={"name": "Two", "address": OPEN_ONE, **data})


ROWS = [
    Row("saved_views:list", everybody(200)),
    Row("saved_views:display", everybody(200)),
    Row("saved_views:subtotals", everybody(204)),
    Row("saved_views:new", everybody(200)),
    keep({"readers": "private"}, everybody(302)),
    keep({"readers": "everyone"}, only("admin", status=302, denied=422)),
    keep({"readers": "team-999999"}, everybody(422)),
    Row("saved_views:save", everybody(405), kwargs={"pk": PRIVATE}),
    Row("saved_views:delete", everybody(405), kwargs={"pk": PRIVATE}),
    Row("saved_views:save", everybody(404), kwargs={"pk": 999_999_999}, method="post"),
    *(
        Row("saved_views:save", expect, kwargs={"pk": pk}, method="post", data={"address": OPEN_ONE, "seen": OPEN_ONE})
        for pk, expect in KINDS
    ),
    *(Row("saved_views:edit", as_page(expect), kwargs={"pk": pk}) for pk, expect in KINDS),
    *(Row("saved_views:delete", expect, kwargs={"pk": pk}, method="post") for pk, expect in KINDS),
]
