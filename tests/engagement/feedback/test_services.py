import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from engagement.feedback.changes import read_changes
from engagement.feedback.services import StaleTheme, create_theme, delete_theme, edit_theme, move_theme
from engagement.models import FeedbackTheme
from tests.cast import Cast

pytestmark = pytest.mark.django_db
TODAY = dt.date(2026, 6, 30)


@pytest.fixture
def theme(cast: Cast) -> FeedbackTheme:
    return FeedbackTheme.objects.create(name="Export", words=["export"])


def test_the_day_of_being_done_follows_the_status(cast: Cast, theme: FeedbackTheme) -> None:
    done = move_theme(by=cast.manager, theme_id=theme.pk, seen_edit_count=0, status="done", today=TODAY)
    assert (done.status, done.done_on, done.edit_count) == ("done", TODAY, 1)
    earlier = {"done_on": dt.date(2026, 6, 1)}
    done = edit_theme(by=cast.manager, theme_id=theme.pk, seen_edit_count=1, values=earlier, today=TODAY)
    assert (done.done_on, done.edit_count) == (dt.date(2026, 6, 1), 2)
    again = move_theme(by=cast.manager, theme_id=theme.pk, seen_edit_count=2, status="in_progress", today=TODAY)
    assert (again.status, again.done_on) == ("in_progress", None)


def test_every_move_is_in_history_with_who_did_it(cast: Cast, theme: FeedbackTheme) -> None:
    move_theme(by=cast.manager, theme_id=theme.pk, seen_edit_count=0, status="accepted", today=TODAY)
    move_theme(by=cast.manager, theme_id=theme.pk, seen_edit_count=1, status="accepted", today=TODAY)  # no change
    events = theme.events.order_by("pgh_id").values_list("pgh_label", "status", "pgh_context__user")  # type: ignore[attr-defined]
    assert list(events) == [("after_insert", "new", None), ("before_update", "new", cast.manager.pk)]


def test_who_saw_an_older_state_is_refused_and_nothing_is_written(cast: Cast, theme: FeedbackTheme) -> None:
    move_theme(by=cast.manager, theme_id=theme.pk, seen_edit_count=0, status="accepted", today=TODAY)
    with pytest.raises(StaleTheme) as stale:
        move_theme(by=cast.admin, theme_id=theme.pk, seen_edit_count=0, status="done", today=TODAY)
    assert (stale.value.theme.status, FeedbackTheme.objects.get().status) == ("accepted", "accepted")
    with pytest.raises(StaleTheme):
        delete_theme(by=cast.admin, theme_id=theme.pk, seen_edit_count=0)
    assert FeedbackTheme.objects.count() == 1


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"status": "declined"}, {"note": ["Say in the note why it is declined."]}),
        ({"status": "declined", "note": "  "}, {"note": ["Say in the note why it is declined."]}),
        ({"status": "gone"}, {"status": ["Value 'gone' is not a valid choice."]}),
        (
            {"status": "done", "done_on": dt.date(2026, 7, 1)},
            {"done_on": ["2026-07-01 is after today: it is not done yet."]},
        ),
        ({"link": "ftp://example.com/x"}, {"link": ["Enter a valid URL."]}),
        ({"words": []}, {"__all__": ["A theme needs a category or a word."]}),
        ({"name": "LOGIN"}, {"__all__": ["There is a theme of this name already."]}),
    ],
)
def test_what_cannot_be_is_refused_by_field(
    cast: Cast, theme: FeedbackTheme, values: dict[str, object], error: dict[str, list[str]]
) -> None:
    FeedbackTheme.objects.create(name="Login", words=["login"])
    with pytest.raises(ValidationError) as refused:
        edit_theme(by=cast.admin, theme_id=theme.pk, seen_edit_count=0, values=values, today=TODAY)
    assert refused.value.message_dict == error
    assert FeedbackTheme.objects.get(pk=theme.pk).edit_count == 0


def test_who_may_what(cast: Cast, theme: FeedbackTheme) -> None:
    with pytest.raises(PermissionDenied):
        create_theme(by=cast.manager, values={"name": "X", "words": ["x"]}, today=TODAY)
    with pytest.raises(PermissionDenied):
        edit_theme(by=cast.manager, theme_id=theme.pk, seen_edit_count=0, values={"words": ["x"]}, today=TODAY)
    with pytest.raises(PermissionDenied):
        move_theme(by=cast.rep, theme_id=theme.pk, seen_edit_count=0, status="accepted", today=TODAY)
    FeedbackTheme.objects.update(owner=cast.rep)
    move_theme(by=cast.rep, theme_id=theme.pk, seen_edit_count=0, status="accepted", today=TODAY)
    FeedbackTheme.objects.update(owner=cast.viewer)
    with pytest.raises(PermissionDenied):
        move_theme(by=cast.viewer, theme_id=theme.pk, seen_edit_count=1, status="new", today=TODAY)
    with pytest.raises(PermissionDenied):
        delete_theme(by=cast.manager, theme_id=theme.pk, seen_edit_count=1)
    made = create_theme(by=cast.admin, values={"name": "X", "words": ["x"], "status": "done"}, today=TODAY)
    assert made.done_on == TODAY


def test_changes_are_told_newest_first_with_what_was_and_became(cast: Cast) -> None:
    made = create_theme(by=cast.admin, values={"name": "Export", "words": ["export"]}, today=TODAY)
    values = {"owner": cast.rep, "target_on": dt.date(2026, 8, 1), "words": ["export", "backup"]}
    edit_theme(by=cast.admin, theme_id=made.pk, seen_edit_count=0, values=values, today=TODAY)
    moved = move_theme(by=cast.rep, theme_id=made.pk, seen_edit_count=1, status="done", today=TODAY)
    told = [(change.by, change.fields) for change in read_changes(moved)]
    assert told == [
        ("Rhea Rep", [("Status", "New", "Done"), ("Done on", "–", "30 Jun 2026")]),
        (
            "Ada Admin",
            [
                ("Words", "export", "export, backup"),
                ("Owner", "–", "Rhea Rep"),
                ("Target date", "–", "01 Aug 2026"),
            ],
        ),
        ("Ada Admin", [("Theme", "–", "Export")]),
    ]
