"""The sums that the board is read from: what each account adds to them, and how they follow what is written.

Triggers mark accounts (accounts.models.FeedbackMark). Of those `add_up` takes out of the cells what they added before
and adds what they add now, both as stored beside them, so that sums and parts never differ. It runs every few seconds,
and before a reader reads where little is marked. Who comes while much is marked, or while somebody else adds up, is
told by the tickets themselves: slower, never older.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import BooleanField, Count, Q, QuerySet, Value
from django.db.models.expressions import RawSQL

from accounts.models import Ticket, User
from accounts.models.feedback_marks import EVERYTHING
from engagement.feedback.matching import match_rule
from engagement.models import FeedbackTheme
from engagement.models.feedback_sums import ALL_TICKETS, BOOK

LOCK: Final = 7_230_021  # one at a time adds up; nobody waits for it
MOST_BY_READER: Final = 500
MOST_AT_ONCE: Final = 50_000
WORK_MEM_MB: Final = 128
KEY: Final = "scope, theme, day, currency"
MEASURES: Final = ("ticket_count", "open_count", "account_count", "amount")

# By the key, whose entries of rows that were taken are passed over: the table is mostly such rows.
PENDING: Final = """
(SELECT account_id FROM accounts_feedbackmark ORDER BY id LIMIT %(most)s)
UNION SELECT account_id FROM engagement_feedbackaccount WHERE next_on <= %(as_of)s LIMIT %(most)s
"""
# Marks that come meanwhile are rows of their own, and stay.
TAKE: Final = """
WITH seen AS MATERIALIZED (SELECT DISTINCT account_id FROM accounts_feedbackmark ORDER BY account_id LIMIT %(most)s),
taken AS (DELETE FROM accounts_feedbackmark WHERE account_id IN (SELECT account_id FROM seen))
SELECT account_id FROM seen
UNION SELECT account_id FROM engagement_feedbackaccount WHERE next_on <= %(as_of)s
"""
# Of accounts as they are stored, in `part`.
CELLS_OF: Final = """
SELECT place.scope, hit.theme, hit.day, '' AS currency, hit.ticket_count, hit.open_count, 0 AS account_count,
    0 AS amount
FROM part CROSS JOIN LATERAL unnest(themes, opened_on, ticket_counts, open_counts)
        hit (theme, day, ticket_count, open_count)
    CROSS JOIN LATERAL unnest(scopes, currencies) place (scope, currency) WHERE place.currency = ''
UNION ALL
SELECT place.scope, newest.theme, newest.day, place.currency, 0, 0, 1, place.amount
FROM part CROSS JOIN LATERAL (
        SELECT theme, max(day) AS day FROM unnest(themes, opened_on) hit (theme, day) WHERE theme > 0 GROUP BY 1) newest
    CROSS JOIN LATERAL unnest(scopes, currencies, amounts) place (scope, currency, amount)
"""
STORE: Final = f"""
INSERT INTO engagement_feedbackcell ({KEY}, {", ".join(MEASURES)})
SELECT {KEY}, {", ".join(f"{{sign}} sum({name})" for name in MEASURES)} FROM ({CELLS_OF}) cells GROUP BY {KEY} ORDER BY {KEY}
ON CONFLICT ({KEY}) DO UPDATE SET {", ".join(f"{name} = engagement_feedbackcell.{name} + excluded.{name}" for name in MEASURES)}
"""  # noqa: E501
TAKE_OUT: Final = f"""
WITH part AS (DELETE FROM engagement_feedbackaccount WHERE account_id = ANY(%(ids)s) RETURNING *)
{STORE.format(sign="-")}
"""
# Who sees an account: the teams of its owner and of its renewals' owners; `owned` are renewals with their team.
ADD: Final = f"""
WITH hit (theme, account_id, opened_on, ticket_count, open_count) AS MATERIALIZED ({{hits}}),
asked AS MATERIALIZED (SELECT DISTINCT account_id FROM hit),
told AS (
    SELECT account_id, array_agg(theme) AS themes, array_agg(opened_on) AS opened_on,
        array_agg(ticket_count) AS ticket_counts, array_agg(open_count) AS open_counts
    FROM hit WHERE opened_on <= %(as_of)s GROUP BY account_id
),
later AS (SELECT account_id, min(opened_on) AS next_on FROM hit WHERE opened_on > %(as_of)s GROUP BY account_id),
owned AS MATERIALIZED (
    SELECT account_id, u.team_id, r.currency, r.baseline_amount, r.outcome = 'open' AND NOT r.is_excluded AS is_at_stake
    FROM renewals_renewal r JOIN asked USING (account_id) LEFT JOIN accounts_user u ON u.id = r.owner_id
),
place (account_id, scope, currency, amount) AS (
    SELECT account_id, {BOOK}, '', 0 FROM asked
    UNION SELECT a.id, u.team_id, '', 0 FROM accounts_account a JOIN asked ON asked.account_id = a.id
        JOIN accounts_user u ON u.id = a.owner_id WHERE u.team_id IS NOT NULL
    UNION SELECT account_id, team_id, '', 0 FROM owned WHERE team_id IS NOT NULL
    UNION ALL SELECT account_id, scope, currency, sum(baseline_amount)
        FROM (SELECT *, {BOOK} AS scope FROM owned
            UNION ALL SELECT *, team_id FROM owned WHERE team_id IS NOT NULL) scoped
        WHERE is_at_stake GROUP BY 1, 2, 3
),
placed AS (
    SELECT account_id, array_agg(scope) AS scopes, array_agg(currency) AS currencies, array_agg(amount) AS amounts
    FROM place GROUP BY account_id
),
part AS (
    INSERT INTO engagement_feedbackaccount (account_id, themes, opened_on, ticket_counts, open_counts, scopes,
        currencies, amounts, next_on)
    SELECT account_id, coalesce(themes, '{{{{}}}}'), coalesce(opened_on, '{{{{}}}}'), coalesce(ticket_counts, '{{{{}}}}'),
        coalesce(open_counts, '{{{{}}}}'), scopes, currencies, amounts, next_on
    FROM asked LEFT JOIN told USING (account_id) LEFT JOIN later USING (account_id) JOIN placed USING (account_id)
    RETURNING *
)
{STORE.format(sign="")}
"""  # noqa: E501
CLEAR: Final = "DELETE FROM engagement_feedbackcell WHERE ticket_count = 0 AND account_count = 0"


def add_up(*, as_of: dt.date, most: int = MOST_AT_ONCE) -> int | None:
    """Bring the cells up to date for so many marked accounts; how many those were. None: somebody else is at it."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            return None
        cursor.execute(TAKE, {"most": most, "as_of": as_of})
        ids = [pk for (pk,) in cursor.fetchall()]
        if EVERYTHING in ids:
            _add_up_everything(cursor, as_of)
        elif ids:
            _replace(cursor, ids, as_of)
    return len(ids)


