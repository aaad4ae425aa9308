"""Saved views: what is kept, who sees it, what the table opens with, two who save the same one."""

import pytest
from django.http import QueryDict
from django.test import Client

from accounts.models import User, get_company
from renewals.models import SavedView
from renewals.saved_views.address import canonical_address
from renewals.saved_views.builtin import BUILT_IN
from renewals.saved_views.services import MOST_VIEWS, StaleView, ViewRefused, keep_view, save_address
from renewals.table.filter_kinds import Reader
from renewals.table.filters import read_query
from tests.cast import Cast, make_renewal

Visibility = SavedView.Visibility
HTMX = {"HX-Request": "true"}


def make_view(owner: User, address: str = "outcome=open", **fields: object) -> SavedView:
    values = {"name": "Mine", "visibility": Visibility.PRIVATE, "team": None, "is_default": False, **fields}
    return keep_view(by=owner, address=address, **values)  # type: ignore[arg-type]


def canonical(text: str, cast: Cast) -> str:
    reader = Reader(cast.rep, get_company().today())
    return canonical_address(read_query(QueryDict(text), reader))


def save(client: Client, view: SavedView, address: str, seen: str, **headers: str) -> object:
    data = {"address": address, "seen": seen}
    return client.post(f"/views/{view.pk}/", data, headers={**HTMX, **headers})


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("sort=risk&outcome=open&page=3&view=9", "outcome=open&sort=risk"),
        ("timing=overdue&timing=lapsed&outcome=open", "outcome=open&timing=lapsed&timing=overdue"),
        ("outcome=all&sort=due_on&per_page=50&sticky=1&density=comfortable", "outcome=all"),
        ("outcome=all&sort=-risk", "sort=-risk"),
        ("q=%26x%3D1&owner=me", "owner=me&q=%26x%3D1"),
        ("outcome=open&password=1&columns=due_on,<b>", "columns=account,due_on&outcome=open"),
        ("group=stage&widths=risk:9999&outcome=open", "group=stage&outcome=open&widths=risk:600"),
    ],
)
def test_canonical_address_of_whatever_comes(cast: Cast, given: str, kept: str) -> None:
    assert canonical(given, cast) == kept
    assert canonical(kept, cast) == kept


@pytest.mark.parametrize("key", BUILT_IN)
def test_built_in_view_is_canonical_and_opens_unchanged(cast: Cast, key: str) -> None:
    view = BUILT_IN[key]
    assert canonical(view.address, cast) == view.address
    page = cast.client_of("rep").get(f"/renewals/?{view.address}&view={key}")
    assert page.context["query"].problems == []
    assert (page.context["bar"].name, page.context["bar"].is_changed) == (view.name, False)


def test_save_as_keeps_what_the_table_shows(cast: Cast) -> None:
    client = cast.client_of("rep")
    data = {"name": "  Late  ones ", "readers": "private", "address": "?sort=-risk&outcome=open&page=2&rubbish=1"}
    answer = client.post("/views/new/", data)
    view = SavedView.objects.get()
    assert (view.name, view.owner, view.visibility, view.team) == ("Late ones", cast.rep, "private", None)
    assert view.address == "outcome=open&sort=-risk"
    assert answer.headers["Location"] == f"/renewals/?outcome=open&sort=-risk&view={view.pk}"
    page = client.get(answer.headers["Location"])
    assert page.context["query"].problems == []
    assert (page.context["bar"].name, page.context["bar"].is_changed) == ("Late ones", False)
    assert page.context["rail_views"][0].is_current


def test_changed_view_is_marked_and_reset(cast: Cast) -> None:
    view = make_view(cast.rep, "outcome=open&sort=-risk")
    bar = cast.client_of("rep").get(f"/renewals/?outcome=open&sort=risk&view={view.pk}").context["bar"]
    assert (bar.name, bar.is_changed, bar.may_save) == ("Mine", True, True)
    assert bar.reset_url == f"/renewals/?outcome=open&sort=-risk&view={view.pk}"


@pytest.mark.parametrize("key", ["999999999", "nothing_like_it"])
def test_view_that_is_not_there_is_left_out_and_said(cast: Cast, key: str) -> None:
    page = cast.client_of("rep").get(f"/renewals/?outcome=open&group=stage&view={key}")
    assert page.context["query"].problems == ["The view in this address is no longer there, or not yours to see."]
    assert "view" not in page.context["query"].params


