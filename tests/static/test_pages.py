"""The pages of the shell itself: sign-in, the person's own account, and what is said when something is refused."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.urls import NoReverseMatch, reverse

from accounts.context_processors import GROUPS, RailItem, _current_name, shell
from accounts.models import User
from tests.cast import PASSWORD, Cast


def is_routed(name: str) -> bool:
    try:
        return bool(reverse(name))
    except NoReverseMatch:
        return False


def rail_of(user: User | AnonymousUser) -> dict[str, list[str]]:
    request = RequestFactory().get("/")
    request.user = user
    return {group.label: [item.name for item in group.items] for group in shell(request)["shell"]["groups"]}


def test_rules_are_listed_for_an_admin_only(cast: Cast) -> None:
    rules = {name: rail_of(getattr(cast, name)).get("Rules") for name in ("manager", "rep", "viewer", "auditor")}
    assert rules == {"manager": None, "rep": None, "viewer": None, "auditor": None}
    assert rail_of(cast.admin)["Rules"] == [item.name for item in GROUPS[-1].items if is_routed(item.name)]


def test_imports_are_listed_for_those_who_may_import(cast: Cast) -> None:
    listed = {name: rail_of(getattr(cast, name)).get("Records") for name in ("manager", "rep", "viewer")}
    assert listed == {"manager": ["imports:list", "history:log"], "rep": None, "viewer": None}


def test_current_entry_is_the_longest_address_that_fits() -> None:
    addresses = {"a": "/rules/", "b": "/rules/timing/", "c": "/people/"}
    items = [RailItem(name, "", "", url) for name, url in addresses.items()]
    current = [_current_name(items, path) for path in ("/rules/timing/4/", "/rules/", "/people/7/", "/elsewhere/")]
    assert current == ["b", "a", "c", ""]


@pytest.mark.django_db
def test_sign_in_page_names_its_fields_and_sends_a_token() -> None:
    page = Client().get("/sign/login/").content.decode()
    wanted = ("<h1>Sign in</h1>", 'for="id_login"', 'for="id_password"', "csrfmiddlewaretoken", 'type="password"')
    assert [part for part in wanted if part not in page] == []


def test_wrong_password_is_answered_without_saying_which_part_was_wrong(cast: Cast) -> None:
    page = Client().post("/sign/login/", {"login": cast.rep.email, "password": "not it"}).content.decode()
    assert "p-notice-bad" in page
    assert "email address and/or password" in page
    assert "p-rail" not in page


def test_right_password_leads_on_without_a_word(cast: Cast) -> None:
    client = Client()
    response = client.post("/sign/login/?next=/sign/password/change/", {"login": cast.rep.email, "password": PASSWORD})
    assert (response.status_code, response.headers["Location"]) == (302, "/sign/password/change/")
    page = client.get("/sign/password/change/").content.decode()
    assert 'class="p-rail"' in page
    assert "Rhea Rep" in page
    assert "Successfully signed in" not in page


def test_a_path_that_is_not_there_has_the_look(cast: Cast) -> None:
    response = cast.client_of("rep").get("/no/such/page/")
    assert response.status_code == 404
    assert "<h1>Not found</h1>" in response.content.decode()


@pytest.mark.django_db
def test_a_post_without_token_says_why() -> None:
    response = Client(enforce_csrf_checks=True).post("/sign/login/", {})
    assert response.status_code == 403
    # shell.js tells this refusal from a missing permission by the attribute.
    assert "data-page-too-old" in response.content.decode()


def test_server_error_page_needs_neither_request_nor_database() -> None:
    assert "Something broke on the server" in render_to_string("500.html")


@pytest.mark.django_db
def test_too_many_attempts_page_leads_back_to_sign_in() -> None:
    request = RequestFactory().get("/sign/login/")
    request.user = AnonymousUser()
    assert 'href="/sign/login/"' in render_to_string("429.html", request=request)
