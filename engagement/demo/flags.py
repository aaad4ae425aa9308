"""Flags of the demo company by its rules, some by hand and some cleared, watchlists, and what people have to do.

Who is flagged and watched by hand is drawn by ids: the same book has the same.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.db.models import Exists, OuterRef
from django.utils import timezone

from accounts.models import Account, Team, User, get_company
from engagement.flags.passes import ask_for_pass, judge_accounts
from engagement.flags.services import clear_flag, flag_account, watch_account
from engagement.models import Flag, Task, Watch
from engagement.tasks.services import NewTask, create_tasks, finish_tasks, snooze_tasks
from renewals.models import Renewal

HAND_REASONS: Final = (
    "Their new head of IT asked what else is on the market",
    "Merger announced: nobody knows yet who decides",
    "Asked for a termination clause twice this month",
)
CLEARED_REASONS: Final = (
    "Talked to the sponsor: the tender is with another department",
    "The open ticket is a request for training",
    "Paid by another entity of the group; billing confirmed",
)
TITLES: Final = (
    ("Call about the renewal", 30, ""),
    ("Send the proposal", 45, ""),
    ("Agree on who signs", 30, "Name of who signs"),
    ("Prepare the review of the year", 90, ""),
    ("Clear the open ticket with support", 20, ""),
    ("Ask billing about the late invoice", 15, "When it will be paid"),
)
TASKS, WATCHED, CLEARED = 260, 6, 9


def fill_flags() -> None:
    """Nothing where somebody is flagged already."""
    if Flag.objects.exists():
        return
    now, today = timezone.now(), get_company().today()
    ask_for_pass()
    judge_accounts(now=now)
    _fill_hand_made(now)
    _fill_watchlists()
    _fill_tasks(today)


def _fill_hand_made(now: dt.datetime) -> None:
    mine = Renewal.objects.open().filter(account=OuterRef("pk"))
    accounts = Account.objects.filter(Exists(mine), owner__is_active=True).select_related("owner").order_by("pk")
    for account, reason in zip(accounts[5:60:20], HAND_REASONS, strict=False):
        if account.owner:
            flag_account(account_id=account.pk, user=account.owner, reason=reason)
    flags = Flag.objects.open().filter(rule__isnull=False, account__owner__role=User.Role.REP)
    for place, flag in enumerate(
        flags.select_related("account__owner").order_by("-stake_amount", "pk")[3 : 3 + CLEARED]
    ):
        if flag.account.owner:
            reason = CLEARED_REASONS[place % len(CLEARED_REASONS)]
            clear_flag(flag_id=flag.pk, user=flag.account.owner, reason=reason, now=now)


def _fill_watchlists() -> None:
    if Watch.objects.exists():
        return
    for person in User.objects.filter(is_active=True, role__in=(User.Role.REP, User.Role.MANAGER)):
        own = Flag.objects.open().visible_to(person).order_by("-stake_amount", "pk")
        for account_id in list(dict.fromkeys(own.values_list("account", flat=True)[: 2 * WATCHED]))[:WATCHED]:
            watch_account(account_id=account_id, user=person)
    for team in Team.objects.all():
        manager = team.members.filter(role=User.Role.MANAGER, is_active=True).first()
        if manager:
            flags = Flag.objects.open().visible_to(manager).order_by("-stake_amount", "pk")
            for account_id in set(flags.values_list("account", flat=True)[: 2 * WATCHED]):
                watch_account(account_id=account_id, user=manager, team=team, reason="Weekly with the team")


def _fill_tasks(today: dt.date) -> None:
    """By hand, of renewals whose decision is near; some done and some put off."""
    if Task.objects.filter(kind=Task.Kind.MANUAL).exists():
        return
    last = today + dt.timedelta(days=120)
    rows = Renewal.objects.open().filter(owner__is_active=True, owner__role=User.Role.REP, decision_on__lte=last)
    new = []
    for place, row in enumerate(rows.order_by("-baseline_amount", "pk")[:TASKS]):
        title, minutes, outcome = TITLES[place % len(TITLES)]
        due_on = today + dt.timedelta(days=(row.pk * 7) % 40 - 4)
        new.append(NewTask(row.account_id, title, due_on, row.pk, row.owner_id, "", Task.Kind.MANUAL, minutes, outcome))
    made = create_tasks(user=None, tasks=new)
    by_owner: dict[int, list[Task]] = {}
    for task in made:
        by_owner.setdefault(task.owner_id or 0, []).append(task)
    for owner in User.objects.filter(pk__in=by_owner):
        own = by_owner[owner.pk]
        visible = set(
            Task.objects.editable_by(owner).filter(pk__in=[one.pk for one in own]).values_list("pk", flat=True)
        )
        ids = [task.pk for task in own if task.pk in visible]
        finish_tasks(user=owner, task_ids=ids[::5], outcome="Agreed; they will come back within the week")
        snooze_tasks(user=owner, task_ids=ids[2::9], until=today + dt.timedelta(days=6), today=today)
