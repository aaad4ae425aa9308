from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import AnonymousUser
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import DjangoAssertNumQueries

from accounts import services
from accounts.models import Team, User
from forecasting.models import Run
from renewals.models import Renewal
from tests.cast import Cast, make_renewal

PEOPLE, NEW = "/people/", "/people/new/"


def person(**changes: Any) -> dict[str, Any]:
    return {"name": "Nora New", "email": "Nora@Example.com", "role": "rep", "team": "", **changes}


def edit(cast: Cast, user: User, **changes: Any) -> Any:
    data = {"name": user.name, "email": user.email, "role": user.role, "team": user.team_id or "", **changes}
    return cast.client_of("admin").post(reverse("people:edit_user", args=[user.pk]), data)


def test_new_person_gets_a_password_that_is_shown_once_and_works(cast: Cast) -> None:
    response = cast.client_of("admin").post(NEW, person(team=cast.rep.team_id))
    user = User.objects.get(email="nora@example.com")
    password = response.context["password"]
    assert password in response.text
    assert "no-store" in response.headers["Cache-Control"]
    assert user.check_password(password)
    assert password not in cast.client_of("admin").get(PEOPLE).text
    client = Client()
    signed_in = client.post("/sign/login/", {"login": "nora@example.com", "password": password})
    assert signed_in.status_code == 302
    assert client.get("/people/").status_code == 403


def test_email_is_one_person_whatever_its_capitals(cast: Cast) -> None:
    response = cast.client_of("admin").post(NEW, person(email=cast.rep.email.upper()))
    assert response.status_code == 422
    assert response.context["form"].errors == {"email": ["Somebody already signs in with this email."]}


def test_manager_needs_a_team(cast: Cast) -> None:
    response = cast.client_of("admin").post(NEW, person(role="manager"))
    assert response.status_code == 422
    assert response.context["form"].errors == {"team": ["A manager needs a team."]}


def test_reset_password_replaces_the_old_one_and_ends_sessions(cast: Cast) -> None:
    reps_browser = cast.client_of("rep")
    response = cast.client_of("admin").post(reverse("people:reset_password", args=[cast.rep.pk]))
    cast.rep.refresh_from_db()
    assert cast.rep.check_password(response.context["password"])
    assert isinstance(reps_browser.get("/sign/login/").wsgi_request.user, AnonymousUser)


def test_person_is_edited_and_a_new_team_recomputes(cast: Cast) -> None:
    edit(cast, cast.rep, name="Rhea Renamed")
    assert not Run.objects.exists()
    edit(cast, cast.rep, team=cast.outsider.team_id, sees_whole_book="on")
    cast.rep.refresh_from_db()
    assert (cast.rep.name, cast.rep.team, cast.rep.sees_whole_book) == ("Rhea Rep", cast.outsider.team, True)
    assert Run.objects.get().reason == "rule"


def test_admins_do_not_lock_themselves_out(cast: Cast) -> None:
    User.objects.create_user("second@example.com", name="Second", role="admin")
    demoted = edit(cast, cast.admin, role="rep")
    assert demoted.status_code == 422
    assert demoted.context["form"].errors == {"role": ["Another admin has to change your role."]}
    response = cast.client_of("admin").post(reverse("people:deactivate_user", args=[cast.admin.pk]))
    assert response.context["form"].errors == {"__all__": ["Another admin has to deactivate you."]}
    cast.admin.refresh_from_db()
    assert cast.admin.is_active
    assert cast.admin.role == "admin"


def test_last_admin_stays(cast: Cast) -> None:
    """Asked by somebody who was an admin a moment ago: the check is in the write, not in the page."""
    User.objects.create_user("off@example.com", name="Off", role="admin", is_active=False)
    with pytest.raises(services.LastAdmin, match="Ada Admin is the only admin"):
        services.update_user(by=cast.rep, user_id=cast.admin.pk, values={"role": "viewer"})
    with pytest.raises(services.LastAdmin):
        services.deactivate_user(by=cast.rep, user_id=cast.admin.pk)
    cast.admin.refresh_from_db()
    assert (cast.admin.role, cast.admin.is_active) == ("admin", True)


