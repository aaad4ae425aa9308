"""New rows whose foreign keys are proved together, by one join for each key, instead of one by one.

PostgreSQL checks each key of each row by a query of its own and, as they are deferred, keeps the list of all that are
due in memory until the commit: half a million checks for 100,000 contracts, longer than the writing of their rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import IntegrityError
from django.db.models import ForeignKey, Model

from config.foreign_keys import unchecked_keys
from renewals.imports.run import Run
from renewals.models import Renewal
from renewals.models.open_accounts import MARK


def insert_rows(run: Run, model: type[Model], statement: str, params: Sequence[Any] | dict[str, Any] = ()) -> int:
    """Runs an INSERT into the model's table; how many rows. Raises IntegrityError where one points to nothing.

    Who may not set `session_replication_role` has every key checked by PostgreSQL. The one other trigger of an insert
    marks the accounts of open renewals.
    """
    with unchecked_keys(run.cursor) as is_unchecked:
        created = run.execute(statement, params)
    if created and is_unchecked:
        _prove_references(run, model)
        if model is Renewal:
            opened = f"SELECT account_id FROM {run.new_rows(model._meta.db_table)} AND outcome = 'open'"
            run.execute(MARK.format(accounts=opened))
    return created


def _prove_references(run: Run, model: type[Model]) -> None:
    keys = [one for one in model._meta.concrete_fields if isinstance(one, ForeignKey)]
    new_rows = run.new_rows(model._meta.db_table)
    [counts] = run.rows(f"SELECT {', '.join(f'count({key.column})' for key in keys)} FROM {new_rows}")
    for key in (key for key, count in zip(keys, counts, strict=True) if count):
        parent = key.related_model._meta.db_table
        # With statistics: a planner that takes them for one row would look through all parents for each.
        run.make_table(
            "import_named",
            f"SELECT DISTINCT {key.column} AS id FROM {new_rows} AND {key.column} IS NOT NULL",
            joined_by="id",
        )
        # What this transaction made nobody else can take away. The others are held until the commit, as PostgreSQL's
        # own check holds them.
        [(missing,)] = run.rows(
            f"""
            WITH others AS MATERIALIZED (
                SELECT id FROM import_named WHERE NOT EXISTS (
                    SELECT FROM {parent} own WHERE own.id = import_named.id AND own.xmin = pg_current_xact_id()::xid)
            ), held AS MATERIALIZED (
                SELECT FROM {parent} WHERE id IN (SELECT id FROM others) FOR KEY SHARE
            )
            SELECT (SELECT count(*) FROM others) - (SELECT count(*) FROM held)
            """
        )
        if missing:
            noun = key.related_model._meta.verbose_name_plural
            raise IntegrityError(f"{missing:,} {noun} that the file names are gone. Import it again.")
