"""The people at the demo's customers, notices to them that are due, and a webhook that is not switched on.

Drawn by hashes of ids: the same book has the same people.
"""

from __future__ import annotations

from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Contact, get_company
from config.history import recorded_as
from engagement.mail.notices import propose_notices
from engagement.models import Event, WebhookEndpoint
from engagement.webhooks.secrets import make_secret, seal
from renewals.demo import words

ROLES = ("Head of operations", "Purchasing", "IT manager", "Product owner", "Finance")
# One in eleven wants no mail, one in nineteen has left; the first of each customer is the champion.
PEOPLE = """
    WITH drawn AS (
        SELECT a.id AS account_id, n, (a.id * 2654435761 + n * 40503) %% 1000003 AS dice,
            trim(both '-' FROM lower(regexp_replace(a.name, '[^A-Za-z0-9]+', '-', 'g'))) AS slug
        FROM accounts_account a CROSS JOIN LATERAL generate_series(1, 1 + (a.id %% 3)::int) n
        WHERE EXISTS (SELECT FROM renewals_renewal r WHERE r.account_id = a.id AND r.outcome = 'open')
    ), named AS (
        SELECT *, (%(given)s::text[])[1 + dice %% %(given_count)s] AS given,
            (%(family)s::text[])[1 + (dice / 97) %% %(family_count)s] AS family FROM drawn
    )
    INSERT INTO accounts_contact (account_id, name, role, email, phone, is_champion, is_unmailed, left_on, created_at)
    SELECT account_id, given || ' ' || family, (%(roles)s::text[])[1 + (dice / 7) %% %(role_count)s],
        lower(regexp_replace(given || '.' || family, '[^A-Za-z.]', '', 'g')) || '@' || left(slug, 40) || '.example', '',
        n = 1, n > 1 AND dice %% 11 = 0, CASE WHEN n > 1 AND dice %% 19 = 0 THEN %(today)s::date - 40 END, now()
    FROM named
"""


def fill_mail() -> None:
    """Nothing where there are contacts already."""
    if Contact.objects.exists():
        return
    today = get_company().today()
    values: dict[str, Any] = {
        "given": list(words.GIVEN_NAMES),
        "given_count": len(words.GIVEN_NAMES),
        "family": list(words.FAMILY_NAMES),
        "family_count": len(words.FAMILY_NAMES),
        "roles": list(ROLES),
        "role_count": len(ROLES),
        "today": today,
    }
    with transaction.atomic(), recorded_as(user_id=None, how="job"), connection.cursor() as cursor:
        cursor.execute(PEOPLE, values)
        WebhookEndpoint.objects.create(
            name="Data platform",
            url="https://hooks.example.com/perennial",
            event_names=[Event.RENEWAL_DECIDED, Event.CALL_FROZEN],
            is_active=False,
            sealed_secret=seal(make_secret()),
        )
    propose_notices(today=today, now=timezone.now())
