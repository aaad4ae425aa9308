"""Signals that are posted: all of them or none, and never of a day to come."""

import datetime as dt
import json
import uuid

import pytest
from django.core.exceptions import PermissionDenied

from accounts.models import AccountHealth, AccountSignal, HealthFactor, get_company
from engagement.health.signals import Finding, PostedSignal, SignalsRefused, read_rows, record_signals
from renewals.history.undo import undo_batch
from renewals.models import ChangeBatch
from tests.cast import make_account

pytestmark = pytest.mark.django_db
AS_OF = dt.date(2026, 11, 22)


@pytest.fixture
def account(cast):
    return make_account(owner=cast.rep, external_id="ACME")


def refused(rows, user):
    with pytest.raises(SignalsRefused) as caught:
        read_rows(rows, user=user, as_of=AS_OF)
    return caught.value.findings


def test_each_wrong_value_is_named_with_row_field_value_and_reason(cast, account):
    HealthFactor.objects.create(
        key="quiz", label="Quiz", position=12, is_custom=True, worst_value=0, best_value=10, stale_days=90
    )
    rows = [
        {"account": "ACME", "measured_on": "2026-11-23", "nps_score": 10},
        {"account": "NOBODY", "measured_on": "2026-11-01", "nps_score": 10},
        {"account": "ACME", "measured_on": "soon", "nps_score": 101},
        {"account": "ACME", "measured_on": "2026-11-02", "severe_ticket_count": 1.5, "mood": 3},
        {"account": "ACME", "measured_on": "2026-11-03", "has_champion_left": 1, "custom": {"quiz": "9", "x": 1}},
        {"account": "ACME", "measured_on": "2026-11-04"},
        {"account": "ACME", "measured_on": "1989-12-31", "csat_score": 5},
        "ACME",
        {"account": "A\x00", "measured_on": "2026-11-04", "usage_change_rate": 10**400},
        {"account": "ACME", "measured_on": "2026-11-05", "custom": {"quiz": float("nan")}},
    ]
    found = refused(rows, cast.rep)
    assert found[:4] == [
        Finding(1, "measured_on", "2026-11-23", "is in the future; today is 2026-11-22"),
        Finding(2, "account", "NOBODY", "is no account that you may write to"),
        Finding(3, "measured_on", "soon", "is not a day like 2026-11-30"),
        Finding(3, "nps_score", "101", "is not from -100 to 100"),
    ]
    assert [(one.row, one.field, one.value) for one in found[4:]] == [
        (4, "severe_ticket_count", "1.5"),
        (4, "mood", "3"),
        (5, "has_champion_left", "1"),
        (5, "custom.quiz", "9"),
        (5, "custom.x", "1"),
        (6, "row", "ACME"),
        (7, "measured_on", "1989-12-31"),
        (8, "row", "ACME"),
        (9, "account", "A\x00"),
        (9, "usage_change_rate", str(10**400)[:80]),
        (10, "custom.quiz", "nan"),
    ]
    assert not AccountSignal.objects.exists()


def test_two_rows_of_a_day_no_rows_and_too_many_are_refused(cast, account):
    row = {"account": "ACME", "measured_on": "2026-11-02", "nps_score": 1}
    assert [str(one) for one in refused([row, row], cast.rep)] == [
        "row 2: measured_on 2026-11-02: the account has a row for it already"
    ]
    assert refused([], cast.rep)[0].value == "0"
    assert refused([row] * 5_001, cast.rep)[0].value == "5001"


def test_an_account_of_another_team_reads_as_unknown(cast, account):
    row = {"account": "ACME", "measured_on": "2026-11-02", "nps_score": 1}
    assert refused([row], cast.outsider) == [Finding(1, "account", "ACME", "is no account that you may write to")]


