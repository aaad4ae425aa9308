"""The rules for many rows are those of the single cell: each edit is made both ways, and has to give the same rows."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction

from accounts.models import get_company
from renewals.forms import CellForm, Editing
from renewals.models import ChurnReason, Offer, Renewal, Stage
from renewals.services import KEPT, cell_value, update_renewal
from tests.cast import Cast, make_renewal
from tests.renewals.bulk.bulk_book import confirmed, planned, verdicts, wanted

TODAY = dt.date(2026, 11, 21)
LAST_MONTH = TODAY - dt.timedelta(days=30)


def shapes(cast: Cast) -> list[Renewal]:
    """A renewal in every state that a rule asks about."""
    reason = ChurnReason.objects.order_by("pk").first()
    stages = list(Stage.objects.order_by("position"))
    offer = Offer.objects.create(name="Old offer")

    def make(**fields: Any) -> Renewal:
        return make_renewal(owner=cast.rep, **fields)

    renewed = {"outcome": "renewed", "ordered_on": LAST_MONTH}
    return [
        make(),
        make(confidence=30, stage=stages[1], next_step="Call", next_step_on=TODAY, offer=offer),
        make(forecast_amount=Decimal("9000.00"), cross_sell_amount=Decimal("4000.00")),
        make(forecast_amount=Decimal("0.00"), expected_order_on=dt.date(2026, 12, 1)),
        make(baseline_amount=Decimal(0)),
        make(**renewed, final_amount=Decimal("8000.00"), cross_sell_amount=Decimal("5000.00")),
        make(**renewed, final_amount=Decimal("0.00"), baseline_amount=Decimal(0), forecast_amount=Decimal("70.50")),
        make(outcome="lost", final_amount=Decimal(0), declined_on=LAST_MONTH, churn_reason=reason),
        make(outcome="lost", final_amount=Decimal(0), forecast_amount=Decimal("123.45")),
    ]


def second_reason() -> str:
    return ChurnReason.objects.order_by("pk")[1].name


EDITS: list[dict[str, Any]] = [
    {"field": "stage", "value": lambda: Stage.objects.order_by("position")[2].name},
    {"field": "confidence", "value": "70"},
    {"field": "confidence", "value": ""},
    {"field": "forecast_amount", "value": "3,000.50"},
    {"field": "forecast_amount", "value": ""},
    {"field": "offer", "value": lambda: Offer.objects.create(name="New offer").name},
    {"field": "offer", "value": ""},
    {"field": "expected_order_on", "value": "2027-01-15"},
    {"field": "expected_order_on", "value": ""},
    {"field": "ordered_on", "value": "2026-11-02"},
    {"field": "ordered_on", "value": ""},
    {"field": "owner", "value": "Tom Mate"},
    {"field": "next_step", "value": "Send the offer; 'quoted' 50 %"},
    {"field": "next_step", "value": ""},
    {"field": "next_step_on", "value": "2026-12-01"},
    {"field": "outcome", "value": "open"},
    {"field": "outcome", "value": "lost", "churn_reason": second_reason},
    {"field": "outcome", "value": "renewed"},
    {"field": "outcome", "value": "renewed", "final_amount": "3500"},
    {"field": "outcome", "value": "renewed", "final_amount": "3500.25", "ordered_on": "2026-11-03"},
]


def said(edit: dict[str, Any]) -> dict[str, str]:
    return {name: value() if callable(value) else value for name, value in edit.items()}


def kept(rows: list[Renewal]) -> list[dict[str, Any]]:
    return list(Renewal.objects.filter(pk__in=[row.pk for row in rows]).order_by("pk").values(*KEPT))


@pytest.mark.parametrize(
    "edit", EDITS, ids=lambda edit: f"{edit['field']}-{edit['value'] if isinstance(edit['value'], str) else 'named'}"
)
def test_many_rows_become_what_each_cell_would_become(cast: Cast, edit: dict[str, Any]) -> None:
    rows, text, as_of = shapes(cast), said(edit), get_company().today()
    field, value = text.pop("field"), text.pop("value")
    with transaction.atomic():
        for row in rows:
            form = CellForm({"value": value, **text}, field=field, editing=Editing(cast.manager, as_of))
            assert form.is_valid(), form.message
            update_renewal(
                renewal_id=row.pk,
                field=field,
                value=form.cleaned_data["value"],
                seen=cell_value(Renewal.objects.get(pk=row.pk), field),
                user=cast.manager,
                as_of=as_of,
            )
        by_cell = kept(rows)
        transaction.set_rollback(True)
    action = {"action": "set", "value": value} if value else {"action": "clear"}
    data = {f"{field}_{name}": part for name, part in {**action, **text}.items()}
    done = confirmed(planned(cast.manager, rows, **data))
    assert kept(rows) == by_cell
    assert {verdict for verdict, _ in verdicts(done).values()} <= {"written", "same"}


def test_dates_are_shifted_and_amounts_scaled_each_from_its_own(cast: Cast) -> None:
    first = make_renewal(owner=cast.rep, expected_order_on=dt.date(2026, 12, 1), forecast_amount=Decimal("100.05"))
    second = make_renewal(owner=cast.rep, expected_order_on=dt.date(2027, 2, 27), forecast_amount=Decimal("200.00"))
    edit = planned(
        cast.rep,
        [first, second],
        expected_order_on_action="shift",
        expected_order_on_days="-3",
        forecast_amount_action="scale",
        forecast_amount_percent="-12.5",
    )
    assert edit.description == "Forecast −12.5 %; Expected order earlier by 3 days"
    assert wanted(edit, first) == {"expected_order_on": "2026-11-28", "forecast_amount": "87.54"}
    assert wanted(edit, second) == {"expected_order_on": "2027-02-24", "forecast_amount": "175.00"}


def test_what_is_blank_is_neither_shifted_nor_scaled(cast: Cast) -> None:
    blank = make_renewal(owner=cast.rep)
    edit = planned(cast.rep, [blank], forecast_amount_action="scale", forecast_amount_percent="5")
    assert verdicts(edit) == {blank.pk: ("same", "It is blank: there is nothing to shift or to change.")}
    assert edit.ready_count == 0


@pytest.mark.parametrize(
    ("fields", "asked", "reason"),
    [
        (
            {"outcome": "renewed", "ordered_on": TODAY, "final_amount": 5},
            {"ordered_on_action": "shift", "ordered_on_days": "3000"},
            "Ordered would be 07 Feb 2035: in the future.",
        ),
        (
            {"expected_order_on": dt.date(2099, 6, 1)},
            {"expected_order_on_action": "shift", "expected_order_on_days": "3650"},
            "Expected order would be 30 May 2109: out of range.",
        ),
        (
            {"forecast_amount": Decimal("999999999999.00")},
            {"forecast_amount_action": "scale", "forecast_amount_percent": "1"},
            "Forecast would be more than an amount can be.",
        ),
    ],
)
def test_a_computed_value_is_held_to_the_rule_of_its_field(
    cast: Cast, fields: dict[str, Any], asked: dict[str, str], reason: str
) -> None:
    bad, good = make_renewal(owner=cast.rep, **fields), make_renewal(owner=cast.rep)
    edit = planned(cast.rep, [bad, good], **asked)
    assert verdicts(edit)[bad.pk] == ("refused", reason)
    assert verdicts(edit)[good.pk][0] == "same"


def test_a_constraint_of_the_database_refuses_its_rows_before_anything_is_written(cast: Cast) -> None:
    """Whatever rules the table has or gets: one row that breaks one must not break the statement for all."""
    small, large = make_renewal(owner=cast.rep, forecast_amount=100), make_renewal(owner=cast.rep, forecast_amount=900)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE renewals_renewal ADD CONSTRAINT at_most CHECK (forecast_amount <= 1000)")
    edit = confirmed(planned(cast.rep, [small, large], forecast_amount_action="scale", forecast_amount_percent="20"))
    assert verdicts(edit) == {
        small.pk: ("written", ""),
        large.pk: ("refused", "The database's rule at_most refuses it."),
    }
