"""Editing a cell: the value, what follows from it, who may, what is compared, and what is answered."""

import datetime as dt
import json
import re
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.http import HttpResponse
from django.test.utils import CaptureQueriesContext

from accounts.models import User, get_company
from renewals.forms import CellForm, Editing
from renewals.models import ChurnReason, Offer, Renewal, RenewalScore, Stage
from renewals.services import StaleRenewal, cell_value, update_renewal
from tests.cast import Cast, make_account, make_renewal

AS_OF = dt.date(2026, 11, 21)
HOSTILE = ("<script>alert(1)</script>", "' OR 1=1 --", "🌱 Fjörd", "שלום עולם", "{{ 7|add:7 }}", "x" * 200)


def columns(renewal: Renewal) -> dict[str, Any]:
    return Renewal.objects.filter(pk=renewal.pk).values().get()


def update(renewal: Renewal, field: str, text: str, user: User, *, seen: str | None = None, **parts: str) -> Renewal:
    """An edit as the cell makes it: the text through its form, the form's value into the row."""
    renewal.refresh_from_db()
    data = {"value": text, "was": cell_value(renewal, field) if seen is None else seen, **parts}
    form = CellForm(data, field=field, editing=Editing(user, AS_OF))
    assert form.is_valid(), form.message
    value, was = form.cleaned_data["value"], form.cleaned_data["was"]
    update_renewal(renewal_id=renewal.pk, field=field, value=value, seen=was, user=user, as_of=AS_OF)
    renewal.refresh_from_db()
    return renewal


def message(field: str, text: str, user: User, **parts: str) -> str:
    form = CellForm({"value": text, "was": "", **parts}, field=field, editing=Editing(user, AS_OF))
    return "" if form.is_valid() else form.message


@pytest.mark.parametrize(
    ("field", "text", "column", "expected"),
    [
        ("confidence", "70", "confidence", 70),
        ("confidence", " 70 % ", "confidence", 70),
        ("confidence", "", "confidence", None),
        ("forecast_amount", "96,500.5", "forecast_amount", Decimal("96500.50")),
        ("forecast_amount", "96 500", "forecast_amount", Decimal(96500)),
        ("forecast_amount", "", "forecast_amount", None),
        ("expected_order_on", "2026-12-24", "expected_order_on", dt.date(2026, 12, 24)),
        ("expected_order_on", "24 Dec 2026", "expected_order_on", dt.date(2026, 12, 24)),
        ("next_step", "  Call Ana  ", "next_step", "Call Ana"),
    ],
)
def test_value_is_written(cast: Cast, field: str, text: str, column: str, expected: object) -> None:
    start = {"confidence": 10, "forecast_amount": 1, "next_step": "-", "expected_order_on": AS_OF}
    renewal = update(make_renewal(owner=cast.rep, **start), field, text, cast.rep)
    assert getattr(renewal, column) == expected


