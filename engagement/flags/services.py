"""Writes of flags, watchlists and flag rules by people. What the rules write: engagement.flags.evaluate."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction

from accounts.access import may_edit_account
from accounts.models import Account, Team, User, get_company
from config.history import recorded_as
from engagement.flags.measures import read_conditions
from engagement.flags.passes import ask_for_pass
from engagement.models.flags import Flag, FlagRule, Watch
from engagement.tasks.stakes import refresh_flag_stakes

REASON_LENGTH, WATCH_REASON_LENGTH = 1000, 200
NOT_YOURS = (
    "An account is flagged, and cleared, by its owner, by who owns one of its renewals, their manager or an admin."
)
SWITCHED_OFF = "The rule was switched off."


class FlagRefused(ValueError):
    """This cannot be done with a flag or a watchlist; the message says why."""


def flag_account(*, account_id: int, user: User, reason: str) -> Flag:
    """Flag an account by hand, until somebody clears it.

    Raises:
        FlagRefused: no reason, one that is too long, or it is flagged by hand already.
        PermissionDenied: the user does not write to the account.
    """
    if not may_edit_account(user, account_id):
        raise PermissionDenied(NOT_YOURS)
    reason = _read_reason(reason, "Say why the account needs attention.")
    with transaction.atomic(), recorded_as(user_id=user.pk, how="page"):
        Account.objects.select_for_update(no_key=True).get(pk=account_id)
        standing = (
            Flag.objects.open().filter(account=account_id, rule__isnull=True).select_related("flagged_by").first()
        )
        if standing is not None:
            raise FlagRefused(f"{standing.flagged_by} has flagged it already: {standing.reason}")
        flag = Flag.objects.create(account_id=account_id, reason=reason, flagged_by=user)
        refresh_flag_stakes(as_of=get_company().today(), account_ids=[account_id])
    return flag


def clear_flag(*, flag_id: int, user: User, reason: str, now: dt.datetime) -> Flag:
    """Clear a flag, saying why. One by a rule stays cleared until its cause is new (see Flag).

    Raises: FlagRefused where it is cleared already, or without a reason; PermissionDenied.
    """
    reason = _read_reason(reason, "Say why it can be cleared.")
    with transaction.atomic(), recorded_as(user_id=user.pk, how="page"):
        flag = _lock(flag_id, user)
        if flag.cleared_at is not None:
            raise FlagRefused(f"It was cleared on {flag.cleared_at:%d %b %Y}.")
        flag.cleared_at, flag.cleared_by, flag.cleared_reason = now, user, reason
        flag.save(update_fields=["cleared_at", "cleared_by", "cleared_reason"])
    return flag


def reopen_flag(*, flag_id: int, user: User) -> Flag:
    """Take a person's clearing back: the flag stands as before.

    Raises: FlagRefused where no person cleared it, or the account is flagged for the same by now; PermissionDenied.
    """
    with transaction.atomic(), recorded_as(user_id=user.pk, how="undo"):
        flag = _lock(flag_id, user)
        if flag.cleared_by_id is None:
            raise FlagRefused("Only what a person cleared is taken back.")
        if flag.cause_ended_at is not None:
            raise FlagRefused("What it was flagged for is over by now.")
        flag.cleared_at, flag.cleared_by, flag.cleared_reason = None, None, ""
        try:
            with transaction.atomic():
                flag.save(update_fields=["cleared_at", "cleared_by", "cleared_reason"])
        except IntegrityError:
            raise FlagRefused("The account is flagged for the same again already.") from None
        refresh_flag_stakes(as_of=get_company().today(), account_ids=[flag.account_id])
    return flag


def _lock(flag_id: int, user: User) -> Flag:
    flag = Flag.objects.select_for_update(no_key=True).get(pk=flag_id)
    if not may_edit_account(user, flag.account_id):
        raise PermissionDenied(NOT_YOURS)
    return flag


def _read_reason(text: str, missing: str) -> str:
    text = text.replace("\x00", "").replace("\r\n", "\n").strip()
    if not text:
        raise FlagRefused(missing)
    if len(text) > REASON_LENGTH:
        raise FlagRefused(f"A reason has at most {REASON_LENGTH:,} characters, not {len(text):,}.")
    return text


def watch_account(*, account_id: int, user: User, team: Team | None = None, reason: str = "") -> Watch:
    """Put an account on one's own watchlist, or on that of one's team; where it stands there, that is left as it is.

    Raises: PermissionDenied where the user does not see the account, or does not work in the team.
    """
    reason = reason.replace("\x00", "").strip()[:WATCH_REASON_LENGTH]
    if not Account.objects.visible_to(user).filter(pk=account_id).exists():
        raise PermissionDenied("You do not see this account.")
    if team is not None and not may_keep_team_list(user, team):
        raise PermissionDenied("A team's watchlist is kept by those who work in it.")
    key: dict[str, Any] = {"account_id": account_id, "user": None if team else user, "team": team}
    with transaction.atomic(), recorded_as(user_id=user.pk, how="page"):
        watch, _ = Watch.objects.get_or_create(**key, defaults={"reason": reason, "added_by": user})
    return watch


def unwatch_account(*, account_id: int, user: User, team: Team | None = None) -> None:
    """Take it off again; nothing where it does not stand there. Raises: PermissionDenied as watch_account."""
    if team is not None and not may_keep_team_list(user, team):
        raise PermissionDenied("A team's watchlist is kept by those who work in it.")
    with transaction.atomic(), recorded_as(user_id=user.pk, how="page"):
        Watch.objects.filter(account=account_id, user=None if team else user, team=team).delete()


def may_keep_team_list(user: User, team: Team) -> bool:
    return user.is_admin or (user.team_id == team.pk and user.role != User.Role.VIEWER)


def save_rule(*, by: User, rule: FlagRule, now: dt.datetime) -> None:
    """Save a rule; the book is judged by it within seconds. Switched off, what it flagged is cleared at once.

    Raises: InvalidConditions, PermissionDenied.
    """
    if not by.is_admin:
        raise PermissionDenied("An admin makes the rules of flags.")
    rule.conditions = read_conditions(rule.conditions)
    with transaction.atomic(), recorded_as(user_id=by.pk, how="rule"):
        rule.save()
        if not rule.is_active:
            flags = Flag.objects.filter(rule=rule, cause_ended_at__isnull=True)
            flags.open().update(cleared_at=now, cleared_by=by, cleared_reason=SWITCHED_OFF, cause_ended_at=now)
            flags.cleared().update(cause_ended_at=now)
        ask_for_pass()
