"""What a page is answered: the rows as they are now, or what cannot be taken and what to ask."""

import json
from typing import Any

import pytest
from django.http import HttpResponse

from renewals.models import Renewal
from renewals.paste.request import PasteUnreadable, read_paste
from tests.cast import Cast, make_account, make_renewal
from tests.renewals.paste.pastes import asked

pytestmark = pytest.mark.django_db
GOOD: dict[str, Any] = {"action": "paste", "columns": ["stage"], "rows": [1], "values": [["x"]], "was": [["1"]]}


def post(cast: Cast, body: dict[str, Any], *, columns: str = "account,confidence") -> HttpResponse:
    client = cast.client_of("rep")
    return client.post("/renewals/paste/", {"paste": json.dumps(body)}, headers={"X-Columns": columns})


def make_row(cast: Cast) -> Renewal:
    return make_renewal(owner=cast.rep, account=make_account(name="Halden <b>", owner=cast.rep), confidence=50)


def test_answer_has_the_row_with_the_columns_of_the_page_and_its_undo(cast: Cast) -> None:
    row = make_row(cast)

    answer = post(cast, asked([row], ["confidence"], [["60"]])).json()

    assert answer["toast"]["text"] == "1 cell of 1 renewal pasted"
    assert answer["toast"]["undoUrl"].startswith("/history/undo/")
    assert (answer["rows"].count("<td"), answer["findings"]) == (1, [])
    assert "60%" in answer["rows"]


def test_refusal_has_a_finding_per_cell_and_a_panel(cast: Cast) -> None:
    row = make_row(cast)

    response = post(cast, asked([row], ["confidence"], [["<i>"]]))

    answer = response.json()
    assert (response.status_code, sorted(answer)) == (422, ["findings", "panel"])
    assert answer["findings"] == [
        {
            "kind": "value",
            "line": 0,
            "place": 0,
            "id": row.pk,
            "field": "confidence",
            "message": "Confidence is a whole number from 0 to 100, not “<i>”.",
            "typed": "<i>",
            "theirs_value": "",
        }
    ]
    assert "Confidence of" in answer["panel"]
    assert "Halden &lt;b&gt;" in answer["panel"]
    assert "<i>" not in answer["panel"]
    assert "valid" not in answer["panel"]


def test_nothing_to_write_says_so(cast: Cast) -> None:
    answer = post(cast, asked([make_row(cast)], ["confidence"], [["50%"]])).json()

    assert answer["toast"] == {"text": "Nothing changed: every cell is so already"}


def test_what_a_page_claims_to_have_seen_may_be_anything(cast: Cast) -> None:
    row = make_row(cast)

    for name, was in [("confidence", "x"), ("stage", "9" * 400), ("expected_order_on", "soon"), ("outcome", "/" * 9)]:
        response = post(cast, asked([row], [name], [["80" if name == "confidence" else ""]], was=[[was]]))
        assert response.status_code in {409, 422, 200}


@pytest.mark.parametrize(
    "change",
    [
        {"action": "steal"},
        {"columns": ["password"]},
        {"columns": [3]},
        {"columns": [["stage"]]},
        {"rows": ["1"]},
        {"rows": [True]},
        {"rows": [1, 1], "was": [["1"], ["1"]]},
        {"rows": [10**30]},
        {"rows": []},
        {"values": []},
        {"values": [[1]]},
        {"values": 7},
        {"values": [["\ud800"]]},
        {"values": [["x"]] * 20_001},
        {"was": []},
        {"was": [["1", "2"]]},
        {"was": [[5]]},
        {"is_partial": "yes"},
    ],
)
def test_what_is_no_paste_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(PasteUnreadable):
        read_paste(json.dumps(GOOD | change))


@pytest.mark.parametrize("text", ["", "[]", "null", '"x"', "{", "[" * 100_000, json.dumps(GOOD)[:-1]])
def test_what_is_not_even_json_is_refused(text: str) -> None:
    with pytest.raises(PasteUnreadable):
        read_paste(text)
