"""The admin's rules: forms by condition, a preview that writes nothing, a save that asks for a recompute."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from accounts.models import get_company
from forecasting.models import Run
from renewals.models import DataRule, Renewal
from renewals.quality.conditions import CONDITIONS, is_of_renewals
from renewals.quality.evaluate import evaluate_all
from renewals.quality.forms import RuleForm
from renewals.quality.preview import preview_rule
from tests.cast import Cast, make_account, make_rate, make_renewal

AS_OF = dt.date(2026, 11, 21)
DUE = dt.date(2027, 11, 21)
Kind = DataRule.Condition
NO_CHOICE = "Select a valid choice. {} is not one of the available choices."


def data_of(rule: DataRule, **changes: Any) -> dict[str, Any]:
    """What the rule's form sends."""
    form = RuleForm(instance=rule)
    data = {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()}
    return {name: value for name, value in (data | changes).items() if value is not None and value is not False}


def message_of(condition: str, **changes: Any) -> dict[str, list[str]]:
    rule = DataRule(condition=condition, name="Mine")
    form = RuleForm(data_of(rule, **changes), instance=rule)
    return {} if form.is_valid() else {name: list(errors) for name, errors in form.errors.items()}


@pytest.mark.parametrize("condition", [kind.value for kind in Kind])
def test_every_condition_has_a_form_whose_first_values_are_a_rule_that_runs(cast: Cast, condition: str) -> None:
    changes = {"low": "0"} if condition == Kind.FIELD_OUT_OF_RANGE else {}
    rule = DataRule(condition=condition, name="Mine")
    form = RuleForm(data_of(rule, **changes), instance=rule)
    assert form.is_valid(), form.errors
    form.save()
    make_renewal(owner=cast.rep)
    evaluate_all(as_of=AS_OF)
    assert preview_rule(rule, as_of=AS_OF, reporting_currency="EUR").row_count in {0, 1}


@pytest.mark.parametrize(
    ("condition", "changes", "field", "message"),
    [
        (Kind.STALE_NEXT_STEP, {"days": "-1"}, "days", "Ensure this value is greater than or equal to 0."),
        (Kind.STALE_NEXT_STEP, {"days": "3651"}, "days", "Ensure this value is less than or equal to 3650."),
        (Kind.STALE_NEXT_STEP, {"days": "soon"}, "days", "Enter a whole number."),
        (Kind.STALE_NEXT_STEP, {"name": "No offer"}, "name", "There is a rule of this name."),
        (Kind.STALE_NEXT_STEP, {"severity": "4"}, "severity", NO_CHOICE.format("4")),
        (Kind.STALE_NEXT_STEP, {"fix": "account_owner"}, "fix", NO_CHOICE.format("account_owner")),
        (Kind.FIELD_EMPTY, {"field": "1=1"}, "field", NO_CHOICE.format("1=1")),
        (Kind.FIELD_EMPTY, {"fix": "account_owner"}, "fix", "This does not write the field that the rule asks about."),
        (Kind.FIELD_OUT_OF_RANGE, {}, "__all__", "low, high: one of the two is needed."),
        (Kind.FIELD_OUT_OF_RANGE, {"low": "9", "high": "2"}, "__all__", "low, high: 9 is above 2."),
        (Kind.DATE_ORDER, {"second": "starts_on"}, "__all__", "first, second: a date is never after itself."),
    ],
)  # fmt: skip
def test_form_refuses_what_a_condition_cannot_take(
    db: None, condition: str, changes: dict[str, str], field: str, message: str
) -> None:
    assert message_of(condition, **changes) == {field: [message]}


def make_rule(condition: str, **parameters: Any) -> DataRule:
    return DataRule(condition=condition, name="Mine", parameters=parameters)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (make_rule("field_empty", field="next_step", rows="open"), 2),
        (make_rule("field_empty", field="expected_order_on", rows="open"), 1),
        (make_rule("field_empty", field="expected_order_on", rows="open", due_within_days=364), 0),
        (make_rule("field_empty", field="expected_order_on", rows="lost"), 0),
        (make_rule("field_empty", field="expected_order_on", rows="every"), 2),
        (make_rule("field_empty", field="segment", rows="open"), 1),
        (make_rule("field_old", field="last_touch_on", rows="open", days=90), 1),
        (make_rule("field_old", field="last_touch_on", rows="open", days=91), 0),
        (make_rule("field_out_of_range", field="baseline_amount", rows="open", low="100"), 1),
        (make_rule("field_out_of_range", field="baseline_amount", rows="open", low="99.99", high="250"), 0),
        (make_rule("field_out_of_range", field="baseline_amount", rows="open", high="249.99"), 1),
        (make_rule("date_order", first="expected_order_on", second="due_on", rows="open"), 1),
        (make_rule("date_order", first="due_on", second="expected_order_on", rows="open"), 0),
    ],
)
def test_general_conditions_ask_what_they_say(cast: Cast, rule: DataRule, expected: int) -> None:
    make_renewal(
        owner=cast.rep, due_on=DUE, baseline_amount=Decimal("99.99"), expected_order_on=DUE + dt.timedelta(days=1),
        account=make_account(last_touch_on=AS_OF - dt.timedelta(days=91)),
    )  # fmt: skip
    make_renewal(owner=cast.rep, due_on=DUE, baseline_amount=Decimal(250), account=make_account(segment=None))
    make_renewal(
        owner=cast.rep, due_on=dt.date(2026, 1, 1), outcome="renewed", ordered_on=dt.date(2026, 1, 1), final_amount=1
    )
    assert preview_rule(rule, as_of=AS_OF, reporting_currency="EUR").row_count == expected


