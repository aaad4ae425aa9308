"""History over HTTP: what the pages say, and what an undo answers to a toast, to a dialog and to a plain form."""

import json
from decimal import Decimal

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test.utils import CaptureQueriesContext

from accounts.models import Company
from renewals.history import views
from renewals.history.batches import recorded_batch
from renewals.models import ChangeBatch, Contract, Renewal, Stage
from tests.cast import Cast, make_renewal
from tests.renewals.history.steps import bulk, change

HTMX = {"HX-Request": "true"}


def told(response: HttpResponse) -> dict[str, object]:
    return json.loads(response.headers["HX-Trigger"])


def test_undo_from_a_toast_tells_the_page_what_came_back(cast: Cast) -> None:
    rows = [make_renewal(owner=cast.rep, confidence=40) for _ in range(4)]
    batch_id = bulk(rows, cast.rep, "Confidence of 4 renewals", confidence=70)
    change(rows[3], cast.manager, confidence=55)

    response = cast.client_of("rep").post(f"/history/undo/{batch_id}/", headers=HTMX)

    own = ChangeBatch.objects.get(how="undo")
    assert response.status_code == 200
    assert told(response) == {
        "toast": {
            "text": "Undone: 3 cells; kept 1 that Mona Manager changed since",
            "undoUrl": f"/history/undo/{own.pk}/",
        },
        "renewals:changed": {"ids": [row.pk for row in rows[:3]], "is_all": False},
    }
    page = response.content.decode()
    assert 'hx-target="#shell-dialog"' in page
    assert f'<b dir="auto">{rows[3]}</b>: Confidence is 55\N{NO-BREAK SPACE}%. Mona Manager changed it on' in page


def test_undo_that_keeps_nothing_says_no_more_than_the_toast(cast: Cast) -> None:
    row = make_renewal(owner=cast.rep, confidence=40)
    batch_id = change(row, cast.rep, confidence=70)
    response = cast.client_of("rep").post(f"/history/undo/{batch_id}/", headers=HTMX)
    assert (response.status_code, response.content.strip()) == (200, b"")


def test_undo_of_what_all_was_changed_since_is_a_conflict(cast: Cast) -> None:
    row = make_renewal(owner=cast.rep, confidence=40)
    batch_id = change(row, cast.rep, confidence=70)
    change(row, cast.manager, confidence=55)
    response = cast.client_of("rep").post(f"/history/undo/{batch_id}/", headers=HTMX)
    assert response.status_code == 409
    text = "Nothing was undone: kept 1 that Mona Manager changed since"
    assert told(response) == {"toast": {"text": text, "level": "error"}}


def test_undo_from_the_dialog_answers_with_the_history_anew(cast: Cast) -> None:
    row = make_renewal(owner=cast.rep, confidence=40)
    batch_id = change(row, cast.rep, confidence=70)
    data = {"renewal": row.pk, "shown": "confidence"}
    page = cast.client_of("rep").post(f"/history/undo/{batch_id}/", data, headers=HTMX).content.decode()
    assert page.lstrip().startswith('<section class="h-history"')
    assert page.count('<li class="h-entry">') == 2
    assert "<del>70\N{NO-BREAK SPACE}%</del>" in page


def test_undo_without_scripts_comes_back_to_the_log_with_a_message(cast: Cast) -> None:
    row = make_renewal(owner=cast.rep, confidence=40)
    batch_id = change(row, cast.rep, confidence=70)
    page = cast.client_of("rep").post(f"/history/undo/{batch_id}/", follow=True)
    assert page.redirect_chain == [("/history/", 302)]
    assert "Undone: 1 cell" in page.content.decode()


def test_undo_without_scripts_lists_what_was_kept(cast: Cast) -> None:
    row = make_renewal(owner=cast.rep, confidence=40)
    batch_id = change(row, cast.rep, confidence=70)
    change(row, cast.manager, confidence=55)
    response = cast.client_of("rep").post(f"/history/undo/{batch_id}/")
    assert response.status_code == 409
    assert "Nothing was undone: kept 1 that Mona Manager changed since." in response.content.decode()


def test_large_undo_names_no_ids_in_its_header(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "IDS_TOLD", 2)
    rows = [make_renewal(owner=cast.rep, confidence=40) for _ in range(3)]
    batch_id = bulk(rows, cast.rep, "Confidence of 3 renewals", confidence=70)
    response = cast.client_of("rep").post(f"/history/undo/{batch_id}/", headers=HTMX)
    assert told(response)["renewals:changed"] == {"ids": [], "is_all": True}


@pytest.mark.parametrize("pk", ["x", "-1", "99999999999999999999", "1 OR 1=1"])
def test_undo_of_a_renewal_that_is_none_is_not_found(cast: Cast, pk: str) -> None:
    row = make_renewal(owner=cast.rep, confidence=40)
    batch_id = change(row, cast.rep, confidence=70)
    assert cast.client_of("rep").post(f"/history/undo/{batch_id}/", {"renewal": pk}).status_code == 404
    assert Renewal.objects.get().confidence == 70


def test_one_row_of_a_step_that_is_another_s_is_refused(cast: Cast) -> None:
    mine, theirs = (make_renewal(owner=owner, confidence=40) for owner in (cast.rep, cast.team_mate))
    batch_id = bulk([mine, theirs], cast.manager, "Confidence of 2 renewals", confidence=70)
    client = cast.client_of("rep")
    assert client.post(f"/history/undo/{batch_id}/", {"renewal": theirs.pk}).status_code == 403
    assert list(Renewal.objects.values_list("confidence", flat=True)) == [70, 70]


