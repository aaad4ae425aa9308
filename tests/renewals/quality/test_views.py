"""The worklist, its summary, accounts and trend over HTTP."""

import datetime as dt
import json
import re
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Account, get_company
from renewals.models import Contract, DataRule, QualitySnapshot, Renewal, Stage
from renewals.quality.evaluate import evaluate_all
from tests.cast import Cast, make_account, make_rate, make_renewal

HX = {"HX-Request": "true"}
ANOTHER = "Not mended: The suggestion is another one by now: Set confidence to 40%."
HOSTILE = "<img src=x onerror=alert(1)> {{ 7|add:7 }} \N{RIGHT-TO-LEFT OVERRIDE}GmbH"


def today() -> dt.date:
    return get_company().today()


def in_days(days: int) -> dt.date:
    return today() + dt.timedelta(days=days)


def make_broken(cast: Cast, **fields: Any) -> Renewal:
    """Breaks one rule: its confidence is far from that of its stage."""
    return make_renewal(**{"owner": cast.rep, "due_on": in_days(365), "confidence": 95, **fields})


def text_of(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", response.content.decode()))


def test_worst_come_first_then_the_soonest_due(cast: Cast) -> None:
    names = ["later warning", "sooner warning", "error", "note"]
    make_broken(cast, account=make_account(name=names[0]), due_on=in_days(300))
    make_broken(cast, account=make_account(name=names[1]), due_on=in_days(200))
    make_renewal(owner=cast.rep, due_on=in_days(400), currency="XAF", account=make_account(name=names[2]))
    make_renewal(owner=cast.rep, due_on=in_days(190), next_step_on=in_days(-15), account=make_account(name=names[3]))
    evaluate_all(as_of=today())
    text = text_of(cast.client_of("rep"), "/quality/")
    assert re.findall("|".join(names), text) == ["error", "sooner warning", "later warning", "note"]


def test_everybody_sees_only_the_rows_of_their_scope(cast: Cast) -> None:
    make_broken(cast, account=make_account(name="Emea One"))
    make_broken(cast, owner=cast.outsider, account=make_account(name="Amer One"))
    make_broken(cast, owner=None, account=make_account(name="Nobody One"))
    evaluate_all(as_of=today())
    seen = {
        name: set(re.findall("(Emea|Amer|Nobody) One", text_of(cast.client_of(name), "/quality/")))
        for name in ("rep", "outsider", "admin")
    }
    assert seen == {"rep": {"Emea"}, "outsider": {"Amer"}, "admin": {"Emea", "Amer", "Nobody"}}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {"Warned", "Erred"}),
        ("?severity=error", {"Erred"}),
        ("?severity=warning", {"Warned"}),
        ("?rule=5", {"Warned"}),
        ("?asked=admin", {"Erred"}),
        ("?owner=me", {"Warned"}),
        ("?owner=nobody", set()),
        ("?rule=5&severity=error", set()),
        ("?page=2", set()),
    ],
)
def test_filters_leave_the_rows_that_they_name(cast: Cast, query: str, expected: set[str]) -> None:
    make_broken(cast, account=make_account(name="Warned"))
    make_renewal(owner=cast.team_mate, due_on=in_days(400), currency="XAF", account=make_account(name="Erred"))
    evaluate_all(as_of=today())
    assert set(re.findall("Warned|Erred", text_of(cast.client_of("rep"), f"/quality/{query}"))) == expected


@pytest.mark.parametrize(
    "query", ["rule=9999", "rule=x", "severity=fatal", "owner=99999", "owner=%00", "asked=you", "renewal=x", "page=0"]
)
def test_filter_that_says_nothing_known_is_left_out_and_told(cast: Cast, query: str) -> None:
    make_broken(cast, account=make_account(name="Still here"))
    evaluate_all(as_of=today())
    text = text_of(cast.client_of("rep"), f"/quality/?{query}")
    assert "Still here" in text
    assert ("It was left out." in text) == (query != "owner=%00")