def test_preview_sums_what_it_finds_in_the_reporting_currency(cast: Cast) -> None:
    make_rate("USD", "0.5")
    for currency, amount in (("EUR", 100), ("USD", 100), ("XAF", 100)):
        make_renewal(owner=cast.rep, due_on=DUE, currency=currency, baseline_amount=Decimal(amount))
    found = preview_rule(make_rule("field_empty", field="offer", rows="open"), as_of=AS_OF, reporting_currency="EUR")
    assert (found.row_count, found.amount, found.without_rate) == (3, Decimal("150.00"), {"XAF": 1})


def edit(client: Client, rule: DataRule, **changes: Any) -> Any:
    return client.post(f"/quality/rules/{rule.pk}/", data_of(rule, **changes))


def test_save_is_previewed_first_and_asks_for_a_recompute(cast: Cast) -> None:
    make_renewal(owner=cast.rep, due_on=get_company().today() + dt.timedelta(days=365), confidence=60)
    client, rule = cast.client_of("admin"), DataRule.objects.get(condition="confidence_against_stage")
    preview = edit(client, rule, points="10", severity="3").content.decode()
    assert "<b>1 renewal breaks</b> this rule, with € 12.0" in preview.replace("\N{NO-BREAK SPACE}", " ")
    assert "Before the change: 0." in preview
    rule.refresh_from_db()
    assert (rule.parameters, rule.severity, Run.objects.count()) == ({"points": 30}, 2, 0)
    saved = edit(client, rule, points="10", severity="3", confirm="yes")
    rule.refresh_from_db()
    assert (rule.parameters, rule.severity) == ({"points": 10}, 3)
    assert Run.objects.get().reason == "rule"
    assert saved.headers["Location"] == f"/quality/rules/?run={Run.objects.get().pk}"
    event = rule.events.get()
    assert (event.parameters, event.pgh_context["user"], event.pgh_context["how"]) == (
        {"points": 30},
        cast.admin.pk,
        "rule",
    )


def test_preview_keeps_that_a_rule_is_off(cast: Cast) -> None:
    client, rule = cast.client_of("admin"), DataRule.objects.get(condition="missing_dates")
    page = edit(client, rule, is_active=False).content.decode()
    assert '<input type="hidden" name="is_active" value="False"' in page
    client.post(f"/quality/rules/{rule.pk}/", data_of(rule) | {"is_active": "False", "confirm": "yes"})
    rule.refresh_from_db()
    assert not rule.is_active


def test_new_rule_finds_its_rows_after_the_recompute(cast: Cast) -> None:
    client = cast.client_of("admin")
    rule = DataRule(condition="field_empty", name="Nothing planned", severity=1)
    data = data_of(rule, field="next_step", rows="open", confirm="yes")
    assert client.post("/quality/rules/new/field_empty/", data).status_code == 302
    renewal = make_renewal(owner=cast.rep, due_on=DUE)
    evaluate_all(as_of=AS_OF)
    saved = DataRule.objects.get(name="Nothing planned")
    assert Renewal.objects.get(quality__rule_ids__contains=[saved.pk]) == renewal
    assert (saved.parameters, saved.severity) == ({"field": "next_step", "rows": "open"}, 1)


def test_invalid_form_is_422_and_saves_nothing(cast: Cast) -> None:
    client, rule = cast.client_of("admin"), DataRule.objects.get(condition="stale_next_step")
    response = edit(client, rule, days="-4", confirm="yes")
    assert response.status_code == 422
    rule.refresh_from_db()
    assert (rule.parameters, Run.objects.count()) == ({"days": 14}, 0)


def test_conditions_are_the_closed_list_of_the_model() -> None:
    assert set(CONDITIONS) == set(Kind.values)
    elsewhere = {kind for kind in Kind.values if not is_of_renewals(DataRule(condition=kind))}
    assert elsewhere == {"ended_without_renewal", "duplicate_account"}