@pytest.mark.parametrize(
    ("field", "text", "expected"),
    [
        ("confidence", "abc", "Confidence is a whole number from 0 to 100, not “abc”."),
        ("confidence", "101", "Confidence is a whole number from 0 to 100, not “101”."),
        ("confidence", "-1", "Confidence is a whole number from 0 to 100, not “-1”."),
        ("confidence", "7.5", "Confidence is a whole number from 0 to 100, not “7.5”."),
        ("confidence", "٧٠", "Confidence is a whole number from 0 to 100, not “٧٠”."),
        ("forecast_amount", "96.500,00", "An amount is written 96500 or 96,500.00, not “96.500,00”."),
        ("forecast_amount", "96,5", "An amount is written 96500 or 96,500.00, not “96,5”."),
        ("forecast_amount", "1e5", "An amount is written 96500 or 96,500.00, not “1e5”."),
        ("forecast_amount", "NaN", "An amount is written 96500 or 96,500.00, not “NaN”."),
        ("forecast_amount", "-5", "Forecast is not negative: “-5”."),
        ("forecast_amount", "9" * 13, "“9999999999999” is more than an amount can be: 999,999,999,999.99."),
        ("expected_order_on", "31.02.2026", "A date is written 2026-11-05 or 05 Nov 2026, not “31.02.2026”."),
        (
            "expected_order_on",
            "9999-12-31",
            "Expected order: 31 Dec 9999 is out of range; the latest is 01 Jan 2100.",
        ),
        (
            "expected_order_on",
            "1899-12-31",
            "Expected order: 31 Dec 1899 is too early; the first is 01 Jan 1990.",
        ),
        ("ordered_on", "2026-11-22", "Ordered: 22 Nov 2026 is in the future; the latest is 21 Nov 2026."),
        ("stage", "", "Stage cannot be blank."),
        ("stage", "Nirvana", "There is no stage “Nirvana” that you can choose."),
        ("stage", "999999999999999999", "There is no stage “999999999999999999” that you can choose."),
        ("offer", "<b>", "There is no offer “<b>” that you can choose."),
        ("owner", "", "Owner cannot be blank."),
        ("outcome", "perhaps", "Outcome is open, renewed or lost, not “perhaps”."),
        ("outcome", "lost", "A lost renewal needs its churn reason."),
        ("next_step", "y" * 201, "Next step has at most 200 characters, not 201."),
        ("next_step", "a\x00b", "Null characters are not allowed."),
    ],
)
def test_wrong_value_is_told_with_its_way_out(cast: Cast, field: str, text: str, expected: str) -> None:
    assert message(field, text, cast.rep) == expected


def test_a_renewed_one_of_nothing_is_lost(cast: Cast) -> None:
    expected = "A renewed one has a final amount above 0; if nothing was, it is lost."
    assert message("outcome", "renewed", cast.rep, final_amount="0") == expected


# What follows


def test_stage_fills_a_blank_confidence_and_keeps_a_spoken_one(cast: Cast) -> None:
    stage = Stage.objects.get(name="Verbal yes")
    blank, spoken = make_renewal(owner=cast.rep), make_renewal(owner=cast.rep, confidence=35)
    assert update(blank, "stage", str(stage.pk), cast.rep).confidence == 90
    assert update(spoken, "stage", "verbal yes", cast.rep).confidence == 35


def test_ordered_on_makes_it_renewed_and_clearing_it_opens_it_again(cast: Cast) -> None:
    renewal = make_renewal(owner=cast.rep, forecast_amount=Decimal(13000))
    update(renewal, "ordered_on", "2026-11-20", cast.rep)
    assert (renewal.outcome, renewal.ordered_on, renewal.final_amount) == ("renewed", dt.date(2026, 11, 20), 13000)
    update(renewal, "ordered_on", "", cast.rep)
    assert (renewal.outcome, renewal.ordered_on, renewal.final_amount) == ("open", None, None)


@pytest.mark.parametrize(
    ("forecast", "parts", "final", "ordered_on"),
    [
        (None, {}, Decimal(12000), AS_OF),
        (Decimal(9000), {}, Decimal(9000), AS_OF),
        (Decimal(9000), {"final_amount": "9,100", "ordered_on": "2026-11-02"}, Decimal(9100), dt.date(2026, 11, 2)),
        (Decimal(0), {}, Decimal(12000), AS_OF),
    ],
)
def test_renewed_takes_the_usual_date_and_amount(
    cast: Cast, forecast: Decimal | None, parts: dict[str, str], final: Decimal, ordered_on: dt.date
) -> None:
    renewal = make_renewal(owner=cast.rep, forecast_amount=forecast)
    update(renewal, "outcome", "renewed", cast.rep, **parts)
    assert (renewal.final_amount, renewal.ordered_on, renewal.declined_on) == (final, ordered_on, None)


