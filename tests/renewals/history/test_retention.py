import datetime as dt

import pytest
from django.utils import timezone

from renewals.history.kinds import RENEWAL
from renewals.history.reading import row_history
from renewals.history.retention import forget_history, oldest_kept_at
from renewals.history.tasks import forget_old_history
from renewals.models import ChangeBatch
from tests.cast import Cast, make_renewal
from tests.renewals.history.steps import bulk, change

Event = RENEWAL.event_model
NOW = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)


def days_ago(days: float) -> dt.datetime:
    return NOW - dt.timedelta(days=days)


def age(ages: list[float]) -> None:
    for event, days in zip(Event.objects.order_by("pgh_id"), ages, strict=True):
        Event.objects.filter(pk=event.pk).update(pgh_created_at=days_ago(days))


def steps_left() -> list[str]:
    return list(Event.objects.order_by("pgh_id").values_list("next_step", flat=True))


def test_only_what_is_older_than_kept_goes_whatever_the_size_of_a_chunk(cast: Cast) -> None:
    row = make_renewal(owner=cast.rep, next_step="0")
    for number in range(1, 8):
        change(row, cast.rep, next_step=str(number))
    age([900, 850, 801, 800.1, 799.9, 10, 0])

    count = forget_history(before=oldest_kept_at(800, now=NOW), rows_at_once=2)

    assert (count, steps_left()) == (4, ["4", "5", "6"])
    assert [entry.changes[0].old for entry in row_history(row, cast.rep)[:3]] == ["6", "5", "4"]


def test_chain_of_a_row_is_never_cut_in_its_middle(cast: Cast) -> None:
    """A long transaction started before a short one and committed after it: its event is older and stands later."""
    row = make_renewal(owner=cast.rep, next_step="0")
    for number in range(1, 4):
        change(row, cast.rep, next_step=str(number))
    age([799, 801, 1])
    assert forget_history(before=oldest_kept_at(800, now=NOW)) == 0
    assert steps_left() == ["0", "1", "2"]


def test_steps_go_with_their_events(cast: Cast) -> None:
    row = make_renewal(owner=cast.rep)
    old, new = (bulk([row], cast.rep, f"{number}", confidence=number) for number in (1, 2))
    ChangeBatch.objects.filter(pk=old).update(made_at=days_ago(801))
    forget_history(before=oldest_kept_at(800, now=NOW))
    assert list(ChangeBatch.objects.values_list("pk", flat=True)) == [new]


def test_nightly_task_keeps_what_the_setting_says(cast: Cast, settings: pytest.FixtureRequest) -> None:
    settings.HISTORY_RETENTION_DAYS = 30
    row = make_renewal(owner=cast.rep)
    change(row, cast.rep, next_step="old")
    Event.objects.update(pgh_created_at=timezone.now() - dt.timedelta(days=31))
    change(row, cast.rep, next_step="new")
    assert (forget_old_history(), forget_old_history()) == (1, 0)
    assert steps_left() == ["old"]


def test_nobody_means_to_forget_everything() -> None:
    with pytest.raises(ValueError, match="HISTORY_RETENTION_DAYS is at least 1, not 0"):
        oldest_kept_at(0)
