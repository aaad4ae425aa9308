"""The page of the central table: what stands in its cells, what it costs, what it says when there is nothing."""

import datetime as dt
import re
from decimal import Decimal

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test.utils import CaptureQueriesContext

from accounts.models import AccountHealth, HealthBand, get_company
from forecasting.engine import risk as engine_risk
from renewals.models import ChurnReason, Offer, Renewal, RenewalScore, RiskBand, Stage, TimingClass
from renewals.models.scores import HIGH_RISK_FROM, MEDIUM_RISK_FROM
from renewals.table.columns import DEFAULT_COLUMNS, EDITABLE
from tests.cast import Cast, make_account, make_renewal
from tests.renewals.test_update import HOSTILE

LIST = {"HX-Request": "true", "HX-Target": "renewal-list"}


def page(cast: Cast, name: str, address: str = "") -> str:
    response: HttpResponse = cast.client_of(name).get(f"/renewals/{address}")
    assert response.status_code == 200
    return response.content.decode()


def texts(html: str) -> list[list[str]]:
    """The text of every cell of the table's body."""
    body = re.search(r'class="g-table".*?<tbody>(.*?)</tbody>', html, re.DOTALL)
    rows = re.findall(r"<tr.*?</tr>", body[1], re.DOTALL) if body else []
    return [
        [" ".join(re.sub(r"<[^>]*>", " ", cell).split()) for cell in re.findall(r"<t[hd].*?>(.*?)</t[hd]>", row)]
        for row in rows
    ]


def titles(html: str) -> set[str]:
    return set(re.findall(r'<td class="[^"]*g-edit[^"]*" title="([^"]*)"', html))


def test_cells_of_a_row(cast: Cast) -> None:
    today = get_company().today()
    renewal = make_renewal(
        owner=cast.rep,
        account=make_account(name="Halden Biotech", last_touch_on=dt.date(2026, 11, 3)),
        due_on=dt.date(2026, 11, 5),
        notice_days=30,
        stage=Stage.objects.get(name="Proposal"),
        forecast_amount=Decimal("9000.00"),
        offer=Offer.objects.create(name="Core · 12 mo"),
        confidence=35,
        next_step="Call Ana",
        next_step_on=dt.date(2026, 12, 1),
        expected_order_on=dt.date(2026, 12, 20),
    )
    renewal.contract.number = "C-1"
    renewal.contract.save()
    RenewalScore.objects.create(
        renewal=renewal,
        account=renewal.account,
        timing_class=TimingClass.OVERDUE,
        timing_days=16,
        likelihood=0.302,
        likelihood_count=1234,
        probability=0.321,
        risk_score=69.4,
        completeness=0.82,
        contributions=[4000, -1, 2940],
    )
    html = page(cast, "rep")
    assert texts(html) == [
        [
            "Halden Biotech Enterprise", "C-1", "05 Nov 2026", "06 Oct 2026", "Overdue 16 d", "Proposal", "12,000",
            "9,000 −25%", "Core · 12 mo", "35%", "30%", "32%", "69", "Rhea Rep", "Call Ana 01 Dec 2026",
            "03 Nov 2026", "20 Dec 2026", "", "Open",
        ]
    ]  # fmt: skip
    assert 'data-contributions="4000,-1,2940" data-score="69.4" data-completeness="82"' in html
    assert 'title="The rate of 1,234 decided renewals like this one"' in html
    assert 'class="p-bar p-bar-bad"' in html
    assert f"as of {today:%d %b %Y}" in html


def test_health_is_shown_to_who_asks_for_it(cast: Cast) -> None:
    row, _ = make_renewal(owner=cast.rep, due_on=dt.date(2026, 11, 5)), make_renewal(owner=cast.rep)
    AccountHealth.objects.create(
        account=row.account,
        score=38.4,
        band=HealthBand.POOR,
        completeness=1,
        contributions=[],
        changed_on=dt.date(2026, 11, 1),
    )
    html = page(cast, "rep", "?outcome=open&columns=account,health,owner&sort=health")
    assert [cells[1:] for cells in texts(html)] == [["38 Poor", "Rhea Rep"], ["–", "Rhea Rep"]]
    assert 'class="p-bar p-bar-bad"' in html
    offered = cast.client_of("rep").get("/views/display/?outcome=open").content.decode()
    assert '<input type="checkbox" name="columns" value="health"> Health' in offered


