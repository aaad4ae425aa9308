"""What a test committed is gone after it, and what migrations made is there as it was."""

import pytest
from django.core.management import call_command
from django.db import connection

from accounts.models import Account, HealthFactor
from renewals.models import Stage
from tests.cast import Cast, make_renewal

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


def clear() -> None:
    call_command("flush", verbosity=0, interactive=False, inhibit_post_migrate=True)


def held() -> dict[str, list[str]]:
    """Every row of every table that a model has."""
    with connection.cursor() as cursor:
        rows = {}
        for name in connection.introspection.django_table_names(only_existing=True, include_views=False):
            cursor.execute(f"SELECT t::text FROM {name} t ORDER BY 1")
            rows[name] = [text for (text,) in cursor.fetchall()]
    return rows


def test_tables_are_as_migrations_left_them() -> None:
    start = held()
    assert len(start["renewals_stage"]) == 6
    renewal = make_renewal(owner=None)
    Account.objects.filter(pk=renewal.account_id).update(name="Renamed")  # which history tells of in a table of its own
    HealthFactor.objects.filter(key="nps_score").update(label="Net promoters")
    HealthFactor.objects.filter(key="csat_score").delete()
    assert held() != start
    clear()
    assert held() == start


def test_the_first_rows_may_all_be_gone(cast: Cast) -> None:
    clear()
    start = held()
    Stage.objects.all().delete()
    assert held()["renewals_stage"] == []
    clear()
    assert held() == start
