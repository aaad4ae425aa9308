"""Which account each row speaks of: by external id, else by its exact name whatever the case and spaces."""

from __future__ import annotations

from renewals.imports.run import Run

# Most names need no folding of spaces, and the expression for it is the slow part of a match by name.
FOLDED_NAME = r"""lower(btrim(CASE WHEN a.name LIKE '%%  %%' OR a.name ~ '[^\S ]'
    THEN regexp_replace(a.name, '\s+', ' ', 'g') ELSE a.name END))"""


def resolve_accounts(run: Run) -> None:
    """Makes import_account: one row per account of the file, its id, whether it is new, or why it is refused."""
    run.make_table(
        "import_account",
        """
        SELECT DISTINCT ON (account_key) account_key, row_number, account_external_id AS external_id,
            lower(account_name) AS folded, NULL::bigint AS account_id, false AS is_new, false AS is_named_twin,
            NULL::text AS refusal, NULL::text AS reason
        FROM import_cell WHERE account_key IS NOT NULL ORDER BY account_key, row_number
        """,
        joined_by="account_key, external_id, folded",
    )
    # Every name by which the file calls an id, not only the first: a row may be refused later for another reason, and
    # the same file has to mean the same thing when it comes again.
    run.make_table(
        "import_alias",
        """
        SELECT DISTINCT lower(account_name) AS folded, account_external_id AS external_id
        FROM import_cell WHERE account_key IS NOT NULL AND account_name IS NOT NULL AND account_external_id IS NOT NULL
        """,
        joined_by="folded, external_id",
    )
    run.execute(
        """
        UPDATE import_account i SET account_id = a.id FROM accounts_account a
        WHERE i.external_id IS NOT NULL AND a.external_id <> '' AND a.external_id = i.external_id
        """
    )
    _match_names(run)
    is_closed = run.mapping.unknown_account == "refuse" or run.mapping.rows == "renewals"
    if not is_closed:
        _make_new(run)
    _join_named_rows(run)
    run.execute(
        "UPDATE import_account SET refusal = %s, reason = %s WHERE account_id IS NULL AND refusal IS NULL",
        ["unknown_account", "no account has this id or name"]
        if is_closed
        else ["ambiguous_account", "several ids of this file have this name"],
    )
    _refuse_other_teams(run)
    # All of it: without knowing how many are refused, the planner would try each row of the file on each account.
    run.execute("ANALYZE import_account")


def _match_names(run: Run) -> None:
    """An account that has an id already is only found by it; one without an id is found by name and takes the file's
    id.

    A row with only a name to which the same file gives an id means that one, whatever the book has: were the book asked
    first, the same file would mean something else the second time.
    """
    unresolved = "FROM import_account WHERE account_id IS NULL AND folded IS NOT NULL"
    [(count, id_count)] = run.rows(f"SELECT count(*), count(external_id) {unresolved}")
    if not count:
        return
    # To rows that all have an id, only the accounts without one matter. Counted are the names of the file alone.
    matters = "a.external_id = ''" if count == id_count else "true"
    run.execute(
        f"""
        WITH book AS (
            SELECT {FOLDED_NAME} AS folded, min(id) AS id, count(*) AS count,
                min(id) FILTER (WHERE external_id = '') AS bare_id, count(*) FILTER (WHERE external_id = '') AS
                    bare_count
            FROM accounts_account a WHERE {matters} AND {FOLDED_NAME} IN (SELECT folded {unresolved}) GROUP BY 1
        ), file AS (
            SELECT folded, count(DISTINCT alias.external_id) AS id_count
            FROM import_account LEFT JOIN import_alias alias USING (folded) GROUP BY 1
        )
        UPDATE import_account i SET
            account_id = CASE WHEN i.external_id IS NULL AND book.count = 1 THEN book.id
                WHEN i.external_id IS NOT NULL AND bare_count = 1 AND id_count = 1 THEN bare_id END,
            is_named_twin = true,
            refusal = CASE WHEN i.external_id IS NULL AND book.count > 1 THEN 'ambiguous_account' END,
            reason = format('%%s accounts have this name; give the account''s id', book.count)
        FROM book JOIN file USING (folded)
        WHERE i.account_id IS NULL AND i.folded = book.folded AND (i.external_id IS NOT NULL OR id_count = 0)
        """,
    )


