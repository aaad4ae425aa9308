"""Which account a row puts its own below, and the refusal of those that would stand above themselves."""

from __future__ import annotations

from renewals.imports.run import Run

MOST_LEVELS = 30
PATHS, SHOWN = ("account.parent",), "account_parent"


def resolve_parents(run: Run) -> None:
    """Gives import_row `parent_id`. A row whose parent is not there, or whose parent stands below it, is refused.

    A refused row takes its account, or its place in the family, out of what the others were judged by: they are judged
    again until none is refused.
    """
    run.execute("ALTER TABLE import_row ADD COLUMN parent_id bigint")
    refused = True
    while refused:
        _find_parents(run)
        refused = bool(_refuse_unknown(run) + _refuse_loops(run))


def _find_parents(run: Run) -> None:
    """By external id: of a row of this file, new or known, else of the book."""
    run.execute(
        """
        UPDATE import_row t SET parent_id = coalesce(
            (SELECT min(p.account_id) FROM import_row p
             WHERE p.verdict IS NULL AND p.account_external_id = t.account_parent),
            (SELECT a.id FROM accounts_account a WHERE a.external_id <> '' AND a.external_id = t.account_parent))
        WHERE verdict IS NULL AND account_parent IS NOT NULL
        """
    )


def _refuse_unknown(run: Run) -> int:
    count = run.refuse(
        "account_parent IS NOT NULL AND parent_id IS NULL",
        paths=PATHS,
        value=SHOWN,
        code="unknown_parent",
        reason="'no account has this id, in the book or in this file'",
    )
    if run.is_bound_to_team:
        count += run.refuse(
            """EXISTS (SELECT 1 FROM accounts_account a LEFT JOIN accounts_user u ON u.id = a.owner_id
                WHERE a.id = t.parent_id AND u.team_id IS DISTINCT FROM %s)""",
            paths=PATHS,
            value=SHOWN,
            code="account_of_another_team",
            reason="'this account belongs to another team, or to nobody'",
            params=[run.team_id],
        )
    return count


def _refuse_loops(run: Run) -> int:
    """Walks up from each row's parent: by the file where it says something of the account there, else by the book.

    What hangs below a loop is endless too, but is judged once the loop is out.
    """
    run.make_table(
        "import_loop",
        f"""
        WITH RECURSIVE edge AS MATERIALIZED (
            SELECT account_id, parent_id FROM import_row WHERE verdict IS NULL AND parent_id IS NOT NULL
        ), up AS (
            SELECT account_id, parent_id AS above, 1 AS steps FROM edge
            UNION ALL
            SELECT up.account_id, coalesce(e.parent_id, a.family_id), up.steps + 1
            FROM up LEFT JOIN edge e ON e.account_id = up.above LEFT JOIN accounts_account a ON a.id = up.above
            WHERE up.above <> up.account_id AND up.steps < {MOST_LEVELS}
                AND coalesce(e.parent_id, a.family_id) IS NOT NULL
        )
        SELECT account_id, min(steps) AS steps FROM up WHERE above = account_id
            OR steps = {MOST_LEVELS} AND NOT EXISTS (SELECT 1 FROM up WHERE above = account_id) GROUP BY 1
        """,
        joined_by="account_id",
    )
    loop = "import_loop l WHERE l.account_id = t.account_id"
    return run.refuse(
        f"parent_id IS NOT NULL AND EXISTS (SELECT 1 FROM {loop})",
        paths=PATHS,
        value=SHOWN,
        code="family_loop",
        reason=f"""CASE WHEN parent_id = account_id THEN 'is the account itself: nothing is above itself'
            WHEN (SELECT steps FROM {loop}) = {MOST_LEVELS}
                THEN 'stands more than {MOST_LEVELS} levels below the topmost account'
            ELSE 'stands below this account already, by this file or the book: it would be above itself' END""",
    )
