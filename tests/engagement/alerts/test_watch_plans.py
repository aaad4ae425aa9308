"""The second look, while nothing has analysed the alerts that the first one wrote, nor the book that they are about."""

import datetime as dt

import pytest
from django.db import connection

from accounts.models import get_company
from engagement.alerts.watch import MANY, look_for_causes
from engagement.models import Alert
from renewals.models import Renewal
from tests.cast import Cast, make_renewal
from tests.explained import explained, most_rows, worst_guess

pytestmark = pytest.mark.django_db
RENEWALS = MANY * 4
COPY = """
INSERT INTO renewals_contract ({contract}) SELECT {contract_values} FROM renewals_contract c, generate_series(1, %s) n;
INSERT INTO renewals_renewal ({renewal}) SELECT {renewal_values} FROM renewals_renewal r
    JOIN renewals_contract c ON c.account_id = r.account_id AND c.id <> r.contract_id
"""


def copy_renewal(renewal: Renewal, count: int) -> None:
    """As many more like it, each of a contract of its own."""

    def columns(model: type, **replaced: str) -> tuple[str, str]:
        names = [field.column for field in model._meta.concrete_fields if not field.primary_key and not field.generated]  # type: ignore[attr-defined]
        return ", ".join(names), ", ".join(replaced.get(name, f"{model.__name__[0].lower()}.{name}") for name in names)

    contract, contract_values = columns(type(renewal.contract), number="c.number || n")
    names, values = columns(Renewal, contract_id="c.id")
    with connection.cursor() as cursor:
        statement = COPY.format(
            contract=contract, contract_values=contract_values, renewal=names, renewal_values=values
        )
        cursor.execute(statement, [count])


def test_a_second_look_knows_how_many_alerts_there_are(cast: Cast) -> None:
    copy_renewal(make_renewal(owner=cast.rep, due_on=get_company().today() + dt.timedelta(7)), RENEWALS - 1)
    look_for_causes()
    assert Alert.objects.filter(rule__kind="decision_near").count() == RENEWALS
    with explained("UPDATE engagement_alert a SET ended_at = %(now)s, is_worse") as plans:
        look_for_causes()
    assert Alert.objects.open().filter(rule__kind="decision_near").count() == RENEWALS
    assert max(worst_guess(plan, "engagement_alert") for plan in plans) < 10
    assert max(map(most_rows, plans)) <= 4 * RENEWALS
