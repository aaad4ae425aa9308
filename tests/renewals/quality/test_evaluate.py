"""When rows are judged: with every edit, with every recompute, and only written where something changed."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Account, Company
from forecasting import services as forecasting
from forecasting.models import Run
from renewals.history.undo import undo_batch
from renewals.models import AccountBreach, AccountName, DataRule, QualitySnapshot, Renewal, RenewalQuality
from renewals.quality.evaluate import evaluate_all, evaluate_renewals
from renewals.services import cell_value, update_renewal
from tests.cast import Cast, make_account, make_rate, make_renewal
from tests.renewals.history.test_undo import import_two_contracts

AS_OF = dt.date(2026, 11, 21)
CONFIDENCE, FORECAST, OFFER, STEP = 5, 6, 7, 11  # ids of rules, in the order in which they ship


def stored(renewal: Renewal) -> list[int]:
    quality = RenewalQuality.objects.filter(pk=renewal.pk).first()
    return quality.rule_ids if quality else []


def make_clean(cast: Cast, **fields: Any) -> Renewal:
    """Due in a year: neither offer nor forecast are asked for yet."""
    return make_renewal(owner=cast.rep, due_on=dt.date(2027, 11, 21), **fields)


def test_edit_judges_its_row_in_the_same_transaction(cast: Cast) -> None:
    renewal = make_clean(cast)
    for value, expected in ((90, [CONFIDENCE]), (45, [])):
        update_renewal(
            renewal_id=renewal.pk,
            field="confidence",
            value=value,
            seen=cell_value(Renewal.objects.get(pk=renewal.pk), "confidence"),
            user=cast.rep,
            as_of=AS_OF,
        )
        assert stored(renewal) == expected


def test_recompute_judges_the_book_as_of_its_day(cast: Cast) -> None:
    renewal = make_clean(cast, next_step_on=dt.date(2026, 11, 7))
    for as_of, expected in ((AS_OF, []), (AS_OF + dt.timedelta(days=1), [STEP])):
        forecasting.request_run(reason=Run.Reason.DEMAND, user=None)
        run = forecasting.claim_run(as_of=as_of)
        assert run is not None
        forecasting.execute_run(run_id=run.pk)
        forecasting.judge_data_rules()
        assert stored(renewal) == expected


def test_second_evaluation_changes_nothing(cast: Cast) -> None:
    make_clean(cast, confidence=100)
    make_clean(cast)
    assert evaluate_all(as_of=AS_OF).changed_count == 1
    assert evaluate_all(as_of=AS_OF).changed_count == 0


def test_whole_book_puts_right_what_raw_sql_left_behind(cast: Cast) -> None:
    broken, mended = make_clean(cast), make_clean(cast, confidence=100)
    evaluate_all(as_of=AS_OF)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE renewals_renewal SET confidence = 140 - confidence WHERE id = %s", [mended.pk])
        cursor.execute("UPDATE renewals_renewal SET confidence = 71 WHERE id = %s", [broken.pk])
    assert evaluate_all(as_of=AS_OF).changed_count == 2
    assert (stored(broken), stored(mended)) == ([CONFIDENCE], [])


def test_rows_follow_the_rules_as_they_are_saved(cast: Cast) -> None:
    renewal = make_clean(cast, confidence=60)
    rule = DataRule.objects.get(pk=CONFIDENCE)
    for points, is_active, expected in ((30, True, []), (19, True, [CONFIDENCE]), (19, False, [])):
        rule.parameters, rule.is_active = {"points": points}, is_active
        rule.save()
        evaluate_renewals(renewal_ids=[renewal.pk], as_of=AS_OF)
        assert stored(renewal) == expected


def test_rule_that_was_spoiled_by_hand_is_left_out_and_stops_nothing(
    cast: Cast, caplog: pytest.LogCaptureFixture
) -> None:
    renewal = make_clean(cast, confidence=100)
    spoiled = {"field": "offer; DROP TABLE renewals_renewal", "rows": "open"}
    DataRule.objects.filter(pk=OFFER).update(parameters=spoiled)
    DataRule.objects.filter(pk=FORECAST).update(condition="anything")
    DataRule.objects.filter(pk=STEP).update(parameters={"days": -1})
    evaluate_renewals(renewal_ids=[renewal.pk], as_of=AS_OF)
    evaluate_all(as_of=AS_OF)
    assert stored(renewal) == [CONFIDENCE]
    said = " ".join(record.getMessage() for record in caplog.records)
    assert "No offer) is left out: field: “offer; DROP TABLE renewals_renewal” is not one of forecast_amount" in said
    assert "No forecast amount) is left out: condition: “anything” is not one of" in said
    assert "Stale next step) is left out: days: “-1” is not a whole number from 0 to 3,650." in said


def test_no_rule_at_all_leaves_every_row_in_order(cast: Cast) -> None:
    renewal = make_clean(cast, confidence=100)
    evaluate_all(as_of=AS_OF)
    DataRule.objects.all().delete()
    evaluate_renewals(renewal_ids=[renewal.pk], as_of=AS_OF)
    assert stored(renewal) == []
    assert evaluate_all(as_of=AS_OF).broken_count == 0


def test_rows_of_an_edit_are_judged_by_two_statements_however_many_there_are(cast: Cast) -> None:
    ids = [make_clean(cast, confidence=100).pk for _ in range(3)]
    evaluate_renewals(renewal_ids=ids[:1], as_of=AS_OF)  # reads the rules
    for some in (ids[:1], ids):
        with CaptureQueriesContext(connection) as captured:
            evaluate_renewals(renewal_ids=some, as_of=AS_OF)
        statements = [query["sql"] for query in captured.captured_queries if "SAVEPOINT" not in query["sql"]]
        assert len(statements) == 2  # the lock and whether the rules are the ones that are known; the merge
    assert RenewalQuality.objects.count() == 3


def test_currency_counts_as_rated_from_the_day_of_its_rate(cast: Cast) -> None:
    Company.objects.update(reporting_currency="EUR")
    renewal = make_clean(cast, currency="USD")
    make_rate("USD", "0.9", effective_on=AS_OF)
    evaluate_renewals(renewal_ids=[renewal.pk], as_of=AS_OF - dt.timedelta(days=1))
    assert stored(renewal) == [12]
    evaluate_renewals(renewal_ids=[renewal.pk], as_of=AS_OF)
    assert stored(renewal) == []


def test_deleting_rows_by_sql_takes_their_quality_with_them(cast: Cast) -> None:
    renewal = make_clean(cast, confidence=100)
    Account.objects.create(name=f"{renewal.account.name} Ltd", external_id="twin")
    evaluate_all(as_of=AS_OF)
    assert (RenewalQuality.objects.count(), AccountBreach.objects.count(), AccountName.objects.count()) == (1, 2, 2)
    with connection.cursor() as cursor:
        for table in ("renewals_renewal", "renewals_contract", "accounts_account"):
            cursor.execute(f"DELETE FROM {table}")
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert (RenewalQuality.objects.count(), AccountBreach.objects.count()) == (0, 0)
    evaluate_all(as_of=AS_OF)
    assert AccountName.objects.count() == 0


def test_undo_of_an_import_is_not_held_up_by_what_was_found_in_its_rows(cast: Cast) -> None:
    batch_id, [older, *made] = import_two_contracts(cast)
    make_account(name=f"{made[0].account.name} GmbH")
    evaluate_all(as_of=AS_OF)
    assert set(AccountBreach.objects.values_list("account", flat=True)) > {made[0].account_id}
    answer = undo_batch(batch_id=batch_id, user=cast.manager, as_of=AS_OF)
    assert (answer.text, answer.kept) == ("Undone: 1 cell, 8 new rows removed", [])
    assert list(Renewal.objects.all()) == [older]


def test_account_breach_goes_when_its_name_or_family_changes(cast: Cast) -> None:
    one, two = make_account(name="Acme GmbH"), make_account(name="ACME")
    three, four = make_account(name="Bolt Inc."), make_account(name="Bolt")
    evaluate_all(as_of=AS_OF)
    assert set(AccountBreach.objects.values_list("account", flat=True)) == {one.pk, two.pk, three.pk, four.pk}
    Account.objects.filter(pk=two.pk).update(name="Acme Freight")
    Account.objects.filter(pk=four.pk).update(family=three)
    evaluate_all(as_of=AS_OF)
    assert AccountBreach.objects.count() == 0


def test_snapshot_of_a_day_is_that_of_its_last_recompute(cast: Cast) -> None:
    make_rate("USD", "0.5")
    make_clean(cast, confidence=100, baseline_amount=Decimal(1000))
    make_clean(cast, confidence=100, baseline_amount=Decimal(1000), currency="USD")
    make_clean(cast, baseline_amount=Decimal(4000))
    make_clean(cast, baseline_amount=Decimal(9), is_excluded=True, excluded_reason="Closed site")
    make_renewal(owner=None, due_on=dt.date(2027, 11, 21), baseline_amount=Decimal(700))
    for _ in range(2):
        evaluate_all(as_of=AS_OF)
    fields = ("owner", "renewal_count", "breach_count", "broken_count", "baseline_amount", "broken_amount")
    assert list(QualitySnapshot.objects.order_by("owner").values_list("taken_on", *fields)) == [
        (AS_OF, cast.rep.pk, 3, 2, 2, Decimal(5500), Decimal(1500)),
        (AS_OF, None, 1, 1, 1, Decimal(700), Decimal(700)),
    ]