def test_posted_values_join_what_is_there_and_health_follows_at_once(cast, account):
    AccountSignal.objects.create(account=account, measured_on=AS_OF, nps_score=60, csat_score=4)
    rows = [PostedSignal(account.pk, AS_OF, {"csat_score": 4.75}, {"quiz": 3.0}),
            PostedSignal(account.pk, AS_OF - dt.timedelta(days=1), {"sentiment_score": 5})]  # fmt: skip
    batch = record_signals(user=cast.rep, rows=rows, as_of=AS_OF)
    kept = AccountSignal.objects.order_by("measured_on").values_list(
        "nps_score", "csat_score", "sentiment_score", "custom_values"
    )
    assert list(kept) == [(None, None, 5.0, None), (60.0, 4.75, None, {"quiz": 3.0})]
    assert AccountHealth.objects.get().score == 100.0
    assert (batch.how, batch.row_count, batch.description) == ("page", 2, "2 signals posted")


def test_a_post_is_one_step_that_is_taken_back(cast, account):
    AccountSignal.objects.create(account=account, measured_on=AS_OF, csat_score=4)
    rows = [PostedSignal(account.pk, day, {"csat_score": 2}) for day in (AS_OF, AS_OF - dt.timedelta(days=1))]
    batch = record_signals(user=cast.manager, rows=rows, as_of=AS_OF)
    assert ChangeBatch.objects.get().pk == batch.pk
    undo_batch(batch_id=uuid.UUID(str(batch.pk)), user=cast.manager, as_of=AS_OF)
    assert list(AccountSignal.objects.values_list("measured_on", "csat_score")) == [(AS_OF, 4.0)]


def test_what_is_refused_changes_nothing(cast, account):
    row = PostedSignal(account.pk, AS_OF, {"csat_score": 4})
    with pytest.raises(PermissionDenied):
        record_signals(user=cast.outsider, rows=[row], as_of=AS_OF)
    with pytest.raises(SignalsRefused, match="in the future"):
        record_signals(
            user=cast.rep, rows=[row, PostedSignal(account.pk, AS_OF + dt.timedelta(days=1), {})], as_of=AS_OF
        )
    assert not AccountSignal.objects.exists()
    assert not ChangeBatch.objects.exists()


def post(client, body):
    return client.post("/health/signals/", body, content_type="application/json")


def test_a_program_posts_json(cast, account):
    today = get_company().today()
    client = cast.client_of("rep")
    rows = [{"account": "ACME", "measured_on": str(today), "login_change_rate": -0.4, "nps_score": None}]
    answer = post(client, json.dumps({"rows": rows}))
    assert (answer.status_code, answer.json()) == (200, {"written": 1})
    assert AccountSignal.objects.get().login_change_rate == -0.4
    rows[0]["measured_on"] = str(today + dt.timedelta(days=1))
    answer = post(client, json.dumps({"rows": rows}))
    assert answer.status_code == 422
    assert answer.json()["findings"][0]["field"] == "measured_on"
    for wrong in ("", "[]", '{"rows": 3}', '{"rows": [{}]}', "\udcff".encode("utf-8", "surrogatepass")):
        assert post(client, wrong).status_code == 422
    assert AccountSignal.objects.count() == 1


def test_sentiment_is_noted_once_a_day_and_not_for_tomorrow(cast, account):
    client, today = cast.client_of("rep"), get_company().today()
    url = f"/health/accounts/{account.pk}/sentiment/"
    headers = {"HX-Request": "true", "HX-Target": "health"}
    for word in ("2", "4"):
        answer = client.post(url, {"health-sentiment_score": word}, headers=headers)
        assert answer.status_code == 200
    assert list(AccountSignal.objects.values_list("measured_on", "sentiment_score")) == [(today, 4.0)]
    assert "content on" in answer.headers["HX-Trigger"]
    assert b"75.00" in answer.content
    tomorrow = today + dt.timedelta(days=1)
    answer = client.post(url, {"health-sentiment_score": "1", "health-measured_on": tomorrow}, headers=headers)
    assert (answer.status_code, b"is in the future" in answer.content) == (422, True)
