"""Who is habitually late: accounts with several orders, of which most came late or had lapsed."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from django.db import connection
from django.urls import reverse

from accounts.models import Account
from accounts.templatetags.money import currency_sign
from dashboards.frame import Frame
from dashboards.models import LateAccount, Level
from dashboards.rollups.adding import Calendar
from dashboards.rollups.facts import read_facts
from dashboards.rollups.lateness import WINDOW_DAYS, find_late
from dashboards.rollups.reading import facts_of
from dashboards.tiles import Cell, Kind, Row, Tile
from forecasting.frames import Arrays, Reporting, day_number
from forecasting.scopes.slices import accounts_sliced, within

SHOWN: Final = 15


@dataclass(frozen=True)
class Habit:
    """How an account ordered in the last two years, within a scope."""

    account_id: int
    ordered_count: int
    late_count: int
    late_cents: int
    late_days: int


NAMES: Final = ("account_id", "ordered_count", "late_count", "late_cents", "late_days")


def habits_tile(frame: Frame) -> Tile:
    habits = read_habits(frame)
    names = dict(
        Account.objects.visible_to(frame.user)
        .filter(pk__in=[habit.account_id for habit in habits])
        .values_list("pk", "name")
    )
    rows = [
        Row(
            names.get(habit.account_id, "An account that you do not see"),
            [
                Cell(Decimal(habit.late_count) / habit.ordered_count, Kind.RATE),
                Cell(
                    habit.late_count,
                    Kind.COUNT,
                    frame.scope.rows_url(
                        account=habit.account_id, timing=("late", "win_back"), ordered_from=_first_on(frame)
                    ),
                ),
                Cell(habit.ordered_count, Kind.COUNT),
                Cell(round(Decimal(habit.late_days) / habit.late_count, 1), Kind.COUNT),
                Cell(Decimal(habit.late_cents) / 100, Kind.MONEY),
            ],
            url=reverse("account_page:page", args=[habit.account_id]) if habit.account_id in names else "",
        )
        for habit in habits
    ]
    return Tile(
        "habits",
        "Habitually late",
        f"Accounts with two or more orders in two years, most of them late or after they had lapsed: the {SHOWN} with "
        "the largest late value.",
        "Account",
        ["Late, %", "Late orders", "Orders", "Days late, mean", f"Late value, {currency_sign(frame.currency)}"],
        rows,
        None,
        "No account ordered late more often than not.",
        "p-span-12",
    )


def read_habits(frame: Frame) -> list[Habit]:
    """The largest by late value, ties by account."""
    scope = frame.scope
    if frame.past is not None:
        return _habits_of(facts_of(frame.past.only(frame.past.within(scope))), frame.past.report)
    if not scope.slice.is_of_accounts:
        return _habits_of(_read_orders(frame), frame.report)
    rows = LateAccount.objects.visible_to(frame.user).of(team=scope.team, owner=scope.owner)
    if scope.segment:
        rows = rows.filter(account__segment=scope.segment)
    rows = rows.filter(accounts_sliced(scope.slice))
    return [Habit(*values) for values in rows.order_by("-late_cents", "account_id").values_list(*NAMES)[:SHOWN]]


def _first_on(frame: Frame) -> dt.date:
    return frame.as_of - dt.timedelta(days=WINDOW_DAYS)


def _read_orders(frame: Frame) -> Arrays:
    """Of a currency or a booking type, which no habit is kept of: the rows themselves."""
    where, parameters = within(frame.scope)
    with connection.cursor() as cursor:
        return read_facts(cursor, frame.report, f"r.ordered_on >= %s AND {where}", [_first_on(frame), *parameters])


def _habits_of(facts: Arrays, report: Reporting) -> list[Habit]:
    found = find_late(facts, Calendar(day_number(report.as_of), report.fiscal_start, {}))
    of_book = found["level"] == Level.BOOK
    habits = [Habit(*values) for values in zip(*(found[name][of_book].tolist() for name in NAMES), strict=True)]
    return sorted(habits, key=lambda habit: (-habit.late_cents, habit.account_id))[:SHOWN]
