"""Rows that nearly every request reads are what their managers give, and sessions what Django's are."""

import datetime as dt
from decimal import Decimal

from django.contrib.sessions.models import Session
from django.forms import model_to_dict
from django.test import Client
from django.utils import timezone

from accounts.models import Company, get_company
from config.instances import read_instance
from renewals.models import Renewal
from tests.cast import Cast, make_renewal


def test_instance_is_the_one_that_its_manager_gives(cast: Cast) -> None:
    renewal = make_renewal(owner=cast.rep, forecast_amount=Decimal("9.50"), attributes={"tier": ["a", 1]})
    found = read_instance(Renewal, "id = %s", [renewal.pk])
    assert found is not None
    stored = Renewal.objects.get(pk=renewal.pk)
    names = [field.attname for field in Renewal._meta.concrete_fields]
    assert [getattr(found, name) for name in names] == [getattr(stored, name) for name in names]
    assert found.attributes == {"tier": ["a", 1]}
    found.next_step = "Call"
    found.save(update_fields=["next_step"])
    assert Renewal.objects.get(pk=renewal.pk).next_step == "Call"


def test_instance_that_is_not_there_is_none(db: None) -> None:
    assert read_instance(Renewal, "id = %s", [0]) is None


def test_company_is_read_as_it_is_now(db: None) -> None:
    Company.objects.update(name="Halden")
    assert model_to_dict(get_company()) == model_to_dict(Company.objects.get())


def test_session_ends_with_its_day_or_its_row(cast: Cast) -> None:
    for end in (Session.objects.all().delete, lambda: Session.objects.update(expire_date=timezone.now())):
        client: Client = cast.client_of("rep")
        assert client.get("/renewals/").status_code == 200
        end()
        assert client.get("/renewals/").status_code == 302
    Session.objects.update(expire_date=timezone.now() + dt.timedelta(minutes=1))
    assert client.get("/renewals/").status_code == 302  # its cookie went with the refusal
