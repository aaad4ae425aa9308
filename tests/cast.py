"""The test cast: one of each role, a team-mate and an outsider, who are asked the same questions of every view."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.test import Client

from accounts.models import Account, ExchangeRate, Segment, Team, User
from renewals.models import Contract, Renewal, Stage

PASSWORD = "correct horse battery staple"
numbers = count(1)


@dataclass
class Cast:
    """EMEA: manager, rep, team_mate, viewer. AMER: outsider (a rep), other_manager. admin, auditor: the whole book."""

    admin: User
    auditor: User
    manager: User
    rep: User
    team_mate: User
    viewer: User
    outsider: User
    other_manager: User

    def client_of(self, name: str) -> Client:
        client = Client()
        client.force_login(getattr(self, name))
        return client


@pytest.fixture
def cast(db: None) -> Cast:
    """Made in two statements: nearly every test has one."""
    emea, amer = Team.objects.bulk_create([Team(name="EMEA"), Team(name="AMER")])
    password = make_password(PASSWORD)

    def user(name: str, role: str, team: Team | None, **fields: Any) -> User:
        email = f"{name.lower().replace(' ', '.')}@example.com"
        return User(email=email, password=password, name=name, role=role, team=team, **fields)

    people = {
        "admin": user("Ada Admin", "admin", None),
        "auditor": user("Abel Auditor", "viewer", None, sees_whole_book=True),
        "manager": user("Mona Manager", "manager", emea),
        "rep": user("Rhea Rep", "rep", emea),
        "team_mate": user("Tom Mate", "rep", emea),
        "viewer": user("Vera Viewer", "viewer", emea),
        "outsider": user("Otto Outsider", "rep", amer),
        "other_manager": user("Olga Manager", "manager", amer),
    }
    User.objects.bulk_create(people.values())
    return Cast(**people)


def make_account(**fields: Any) -> Account:
    number = next(numbers)
    if "segment" not in fields:
        fields["segment"], _ = Segment.objects.get_or_create(name="Enterprise")
    return Account.objects.create(**{"name": f"Account {number}", "external_id": f"A-{number}", **fields})


def make_renewal(*, owner: User | None, due_on: dt.date = dt.date(2026, 12, 15), **fields: Any) -> Renewal:
    """An open renewal of 12,000 EUR on a one-year contract that ends on its due date; any column can be given."""
    account = fields.pop("account", None) or make_account(owner=owner)
    contract = fields.pop("contract", None) or Contract.objects.create(
        account=account,
        number=f"C-{next(numbers)}",
        starts_on=due_on - dt.timedelta(days=364),
        ends_on=due_on,
        currency=fields.get("currency", "EUR"),
        recurring_amount=fields.get("baseline_amount", Decimal(12000)),
    )
    values = {
        "currency": "EUR",
        "baseline_amount": Decimal(12000),
        "stage": fields.pop("stage", None) or Stage.objects.order_by("position").first(),
        **fields,
    }
    return Renewal.objects.create(contract=contract, account=account, owner=owner, due_on=due_on, **values)


def make_rate(currency: str, rate: str, effective_on: dt.date = dt.date(2020, 1, 1)) -> ExchangeRate:
    return ExchangeRate.objects.create(currency=currency, rate=Decimal(rate), effective_on=effective_on)
