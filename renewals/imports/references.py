"""New rows whose foreign keys are proved together, by one join for each key, instead of one by one.

PostgreSQL checks each key of each row by a query of its own and, as they are deferred, keeps the list of all that are
due in memory until the commit: half a million checks for 100,000 contracts, longer than the writing of their rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import IntegrityError
from django.db.models import ForeignKey, Model

from accounts.models import Account, Ticket
from accounts.models.feedback_marks import MARK_FEEDBACK
from accounts.models.signal_marks import MARK_STALE, MARKING
from config.foreign_keys import unchecked_keys
from renewals.imports.run import Run
from renewals.models import OpenAccount, Renewal
from renewals.models.open_accounts import MARK

SELF = "pg_current_xact_id()::xid"


def insert_rows(run: Run, model: type[Model], statement: str, params: Sequence[Any] | dict[str, Any] = ()) -> int:
    """Runs an INSERT into the model's table; how many rows. Raises IntegrityError where one points to nothing.

    Who may not set `session_replication_role` has every key checked by PostgreSQL. Other triggers of an insert
    mark the accounts of open renewals, those whose signals are to be made anew, and those on the feedback board.
    """
    with unchecked_keys(run.cursor) as is_unchecked:
        created = run.execute(statement, params)
        if created and is_unchecked and model is Renewal:
            _mark_open_accounts(run)
        elif created and is_unchecked and model in MARKING:
            run.execute(MARK_STALE.format(rows=run.new_rows(model._meta.db_table)))
        if created and is_unchecked:
            _mark_feedback(run, model)
    if created and is_unchecked:
        _prove_references(run, model)
    return created


def _mark_feedback(run: Run, model: type[Model]) -> None:
    """As the triggers do it. Renewals of an account that nobody wrote to support about say nothing to the board."""
    rows = run.new_rows(model._meta.db_table)
    if model is Ticket:
        run.execute(MARK_FEEDBACK.format(rows=rows))
    elif model is Renewal:
        asked = f"(SELECT DISTINCT account_id FROM {rows}) r"
        known = f"{asked} WHERE EXISTS (SELECT FROM {Ticket._meta.db_table} t WHERE t.account_id = r.account_id)"
        run.execute(MARK_FEEDBACK.format(rows=known))


def _mark_open_accounts(run: Run) -> None:
    """As the trigger does it, but without a lock on the accounts that this transaction made, and without asking of each
    whether it is marked by now: that doubles the time."""
    opened = f"{run.new_rows(Renewal._meta.db_table)} AND outcome = 'open'"
    first = run.first_ids[Account._meta.db_table]
    run.make_table("import_open", f"SELECT DISTINCT account_id AS id FROM {opened}", joined_by="id")
    run.execute(
        f"""
        WITH made AS MATERIALIZED (
            DELETE FROM import_open o USING {Account._meta.db_table} a
            WHERE a.id = o.id AND a.id >= {first} AND a.xmin = {SELF}
                AND a.id NOT IN (SELECT account_id FROM {OpenAccount._meta.db_table} WHERE account_id >= {first})
            RETURNING a.id, a.last_touch_on
        )
        INSERT INTO {OpenAccount._meta.db_table} (account_id, last_touch_on) SELECT * FROM made ORDER BY id
        """
    )
    run.execute(MARK.format(accounts="SELECT id FROM import_open"))


def _prove_references(run: Run, model: type[Model]) -> None:
    """Lists, such as stages, by the ids that are named; the tables that this import writes by one join each."""
    keys = [one for one in model._meta.concrete_fields if isinstance(one, ForeignKey)]
    is_written = [key.related_model._meta.db_table in run.first_ids for key in keys]
    asked = (f"{key.column} IS NOT NULL" if many else key.column for key, many in zip(keys, is_written, strict=True))
    told = run.rows(f"SELECT DISTINCT {', '.join(asked)} FROM {run.new_rows(model._meta.db_table)}")
    for key, many, values in zip(keys, is_written, map(set, zip(*told, strict=True)), strict=True):
        if many:
            missing = _count_missing(run, model, key) if True in values else 0
        else:
            missing = _count_missing_in_list(run, key, values - {None}) if values != {None} else 0
        if missing:
            noun = key.related_model._meta.verbose_name_plural
            raise IntegrityError(f"{missing:,} {noun} that the file names are gone. Import it again.")


def _count_missing_in_list(run: Run, key: ForeignKey[Any, Any], ids: set[int]) -> int:
    parent = key.related_model._meta.db_table
    return len(ids) - len(run.rows(f"SELECT id FROM {parent} WHERE id = ANY (%s) FOR KEY SHARE", [sorted(ids)]))


def _count_missing(run: Run, model: type[Model], key: ForeignKey[Any, Any]) -> int:
    """What this transaction made nobody else can take away. The others are held until the commit, as PostgreSQL's own
    check holds them."""
    parent = key.related_model._meta.db_table
    # The planner takes new rows for one, and would look through all that were made for each.
    run.execute("SET LOCAL enable_nestloop = off; DROP TABLE IF EXISTS pg_temp.import_named")
    others = run.execute(
        f"""
        CREATE TEMP TABLE import_named AS
        SELECT DISTINCT named.id FROM (SELECT {key.column} AS id FROM {run.new_rows(model._meta.db_table)}) named
        WHERE named.id IS NOT NULL AND NOT EXISTS (
            SELECT FROM {parent} own
            WHERE own.id = named.id AND own.id >= {run.first_ids[parent]} AND own.xmin = {SELF})
        """
    )
    run.execute("SET LOCAL enable_nestloop = on")
    if not others:
        return 0
    run.execute("ANALYZE import_named")
    [(missing,)] = run.rows(
        f"""
        WITH held AS MATERIALIZED (SELECT FROM {parent} WHERE id IN (SELECT id FROM import_named) FOR KEY SHARE)
        SELECT {others} - count(*) FROM held
        """
    )
    return int(missing)