def test_a_health_of_which_too_little_is_known_has_no_band(cast: Cast) -> None:
    row = make_renewal(owner=cast.rep)
    AccountHealth.objects.create(
        account=row.account, score=38.4, completeness=0.1, contributions=[], changed_on=dt.date(2026, 11, 1)
    )
    html = page(cast, "rep", "?outcome=open&columns=account,health&sort=-health")
    assert [cells[1:] for cells in texts(html)] == [["38 Not known"]]


def test_decided_rows_say_what_came_of_them(cast: Cast) -> None:
    day = dt.date(2026, 11, 5)
    won = {"outcome": "renewed", "final_amount": Decimal(13000), "ordered_on": day}
    lost = {"outcome": "lost", "final_amount": 0, "churn_reason": ChurnReason.objects.get(name="Price")}
    make_renewal(owner=cast.rep, due_on=day, currency="USD", **won)
    make_renewal(owner=cast.rep, due_on=day + dt.timedelta(1), **lost)
    first, second = texts(page(cast, "rep", "?outcome=all"))
    assert (first[6], first[17], first[18]) == ("$ 12,000", "05 Nov 2026", "Renewed $ 13,000")
    assert second[18] == "Lost Price"


def test_a_row_without_a_score_says_so(cast: Cast) -> None:
    make_renewal(owner=cast.rep)
    (row,) = texts(page(cast, "rep"))
    assert [row[4], row[10], row[11], row[12]] == ["Not scored yet", "–", "–", "–"]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(cast: Cast, text: str) -> None:
    renewal = make_renewal(owner=cast.rep, account=make_account(name=text), next_step=text)
    renewal.contract.number, renewal.contract.product = text[:80], text
    renewal.contract.save()
    Offer.objects.create(name=text[:120])
    for address in ("", f"?q={text[:20]}", f"?outcome={text}"):
        html = cast.client_of("rep").get("/renewals/", {} if not address else {"q": text, "outcome": text})
        assert "<script>alert" not in html.content.decode()
    assert "<script>alert" not in cast.client_of("rep").get("/renewals/choices/offer/").content.decode()


def test_who_may_edit_sees_where_and_who_may_not_sees_why(cast: Cast) -> None:
    make_renewal(owner=cast.rep)
    assert {
        name: page(cast, name).count("data-value") for name in ("rep", "manager", "admin", "viewer", "team_mate")
    } == {
        "rep": len(EDITABLE),
        "manager": len(EDITABLE),
        "admin": len(EDITABLE),
        "viewer": 0,
        "team_mate": 0,
    }
    assert titles(page(cast, "viewer")) == {"You may look, not change."}
    owns = "Rhea Rep owns this renewal; the owner, the team&#x27;s manager or an admin edits it."
    assert titles(page(cast, "team_mate")) == {owns}


def test_others_rows_are_not_there(cast: Cast) -> None:
    make_renewal(owner=cast.outsider, account=make_account(name="Secret"))
    make_renewal(owner=None, account=make_account(name="Nobody's"))
    assert texts(page(cast, "rep")) == []
    assert len(texts(page(cast, "auditor"))) == 2


def test_as_many_queries_for_three_rows_as_for_one(cast: Cast) -> None:
    client = cast.client_of("rep")
    make_renewal(owner=cast.rep)
    client.get("/renewals/")  # fills the process's caches
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as captured:
            client.get("/renewals/")
        counts.append(len(captured))
        for _ in range(2):
            make_renewal(owner=cast.rep)
    assert counts == [7, 7]  # session, user, company, views, ids, rows, marks of their accounts


def test_order_and_page_answer_with_the_list_alone(cast: Cast) -> None:
    for _ in range(26):
        make_renewal(owner=cast.rep)
    client = cast.client_of("rep")
    html = client.get("/renewals/?per_page=25&page=2", headers=LIST).content.decode()
    assert html.lstrip().startswith('<div class="g-list')
    assert len(texts(html)) == 1
    assert "26–26" in html
    assert 'rel="prev"' in html
    assert 'rel="next"' not in html
    assert 'rel="next"' in client.get("/renewals/?per_page=25", headers=LIST).content.decode()