def test_row_page_shows_names_dates_and_undo(cast: Cast) -> None:
    first, second = Stage.objects.order_by("position")[:2]
    row = make_renewal(owner=cast.rep, stage=first)
    bulk([row], cast.manager, "Stage of 212 renewals → Proposal", stage=second)
    page = cast.client_of("rep").get(f"/history/renewals/{row.pk}/").content.decode()
    wanted = ("Mona Manager", "Bulk edit", "Stage of 212 renewals → Proposal", "Undo", "Created")
    assert [part for part in (*wanted, f"<del>{first}</del>", f"<ins>{second}</ins>") if part not in page] == []
    assert "Undo the change" not in cast.client_of("viewer").get(f"/history/renewals/{row.pk}/").content.decode()


def test_dialog_gets_the_part_and_a_browser_the_page(cast: Cast) -> None:
    row = make_renewal(owner=cast.rep)
    client = cast.client_of("rep")
    assert "<html" in client.get(f"/history/renewals/{row.pk}/").content.decode()
    part = client.get(f"/history/renewals/{row.pk}/next_step/", headers=HTMX).content.decode()
    assert "<html" not in part
    assert "Next step" in part
    assert "Nobody has changed this since it was created" in part


def test_times_are_the_company_s(cast: Cast) -> None:
    Company.objects.update(time_zone="Asia/Tokyo")
    row = make_renewal(owner=cast.rep)
    Renewal.objects.filter(pk=row.pk).update(created_at="2026-11-20T23:30:00Z")
    assert "21 Nov 2026, 08:30" in cast.client_of("rep").get(f"/history/renewals/{row.pk}/").content.decode()


def test_log_reads_its_filters_from_the_address(cast: Cast) -> None:
    row, other = make_renewal(owner=cast.rep), make_renewal(owner=cast.rep)
    change(row, cast.rep, next_step="call Halden")
    change(other, cast.manager, next_step="another")
    client = cast.client_of("admin")

    def found(query: str) -> list[bool]:
        page = client.get(f"/history/?{query}").content.decode()
        return [text in page for text in ("call Halden", "another")]

    assert found("") == [True, True]
    assert found(f"who={cast.rep.pk}") == [True, False]
    assert found(f"renewal={other.pk}") == [False, True]
    assert found(f"account={row.account_id}") == [True, False]
    assert found(f"q={row.account.name.replace(' ', '+')}") == [True, False]
    assert found("how=cell&field=renewal.next_step") == [True, True]
    assert found("how=import") == [False, False]
    assert found("to=2020-01-01") == [False, False]
    assert found("from=2020-01-01") == [True, True]


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("who=77777", "There is no person 77777."),
        ("who=x", "There is no person “x”."),
        ("how=magic", "Nothing is changed by “magic”."),
        ("field=renewal.password", "History knows no field “renewal.password”."),
        ("field=pgh_id", "History knows no field “pgh_id”."),
        ("from=5.11.2026", "A date is written 2026-11-05, not “5.11.2026”."),
        ("to=9999-12-31", "“9999-12-31” is out of range."),
        ("account=99999999", "There is no account 99999999 that you can see."),
        ("renewal=' OR 1=1", "There is no renewal “&#x27; OR 1=1”."),
        ("batch=1", "There is no step “1”."),
        ("q=%00--", "“--” holds no word to search for."),
        ("place=x_y", "The page was not understood; these are the newest changes."),
        ("place=2026-11-05_1_1_1", "The page was not understood; these are the newest changes."),
    ],
)
def test_address_made_by_hand_is_answered_in_words(cast: Cast, query: str, problem: str) -> None:
    response = cast.client_of("rep").get(f"/history/?{query}")
    assert response.status_code == 200
    assert problem in response.content.decode()


def test_outsider_cannot_read_a_row_through_the_filters_of_the_log(cast: Cast) -> None:
    row = make_renewal(owner=cast.rep)
    batch_id = change(row, cast.rep, next_step="secret plan")
    client = cast.client_of("outsider")
    for query in ("", f"renewal={row.pk}", f"account={row.account_id}", f"batch={batch_id}", f"who={cast.rep.pk}",
                  f"q={row.account.name}", "field=renewal.next_step", "how=cell"):  # fmt: skip
        page = client.get(f"/history/?{query}").content.decode()
        assert "secret plan" not in page
        assert f"/history/renewals/{row.pk}/" not in page


def test_log_costs_the_same_queries_for_one_change_and_for_forty(cast: Cast) -> None:
    client = cast.client_of("admin")

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get("/history/")
        return len(captured)

    row = make_renewal(owner=cast.rep)
    change(row, cast.rep, next_step="0")
    few = queries()
    for number in range(39):
        change(row, cast.rep, next_step=str(number + 1))
    assert [few, queries()] == [few, few]


def test_log_offers_the_undo_of_an_import_as_one_step(cast: Cast) -> None:
    row = make_renewal(owner=cast.rep)
    with recorded_batch(user=cast.manager, how="import", description="Import of <book>.csv") as batch:
        batch.row_count = Contract.objects.filter(pk=row.contract_id).update(product="Gold")
        Renewal.objects.filter(pk=row.pk).update(baseline_amount=Decimal(5))
    page = cast.client_of("manager").get("/history/").content.decode()
    assert "Import of &lt;book&gt;.csv" in page
    assert f'action="/history/undo/{batch.id}/"' in page
    assert f'action="/history/undo/{batch.id}/"' not in cast.client_of("viewer").get("/history/").content.decode()
