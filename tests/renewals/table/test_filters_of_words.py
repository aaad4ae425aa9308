"""Filters by what accounts, contracts and decisions say in words: region, product and churn reason."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from renewals.models import ChurnReason, Contract, Renewal
from renewals.table.filter_kinds import Reader
from renewals.table.menus import build_menu
from tests.cast import Cast, make_account, make_renewal
from tests.renewals.table.test_filters import found, read

DUE_ON = dt.date(2026, 11, 1)


def make_rows(cast: Cast) -> tuple[list[Renewal], ChurnReason]:
    price = ChurnReason.objects.create(name="A dearer price", is_avoidable=True)
    lost: dict[str, Any] = {"outcome": "lost", "final_amount": 0, "declined_on": DUE_ON}
    rows = [
        make_renewal(account=make_account(region="EMEA"), owner=cast.rep, due_on=DUE_ON, churn_reason=price, **lost),
        make_renewal(account=make_account(region="North & South"), owner=cast.rep, due_on=DUE_ON, **lost),
        make_renewal(account=make_account(), owner=cast.team_mate, due_on=DUE_ON),
    ]
    for row, product in zip(rows, ("Core", "core", ""), strict=True):
        Contract.objects.filter(pk=row.contract_id).update(product=product)
    return rows, price


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("region=EMEA", [0]),
        ("region=North+%26+South&region=EMEA", [0, 1]),
        ("region=Nowhere", []),
        ("product=Core", [0]),
        ("product=core&product=Core", [0, 1]),
        ("product=none", [2]),
        ("churn_reason=none", [1, 2]),
        ("churn_reason=none&outcome=lost", [1]),
        ("churn_reason={price}", [0]),
        ("churn_reason={price}&churn_reason=none&product=Core", [0]),
    ],
)
def test_words_restrict(cast: Cast, address: str, expected: list[int]) -> None:
    rows, price = make_rows(cast)
    number = {row.pk: place for place, row in enumerate(rows)}
    address = address.format(price=price.pk)
    address += "" if "outcome" in address else "&outcome=all"
    assert sorted(number[pk] for pk in found(address, cast.admin)) == expected


@pytest.mark.parametrize("value", ["999999", "price", "1e3"])
def test_a_reason_that_is_not_there_is_said(cast: Cast, value: str) -> None:
    query = read(f"churn_reason={value}", cast.admin)
    assert query.conditions == []
    assert query.problems == [f"Churn reason: there is no “{value}”."]


def test_menus_offer_the_words_there_are(cast: Cast) -> None:
    _, price = make_rows(cast)
    reader = Reader(cast.admin, DUE_ON)
    options = {
        name: [choice.value for choice in build_menu(name, read("", cast.admin), reader).choices]
        for name in ("region", "product", "churn_reason")
    }
    assert options["region"] == ["EMEA", "North & South"]
    assert sorted(options["product"]) == ["Core", "core", "none"]
    assert str(price.pk) in options["churn_reason"]
    assert options["churn_reason"][-1] == "none"
