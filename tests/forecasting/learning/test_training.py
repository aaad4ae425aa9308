"""What the likelihood is learned from: decided renewals as they stood before, and nothing that came after."""

import datetime as dt
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from django.db import connection

from accounts.models import Account, AccountSignal, AttributeDefinition, Company
from forecasting.engine.fitted import Categories, Numbers
from forecasting.frames import Training, load_rules, training_rows
from forecasting.frames.training import LOOK_DAYS, look_days
from renewals.models import Renewal, Stage
from tests.cast import Cast, make_account, make_renewal
from tests.forecasting.learning.decided import AS_OF

DUE_ON = dt.date(2026, 6, 30)


@pytest.fixture
def attributes(db: None) -> None:
    for key, kind, holder, is_steady in [
        ("plan", "category", "account", True),
        ("survey", "number", "account", False),
        ("seats", "number", "renewal", True),
        ("live", "date", "account", True),
        ("pilot", "flag", "account", True),
    ]:
        AttributeDefinition.objects.create(key=key, label=key.title(), kind=kind, holder=holder, is_steady=is_steady)


@pytest.fixture
def renewal(cast: Cast, attributes: None) -> Renewal:
    """Renewed on its due day, in a book that has been in the product for a year."""
    account = make_account(
        owner=cast.rep,
        region="North",
        last_touch_on=dt.date(2026, 5, 1),
        attributes={"plan": "basic", "survey": 3, "live": "2025-06-30", "pilot": True},
    )
    stage = Stage.objects.get(name="Proposal")
    made = make_renewal(
        pk=65_536,  # whose look is at the horizon itself
        owner=cast.rep,
        account=account,
        due_on=DUE_ON,
        stage=stage,
        forecast_amount=Decimal(13_200),
        attributes={"seats": 40},
    )
    for model, pk in ((Renewal, made.pk), (Account, account.pk)):
        model.objects.filter(pk=pk).update(created_at=dt.datetime(2025, 11, 1, tzinfo=dt.UTC))
    forget_history()
    return made


def forget_history() -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE renewals_renewalevent, accounts_accountevent, renewals_contractevent")


def happened(table: str, row_id: int, moment: dt.datetime) -> None:
    """Let every event of a row that has just been recorded have happened then."""
    with connection.cursor() as cursor:
        recent = "pgh_obj_id = %s AND pgh_created_at > now() - interval '1 day'"
        cursor.execute(
            f"UPDATE {table} SET pgh_created_at = %s WHERE {recent}",
            [moment, row_id],
        )


def decide(renewal: Renewal, *, on: dt.date = DUE_ON, **more: Any) -> None:
    closed = Stage.objects.order_by("position").last()
    Renewal.objects.filter(pk=renewal.pk).update(
        outcome="renewed", ordered_on=on, final_amount=13_200, stage=closed, forecast_amount=13_200, **more
    )
    happened("renewals_renewalevent", renewal.pk, dt.datetime.combine(on, dt.time(12), dt.UTC))


def read(cut_off: dt.date = AS_OF, horizon_days: int = 30) -> Training:
    with connection.cursor() as cursor:
        return training_rows(cursor, load_rules(None), cut_off=cut_off, horizon_days=horizon_days)


def values(training: Training) -> dict[str, Any]:
    """What the only row has in each column."""
    assert len(training.rows) == 1
    found: dict[str, Any] = {}
    for name, column in training.rows.columns.items():
        if isinstance(column, Numbers):
            found[name] = None if np.isnan(column.values[0]) else round(float(column.values[0]), 4)
        else:
            assert isinstance(column, Categories)
            found[name] = column.names[column.codes[0]] if column.codes[0] >= 0 else None
    return found


def test_a_decided_renewal_is_read_as_it_stood_at_its_horizon(renewal: Renewal) -> None:
    decide(renewal)
    found = values(read())
    assert read().rows.is_renewed.tolist() == [True]
    assert {name: found[name] for name in found if name.startswith("custom:")} == {
        "custom:plan": "basic",
        "custom:survey": 3.0,
        "custom:seats": 40.0,
        "custom:live": 365.0,
        "custom:pilot": 1.0,
    }
    assert (found["region"], found["segment"], found["price_rise_rate"]) == (
        "North",
        str(renewal.account.segment_id),
        0.1,
    )
    assert found["days_since_touch"] == 30  # from 1 May to 31 May
    assert found["baseline"] == round(float(np.log10(12_001)), 4)
    assert 0 < found["stage_progress"] < 1


def test_what_changes_after_the_horizon_does_not_matter(renewal: Renewal) -> None:
    decide(renewal)
    before = values(read())
    account = renewal.account
    Renewal.objects.filter(pk=renewal.pk).update(
        attributes={"seats": 1}, forecast_amount=1, baseline_amount=77, stage=Stage.objects.order_by("-position")[1]
    )
    Account.objects.filter(pk=account.pk).update(
        region="South", last_touch_on=AS_OF, segment=None, attributes={"plan": "gold", "survey": 9, "pilot": False}
    )
    renewal.contract.__class__.objects.filter(pk=renewal.contract_id).update(notice_days=90, is_auto_renewing=True)
    AccountSignal.objects.create(account=account, measured_on=DUE_ON - dt.timedelta(days=29), usage_change_rate=-0.9)
    assert values(read()) == before