def test_filter_of_another_name_is_told(cast: Cast) -> None:
    assert "“drop” is not a filter of this page." in text_of(cast.client_of("rep"), "/quality/?drop=1")


def test_hostile_names_are_text(cast: Cast) -> None:
    DataRule.objects.filter(pk=5).update(name=HOSTILE)
    make_broken(cast, account=make_account(name=HOSTILE), next_step=HOSTILE, next_step_on=in_days(-30))
    Account.objects.create(name=f"{HOSTILE} Ltd", external_id="twin")
    evaluate_all(as_of=today())
    for url in ("/quality/", "/quality/summary/", "/quality/accounts/", "/quality/trend/", "/quality/rules/"):
        page = cast.client_of("admin").get(url).content.decode()
        assert "<img src=x" not in page
        assert "14 " not in page.partition("&lt;img")[2][:60]


def test_row_says_what_is_wrong_and_what_mends_it(cast: Cast) -> None:
    make_broken(cast, stage=Stage.objects.get(name="Proposal"), confidence=96, account=make_account(name="Halden"))
    evaluate_all(as_of=today())
    text = text_of(cast.client_of("rep"), "/quality/")
    assert "Confidence contradicts the stage 96% in Proposal, where 65% is usual Set confidence to 65%" in text
    assert "Rhea Rep owns it, and mends it." in text_of(cast.client_of("team_mate"), "/quality/")


def post_fix(client: Client, renewal: Renewal, rule_id: int, **data: str) -> Any:
    return client.post(f"/quality/renewals/{renewal.pk}/fix/{rule_id}/", data, headers=HX)


def test_fix_answers_with_the_row_and_a_way_back(cast: Cast) -> None:
    renewal = make_broken(cast, account=make_account(name="Halden"))
    evaluate_all(as_of=today())
    client = cast.client_of("rep")
    response = post_fix(client, renewal, 5, value="40", seen="95")
    assert response.status_code == 200
    assert f'<tr id="quality-{renewal.pk}">' in response.content.decode()
    assert "Nothing left to mend" in response.content.decode()
    told = json.loads(response.headers["HX-Trigger"])
    assert told["quality:changed"] == {"id": renewal.pk}
    assert told["toast"]["text"] == "Confidence of Halden: 95% → 40%"
    assert client.post(told["toast"]["undoUrl"], headers=HX).status_code == 200
    assert Renewal.objects.get(pk=renewal.pk).confidence == 95
    assert "Set confidence to 40%" in client.get(f"/quality/renewals/{renewal.pk}/").content.decode()


@pytest.mark.parametrize(
    ("data", "status", "reason"),
    [
        (
            {"value": "41", "seen": "95"},
            422,
            "Not mended: The suggestion is another one by now: Set confidence to 40%.",
        ),
        ({"value": "40", "seen": "94"}, 409, "Not mended: Somebody has since changed it to 95%."),
        ({}, 422, ANOTHER),
    ],
)
def test_refused_fix_says_why_and_changes_nothing(cast: Cast, data: dict[str, str], status: int, reason: str) -> None:
    renewal = make_broken(cast)
    evaluate_all(as_of=today())
    response = post_fix(cast.client_of("rep"), renewal, 5, **data)
    assert response.status_code == status
    assert json.loads(response.headers["HX-Trigger"]) == {"toast": {"text": reason, "level": "error"}}
    assert Renewal.objects.get(pk=renewal.pk).confidence == 95


def test_fix_without_scripts_goes_back_to_the_list(cast: Cast) -> None:
    renewal = make_broken(cast)
    evaluate_all(as_of=today())
    url = f"/quality/renewals/{renewal.pk}/fix/5/"
    response = cast.client_of("rep").post(url, {"value": "40", "seen": "95"})
    assert (response.status_code, response.headers["Location"]) == (302, f"/quality/?renewal={renewal.pk}")
    assert Renewal.objects.get(pk=renewal.pk).confidence == 40


