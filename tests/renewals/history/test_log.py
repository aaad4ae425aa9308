"""The audit page's reading: order, pages, steps folded, filters, and who sees what."""

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from accounts.models import Company, User
from config.history import recorded_as
from renewals.history import log
from renewals.history.batches import recorded_batch
from renewals.history.kinds import ACCOUNT, KINDS, RENEWAL
from renewals.history.log import Filters, Place, read_page
from renewals.history.reading import Entry
from renewals.models import Contract, Note, Renewal, Stage, TimingPolicy, TimingPolicyVersion
from renewals.saved_views.services import delete_view, keep_view, save_address
from tests.cast import Cast, make_renewal
from tests.renewals.history.steps import bulk, change

DAY = dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)


def lines(page: log.Page) -> list[tuple[str, str, str]]:
    """Who, row kind, and the new values, of each entry shown."""
    return [
        (entry.who, entry.kind, " ".join(one.new for one in entry.changes))
        for step in page.steps
        for entry in step.entries
    ]


def read_all(filters: Filters, user: User) -> list[tuple[str, str, str]]:
    place, found, pages = None, [], 0
    while True:
        page = read_page(filters, user, start=place)
        found += lines(page)
        place, pages = page.next_place, pages + 1
        assert pages < 50
        if place is None:
            return found


