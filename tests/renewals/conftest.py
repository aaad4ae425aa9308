"""What holds after every test that writes to the book, whichever way it wrote."""

from collections.abc import Iterator

import pytest
from django.db import connection

DIFFERENCES = """
    WITH marked AS (SELECT account_id, last_touch_on FROM renewals_openaccount),
    opened AS (
        SELECT DISTINCT r.account_id, a.last_touch_on
        FROM renewals_renewal r JOIN accounts_account a ON a.id = r.account_id WHERE r.outcome = 'open')
    SELECT 'wrong', * FROM (SELECT * FROM marked EXCEPT SELECT * FROM opened) wrong
    UNION ALL SELECT 'missing', * FROM (SELECT * FROM opened EXCEPT SELECT * FROM marked) missing
"""


def mistaken_marks() -> list[tuple[str, int, object]]:
    """Where the marks of accounts with an open renewal differ from the book."""
    with connection.cursor() as cursor:
        cursor.execute(DIFFERENCES)
        return list(cursor.fetchall())


@pytest.fixture(autouse=True)
def _open_accounts_are_marked(request: pytest.FixtureRequest) -> Iterator[None]:
    if "db" not in request.fixturenames and "transactional_db" not in request.fixturenames:
        yield
        return
    request.getfixturevalue("transactional_db" if "transactional_db" in request.fixturenames else "db")
    yield
    if not connection.needs_rollback:
        assert mistaken_marks() == []