def test_lost_has_a_reason_and_no_amount_and_a_day(cast: Cast) -> None:
    price = ChurnReason.objects.get(name="Price")
    renewal = make_renewal(owner=cast.rep, cross_sell_amount=Decimal(500), forecast_amount=Decimal(900))
    update(renewal, "outcome", "lost", cast.rep, churn_reason=str(price.pk), final_amount="700")
    assert (renewal.churn_reason, renewal.final_amount, renewal.cross_sell_amount) == (price, 0, 0)
    assert (renewal.declined_on, renewal.ordered_on) == (AS_OF, None)
    update(renewal, "outcome", "open", cast.rep)
    assert (renewal.churn_reason, renewal.final_amount, renewal.declined_on) == (None, None, None)


def test_another_churn_reason_keeps_the_day_it_was_declined(cast: Cast) -> None:
    price, support = ChurnReason.objects.get(name="Price"), ChurnReason.objects.get(name="Support")
    earlier = dt.date(2026, 10, 1)
    lost = {"outcome": "lost", "final_amount": 0, "churn_reason": price, "declined_on": earlier}
    renewal = update(make_renewal(owner=cast.rep, **lost), "outcome", "lost", cast.rep, churn_reason=str(support.pk))
    assert (renewal.churn_reason, renewal.declined_on) == (support, earlier)


def test_a_part_is_never_more_than_the_whole(cast: Cast) -> None:
    renewal = make_renewal(owner=cast.rep, forecast_amount=Decimal(900), cross_sell_amount=Decimal(500))
    assert update(renewal, "forecast_amount", "300", cast.rep).cross_sell_amount == 300


def test_an_edit_scores_its_row(cast: Cast) -> None:
    renewal = update(make_renewal(owner=cast.rep), "confidence", "90", cast.rep)
    before = RenewalScore.objects.get(renewal=renewal).probability
    update(renewal, "confidence", "5", cast.rep)
    assert RenewalScore.objects.get(renewal=renewal).probability < before


def test_history_keeps_the_old_value_with_who_and_how(cast: Cast) -> None:
    renewal = update(make_renewal(owner=cast.rep, next_step="Call"), "next_step", "Visit", cast.rep)
    event = renewal.events.get()  # type: ignore[attr-defined]
    assert (event.next_step, event.pgh_context["user"], event.pgh_context["how"]) == ("Call", cast.rep.pk, "cell")


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_kept_as_text(cast: Cast, text: str) -> None:
    renewal = update(make_renewal(owner=cast.rep, account=make_account(name=text)), "next_step", text, cast.rep)
    assert renewal.next_step == text
    page = cast.client_of("rep").get(f"/renewals/{renewal.pk}/").content.decode()
    assert "<script>" not in page


# What is compared


def test_the_same_field_is_compared_with_what_was_seen(cast: Cast) -> None:
    renewal = make_renewal(owner=cast.rep, forecast_amount=Decimal(100))
    update(renewal, "forecast_amount", "200", cast.manager)
    with pytest.raises(StaleRenewal) as stale:
        update(renewal, "forecast_amount", "300", cast.rep, seen="100.00")
    assert (stale.value.theirs, stale.value.theirs_value, stale.value.author.name) == ("200", "200.00", "Mona Manager")
    assert renewal.forecast_amount == 200


def test_other_fields_are_not_compared(cast: Cast) -> None:
    renewal = make_renewal(owner=cast.rep, confidence=10)
    update(renewal, "forecast_amount", "200", cast.manager)
    assert update(renewal, "confidence", "20", cast.rep, seen="10").confidence == 20


def test_a_churn_reason_is_part_of_the_outcome_that_was_seen(cast: Cast) -> None:
    price, support = ChurnReason.objects.get(name="Price"), ChurnReason.objects.get(name="Support")
    renewal = make_renewal(owner=cast.rep)
    update(renewal, "outcome", "lost", cast.rep, churn_reason=str(price.pk))
    with pytest.raises(StaleRenewal, match=r"Outcome is now Lost \(Price\)."):
        update(renewal, "outcome", "lost", cast.rep, seen="open//", churn_reason=str(support.pk))