def _make_new(run: Run) -> None:
    run.execute(
        f"""
        UPDATE import_account i SET is_new = true, account_id = {run.new_id("accounts_account")}
        WHERE account_id IS NULL AND refusal IS NULL AND (external_id IS NOT NULL OR NOT EXISTS (
            SELECT 1 FROM import_alias twin WHERE twin.folded = i.folded))
        """
        if run.has("account.external_id") and run.has("account.name")
        else f"""
        UPDATE import_account i SET is_new = true, account_id = {run.new_id("accounts_account")}
        WHERE account_id IS NULL AND refusal IS NULL
        """
    )


def _join_named_rows(run: Run) -> None:
    """A row that gives only the name of an account to which another row gives an id speaks of that account."""
    run.execute(
        """
        UPDATE import_account i SET account_id = twin.account_id, is_new = twin.is_new
        FROM (SELECT alias.folded, min(account_id) AS account_id, bool_or(is_new) AS is_new, count(*) AS count
              FROM import_alias alias JOIN import_account USING (external_id) GROUP BY 1) twin
        WHERE i.account_id IS NULL AND i.refusal IS NULL AND i.external_id IS NULL
            AND twin.folded = i.folded AND twin.count = 1
        """
    )


def _refuse_other_teams(run: Run) -> None:
    if not run.is_bound_to_team:
        return
    run.execute(
        """
        UPDATE import_account i SET refusal = 'account_of_another_team',
            reason = CASE WHEN a.owner_id IS NULL THEN 'this account has no owner; an admin can import it'
                ELSE 'this account belongs to another team' END
        FROM accounts_account a LEFT JOIN accounts_user u ON u.id = a.owner_id
        WHERE a.id = i.account_id AND NOT i.is_new AND u.team_id IS DISTINCT FROM %s
        """,
        [run.team_id],
    )


def refuse_by_account(run: Run) -> None:
    """Leaves out the rows of import_row whose account is refused, or that name an owner of another team."""
    for code, reason in run.rows("SELECT DISTINCT refusal, reason FROM import_account WHERE refusal IS NOT NULL"):
        run.refuse(
            "EXISTS (SELECT 1 FROM import_account i WHERE i.account_key = t.account_key AND i.refusal = %s AND "
            "i.reason = %s)",
            paths=("account.external_id", "account.name"),
            value="coalesce(account_external_id, account_name)",
            code=code,
            reason="'" + reason.replace("'", "''").replace("%", "%%") + "'",
            params=[code, reason],
        )
    if run.is_bound_to_team:
        for field in ("account_owner", "renewal_owner"):
            run.refuse(
                f"{field} IS NOT NULL AND NOT EXISTS (SELECT 1 FROM accounts_user u WHERE u.id = {field} AND "
                f"u.team_id = %s)",
                paths=(field.replace("_", ".", 1),),
                value=f"(SELECT email FROM accounts_user u WHERE u.id = {field})",
                code="account_of_another_team",
                reason="'this owner is in another team'",
                params=[run.team_id],
            )


def warn_of_differing_accounts(run: Run) -> None:
    """Rows of one account that tell different things about it: the first row counts, and each other one is named."""
    told = [
        rule.field.staged
        for path, rule in run.mapping.rules.items()
        if rule.field.holder == "account" and rule.columns and path not in ("account.external_id", "account.name")
    ]
    if run.mapping.rows == "accounts" or not told:
        return
    differs = " OR ".join(f"(t.{name} IS NOT NULL AND t.{name} IS DISTINCT FROM f.{name})" for name in told)
    # Where all rows of an account tell the same, which is usual, no row has to be compared with the first.
    suspects = " OR ".join(f"min({name}) <> max({name}) OR count({name}) BETWEEN 1 AND count(*) - 1" for name in told)
    run.warn(
        f"""
        import_row t
        JOIN (SELECT account_id, min(row_number) AS row_number FROM import_row WHERE verdict IS NULL GROUP BY 1
              HAVING {suspects}) first USING (account_id)
        JOIN import_row f ON f.row_number = first.row_number
        WHERE t.verdict IS NULL AND ({differs})
        """,
        paths=[f"account.{name.removeprefix('account_')}" for name in told],
        value="coalesce(t.account_external_id, t.account_name)",
        code="conflicting_account",
        reason="format('row %%s tells something else about this account, and it came first', f.row_number)",
    )