def _add_up_everything(cursor: CursorWrapper, as_of: dt.date) -> None:
    """What all marks say that can be seen is seen by the statements after this one."""
    cursor.execute(
        "DELETE FROM accounts_feedbackmark; DELETE FROM engagement_feedbackcell; DELETE FROM engagement_feedbackaccount"
    )
    cursor.execute(f"SET LOCAL work_mem = '{WORK_MEM_MB}MB'")
    _add(cursor, None, as_of)
    cursor.execute("ANALYZE engagement_feedbackcell")


def _replace(cursor: CursorWrapper, ids: list[int], as_of: dt.date) -> None:
    cursor.execute(TAKE_OUT, {"ids": ids})
    _add(cursor, ids, as_of)
    cursor.execute(CLEAR)


def _add(cursor: CursorWrapper, ids: list[int] | None, as_of: dt.date) -> None:
    themes = list(FeedbackTheme.objects.all())
    if not themes:
        return
    tickets = Ticket.objects.all()
    if ids is not None:
        tickets = tickets.filter(RawSQL("accounts_ticket.account_id = ANY (%s)", [ids], BooleanField()))
    parts = [_by_day(tickets, ALL_TICKETS), *(_by_day(match_rule(tickets, theme), theme.pk) for theme in themes)]
    hits, params = parts[0].union(*parts[1:], all=True).query.sql_with_params()
    cursor.execute(ADD.format(hits=_named(hits, len(params))), _params(params) | {"as_of": as_of})


def _by_day(tickets: QuerySet[Ticket], theme: int) -> QuerySet[Any, Any]:
    counted = tickets.order_by().values("account", "opened_on").annotate(
        theme=Value(theme), ticket_count=Count("pk"), open_count=Count("pk", filter=Q(resolved_on__isnull=True))
    )  # fmt: skip
    return counted.values_list("theme", "account", "opened_on", "ticket_count", "open_count")


def _named(statement: str, count: int) -> str:
    """The same statement with its places named p0, p1, ..."""
    return statement % tuple(f"%(p{number})s" for number in range(count))


def _params(values: Sequence[Any]) -> dict[str, Any]:
    return {f"p{number}": value for number, value in enumerate(values)}


def find_scope(user: User, *, as_of: dt.date) -> int | None:
    """The scope whose cells a user reads, brought up to date; None where the tickets have to tell.

    Somebody without a team sees what they own alone, which is few enough.
    """
    scope = BOOK if user.sees_all else user.team_id
    if scope is None:
        return None
    pending = _pending(as_of)
    if len(pending) > MOST_BY_READER or EVERYTHING in pending:
        return None
    return scope if not pending or add_up(as_of=as_of) is not None else None


def _pending(as_of: dt.date) -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute(PENDING, {"as_of": as_of, "most": MOST_BY_READER + 1})
        return {pk for (pk,) in cursor.fetchall()}


def read_hits(
    scope: int, themes: Collection[int], *, since: dt.date | None, as_of: dt.date
) -> list[tuple[int, str, int, int, int, Any]]:
    """By theme and currency, of the days after one (None: all) up to another: tickets, open ones, accounts, amount.

    A blank currency has the counts, and no amount.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT theme, currency, sum(ticket_count)::bigint, sum(open_count)::bigint, sum(account_count)::bigint,
                CASE WHEN currency <> '' THEN sum(amount) END
            FROM engagement_feedbackcell
            WHERE scope = %s AND theme = ANY (%s) AND day > coalesce(%s::date, '-infinity') AND day <= %s
            GROUP BY theme, currency
            """,
            [scope, list(themes), since, as_of],
        )
        found: list[tuple[int, str, int, int, int, Any]] = cursor.fetchall()
        return found


def read_days(
    scope: int, themes: Collection[int], *, since: dt.date, as_of: dt.date
) -> Iterator[tuple[int, dt.date, int]]:
    """Tickets opened by theme (`ALL_TICKETS`: any or none) and day."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT theme, day, ticket_count FROM engagement_feedbackcell"
            " WHERE scope = %s AND theme = ANY (%s) AND currency = '' AND day > %s AND day <= %s",
            [scope, list(themes), since, as_of],
        )
        yield from cursor.fetchall()