def test_summary_counts_each_rule_in_the_reporting_currency(cast: Cast) -> None:
    make_rate("USD", "0.5")
    make_broken(cast, baseline_amount=Decimal(1000))
    make_broken(cast, baseline_amount=Decimal(2000), currency="USD")
    make_broken(cast, baseline_amount=Decimal(500), currency="XAF")
    make_renewal(owner=cast.rep, due_on=in_days(365), baseline_amount=Decimal(2000))
    evaluate_all(as_of=today())
    text = text_of(cast.client_of("rep"), "/quality/summary/")
    assert "Trust in the data 50 of 100 Break a rule 3 € 2.0 K Errors 1 at worst Warnings 2 at worst" in text
    assert "Confidence contradicts the stage 3 € 2.0 K" in text
    assert "1 in XAF: in no amount, XAF has no rate." in text


def queries(client: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


@pytest.mark.parametrize(
    ("url", "expected"),
    [("/quality/", 7), ("/quality/summary/", 9), ("/quality/accounts/", 7), ("/quality/trend/", 6)],
)
def test_pages_ask_as_often_for_three_rows_as_for_one(cast: Cast, url: str, expected: int) -> None:
    client = cast.client_of("admin")
    counts = []
    for owner in (cast.rep, cast.team_mate, cast.outsider):
        account = make_account(owner=owner)
        make_broken(cast, owner=owner, account=account)
        make_account(name=f"{account.name} GmbH", owner=owner)
        evaluate_all(as_of=today())
        counts.append(queries(client, url))
    assert [counts[0], counts[2]] == [expected, expected]


def test_accounts_names_only_look_alikes_that_the_reader_may_see(cast: Cast) -> None:
    make_account(name="Acme GmbH", owner=cast.rep)
    make_account(name="Acme Ltd", owner=cast.outsider)
    make_account(name="ACME", owner=cast.team_mate)
    ends_on = in_days(-1)
    Contract.objects.create(
        account=make_account(name="Bolt", owner=cast.rep),
        number="C-9",
        starts_on=in_days(-365),
        ends_on=ends_on,
        currency="EUR",
        recurring_amount=Decimal(900),
    )
    evaluate_all(as_of=today())
    text = text_of(cast.client_of("rep"), "/quality/accounts/")
    assert "Acme Ltd" not in text
    assert re.search("Acme GmbH .* Looks like ACME .* and 1 more", text)
    assert f"C-9 ended on {ends_on:%d %b %Y} € 900" in text
    assert "Acme Ltd" in text_of(cast.client_of("admin"), "/quality/accounts/?rule=9")
    assert "Bolt" not in text_of(cast.client_of("admin"), "/quality/accounts/?rule=9")
    assert text_of(cast.client_of("viewer"), "/quality/accounts/").count("Acme") == 2  # one team: the same two
    other = text_of(cast.client_of("outsider"), "/quality/accounts/")
    assert "Acme Ltd" in other
    assert "GmbH" not in other


def test_trend_compares_with_a_month_ago_and_draws_a_line(cast: Cast) -> None:
    for days, broken in ((-60, 9), (-30, 4), (0, 6)):
        QualitySnapshot.objects.create(
            taken_on=in_days(days), owner=cast.rep, renewal_count=20, breach_count=broken, broken_count=broken,
            baseline_amount=Decimal(1000), broken_amount=Decimal(60),
        )  # fmt: skip
    page = cast.client_of("rep").get("/quality/trend/").content.decode()
    assert re.search(r'<polyline points="(\S+) (\S+) (\S+)"', page)
    text = text_of(cast.client_of("rep"), "/quality/trend/")
    assert re.search(r"Rhea Rep 20 6 \+2 6 € 60 94", text)
    assert "Rhea" not in text_of(cast.client_of("outsider"), "/quality/trend/").partition("There is no trend yet")[2]