def age_events(kind: Any = RENEWAL, *, hours: int = 1) -> None:
    """In a test all happens in one transaction, so at one time; spread the events, an hour from each to the next."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {kind.event_table} SET pgh_created_at = %s + make_interval(hours => pgh_id::int * {hours})", [DAY]
        )


def test_everything_that_was_changed_stands_there_newest_first(cast: Cast) -> None:
    row = make_renewal(owner=cast.rep)
    change(row, cast.rep, next_step="Call")
    with recorded_as(user_id=cast.manager.pk, how="import"):
        Contract.objects.filter(pk=row.contract_id).update(product="Gold")
        row.account.region = "North"
        row.account.save()
    version = TimingPolicyVersion.objects.create(
        policy=TimingPolicy.objects.create(account=row.account), effective_from=DAY, early_days=10, late_days=20
    )
    with recorded_as(user_id=cast.admin.pk, how="rule"):
        TimingPolicyVersion.objects.filter(pk=version.pk).update(late_days=30)
    Renewal.objects.filter(pk=row.pk).delete()

    found = read_all(Filters(), cast.admin)

    assert sorted(found) == sorted([
        ("Database", "renewal", ""), ("Ada Admin", "rule", "30"), ("Mona Manager", "contract", "Gold"),
        ("Mona Manager", "account", "North"), ("Rhea Rep", "renewal", "Call"),
    ])  # fmt: skip
    rule = next(step for step in read_page(Filters(), cast.admin).steps if step.head.kind == "rule").head
    assert (rule.row, rule.how_label) == (f"{row.account} from {DAY.date()}", "Rules")


def test_rules_and_people_are_told_of_to_those_who_may_know(cast: Cast) -> None:
    with recorded_as(user_id=cast.admin.pk, how="rule"):
        Stage.objects.filter(name="Proposal").update(default_confidence=61)
        Company.objects.update(reporting_currency="USD")
        User.objects.filter(pk=cast.viewer.pk).update(name="Vera Wider", sees_whole_book=True)
    cast.viewer.refresh_from_db()

    of_admin, of_viewer = read_all(Filters(), cast.admin), read_all(Filters(), cast.viewer)

    assert ("Ada Admin", "stage", "61\xa0%") in of_admin
    assert ("Ada Admin", "person", "Vera Wider Yes") in of_admin
    assert sorted(of_viewer) == [("Ada Admin", "company", "USD"), ("Ada Admin", "stage", "61\xa0%")]
    assert read_all(Filters(), cast.rep) == []
    assert read_all(Filters(column=(KINDS["person"], "email")), cast.viewer) == []


def test_signing_in_and_counting_rules_are_no_changes(cast: Cast) -> None:
    User.objects.filter(pk=cast.rep.pk).update(last_login=DAY, password="!")
    Company.objects.update(rules_version=7)

    assert read_all(Filters(), cast.admin) == []


def test_notes_are_told_of_to_those_who_see_the_renewal(cast: Cast) -> None:
    row = make_renewal(owner=cast.rep)
    note = Note.objects.create(renewal=row, author=cast.rep, text="They want a ramp.")
    with recorded_as(user_id=cast.rep.pk, how="cell"):
        Note.objects.filter(pk=note.pk).update(text="They want a ramp of three years.")

    told = [("Rhea Rep", "note", "They want a ramp of three years.")]

    assert read_all(Filters(), cast.team_mate) == told
    assert read_all(Filters(renewal_id=row.pk), cast.rep) == told
    assert read_all(Filters(account_ids=(row.account_id,)), cast.admin) == told
    assert read_all(Filters(), cast.outsider) == []


def test_pages_follow_each_other_without_gap_or_repeat(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "PAGE_LINES", 7)
    row = make_renewal(owner=cast.rep)
    for number in range(30):
        change(row, cast.rep, next_step=f"{number:02}")
    age_events()
    assert [text for _, _, text in read_all(Filters(), cast.admin)] == [f"{number:02}" for number in range(29, -1, -1)]
    assert [text for _, _, text in read_all(Filters(), cast.rep)] == [f"{number:02}" for number in range(29, -1, -1)]


def test_events_of_the_same_moment_are_told_apart_by_their_step(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "PAGE_LINES", 3)
    row = make_renewal(owner=cast.rep)
    for number in range(10):
        change(row, cast.rep, next_step=f"{number:02}")
        row.account.region = f"{number:02}"
        row.account.save()
    found = read_all(Filters(), cast.admin)
    assert sorted(text for _, _, text in found) == sorted([f"{number:02}" for number in range(10)] * 2)


def test_large_step_is_folded_and_the_page_goes_on_behind_it(cast: Cast) -> None:
    rows = [make_renewal(owner=cast.rep) for _ in range(60)]
    change(rows[0], cast.rep, next_step="before")
    batch_id = bulk(rows, cast.manager, "Confidence of 60 renewals", confidence=60)
    change(rows[0], cast.rep, next_step="after")
    age_events()
    Event = RENEWAL.event_model  # noqa: N806
    Event.objects.filter(pgh_context_id=batch_id).update(pgh_created_at=DAY + dt.timedelta(hours=30))
    Event.objects.filter(pgh_id=Event.objects.latest("pgh_id").pk).update(pgh_created_at=DAY + dt.timedelta(hours=90))
    Event.objects.filter(pgh_id=Event.objects.earliest("pgh_id").pk).update(pgh_created_at=DAY)

    page = read_page(Filters(), cast.admin)

    assert [(len(step.entries), step.has_more, step.head.batch_text) for step in page.steps] == [
        (1, False, ""), (log.LINES_OF_A_STEP, True, "Confidence of 60 renewals"), (1, False, ""),
    ]  # fmt: skip
    assert page.next_place is None
    assert len(read_all(Filters(batch_id=batch_id), cast.admin)) == 60


def test_each_filter_finds_its_own(cast: Cast) -> None:
    mine, other = make_renewal(owner=cast.rep), make_renewal(owner=cast.team_mate)
    change(mine, cast.rep, next_step="one")
    paste = change(other, cast.manager, how="paste", confidence=50)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE renewals_renewal SET next_step = 'two' WHERE id = %s", [other.pk])
    age_events()
    first, second, _third = RENEWAL.event_model.objects.order_by("pgh_id").values_list("pgh_created_at", flat=True)

    def found(**filters: Any) -> list[str]:
        return [text for _, _, text in lines(read_page(Filters(**filters), cast.admin))]

    percent = "50\N{NO-BREAK SPACE}%"
    assert found(user_id=cast.manager.pk) == [percent]
    assert found(user_id=log.WITHOUT_USER) == ["two"]
    assert found(how="paste") == [percent]
    assert found(how="database") == ["two"]
    assert found(how="import") == []
    assert found(column=(RENEWAL, "next_step")) == ["two", "one"]
    assert found(column=(ACCOUNT, "name")) == []
    assert found(account_ids=(mine.account_id,)) == ["one"]
    assert found(account_ids=()) == []
    assert found(renewal_id=other.pk) == ["two", percent]
    assert found(batch_id=paste) == [percent]
    assert found(first_at=second) == ["two", percent]
    assert found(before_at=second) == ["one"]
    assert found(first_at=first, before_at=second, user_id=cast.rep.pk, how="cell") == ["one"]


def test_account_filter_finds_what_happened_to_its_rows_that_are_gone(cast: Cast) -> None:
    row = make_renewal(owner=cast.rep)
    change(row, cast.rep, next_step="one")
    Renewal.objects.filter(pk=row.pk).delete()
    entries = [step.head for step in read_page(Filters(account_ids=(row.account_id,)), cast.admin).steps]
    assert [(entry.is_deleted, entry.row) for entry in entries] == [
        (True, f"Renewal {row.pk} (2026-12-15)"), (False, f"Renewal {row.pk} (2026-12-15)"),
    ] or [entry.is_deleted for entry in entries] == [False, True]  # fmt: skip


def test_everybody_sees_the_changes_of_the_rows_they_see(cast: Cast) -> None:
    owners = {"emea": cast.rep, "amer": cast.outsider, "nobody": None}
    for name, owner in owners.items():
        row = make_renewal(owner=owner)
        change(row, cast.admin, next_step=name)
        with recorded_as(user_id=cast.admin.pk, how="import"):
            Contract.objects.filter(pk=row.contract_id).update(product=name)
            row.account.region = name
            row.account.save()
    everything = sorted([*owners] * 3)
    seen = {
        name: sorted(text for _, _, text in read_all(Filters(), getattr(cast, name)))
        for name in ("admin", "auditor", "manager", "rep", "viewer", "outsider", "other_manager")
    }
    assert seen == {
        "admin": everything, "auditor": everything, "manager": ["emea"] * 3, "rep": ["emea"] * 3,
        "viewer": ["emea"] * 3, "outsider": ["amer"] * 3, "other_manager": ["amer"] * 3,
    }  # fmt: skip


def test_page_says_how_far_back_it_looked_and_goes_on_from_there(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "SCANNED", 5)
    monkeypatch.setattr(log, "MOST_SCANS", 1)
    row = make_renewal(owner=cast.rep)
    change(row, cast.rep, confidence=1)
    for number in range(12):
        change(row, cast.rep, next_step=f"{number:02}")
    age_events()
    filters = Filters(column=(RENEWAL, "confidence"))

    page = read_page(filters, cast.admin)

    monkeypatch.setattr(log, "MOST_SCANS", 2)
    tenth = RENEWAL.event_model.objects.order_by("-pgh_id")[9].pgh_created_at
    assert read_page(filters, cast.admin).looked_back_to == tenth
    fifth = RENEWAL.event_model.objects.order_by("-pgh_id")[4].pgh_created_at
    assert (page.steps, page.looked_back_to) == ([], fifth)
    assert [text for _, _, text in read_all(filters, cast.admin)] == ["1\N{NO-BREAK SPACE}%"]


def test_undo_is_offered_to_those_who_may_change_a_row_of_the_step(cast: Cast) -> None:
    row = make_renewal(owner=cast.rep)
    with recorded_batch(user=cast.manager, how="import", description="Import") as batch:
        batch.row_count = Contract.objects.filter(pk=row.contract_id).update(product="Gold")
    change(row, cast.admin, confidence=5)
    offered = {
        name: sorted(step.head.kind for step in read_page(Filters(), getattr(cast, name)).steps if step.can_undo)
        for name in ("admin", "auditor", "manager", "rep", "team_mate", "viewer")
    }
    assert offered == {
        "admin": ["contract", "renewal"], "auditor": [], "manager": ["contract", "renewal"], "rep": ["renewal"],
        "team_mate": [], "viewer": [],
    }  # fmt: skip


def test_undo_is_not_offered_where_everything_was_changed_since(cast: Cast) -> None:
    row = make_renewal(owner=cast.rep)
    change(row, cast.rep, confidence=5)
    change(row, cast.rep, confidence=6)
    assert sorted(step.can_undo for step in read_page(Filters(), cast.rep).steps) == [False, True]


def test_place_survives_its_way_through_an_address() -> None:
    place = Place(dt.datetime(2026, 11, 5, 9, 41, 2, 123456, tzinfo=dt.UTC), uuid.uuid4(), 3, 42)
    assert Place.parse(str(place)) == place
    for text in ("", "a_b_c_d", "2026-11-05_x_1_2", str(place)[:-3] + "_"):
        with pytest.raises(ValueError):
            Place.parse(text)


def test_amounts_keep_their_currency(cast: Cast) -> None:
    row = make_renewal(owner=cast.rep, currency="USD")
    change(row, cast.rep, forecast_amount=Decimal("1234567.50"))
    assert lines(read_page(Filters(), cast.rep)) == [("Rhea Rep", "renewal", "$\N{NO-BREAK SPACE}1,234,567.50")]


def test_saved_views_are_told_of_to_those_who_may_open_them(cast: Cast) -> None:
    def view_lines(user: User) -> list[tuple[str, str, str, list[str]]]:
        entries = [entry for step in read_page(Filters(), user).steps for entry in step.entries if entry.kind == "view"]
        return sorted(
            (entry.row, entry.how, "made" if entry.is_created else "gone" if entry.is_deleted else "", changed(entry))
            for entry in entries
        )

    def changed(entry: Entry) -> list[str]:
        return [f"{change.label}: {change.old} > {change.new}" for change in entry.changes]

    own = keep_view(by=cast.rep, name="Mine", visibility="private", team=None, is_default=False, address="sort=risk")
    shared = keep_view(
        by=cast.manager, name="Ours", visibility="team", team=cast.manager.team, is_default=False, address="sort=risk"
    )
    save_address(by=cast.manager, view_id=shared.pk, address="sort=owner", seen="sort=risk")
    delete_view(by=cast.manager, view_id=shared.pk)
    name = f"Saved view {shared.pk} (Ours)"
    team = [
        (name, "view", "", ["Address: sort=risk > sort=owner"]),
        (name, "view", "gone", []),
        (name, "view", "made", []),
    ]
    mine = [("Mine", "view", "made", [])]
    assert view_lines(cast.rep) == [*mine, *team]
    assert view_lines(cast.admin) == view_lines(cast.viewer) == team
    assert view_lines(cast.auditor) == view_lines(cast.outsider) == []
    found = read_page(Filters(how="view"), cast.rep).steps
    assert sorted(step.head.who for step in found) == ["Mona Manager"] * 3 + ["Rhea Rep"]
    assert own.events.count() == 1  # type: ignore[attr-defined]