def test_head_says_the_order(cast: Cast) -> None:
    make_renewal(owner=cast.rep)
    html = page(cast, "rep", "?outcome=open&sort=-risk")
    assert re.findall(r'data-name="(\w+)"[^>]*aria-sort="(\w+)"', html) == [("risk", "descending")]
    assert 'href="?outcome=open&amp;sort=risk"' in html
    assert re.findall(r'<th scope="col"[^>]*data-name="(\w+)"', html) == list(DEFAULT_COLUMNS)


def test_an_empty_book_says_how_to_fill_it(cast: Cast) -> None:
    assert "There are no renewals here yet" in page(cast, "admin")


def test_no_match_says_what_to_clear(cast: Cast) -> None:
    make_renewal(owner=cast.rep)
    html = page(cast, "rep", "?currency=USD")
    assert "No renewal matches" in html
    assert "There are no renewals here yet" not in html


def test_a_page_behind_the_last_leads_back(cast: Cast) -> None:
    make_renewal(owner=cast.rep)
    html = page(cast, "rep", "?outcome=open&page=3")
    assert "There is nothing on this page" in html
    assert 'href="?outcome=open"' in html


def test_what_was_left_out_of_the_address_is_said(cast: Cast) -> None:
    assert "“maybe” is not one of open, renewed, lost." in page(cast, "rep", "?outcome=maybe")


def test_totals_follow_the_filter(cast: Cast) -> None:
    make_renewal(owner=cast.rep)
    make_renewal(owner=cast.rep, currency="USD")
    html = cast.client_of("rep").get("/renewals/totals/?currency=USD").content.decode()
    assert 'data-count="1"' in html
    assert "1 in USD: in the count, in no amount. USD has no exchange rate into EUR." in html


def test_owners_are_offered_as_they_may_be_chosen(cast: Cast) -> None:
    html = cast.client_of("rep").get("/renewals/choices/owner/?q=m").content.decode()
    assert re.findall('data-label="([^"]*)"', html) == ["Mona Manager", "Tom Mate"]
    assert "Otto" not in cast.client_of("rep").get("/renewals/choices/owner/").content.decode()


def test_risk_bands_are_the_engines() -> None:
    assert (MEDIUM_RISK_FROM, HIGH_RISK_FROM) == (engine_risk.MEDIUM_FROM, engine_risk.HIGH_FROM)
    scores = [0.0, MEDIUM_RISK_FROM - 0.01, MEDIUM_RISK_FROM, HIGH_RISK_FROM - 0.01, HIGH_RISK_FROM, 100.0]
    assert [RiskBand.of(score) for score in scores] == ["low", "low", "medium", "medium", "high", "high"]


def test_fields_that_are_edited_are_columns_of_the_table() -> None:
    assert set(EDITABLE) == {
        "stage", "confidence", "forecast_amount", "offer", "expected_order_on", "ordered_on", "outcome", "owner",
        "next_step",
    }  # fmt: skip
    assert all(hasattr(Renewal, name) for name in EDITABLE)


def test_the_page_and_the_answer_to_a_save_show_the_same_columns(cast: Cast) -> None:
    renewal = make_renewal(owner=cast.rep, account=make_account(name="Halden"), next_step="Call Ana")
    html = page(cast, "rep", "?columns=next_step,account,confidence")
    assert re.findall(r'data-name="(\w+)"', html) == ["account", "next_step", "confidence"]
    assert texts(html) == [["Halden Enterprise", "Call Ana", ""]]
    assert 'data-columns="account,next_step,confidence"' in html
    answer = cast.client_of("rep").post(
        f"/renewals/{renewal.pk}/confidence/", {"value": "60", "was": ""}, headers={"X-Columns": "account,confidence"}
    )
    assert re.findall(r"<t[hd].*?>([^<]*)</t[hd]>", answer.content.decode())[-1:] == ["60%"]
    assert answer.content.decode().count("<td") == 1
    refused = cast.client_of("rep").post(
        f"/renewals/{renewal.pk}/stage/", {"value": "x", "was": "1"}, headers={"X-Columns": "account,confidence"}
    )
    assert refused.status_code == 422
    assert "g-editor" in refused.content.decode()


def test_the_outcome_cell_knows_the_order_date_whatever_is_shown(cast: Cast) -> None:
    won = {"outcome": "renewed", "final_amount": Decimal(13000), "ordered_on": dt.date(2026, 11, 5)}
    make_renewal(owner=cast.rep, due_on=dt.date(2026, 11, 5), **won)
    assert 'data-ordered-on="2026-11-05"' in page(cast, "rep", "?outcome=all&columns=account,outcome")