def test_deactivating_hands_over_what_is_open(cast: Cast) -> None:
    mine = make_renewal(owner=cast.rep)
    other = make_renewal(owner=cast.team_mate)
    lost = make_renewal(owner=cast.rep, outcome="lost", final_amount=0)
    url = reverse("people:deactivate_user", args=[cast.rep.pk])
    client = cast.client_of("admin")
    page = client.get(url)
    assert (page.context["open_count"], page.context["account_count"]) == (1, 2)
    client.post(url, {"hand_over_to": cast.team_mate.pk})
    cast.rep.refresh_from_db()
    assert not cast.rep.is_active
    owners = dict(Renewal.objects.values_list("pk", "owner"))
    assert owners == {mine.pk: cast.team_mate.pk, other.pk: cast.team_mate.pk, lost.pk: cast.rep.pk}
    mine.account.refresh_from_db()
    assert mine.account.owner == cast.team_mate
    assert Run.objects.get().requested_by == cast.admin
    event = apps.get_model("renewals", "RenewalEvent").objects.get(pgh_obj=mine.pk)
    assert (event.owner_id, event.pgh_context["user"]) == (cast.rep.pk, cast.admin.pk)


def test_deactivating_without_an_heir_leaves_the_rows(cast: Cast) -> None:
    mine = make_renewal(owner=cast.rep)
    client = cast.client_of("admin")
    client.post(reverse("people:deactivate_user", args=[cast.rep.pk]), {"hand_over_to": ""})
    mine.refresh_from_db()
    assert mine.owner == cast.rep
    assert cast.client_of("rep").get("/people/").status_code == 302  # to sign-in
    client.post(reverse("people:activate_user", args=[cast.rep.pk]))
    cast.rep.refresh_from_db()
    assert cast.rep.is_active


def test_viewers_and_those_who_left_inherit_nothing(cast: Cast) -> None:
    url = reverse("people:deactivate_user", args=[cast.rep.pk])
    response = cast.client_of("admin").post(url, {"hand_over_to": cast.viewer.pk})
    assert response.status_code == 422
    cast.rep.refresh_from_db()
    assert cast.rep.is_active


def test_team_with_members_is_not_deleted(cast: Cast) -> None:
    client = cast.client_of("admin")
    empty = Team.objects.create(name="Empty")
    for team in (empty, cast.rep.team):
        assert team is not None
        client.post(reverse("people:delete_team", args=[team.pk]))
    assert sorted(Team.objects.values_list("name", flat=True)) == ["AMER", "EMEA"]


def test_teams_are_added_and_renamed(cast: Cast) -> None:
    client = cast.client_of("admin")
    client.post("/people/teams/", {"name": "APAC"})
    team = Team.objects.get(name="APAC")
    client.post(reverse("people:edit_team", args=[team.pk]), {"name": "Asia"})
    assert Team.objects.get(pk=team.pk).name == "Asia"
    taken = client.post("/people/teams/", {"name": "EMEA"})
    assert taken.context["form"].errors == {"name": ["There is a team of this name already."]}


def test_people_are_found_by_name_team_and_status(
    cast: Cast, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    make_renewal(owner=cast.rep)
    make_renewal(owner=cast.rep, outcome="lost", final_amount=0)
    client = cast.client_of("admin")
    with django_assert_num_queries(6):  # session, user, count, people, their open renewals, time zone
        rows = client.get(PEOPLE).context["rows"]
    assert {row["user"].name: row["open_count"] for row in rows if row["open_count"]} == {"Rhea Rep": 1}
    assert len(rows) == 8
    assert [row["user"].name for row in client.get(PEOPLE, {"q": "amer"}).context["rows"]] == [
        "Olga Manager",
        "Otto Outsider",
    ]
    User.objects.filter(pk=cast.rep.pk).update(is_active=False)
    assert [row["user"].name for row in client.get(PEOPLE, {"status": "inactive"}).context["rows"]] == ["Rhea Rep"]
