"""Flags, tasks and feedback: a pass of the rules over the book, the first stakes of many tasks, and each list as an
admin, a manager and a rep see it."""

from __future__ import annotations

from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Ticket, User, get_company
from bench.figures import Figure, median_ms, seconds
from bench.signals import FILL_TICKETS
from engagement.demo.support import THEMES
from engagement.feedback.tasks import add_up_feedback
from engagement.flags.evaluate import evaluate_flags
from engagement.flags.passes import judge_accounts
from engagement.models import FeedbackTheme, Flag, FlagRule
from engagement.models.tasks import Task
from engagement.tasks.stakes import refresh_stakes
from renewals.models import Renewal

TASKS = 200_000
LIST_BAR_MS = 200
FILL_TASKS = """
    INSERT INTO engagement_task (account_id, renewal_id, title, note, owner_id, due_on, kind, estimated_minutes,
        required_outcome, outcome, stake_amount)
    SELECT r.account_id, CASE WHEN n %% 4 > 0 THEN r.id END, 'Call about the renewal', '', r.owner_id,
        %(today)s - 20 + (n %% 60)::int, 'manual', 30, '', '', 0
    FROM generate_series(1, %(count)s::bigint) n
    JOIN (SELECT *, row_number() OVER (ORDER BY id) - 1 AS place FROM renewals_renewal WHERE outcome = 'open') r
        ON r.place = n %% (SELECT count(*) FROM renewals_renewal WHERE outcome = 'open')
"""


def measure(count: int) -> list[Figure]:
    """A scored book with the rules that an installation starts with."""
    admin = User.objects.filter(role=User.Role.ADMIN)[0]
    rep = User.objects.filter(role=User.Role.REP, owned_renewals__outcome=Renewal.Outcome.OPEN).order_by("pk")[0]
    readers = {"an admin": admin, "a rep": rep, "a manager": User.objects.filter(role="manager", team=rep.team)[0]}
    return [*_flags(count, readers), *_tasks(count, readers), *_feedback(count, readers)]


def _flags(count: int, readers: dict[str, User]) -> list[Figure]:
    today, now = get_company().today(), timezone.now()
    FlagRule.objects.update(is_active=True)
    first = seconds(lambda: evaluate_flags(as_of=today, now=now))
    again = seconds(lambda: evaluate_flags(as_of=today, now=now))
    judge_accounts(now=now)
    nothing = median_ms(lambda: judge_accounts(now=timezone.now()), times=5)
    rules, flags = FlagRule.objects.count(), Flag.objects.open().count()
    return [
        Figure(f"{rules} flag rules over {count:,} renewals, {flags:,} flags made", first, "s"),
        Figure(f"{rules} flag rules over {count:,} renewals, nothing new", again, "s"),
        Figure("a pass of the flag rules where nobody wrote", nothing, "ms", bar=100),
        *_lists(f"{flags:,} flags", reverse("flags:list"), readers),
    ]


def _tasks(count: int, readers: dict[str, User]) -> list[Figure]:
    today, task_count = get_company().today(), min(2 * count, TASKS)
    with connection.cursor() as cursor:
        cursor.execute(FILL_TASKS, {"today": today, "count": task_count})
    first = seconds(lambda: refresh_stakes(as_of=today))
    again = seconds(lambda: refresh_stakes(as_of=today))
    found = f"{Task.objects.open().count():,} tasks"
    return [
        Figure(f"the first stakes of {task_count:,} tasks", first, "s"),
        Figure(f"the stakes of {found}, all as they are", again, "s"),
        *_lists(found, reverse("tasks:list"), readers),
    ]


def _feedback(count: int, readers: dict[str, User]) -> list[Figure]:
    today = get_company().today()
    if not Ticket.objects.filter(external_id__startswith="bench-").exists():
        with connection.cursor() as cursor:
            cursor.execute(FILL_TICKETS, {"prefix": "bench-", "day": today, "span": 1000, "count": count})
            cursor.execute("VACUUM (ANALYZE) accounts_ticket")
    if not FeedbackTheme.objects.exists():
        FeedbackTheme.objects.bulk_create(
            FeedbackTheme(**theme, done_on=today if theme["status"] == "done" else None) for theme in THEMES
        )
    found = f"{FeedbackTheme.objects.count()} themes of {Ticket.objects.count():,} tickets"
    # As a worker does it within seconds of the tickets.
    return [
        Figure(f"the sums of {found}, all made anew", seconds(add_up_feedback), "s"),
        Figure(f"the sums of {found}, nothing marked", median_ms(add_up_feedback, times=5), "ms"),
        *_lists(found, reverse("feedback:board"), readers),
    ]


def _lists(what: str, address: str, readers: dict[str, User]) -> list[Figure]:
    """The page in the server, as each sees it first."""
    found = []
    for who, user in readers.items():
        client = Client()
        client.force_login(user)
        assert client.get(address).status_code == 200, f"{address} does not open for {who}"
        page_ms = median_ms(lambda client=client: client.get(address), times=7)
        found.append(Figure(f"the page of {what} for {who}", page_ms, "ms", bar=LIST_BAR_MS))
    return found
