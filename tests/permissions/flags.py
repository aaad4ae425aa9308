"""Flags, their rules, and watchlists. The account that is asked about is the rep's."""

from django.utils import timezone

from engagement.flags.services import clear_flag, flag_account, watch_account
from engagement.models import Flag, FlagRule
from tests.cast import Cast
from tests.permissions import Row, everybody, only
from tests.permissions.touches import account

NOWHERE = {"outsider": 404, "other_manager": 404}
READERS = everybody(200, **NOWHERE)
WRITERS = only("rep", "manager", "admin", status=302, **NOWHERE)
INVALID = WRITERS | {"rep": 422, "manager": 422, "admin": 422}


def flag(cast: Cast) -> int:
    found = Flag.objects.filter(account=account(cast)).first()
    return (found or flag_account(account_id=account(cast), user=cast.rep, reason="Silent")).pk


def cleared_flag(cast: Cast) -> int:
    found = flag(cast)
    clear_flag(flag_id=found, user=cast.rep, reason="Talked", now=timezone.now())
    return found


def watched(cast: Cast) -> int:
    return watch_account(account_id=account(cast), user=cast.rep, team=cast.rep.team).account_id


def team(cast: Cast) -> int:
    assert cast.rep.team_id
    return cast.rep.team_id


def rule(cast: Cast) -> int:
    return FlagRule.objects.get_or_create(name="Ours", conditions={"risk": 60})[0].pk


ASKED = {"name": "New", "risk": "50", "is_active": "on"}
ROWS = [
    Row("flags:list", everybody(200)),
    Row("flags:list", everybody(405), method="post"),
    Row("flags:sums", everybody(200)),
    Row("flags:sums", everybody(405), method="post"),
    Row("flags:cleared", everybody(200)),
    Row("flags:watchlist", everybody(200)),
    Row("flags:watchlist", everybody(405), method="post"),
    Row("flags:section", READERS, kwargs={"account_id": account}),
    Row("flags:section", everybody(404), kwargs={"account_id": 999_999_999}),
    Row("flags:add", WRITERS, kwargs={"account_id": account}, method="post", data={"reason": "<b>Silent</b>"}),
    Row("flags:add", INVALID, kwargs={"account_id": account}, method="post", data={"reason": " "}),
    Row("flags:clear", WRITERS, kwargs={"pk": flag}, method="post", data={"reason": "Talked"}),
    Row("flags:clear", everybody(404), kwargs={"pk": 999_999_999}, method="post", data={"reason": "Talked"}),
    Row("flags:clear", everybody(405), kwargs={"pk": flag}),
    Row("flags:reopen", WRITERS, kwargs={"pk": cleared_flag}, method="post"),
    # Anybody keeps a list of their own of what they see; a team's is kept by those who work in it.
    Row("flags:watch", everybody(302, **NOWHERE), kwargs={"account_id": account}, method="post"),
    Row(
        "flags:watch",
        everybody(302, viewer=403, auditor=403, **NOWHERE),
        kwargs={"account_id": account},
        method="post",
        data={"team": team},
    ),
    Row("flags:unwatch", everybody(302, **NOWHERE), kwargs={"account_id": watched}, method="post"),
    Row(
        "flags:unwatch",
        everybody(302, viewer=403, auditor=403, **NOWHERE),
        kwargs={"account_id": watched},
        method="post",
        data={"team": team},
    ),
    Row("flags:rules", only("admin")),
    Row("flags:new_rule", only("admin")),
    Row("flags:new_rule", only("admin"), method="post", data=ASKED),
    Row("flags:new_rule", only("admin", status=302), method="post", data=ASKED | {"confirm": "yes"}),
    Row("flags:new_rule", only("admin", status=422), method="post", data={"name": "Nothing asked"}),
    Row("flags:edit_rule", only("admin"), kwargs={"pk": rule}),
    Row("flags:edit_rule", only("admin", status=302), kwargs={"pk": rule}, method="post",
        data=ASKED | {"confirm": "yes"}),
    Row("flags:edit_rule", only("admin", denied=403) | {"admin": 404}, kwargs={"pk": 999_999_999}),
]  # fmt: skip
