"""Whoever is deactivated, or gone, is signed out by the next thing they ask for."""

import pytest

from accounts.backends import AccountBackend
from accounts.models import User
from tests.cast import Cast


@pytest.mark.django_db
def test_one_who_is_deactivated_is_signed_out_at_once(cast: Cast) -> None:
    client = cast.client_of("rep")
    assert client.get("/renewals/").status_code == 200

    User.objects.filter(pk=cast.rep.pk).update(is_active=False)

    answer = client.get("/renewals/")
    assert (answer.status_code, answer["Location"].partition("?")[0]) == (302, "/sign/login/")


@pytest.mark.django_db
def test_the_person_of_a_session_is_the_stored_one(cast: Cast) -> None:
    found = AccountBackend().get_user(cast.manager.pk)
    assert found is not None
    assert (found, found.email, found.team_id) == (cast.manager, cast.manager.email, cast.manager.team_id)
    assert AccountBackend().get_user(0) is None
