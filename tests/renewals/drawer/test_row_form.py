import datetime as dt
import json
from decimal import Decimal
from typing import Any

import pytest
from django.http import HttpResponse

from accounts.models import get_company
from config.history import recorded_as
from renewals.drawer.row_form import SHOWN, build_inputs
from renewals.models import ChurnReason, Offer, Renewal, Stage
from tests.cast import Cast, make_account, make_renewal

HX = {"HX-Request": "true", "HX-Target": "drawer"}


@pytest.fixture
def renewal(cast: Cast) -> Renewal:
    return make_renewal(owner=cast.rep, account=make_account(name="Halden Biotech"), next_step="Call Ana")


def form_of(renewal: Renewal) -> dict[str, str]:
    """What a browser would send of the untouched form."""
    data = {}
    for one in build_inputs(Renewal.objects.get(pk=renewal.pk)):
        data[one.name] = one.value
        if one.is_compared:
            data |= {f"was-{one.name}": one.was, f"before-{one.name}": one.before}
    return data


def send(cast: Cast, renewal: Renewal, data: dict[str, str], who: str = "rep") -> HttpResponse:
    answer: HttpResponse = cast.client_of(who).post(f"/renewals/{renewal.pk}/save/", data, headers=HX)
    return answer


def values(renewal: Renewal) -> dict[str, Any]:
    return Renewal.objects.values(*SHOWN).get(pk=renewal.pk)


def events(renewal: Renewal) -> list[Any]:
    return list(renewal.events.values_list("pgh_context_id", flat=True))  # type: ignore[attr-defined]


def test_untouched_form_writes_nothing(cast: Cast, renewal: Renewal) -> None:
    before = values(renewal)
    answer = send(cast, renewal, form_of(renewal))
    assert (answer.status_code, values(renewal), events(renewal)) == (200, before, [])
    assert json.loads(answer.headers["HX-Trigger"]) == {"toast": {"text": "Nothing was changed."}}


def test_changed_fields_are_one_step_of_history(cast: Cast, renewal: Renewal) -> None:
    stage = Stage.objects.order_by("position")[1]
    offer = Offer.objects.create(name="Atlas Plus")
    changed = {
        "stage": str(stage.pk), "confidence": "70 %", "forecast_amount": "13,500.00", "offer": "atlas plus",
        "expected_order_on": "2026-12-01", "next_step": "Send quote", "next_step_on": "2026-11-30",
    }  # fmt: skip
    answer = send(cast, renewal, form_of(renewal) | changed)
    assert answer.status_code == 200
    assert values(renewal) == {
        "stage": stage.pk, "confidence": 70, "forecast_amount": Decimal("13500.00"), "offer": offer.pk,
        "owner": cast.rep.pk, "expected_order_on": dt.date(2026, 12, 1), "next_step": "Send quote",
        "next_step_on": dt.date(2026, 11, 30), "outcome": "open", "churn_reason": None, "final_amount": None,
        "ordered_on": None,
    }  # fmt: skip
    (batch_id,) = set(events(renewal))
    told = json.loads(answer.headers["HX-Trigger"])
    assert told["toast"]["undoUrl"] == f"/history/undo/{batch_id}/"
    assert told["renewals:changed"] == {"ids": [renewal.pk]}
    cast.client_of("rep").post(told["toast"]["undoUrl"])
    assert (values(renewal)["confidence"], values(renewal)["next_step"]) == (None, "Call Ana")


def test_what_is_wrong_stands_at_its_field_and_nothing_is_saved(cast: Cast, renewal: Renewal) -> None:
    answer = send(cast, renewal, form_of(renewal) | {"confidence": "120", "offer": "None such", "next_step": "Keep me"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Confidence is a whole number from 0 to 100, not “120”." in page
    assert "There is no offer “None such” that you can choose." in page
    assert 'value="Keep me"' in page
    assert (values(renewal)["next_step"], events(renewal)) == ("Call Ana", [])


def test_conflict_is_per_field_and_shown_with_both_values(cast: Cast, renewal: Renewal) -> None:
    data = form_of(renewal)
    with recorded_as(user_id=cast.manager.pk, how="cell"):
        Renewal.objects.filter(pk=renewal.pk).update(confidence=40, forecast_amount=9000)
    answer = send(cast, renewal, data | {"confidence": "70", "next_step": "Send quote"})
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Mona Manager changed it" in page
    assert "to 40%. Saving again writes yours over it." in page
    # Theirs on other fields are no conflict, and mine on other fields waits with it.
    assert (values(renewal)["confidence"], values(renewal)["next_step"]) == (40, "Call Ana")

    again = data | {
        "confidence": "70",
        "was-confidence": "40",
        "before-confidence": "not 70",
        "next_step": "Send quote",
    }
    assert send(cast, renewal, again).status_code == 200
    assert (values(renewal)["confidence"], values(renewal)["next_step"]) == (70, "Send quote")
    assert values(renewal)["forecast_amount"] == 9000


def test_keeping_theirs_saves_the_rest(cast: Cast, renewal: Renewal) -> None:
    data = form_of(renewal)
    Renewal.objects.filter(pk=renewal.pk).update(confidence=40)
    again = data | {"confidence": "70", "was-confidence": "40", "next_step": "Send quote", "keep": "confidence"}
    assert send(cast, renewal, again).status_code == 200
    assert (values(renewal)["confidence"], values(renewal)["next_step"]) == (40, "Send quote")


def test_outcome_takes_its_parts(cast: Cast, renewal: Renewal) -> None:
    today = get_company().today()
    data = form_of(renewal) | {"outcome": "renewed", "final_amount": "12500", "ordered_on": today.isoformat()}
    assert send(cast, renewal, data).status_code == 200
    found = values(renewal)
    assert (found["outcome"], found["final_amount"], found["ordered_on"]) == ("renewed", Decimal(12500), today)
    reason = ChurnReason.objects.get(name="Price")
    data = form_of(renewal) | {"outcome": "lost"}
    assert "A lost renewal needs its churn reason." in send(cast, renewal, data).content.decode()
    assert send(cast, renewal, data | {"churn_reason": str(reason.pk)}).status_code == 200
    assert values(renewal)["outcome"] == "lost"


def test_handing_over_comes_last_and_the_answer_says_that_it_is_gone(cast: Cast, renewal: Renewal) -> None:
    data = form_of(renewal) | {"owner": "Otto Outsider", "next_step": "Welcome him"}
    answer = send(cast, renewal, data, "manager")
    assert "no longer yours to see" in answer.content.decode()
    assert (values(renewal)["owner"], values(renewal)["next_step"]) == (cast.outsider.pk, "Welcome him")
    assert "undoUrl" not in json.loads(answer.headers["HX-Trigger"])["toast"]


def test_form_works_without_scripts(cast: Cast, renewal: Renewal) -> None:
    client = cast.client_of("rep")
    answer = client.post(f"/renewals/{renewal.pk}/save/", form_of(renewal) | {"confidence": "70"}, follow=True)
    assert answer.redirect_chain == [(f"/renewals/{renewal.pk}/", 302)]
    assert "Confidence of Halden Biotech: nothing → 70%" in answer.content.decode()
