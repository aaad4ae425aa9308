"""Two admins with one form open."""

import html
import json
import re

import pytest
from django.urls import reverse

from accounts.models import User, get_company
from renewals.models import Stage
from tests.cast import Cast


def seen_in(page: bytes) -> str:
    [seen] = re.findall(r'name="seen" value="([^"]*)"', page.decode())
    return html.unescape(seen)


def test_a_field_that_nobody_disputes_keeps_what_each_saved(cast: Cast) -> None:
    client, stage = cast.client_of("admin"), Stage.objects.all()[1]
    url = reverse("rules:edit_item", args=["stages", stage.pk])
    fields = {"name": stage.name, "default_confidence": stage.default_confidence}
    fields |= {"forecast_category": stage.forecast_category}
    seen = seen_in(client.get(url).content)
    assert json.loads(seen) == {name: str(value) for name, value in fields.items()}
    client.post(url, {**fields, "default_confidence": 77, "seen": seen})
    assert client.post(url, {**fields, "name": "Renamed", "seen": seen}).status_code == 302
    stage.refresh_from_db()
    assert (stage.name, stage.default_confidence) == ("Renamed", 77)


def test_a_field_that_both_changed_is_told_of_before_it_is_saved(cast: Cast) -> None:
    client, stage = cast.client_of("admin"), Stage.objects.all()[1]
    url = reverse("rules:edit_item", args=["stages", stage.pk])
    fields = {"name": stage.name, "forecast_category": stage.forecast_category}
    seen = seen_in(client.get(url).content)
    client.post(url, {**fields, "default_confidence": 77, "seen": seen})
    response = client.post(url, {**fields, "default_confidence": 12, "seen": seen})
    assert response.status_code == 409
    assert "Usual confidence, % is “77” since" in response.content.decode()
    stage.refresh_from_db()
    assert stage.default_confidence == 77
    again = client.post(url, {**fields, "default_confidence": 12, "seen": seen_in(response.content)})
    stage.refresh_from_db()
    assert (again.status_code, stage.default_confidence) == (302, 12)


@pytest.mark.parametrize("seen", ["", "nonsense", "[]", "{}", '{"name": 3, "no_such": "x"}'])
def test_a_form_that_does_not_say_what_it_saw_is_saved_as_it_is(cast: Cast, seen: str) -> None:
    stage = Stage.objects.all()[1]
    fields = {"name": stage.name, "default_confidence": 31, "forecast_category": stage.forecast_category}
    response = cast.client_of("admin").post(
        reverse("rules:edit_item", args=["stages", stage.pk]), {**fields, "seen": seen}
    )
    stage.refresh_from_db()
    assert (response.status_code, stage.default_confidence) == (302, 31)


def test_company_and_people_are_not_taken_back_either(cast: Cast) -> None:
    client, company = cast.client_of("admin"), get_company()
    url = reverse("rules:company")
    fields = {name: getattr(company, name) for name in ("name", "time_zone", "reporting_currency", "attribution")}
    seen = seen_in(client.get(url).content)
    client.post(url, {**fields, "fiscal_year_start_month": 4, "seen": seen})
    old = {"fiscal_year_start_month": company.fiscal_year_start_month}
    client.post(url, {**fields, **old, "name": "Renamed", "seen": seen})
    assert (get_company().name, get_company().fiscal_year_start_month) == ("Renamed", 4)

    url = reverse("people:edit_user", args=[cast.viewer.pk])
    person = {"name": cast.viewer.name, "email": cast.viewer.email, "role": "viewer", "team": cast.viewer.team_id or ""}
    seen = seen_in(client.get(url).content)
    User.objects.filter(pk=cast.viewer.pk).update(sees_whole_book=not cast.viewer.sees_whole_book)
    same = {"sees_whole_book": "on"} if cast.viewer.sees_whole_book else {}
    assert client.post(url, {**person, **same, "name": "New name", "seen": seen}).status_code == 302
    now = User.objects.get(pk=cast.viewer.pk)
    assert (now.name, now.sees_whole_book) == ("New name", not cast.viewer.sees_whole_book)
