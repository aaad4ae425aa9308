import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import Company, User
from renewals.drawer.notes import NoteRefused, delete_note, edit_note, find_mentions, readers_of, write_note
from renewals.models import Mention, Note, Renewal
from tests.cast import Cast, make_account, make_renewal


@pytest.fixture
def renewal(cast: Cast) -> Renewal:
    return make_renewal(owner=cast.rep, account=make_account(name="Halden Biotech"))


def test_readers_are_those_who_see_the_row(cast: Cast, renewal: Renewal) -> None:
    for row in (renewal, make_renewal(owner=None), make_renewal(owner=cast.outsider)):
        see = {person for person in User.objects.all() if Renewal.objects.visible_to(person).filter(pk=row.pk)}
        assert set(readers_of(row)) == see
    User.objects.filter(pk=cast.team_mate.pk).update(is_active=False)
    assert cast.team_mate not in readers_of(renewal)


@pytest.mark.parametrize(
    ("text", "found", "ignored"),
    [
        ("@Mona Manager please call", ["Mona Manager"], []),
        ("ask (@mona.manager), @Tom Mate!", ["Mona Manager", "Tom Mate"], []),
        ("@MONA MANAGER and @mona manager", ["Mona Manager"], []),
        ("@Otto Outsider", [], ["Otto"]),
        ("@Mona Managerial", [], ["Mona"]),
        ("write to rep@example.com, or x@y", [], []),
        ("@ nobody, @@, a price @ 5", [], []),
        ("@Straße ẞ", [], ["Straße"]),
    ],
)
def test_mentions_are_names_or_emails_of_readers(
    cast: Cast, renewal: Renewal, text: str, found: list[str], ignored: list[str]
) -> None:
    people, rest = find_mentions(text, readers_of(renewal))
    assert ([str(person) for person in people], rest) == (found, ignored)


def test_longer_name_is_meant_and_of_two_with_one_name_neither(cast: Cast, renewal: Renewal) -> None:
    team = cast.rep.team
    tom = User.objects.create_user("tom2@example.com", name="Tom Mateo", role="rep", team=team)
    User.objects.create_user("tom3@example.com", name="Tom Mateo", role="rep", team=team)
    assert find_mentions("@Tom Mate", readers_of(renewal)) == ([cast.team_mate], [])
    assert find_mentions("@Tom Mateo", readers_of(renewal)) == ([], ["tom mateo"])
    assert find_mentions("@tom2", readers_of(renewal)) == ([tom], [])


def test_note_calls_each_once_and_never_its_author(cast: Cast, renewal: Renewal) -> None:
    written = write_note(renewal=renewal, author=cast.rep, text=" @Mona Manager @Mona Manager @Rhea Rep @Otto ")
    assert written.message == (
        "Note saved. Mona Manager will see it. Nobody was told for @Otto: no such person sees this row."
    )
    assert list(Mention.objects.values_list("user", flat=True)) == [cast.manager.pk]
    assert Note.objects.get().text == "@Mona Manager @Mona Manager @Rhea Rep @Otto"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (" \x00\n ", "A note needs a text."),
        ("x" * 4001, "A note has at most 4,000 characters, not 4,001."),
    ],
)
def test_note_without_a_proper_text_is_refused(cast: Cast, renewal: Renewal, text: str, why: str) -> None:
    with pytest.raises(NoteRefused, match=why):
        write_note(renewal=renewal, author=cast.rep, text=text)
    response = cast.client_of("rep").post(f"/renewals/{renewal.pk}/notes/", {"text": text})
    assert response.status_code == 422
    assert why in response.content.decode()
    assert Note.objects.count() == 0


def test_edit_and_deletion_stay_in_history(cast: Cast, renewal: Renewal) -> None:
    note = write_note(renewal=renewal, author=cast.rep, text="First").note
    pk = note.pk
    edited = edit_note(note=note, user=cast.rep, text="Second @Tom Mate")
    assert (edited.note.text, edited.note.edited_at is None, edited.mentioned) == (
        "Second @Tom Mate",
        False,
        [cast.team_mate],
    )
    delete_note(note=note, user=cast.admin)
    events = Note(pk=pk).events.order_by("pgh_id").values_list("pgh_label", "text", "pgh_context__user")
    assert list(events) == [
        ("before_update", "First", cast.rep.pk),
        ("before_delete", "Second @Tom Mate", cast.admin.pk),
    ]


def test_others_words_are_left_alone(cast: Cast, renewal: Renewal) -> None:
    note = write_note(renewal=renewal, author=cast.rep, text="Mine").note
    with pytest.raises(PermissionDenied):
        edit_note(note=note, user=cast.admin, text="Yours")
    with pytest.raises(PermissionDenied):
        delete_note(note=note, user=cast.manager)
    with pytest.raises(PermissionDenied):
        write_note(renewal=renewal, author=cast.viewer, text="x")
    assert Note.objects.get().text == "Mine"


def test_called_person_sees_count_and_list_until_it_is_read(cast: Cast, renewal: Renewal) -> None:
    note = write_note(renewal=renewal, author=cast.rep, text="@Mona Manager <script>x</script>").note
    write_note(renewal=renewal, author=cast.rep, text="@Mona Manager again")
    client = cast.client_of("manager")
    assert client.get("/notes/unread/").content == b"2"
    page = client.get("/notes/").content.decode()
    assert f"/renewals/{renewal.pk}/#note-{note.pk}" in page
    assert "&lt;script&gt;x" in page
    assert "<script>x" not in page
    client.post("/notes/read/", {"note": note.pk})
    assert client.get("/notes/unread/").content == b"1"
    client.post("/notes/read/")
    assert client.get("/notes/unread/").content == b""
    assert client.post("/notes/read/", {"note": "x"}).status_code == 404


def test_call_is_gone_when_the_row_went_to_another_team(cast: Cast, renewal: Renewal) -> None:
    write_note(renewal=renewal, author=cast.rep, text="@Tom Mate secret")
    client = cast.client_of("team_mate")
    assert "secret" in client.get("/notes/").content.decode()
    Renewal.objects.update(owner=cast.outsider)
    assert client.get("/notes/unread/").content == b""
    assert "secret" not in client.get("/notes/").content.decode()


def test_times_are_those_of_the_company(cast: Cast, renewal: Renewal) -> None:
    Company.objects.update(time_zone="Asia/Tokyo")
    note = write_note(renewal=renewal, author=cast.rep, text="@Mona Manager").note
    Note.objects.filter(pk=note.pk).update(made_at=dt.datetime(2026, 11, 21, 20, 30, tzinfo=dt.UTC))
    for address in ("/notes/", f"/renewals/{renewal.pk}/"):
        assert "22 Nov 2026, 05:30" in cast.client_of("manager").get(address).content.decode()


@pytest.mark.parametrize("count", [1, 3])
def test_list_takes_six_queries(
    cast: Cast, renewal: Renewal, django_assert_num_queries: DjangoAssertNumQueries, count: int
) -> None:
    for _ in range(count):
        write_note(renewal=renewal, author=cast.rep, text="@Mona Manager")
    client: Client = cast.client_of("manager")
    with django_assert_num_queries(6):  # session, user, count of the pages, company, unread, mentions
        client.get("/notes/")
