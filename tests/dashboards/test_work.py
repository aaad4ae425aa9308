"""The work of owners against the raw rows, added up by a plain loop, over drawn books and after edits of every kind."""

from __future__ import annotations

import datetime as dt
import random
from collections import defaultdict
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Account, Segment, User, get_company
from dashboards.capacity.reads import WhatIf, read_book
from dashboards.frame import read_frame_of
from dashboards.models import CapacityTerms, OwnerWork, RenewalHours, StaleWork, WorkRollUp
from dashboards.models.work import EVERYBODY, NOBODY
from dashboards.rollups.work import OWNERS_AT_ONCE, WEEKS, follow_work, hours_by, keep_work, read_hours, weeks_from
from dashboards.scorecards.measures import read_hygiene, read_raw_hygiene
from engagement.models import Task
from engagement.models.flags import Flag
from engagement.models.monitoring import MonitoringRule
from engagement.monitoring.unmonitored import read_terms
from renewals.models import Renewal, Stage
from renewals.models.quality import RenewalQuality
from tests.cast import Cast, make_renewal
from tests.dashboards.books import draw_book
from tests.forecasting.forecast_book import AS_OF

DAY = dt.timedelta(days=1)


def expected_work(as_of: dt.date) -> dict[int, dict[str, Any]]:
    """By owner, of whoever has anything; written without any of the product's sums."""
    today, first = get_company().today(), weeks_from(as_of)[0]
    work_weeks = (CapacityTerms.objects.first() or CapacityTerms()).work_weeks
    hours, monitoring = hours_by(read_hours()), read_terms()
    found: dict[int, dict[str, Any]] = defaultdict(lambda: {"due": defaultdict(int), "hours": defaultdict(Decimal)})
    accounts: dict[tuple[int, str], set[int]] = defaultdict(set)
    cents: dict[tuple[int, str], list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    for row in Renewal.objects.filter(outcome="open").select_related("account"):
        owner = row.owner_id or NOBODY
        week = max((row.due_on - first).days // 7, -1) + 1
        if week < WEEKS + work_weeks:
            found[owner]["due"][week] += 1
            found[owner]["hours"][week] += hours(row.account.segment_id, row.stage_id)
        if row.is_excluded:
            continue
        quality = RenewalQuality.objects.filter(renewal=row).first()
        pair = cents[owner, row.currency]
        pair[0] += row.baseline_amount
        pair[1] += row.baseline_amount if quality and quality.worst_severity >= 2 else 0
        term = monitoring.get(row.account.segment_id, monitoring[None])
        touched = row.account.last_touch_on
        is_silent = touched is None or touched < today - term.silent_days * DAY
        is_flagged = Flag.objects.filter(account=row.account, cleared_at=None).exists()
        is_due = row.due_on <= today + term.due_within_days * DAY
        if is_flagged:
            accounts[owner, "flagged"].add(row.account_id)
        if is_silent and (is_flagged or is_due):
            accounts[owner, "silent"].add(row.account_id)
        if is_silent and is_flagged:
            accounts[owner, "both"].add(row.account_id)
    for (owner, currency), pair in cents.items():
        found[owner].setdefault("cents", {})[currency] = [int(amount * 100) for amount in pair]
    for (owner, name), ids in accounts.items():
        found[owner][name] = len(ids)
    for account in Account.objects.filter(owner__isnull=False):
        own = found[account.owner_id or NOBODY]
        own["accounts"] = own.get("accounts", 0) + 1
    for task in Task.objects.filter(done_at=None, owner__isnull=False):
        day = max(task.due_on, task.snoozed_until or task.due_on, as_of, first)
        week = (day - first).days // 7
        if week < WEEKS:
            name = "plan" if task.kind == "plan" else "task"
            sums = found[task.owner_id or NOBODY].setdefault(name, defaultdict(lambda: [0, 0]))
            sums[week][0] += 1
            sums[week][1] += task.estimated_minutes
    return dict(found)


def assert_true(as_of: dt.date) -> None:
    expected = expected_work(as_of)
    stored = OwnerWork.objects.in_bulk()
    assert {pk for pk, one in stored.items() if any(vars(one)[name] for name in NAMES)} == set(expected)
    for pk, one in expected.items():
        row = stored[pk]
        assert dict(_some(row.due_counts)) == dict(one["due"])
        assert dict(_some(row.due_hundredths)) == {week: 100 * hours for week, hours in one["hours"].items() if hours}
        assert row.open_cents == one.get("cents", {})
        assert (row.flagged_count, row.silent_count, row.both_count) == tuple(
            one.get(name, 0) for name in ("flagged", "silent", "both")
        )
        assert row.account_count == one.get("accounts", 0)
        for name in ("plan", "task"):
            pairs = {week: tuple(pair) for week, pair in one.get(name, {}).items()}
            minutes = dict(_some(getattr(row, f"{name}_minutes")))
            counts = dict(_some(getattr(row, f"{name}_counts")))
            assert {week: (counts[week], minutes[week]) for week in counts} == pairs


NAMES = ("due_counts", "open_cents", "account_count", "plan_counts", "task_counts")


def _some(values: list[int]) -> list[tuple[int, int]]:
    return [(at, value) for at, value in enumerate(values) if value]


def change_something(rng: random.Random, cast: Cast) -> None:
    """A statement of any kind, as raw as a script's."""
    row = rng.choice(list(Renewal.objects.all()))
    owner = rng.choice([cast.rep, cast.team_mate, cast.outsider, None])
    task = Task.objects.order_by("?").first()
    what = rng.randrange(14)
    if what == 0:
        Renewal.objects.filter(pk=row.pk).update(owner=owner)
    elif what == 1:
        Renewal.objects.filter(pk=row.pk).update(due_on=row.due_on + rng.randint(-90, 90) * DAY)
    elif what == 2:
        Renewal.objects.filter(pk=row.pk).update(stage=rng.choice(list(Stage.objects.all())))
    elif what == 3:
        Renewal.objects.filter(pk=row.pk, outcome="open").update(
            outcome="lost", declined_on=AS_OF, final_amount=0, churn_reason=None
        )
    elif what == 4:
        Renewal.objects.filter(pk=row.pk).update(is_excluded=not row.is_excluded, excluded_reason="why")
    elif what == 5:
        Renewal.objects.filter(pk=row.pk).update(baseline_amount=Decimal(rng.randint(1, 10**7)) / 100, currency="USD")
    elif what == 6:
        Account.objects.filter(pk=row.account_id).update(segment=rng.choice([*Segment.objects.all(), None]))
    elif what == 7:
        Account.objects.filter(pk=row.account_id).update(owner=owner)
    elif what == 8:
        Account.objects.filter(pk=row.account_id).update(last_touch_on=AS_OF - rng.randint(0, 60) * DAY)
    elif what == 9:
        if not Flag.objects.open().filter(account=row.account_id).update(cleared_at=timezone.now()):
            Flag.objects.create(account_id=row.account_id, reason="Look", flagged_by=cast.manager)
    elif what == 10:
        if not RenewalQuality.objects.filter(pk=row.pk).delete()[0]:
            severity = rng.choice([1, 2, 3])
            RenewalQuality.objects.create(
                pk=row.pk, account_id=row.account_id, due_on=row.due_on, rule_ids=[1], worst_severity=severity
            )
    elif what == 11 or task is None:
        kind, due_on = rng.choice(Task.Kind.values), AS_OF + rng.randint(-20, 250) * DAY
        Task.objects.create(account_id=row.account_id, title="Call", owner=owner, due_on=due_on, kind=kind)
    elif what == 12:
        Task.objects.filter(pk=task.pk).update(estimated_minutes=rng.randint(1, 90), owner=owner)
    else:
        make_renewal(account=row.account, owner=owner, due_on=AS_OF + rng.randint(-30, 200) * DAY)


@pytest.mark.parametrize("seed", range(4))
def test_work_stays_true_after_random_edits(cast: Cast, seed: int) -> None:
    draw_book(cast, seed, count=40)
    rng = random.Random(seed)
    assert keep_work(as_of=AS_OF)
    assert_true(AS_OF)
    for _ in range(6):
        for _ in range(rng.randint(1, 6)):
            change_something(rng, cast)
        assert keep_work(as_of=AS_OF)
        assert not StaleWork.objects.exists()
        assert_true(AS_OF)
    book = read_book(cast.admin, AS_OF, team=None, owner=None, what_if=WhatIf())
    load = book.load * 0
    for line in book.lines:
        load[line.work.person, line.work.first : line.work.last + 1] += line.work.share
    assert abs(load - book.load).max() < 1e-6


def test_other_terms_and_another_day_are_followed(cast: Cast) -> None:
    draw_book(cast, 3, count=20)
    keep_work(as_of=AS_OF)
    segment = Segment.objects.order_by("pk")[0]
    RenewalHours.objects.create(segment=segment, hours=Decimal("7.25"))
    MonitoringRule.objects.update_or_create(segment=segment, defaults={"due_within_days": 200, "silent_days": 3})
    assert keep_work(as_of=AS_OF)
    assert_true(AS_OF)
    CapacityTerms.objects.create(pk=1, work_weeks=3)
    assert keep_work(as_of=AS_OF + 9 * DAY)
    assert_true(AS_OF + 9 * DAY)
    assert WorkRollUp.objects.get().as_of_on == AS_OF + 9 * DAY


def test_what_many_owners_share_is_left_to_the_background(cast: Cast) -> None:
    row = draw_book(cast, 5, count=20)[0]
    keep_work(as_of=AS_OF)
    Renewal.objects.filter(pk=row.pk).update(owner=cast.outsider)
    StaleWork.objects.bulk_create([StaleWork(owner_id=10_000 + at) for at in range(OWNERS_AT_ONCE)])
    assert not keep_work(as_of=AS_OF)
    StaleWork.objects.create(owner_id=EVERYBODY)
    follow_work()
    assert keep_work(as_of=AS_OF)
    assert_true(AS_OF)


def test_hygiene_is_what_the_rows_say(cast: Cast) -> None:
    draw_book(cast, 7, count=60)
    rng = random.Random(7)
    for _ in range(25):
        change_something(rng, cast)
    users: list[User] = [cast.admin, cast.manager, cast.rep, cast.viewer]
    for user in users:
        frame = read_frame_of(user, {}, "dashboards:scorecards")
        kept = {pk: one for pk, one in read_hygiene(frame).items() if one.baseline or any(one.account_counts.values())}
        raw = {
            pk: one for pk, one in read_raw_hygiene(frame).items() if one.baseline or any(one.account_counts.values())
        }
        assert kept == raw