def test_the_same_edit_twice_is_one(cast: Cast) -> None:
    renewal = make_renewal(owner=cast.rep, forecast_amount=Decimal(100))
    for _ in range(2):
        update(renewal, "forecast_amount", "200", cast.rep, seen="100.00")
    assert (renewal.forecast_amount, renewal.events.count()) == (200, 1)  # type: ignore[attr-defined]


def test_permission_is_asked_of_the_row_as_it_is_now(cast: Cast) -> None:
    renewal = make_renewal(owner=cast.rep, confidence=10)
    Renewal.objects.filter(pk=renewal.pk).update(owner=cast.team_mate)
    with pytest.raises(PermissionDenied):
        update_renewal(
            renewal_id=renewal.pk, field="confidence", value=20, seen="10", user=cast.rep, as_of=get_company().today()
        )
    assert columns(renewal)["confidence"] == 10


# Over HTTP


def post(cast: Cast, name: str, renewal: Renewal, field: str, value: str, was: str, **parts: str) -> HttpResponse:
    data = {"value": value, "was": was, **parts}
    return cast.client_of(name).post(f"/renewals/{renewal.pk}/{field}/", data)


ANSWERS = {"rep": 200, "manager": 200, "admin": 200, "team_mate": 403, "viewer": 403, "auditor": 403}
ANSWERS |= {"outsider": 404, "other_manager": 404}


@pytest.mark.parametrize(("name", "status"), ANSWERS.items())
def test_only_those_who_may_edit_change_anything(cast: Cast, name: str, status: int) -> None:
    renewal = make_renewal(owner=cast.rep, confidence=10)
    before = columns(renewal)
    assert post(cast, name, renewal, "confidence", "20", "10").status_code == status
    after = columns(renewal)
    assert (after["confidence"] == 20) == (status == 200)
    if status != 200:
        assert after == before
        assert not RenewalScore.objects.exists()


def test_answer_is_the_fresh_row_and_a_toast_with_undo(cast: Cast) -> None:
    renewal = make_renewal(
        owner=cast.rep,
        account=make_account(name="Halden Biotech"),
        forecast_amount=Decimal(96500),
        baseline_amount=96500,
    )
    response = post(cast, "rep", renewal, "forecast_amount", "108,500", "96500.00")
    html = response.content.decode()
    assert html.count("<tr") == 1
    assert 'data-value="108500.00"' in html
    assert '108,500 <small class="p-good">+12%</small>' in html
    told = json.loads(response.headers["HX-Trigger"])
    assert told["toast"]["text"] == "Forecast of Halden Biotech: 96,500 → 108,500"
    undone = cast.client_of("rep").post(told["toast"]["undoUrl"], headers={"HX-Request": "true"})
    assert undone.status_code == 200
    assert columns(renewal)["forecast_amount"] == 96500


def test_a_wrong_value_comes_back_in_its_open_cell(cast: Cast) -> None:
    renewal = make_renewal(owner=cast.rep, confidence=10)
    response = post(cast, "rep", renewal, "confidence", '"><script>', "10")
    html = response.content.decode()
    assert response.status_code == 422
    assert 'value="&quot;&gt;&lt;script&gt;"' in html
    assert "Confidence is a whole number from 0 to 100, not “&quot;&gt;&lt;script&gt;”." in html
    assert 'name="was" value="10"' in html
    assert columns(renewal)["confidence"] == 10


def versions_in(html: str) -> list[str]:
    """What the cell was, what it is, what was typed."""
    return [part.partition("</dd>")[0] for part in html.split('<dd dir="auto">')[1:]]


def test_a_conflict_comes_back_with_all_three_values_and_can_be_decided(cast: Cast) -> None:
    renewal = make_renewal(owner=cast.rep, confidence=10)
    post(cast, "manager", renewal, "confidence", "20", "10")
    response = post(cast, "rep", renewal, "confidence", "30", "10")
    html = response.content.decode()
    assert response.status_code == 409
    assert "Mona Manager</b> changed it at" in html
    assert versions_in(html) == ["10%", "20%", "30"]
    assert 'name="was" value="20"' in html
    assert columns(renewal)["confidence"] == 20
    assert post(cast, "rep", renewal, "confidence", "30", "20").status_code == 200
    assert columns(renewal)["confidence"] == 30


