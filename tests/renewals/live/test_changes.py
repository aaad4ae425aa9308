"""What an open page is told of the rows it shows: whose change, which rows, at what cost; and what it never learns."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Event
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User, get_company
from config.history import recorded_as
from renewals.live.changes import UnreadableVersions, Version, read_present, read_versions
from renewals.models import Renewal, RenewalScore
from renewals.scoring import scoring
from renewals.services import update_renewal
from tests.cast import Cast, make_renewal

AS_OF = dt.date(2026, 11, 21)
CHANGES = "/renewals/changes/"


def version_of(user: User, row: Renewal) -> Version:
    return read_present(user, [row.pk])[row.pk]


def seen(user: User, *rows: Renewal) -> str:
    present = read_present(user, [row.pk for row in rows])
    return ".".join(f"{pk}-{version.event}-{version.derived}" for pk, version in present.items())


def write(row: Renewal, by: User, **columns: Any) -> None:
    with transaction.atomic(), recorded_as(user_id=by.pk, how="cell"):
        Renewal.objects.filter(pk=row.pk).update(**columns)


@pytest.fixture
def row(cast: Cast) -> Renewal:
    row = make_renewal(owner=cast.rep, confidence=40)
    scoring().score_renewals([row.pk], as_of=get_company().today())
    return row


def ask(client: Client, shown: str, **params: str) -> dict[str, Any]:
    response = client.get(CHANGES, {"seen": shown, **params})
    assert response.status_code == 200, response.content
    answer: dict[str, Any] = response.json()
    return answer


def test_nothing_changed_is_an_empty_answer_of_one_statement(cast: Cast, row: Renewal) -> None:
    client, shown = cast.client_of("rep"), seen(cast.rep, row)
    client.get(CHANGES)
    with CaptureQueriesContext(connection) as captured:
        response = client.get(CHANGES, {"seen": shown})
    assert (response.status_code, response.content) == (204, b"")
    tables = [
        next(name for name in ("session", "FROM accounts_user", "renewal") if name in sql["sql"]) for sql in captured
    ]
    assert tables == ["session", "FROM accounts_user", "renewal"]


def test_the_page_holds_the_version_that_is_asked_about(cast: Cast, row: Renewal) -> None:
    client = cast.client_of("rep")
    version = version_of(cast.rep, row)
    assert f'data-version="{version.event}-{version.derived}"' in client.get("/renewals/").content.decode()


def test_a_colleagues_change_comes_with_who_when_and_the_row(cast: Cast, row: Renewal) -> None:
    shown = seen(cast.rep, row)
    write(row, cast.manager, confidence=75)
    answer = ask(cast.client_of("rep"), shown)
    edit = answer["edits"][str(row.pk)]
    assert edit["by"] == "Mona Manager"
    assert timezone.now() - dt.datetime.fromisoformat(edit["at"]) < dt.timedelta(minutes=1)
    assert f'<tr id="renewal-{row.pk}"' in answer["rows"]
    assert ">75%<" in answer["rows"]
    assert (answer["unmatched"], answer.get("gone")) == ([], None)


def test_ones_own_change_comes_without_an_author(cast: Cast, row: Renewal) -> None:
    shown = seen(cast.rep, row)
    write(row, cast.rep, confidence=75)
    answer = ask(cast.client_of("rep"), shown)
    assert (answer["edits"], ">75%<" in answer["rows"]) == ({}, True)


def test_a_colleagues_change_below_ones_own_is_still_told(cast: Cast, row: Renewal) -> None:
    shown = seen(cast.rep, row)
    write(row, cast.manager, next_step="Call Ana")
    write(row, cast.rep, confidence=75)
    assert ask(cast.client_of("rep"), shown)["edits"][str(row.pk)]["by"] == "Mona Manager"


def test_a_change_outside_the_product_is_somebodys(cast: Cast, row: Renewal) -> None:
    shown = seen(cast.rep, row)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE renewals_renewal SET confidence = 1 WHERE id = %s", [row.pk])
    assert ask(cast.client_of("rep"), shown)["edits"][str(row.pk)]["by"] == "Somebody"


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_a_recompute_refreshes_the_row_and_is_nobodys_edit(transactional_db: None, cast: Cast, row: Renewal) -> None:
    """Derived numbers are known by the transaction that wrote them, so this test has to commit."""
    shown = seen(cast.rep, row)
    RenewalScore.objects.filter(pk=row.pk).update(probability=0.123)
    answer = ask(cast.client_of("rep"), shown)
    assert (answer["edits"], ">12%<" in answer["rows"]) == ({}, True)


def test_a_row_that_leaves_the_filter_is_named_and_still_sent(cast: Cast, row: Renewal) -> None:
    shown = seen(cast.rep, row)
    write(row, cast.manager, outcome="lost", final_amount=Decimal(0), declined_on=AS_OF)
    answer = ask(cast.client_of("rep"), shown)
    assert (answer["unmatched"], ">Lost" in answer["rows"]) == ([row.pk], True)
    assert ask(cast.client_of("rep"), shown, outcome="all")["unmatched"] == []


def test_the_rows_have_the_columns_of_the_page(cast: Cast, row: Renewal) -> None:
    shown = seen(cast.rep, row)
    write(row, cast.manager, confidence=75)
    assert ask(cast.client_of("rep"), shown, columns="account,confidence")["rows"].count("<td") == 1


def test_a_row_out_of_sight_is_told_of_like_one_that_never_was(cast: Cast, row: Renewal) -> None:
    client = cast.client_of("outsider")
    unseen = f"{row.pk}-0-0.999999999-0-0"
    expected = {"gone": [row.pk, 999_999_999]}
    assert ask(client, unseen) == expected
    write(row, cast.manager, confidence=75)
    assert ask(client, unseen) == expected


def test_a_row_handed_to_another_team_is_gone(cast: Cast, row: Renewal) -> None:
    shown = seen(cast.rep, row)
    write(row, cast.admin, owner=cast.outsider)
    assert ask(cast.client_of("rep"), shown) == {"gone": [row.pk]}


def test_new_rows_that_match_are_counted(cast: Cast, row: Renewal) -> None:
    client = cast.client_of("rep")
    since = str(client.get(CHANGES, {"since": ""}).json()["since"])
    assert since == str(row.pk)
    assert client.get(CHANGES, {"since": since}).status_code == 204
    make_renewal(owner=cast.rep)
    make_renewal(owner=cast.team_mate, confidence=90)
    make_renewal(owner=cast.outsider)  # out of sight
    make_renewal(owner=cast.rep, outcome="lost", final_amount=Decimal(0))  # not among the open ones
    assert client.get(CHANGES, {"since": since}).json() == {"new": 2}
    assert client.get(CHANGES, {"since": since, "owner": "me", "outcome": "open"}).json() == {"new": 1}


def test_what_is_no_version_is_refused(cast: Cast) -> None:
    client = cast.client_of("rep")
    for text in ("1", "1-2", "1-2-3.", "1-2--3", "1-2-x", "9" * 19 + "-1-1"):
        response = client.get(CHANGES, {"seen": text})
        assert (response.status_code, b"is not a row, its event and its score" in response.content) == (400, True), text
    with pytest.raises(UnreadableVersions, match="at most 200 rows, not 201"):
        read_versions(".".join(f"{pk}-0-0" for pk in range(201)))
    assert client.get(CHANGES, {"since": "1e3"}).status_code == 400


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_a_change_that_commits_late_is_not_lost(transactional_db: None, cast: Cast) -> None:
    """It gets its event's id, then another row is changed and committed and the page looks; only then it commits."""
    slow, fast = make_renewal(owner=cast.rep), make_renewal(owner=cast.rep)
    shown, client = seen(cast.rep, slow, fast), cast.client_of("rep")
    is_written, may_commit = Event(), Event()

    def change_slowly() -> None:
        with transaction.atomic(), recorded_as(user_id=cast.manager.pk, how="cell"):
            Renewal.objects.filter(pk=slow.pk).update(confidence=1)
            is_written.set()
            may_commit.wait(20)
        connection.close()

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(change_slowly)
        assert is_written.wait(20)
        write(fast, cast.manager, confidence=2)
        assert list(ask(client, shown)["edits"]) == [str(fast.pk)]
        shown = seen(cast.rep, slow, fast)
        assert client.get(CHANGES, {"seen": shown}).status_code == 204
        may_commit.set()
        running.result(20)
    assert list(ask(client, shown)["edits"]) == [str(slow.pk)]


def test_an_edit_and_its_score_are_one_change(cast: Cast, row: Renewal) -> None:
    before = version_of(cast.rep, row)
    update_renewal(
        renewal_id=row.pk, field="confidence", value=90, seen="40", user=cast.manager, as_of=get_company().today()
    )
    after = version_of(cast.rep, row)
    assert after.event > before.event
    assert after.derived > before.derived