def test_somebody_elses_private_view_reads_as_gone(cast: Cast) -> None:
    view = make_view(cast.rep, name="Secret plan")
    for role in ("admin", "manager", "team_mate", "outsider"):
        page = cast.client_of(role).get(f"/renewals/?outcome=open&view={view.pk}")
        assert page.context["query"].problems == ["The view in this address is no longer there, or not yours to see."]
        assert "Secret plan" not in page.content.decode()
        assert "Secret plan" not in cast.client_of(role).get("/views/").content.decode()


def test_shared_view_widens_nobodys_rows(cast: Cast) -> None:
    make_renewal(owner=cast.rep)
    make_renewal(owner=cast.outsider)
    view = make_view(cast.admin, "outcome=all", name="The whole book", visibility=Visibility.EVERYONE)
    counts = {
        role: len(cast.client_of(role).get(f"/renewals/?{view.address}&view={view.pk}").context["rows"])
        for role in ("admin", "rep", "outsider")
    }
    assert counts == {"admin": 2, "rep": 1, "outsider": 1}


def test_table_opens_with_ones_own_default_then_the_teams_then_the_companys(cast: Cast) -> None:
    client = cast.client_of("rep")
    assert client.get("/renewals/").status_code == 200

    def opened() -> str:
        return client.get("/renewals/").headers["Location"].rpartition("view=")[2]

    company = make_view(cast.admin, name="C", visibility=Visibility.EVERYONE, is_default=True)
    assert opened() == str(company.pk)
    team = make_view(cast.manager, name="T", visibility=Visibility.TEAM, team=cast.manager.team, is_default=True)
    assert opened() == str(team.pk)
    assert cast.client_of("outsider").get("/renewals/").headers["Location"].endswith(f"view={company.pk}")
    own = make_view(cast.rep, name="P", is_default=True)
    assert opened() == str(own.pk)
    # Asking for something opens that.
    assert client.get("/renewals/?outcome=open").status_code == 200
    make_view(cast.rep, name="P2", is_default=True)
    own.refresh_from_db()
    assert not own.is_default


def test_two_who_save_the_same_view(cast: Cast) -> None:
    team = {"visibility": Visibility.TEAM, "team": cast.rep.team}
    view = make_view(cast.rep, "outcome=open", name="Ours", **team)
    first = save(cast.client_of("rep"), view, "?outcome=open&sort=risk", "outcome=open")
    assert (first.status_code, first.context["bar"].is_changed) == (200, False)  # type: ignore[attr-defined]
    second = save(cast.client_of("manager"), view, "?outcome=open&group=stage", "outcome=open")
    assert second.status_code == 409  # type: ignore[attr-defined]
    assert second.headers["HX-Retarget"] == "#shell-dialog"  # type: ignore[attr-defined]
    assert "Rhea Rep changed “Ours” since you opened it. Nothing was saved." in second.content.decode()  # type: ignore[attr-defined]
    view.refresh_from_db()
    assert view.address == "outcome=open&sort=risk"
    # The same thing twice is no conflict; neither is a save over what was seen.
    assert save(cast.client_of("manager"), view, "sort=risk&outcome=open", "outcome=open").status_code == 200  # type: ignore[attr-defined]
    over = save(cast.client_of("manager"), view, "outcome=open&group=stage", "outcome=open&sort=risk")
    assert over.status_code == 200  # type: ignore[attr-defined]
    view.refresh_from_db()
    assert view.address == "group=stage&outcome=open"


def test_new_name_is_no_conflict_with_a_new_address(cast: Cast) -> None:
    view = make_view(cast.rep)
    client = cast.client_of("rep")
    seen = view.updated_at.isoformat()
    data = {"name": "Renamed", "readers": "private", "seen": seen}
    assert client.post(f"/views/{view.pk}/edit/", data).status_code == 302
    save_address(by=cast.rep, view_id=view.pk, address="outcome=lost", seen="outcome=open")
    stale = client.post(f"/views/{view.pk}/edit/", {**data, "name": "Again"})
    assert stale.status_code == 409
    view.refresh_from_db()
    assert (view.name, view.address) == ("Renamed", "outcome=lost")


def test_view_deleted_in_another_tab(cast: Cast) -> None:
    view = make_view(cast.rep)
    client = cast.client_of("rep")
    assert client.post(f"/views/{view.pk}/delete/").status_code == 302
    assert save(client, view, "outcome=lost", "outcome=open").status_code == 404  # type: ignore[attr-defined]
    assert SavedView.objects.count() == 0