def test_handing_over_leaves_the_row_to_read(cast: Cast) -> None:
    renewal = make_renewal(owner=cast.rep)
    response = post(cast, "rep", renewal, "owner", str(cast.team_mate.pk), str(cast.rep.pk))
    assert response.status_code == 200
    assert "data-value" not in response.content.decode()
    assert "undoUrl" not in json.loads(response.headers["HX-Trigger"])["toast"]
    assert columns(renewal)["owner_id"] == cast.team_mate.pk


@pytest.mark.parametrize(
    ("name", "new_owner", "status"),
    [
        ("rep", "outsider", 422),
        ("rep", "manager", 200),
        ("manager", "outsider", 200),
        ("manager", "viewer", 422),
        ("manager", "", 422),
        ("admin", "", 200),
    ],
)
def test_to_whom_a_renewal_can_be_handed(cast: Cast, name: str, new_owner: str, status: int) -> None:
    renewal = make_renewal(owner=cast.rep)
    value = str(getattr(cast, new_owner).pk) if new_owner else ""
    assert post(cast, name, renewal, "owner", value, str(cast.rep.pk)).status_code == status


def test_nobody_who_left_becomes_an_owner_and_no_old_offer_is_chosen(cast: Cast) -> None:
    User.objects.filter(pk=cast.team_mate.pk).update(is_active=False)
    offer = Offer.objects.create(name="Legacy", is_active=False)
    renewal = make_renewal(owner=cast.rep)
    assert post(cast, "rep", renewal, "owner", "Tom Mate", str(cast.rep.pk)).status_code == 422
    assert post(cast, "rep", renewal, "offer", str(offer.pk), "").status_code == 422


@pytest.mark.parametrize("field", ["baseline_amount", "due_on", "probability", "updated_at", "id", "password"])
def test_other_columns_have_no_address(cast: Cast, field: str) -> None:
    renewal = make_renewal(owner=cast.rep)
    assert post(cast, "admin", renewal, field, "1", "").status_code == 404


# What a save sends, in order. It is read again only where the database has to be asked again.
SAVE = (
    "FROM django_session",
    "FROM accounts_user",
    "FROM accounts_company",
    "FROM renewals_renewal WHERE id = .* FOR NO KEY UPDATE",
    'set_config.*; UPDATE "renewals_renewal"',
    "pg_try_advisory_xact_lock_shared",
    "EXECUTE",  # the account's book, and whether the rules are those that the process knows
    "EXECUTE",  # data rules, stale months, score
    "EXECUTE",  # the row of the answer
    "FROM engagement_flag",  # and the marks beside its account
)


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
@pytest.mark.parametrize(
    ("name", "field", "values", "more"),
    [
        ("rep", "confidence", ("10", "11", "12"), 0),
        ("admin", "forecast_amount", ("100.00", "200.00", "300"), 0),
        ("manager", "next_step", ("Call", "Visit", "Write"), 1),  # and the owner's team
    ],
)
def test_a_save_sends_ten_statements(
    cast: Cast, name: str, field: str, values: tuple[str, str, str], more: int
) -> None:
    renewal = make_renewal(owner=cast.rep, confidence=10, forecast_amount=Decimal(100), next_step="Call")
    client = cast.client_of(name)
    client.post(f"/renewals/{renewal.pk}/{field}/", {"value": values[1], "was": values[0]})  # fills the caches
    with CaptureQueriesContext(connection) as captured:
        answer = client.post(f"/renewals/{renewal.pk}/{field}/", {"value": values[2], "was": values[1]})
    assert answer.status_code == 200
    statements = [query["sql"] for query in captured.captured_queries if query["sql"] not in {"BEGIN", "COMMIT"}]
    if more:
        assert '"accounts_user"' in statements.pop(4)
    assert [bool(re.search(kind, sql)) for kind, sql in zip(SAVE, statements, strict=True)] == [True] * len(SAVE)