def test_what_was_measured_up_to_the_horizon_matters(renewal: Renewal) -> None:
    decide(renewal)
    AccountSignal.objects.create(
        account=renewal.account, measured_on=DUE_ON - dt.timedelta(days=30), usage_change_rate=-0.2
    )
    assert values(read())["usage_change_rate"] == -0.2
    assert values(read(horizon_days=60))["usage_change_rate"] is None


def test_a_change_between_two_horizons_shows_at_the_later_one_only(renewal: Renewal) -> None:
    Account.objects.filter(pk=renewal.account_id).update(region="South")
    happened("accounts_accountevent", renewal.account_id, dt.datetime(2026, 5, 16, tzinfo=dt.UTC))
    decide(renewal)
    assert (values(read(horizon_days=60))["region"], values(read(horizon_days=30))["region"]) == ("North", "South")


def test_an_imported_decision_counts_by_what_no_outcome_changes(renewal: Renewal) -> None:
    """Its rows were made after the horizon, so nobody knows what its stage, or a survey, said then."""
    decide(renewal)
    forget_history()
    now = dt.datetime(2026, 10, 1, tzinfo=dt.UTC)
    Renewal.objects.update(created_at=now)
    Account.objects.update(created_at=now)
    forget_history()
    found = values(read())
    unknown = ("stage_progress", "price_rise_rate", "days_since_touch", "custom:survey", "custom:seats")
    assert [found[name] for name in unknown] == [None] * len(unknown)
    assert (found["custom:plan"], found["region"]) == ("basic", "North")


def test_the_day_of_the_decision_is_not_looked_at(renewal: Renewal) -> None:
    decide(renewal)
    AccountSignal.objects.create(account=renewal.account, measured_on=DUE_ON, csat_score=1.0)
    AccountSignal.objects.create(account=renewal.account, measured_on=DUE_ON - dt.timedelta(days=1), csat_score=4.0)
    assert values(read(horizon_days=0))["csat_score"] == 4.0


def test_only_what_was_settled_and_known_by_the_cut_off_is_learned_from(renewal: Renewal) -> None:
    decide(renewal, on=dt.date(2026, 10, 20))
    assert len(read(dt.date(2026, 7, 1)).rows) == 0  # still open, and within tolerance
    lapsed = read(dt.date(2026, 10, 1))
    assert lapsed.rows.is_renewed.tolist() == [False]
    assert lapsed.renewal_ids.tolist() == [renewal.pk]
    # What came in the end came too late to be a renewal.
    assert read().rows.is_renewed.tolist() == [False]


def test_approved_exceptions_are_left_out(renewal: Renewal) -> None:
    decide(renewal, is_excluded=True, excluded_reason="A test account")
    assert len(read().rows) == 0


def test_too_many_are_cut_to_the_newest_whole_cohorts(cast: Cast) -> None:
    made = []
    for age in (120, 150, 260, 400):
        due_on = AS_OF - dt.timedelta(days=age)
        made.append(
            make_renewal(
                owner=cast.rep, due_on=due_on, outcome="renewed", ordered_on=due_on, final_amount=Decimal(12_000)
            )
        )
    with connection.cursor() as cursor:
        found = training_rows(cursor, load_rules(None), cut_off=AS_OF, horizon_days=30, most_rows=3)
    assert found.renewal_ids.tolist() == [one.pk for one in made[:3]]
    # Fiscal quarters from January: due on 24 July and 24 June, and on 6 March.
    assert found.rows.cohorts.tolist() == [226, 225, 224]
    assert found.gap == 0  # the cut-off lies in the next
    assert found.left_out_count == 1


def test_the_horizon_begins_when_the_company_s_day_does(renewal: Renewal) -> None:
    Company.objects.update(time_zone="America/New_York")
    Account.objects.filter(pk=renewal.account_id).update(region="South")
    happened("accounts_accountevent", renewal.account_id, dt.datetime(2026, 5, 31, 3, tzinfo=dt.UTC))
    decide(renewal)
    assert values(read())["region"] == "South"  # 23:00 on the day before, in New York


def test_renewals_are_looked_at_up_to_ninety_days_before_the_horizon(cast: Cast) -> None:
    """An open one is asked about on all these days: of some what was measured lately is not known yet."""
    for pk, days in ((65_537, 60), (65_539, 90), (65_541, 0), (65_540, 30)):
        made = make_renewal(pk=pk, owner=cast.rep, due_on=DUE_ON, outcome="renewed", ordered_on=DUE_ON, final_amount=1)
        for before in (30, 60, 90, 120):
            measured_on = DUE_ON - dt.timedelta(days=before)
            AccountSignal.objects.create(account=made.account, measured_on=measured_on, seat_change_rate=before / 1000)
        assert look_days(np.array([pk])).tolist() == [days]
    found = read().rows.columns["size_change_rate"]
    assert isinstance(found, Numbers)
    assert found.values.tolist() == pytest.approx([0.09, 0.12, 0.06, 0.03])


def test_what_is_read_of_a_day_is_what_is_judged_of_it(renewal: Renewal) -> None:
    """The database and the arrays agree on the day of the look."""
    ids = [1, 2, 3, 4, 65_535, 65_536, 123_456_789]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {LOOK_DAYS} FROM unnest(%s::bigint[]) s (id)", [ids])
        assert look_days(np.array(ids)).tolist() == [days for (days,) in cursor.fetchall()]