def test_hostile_names_are_text(cast: Cast) -> None:
    client = cast.client_of("rep")
    name = "<script>alert(1)</script>\"'&"
    client.post("/views/new/", {"name": name, "readers": "private", "address": "outcome=open"})
    for url in ("/renewals/?outcome=open", "/views/"):
        text = client.get(url).content.decode()
        assert "<script>alert" not in text
        assert "&lt;script&gt;alert(1)" in text


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("", "This field is required."),
        ("   ", "This field is required."),
        ("x" * 81, "Ensure this value has at most 80 characters (it has 81)."),
        ("a\u202eb", "A name has no control characters, and none that turn the direction of text."),
        ("a\x00b", "Null characters are not allowed."),
        ("MINE", "There is a view of this name here already."),
    ],
)
def test_name_that_cannot_be(cast: Cast, name: str, error: str) -> None:
    make_view(cast.rep)
    answer = cast.client_of("rep").post("/views/new/", {"name": name, "readers": "private", "address": "outcome=open"})
    assert (answer.status_code, answer.context["form"].errors["name"]) == (422, [error])
    assert SavedView.objects.count() == 1


def test_rep_may_share_with_the_team_and_not_decide_what_it_opens_with(cast: Cast) -> None:
    client, team = cast.client_of("rep"), cast.rep.team
    assert team is not None
    data = {"name": "Ours", "readers": f"team-{team.pk}", "address": "outcome=open"}
    refused = client.post("/views/new/", {**data, "is_default": "on"})
    assert refused.status_code == 422
    assert list(refused.context["form"].errors) == ["is_default"]
    assert client.post("/views/new/", data).status_code == 302
    assert SavedView.objects.get().team == team


def test_namesake_made_at_the_same_moment_is_refused_by_the_database(cast: Cast) -> None:
    make_view(cast.rep, name="One")
    with pytest.raises(ViewRefused, match="There is a view “one” here already"):
        make_view(cast.rep, name="one")
    make_view(cast.team_mate, name="One")


def test_as_many_views_as_one_may_keep(cast: Cast) -> None:
    SavedView.objects.bulk_create(
        SavedView(owner=cast.rep, name=f"View {number}", address="outcome=open") for number in range(MOST_VIEWS)
    )
    with pytest.raises(ViewRefused, match="You keep 100 views"):
        make_view(cast.rep)


def test_address_that_is_too_long_is_refused_with_a_reason(cast: Cast) -> None:
    currencies = "&".join(f"currency={a}{b}{c}" for a in "ABCDEFGH" for b in "ABCDEFGH" for c in "ABCDEFGH")
    answer = cast.client_of("rep").post("/views/new/", {"name": "Long", "readers": "private", "address": currencies})
    assert answer.status_code == 422
    assert "longer than the 4,000 characters" in answer.content.decode()
    assert SavedView.objects.count() == 0


def test_history_keeps_each_state_and_who_left_it(cast: Cast) -> None:
    view = make_view(cast.rep)
    save_address(by=cast.rep, view_id=view.pk, address="outcome=lost", seen="outcome=open")
    with pytest.raises(StaleView):
        save_address(by=cast.rep, view_id=view.pk, address="outcome=renewed", seen="outcome=open")
    events = list(view.events.values_list("address", "pgh_context__user"))  # type: ignore[attr-defined]
    assert events == [("outcome=open", cast.rep.pk)] * 2  # as it was made, and as it was until the change


def test_export_of_a_view_is_what_is_seen(cast: Cast) -> None:
    today = get_company().today()
    for place, (currency, confidence) in enumerate([("USD", 10), ("EUR", 20), ("USD", 30), ("EUR", 40)]):
        make_renewal(owner=cast.rep, due_on=today, currency=currency, confidence=confidence, forecast_amount=place)
    address = "group=currency&columns=account,confidence,due_on&sort=-confidence&outcome=open"
    client = cast.client_of("rep")
    page = client.get(f"/renewals/?{address}")
    seen = [pk for section in page.context["page"].sections for pk in section.ids]
    file = client.post(f"/exports/new/?{address}", {"format": "csv"}).content.decode("utf-8-sig").splitlines()
    assert file[0] == "id,Account,Segment,Confidence %,Due,_state"
    assert [int(line.split(",")[0]) for line in file[1:]] == seen
    assert [line.split(",")[3] for line in file[1:]] == ["40", "20", "30", "10"]
