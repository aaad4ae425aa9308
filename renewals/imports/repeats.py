"""The same thing twice in one file: word for word it counts once; otherwise nobody can say which row is right."""

from __future__ import annotations

from collections.abc import Sequence

from renewals.imports.findings import warn
from renewals.imports.run import Run


def mark_repeats(run: Run, key: str, *, paths: Sequence[str], value: str) -> None:
    """Refuses rows of import_row with one key and different cells; marks later identical ones as repeated."""
    run.make_table(
        "import_repeat",
        f"""
        SELECT {key}, min(signature) <> max(signature) AS is_conflict,
            (array_agg(row_number ORDER BY row_number))[1:2] AS first_rows
        FROM import_row JOIN (
            SELECT {key} FROM import_row WHERE verdict IS NULL GROUP BY {key} HAVING count(*) > 1) twice USING ({key})
        WHERE verdict IS NULL GROUP BY {key}
        """,
        joined_by=key,
    )
    if not run.rows("SELECT 1 FROM import_repeat LIMIT 1"):
        return
    same = " AND ".join(f"r.{column.strip()} = t.{column.strip()}" for column in key.split(","))
    place = "CASE WHEN first_rows[1] = t.row_number THEN 2 ELSE 1 END"
    other = f"(SELECT first_rows[{place}] FROM import_repeat r WHERE {same})"
    run.refuse(
        f"EXISTS (SELECT 1 FROM import_repeat r WHERE {same} AND r.is_conflict)",
        paths=paths,
        value=value,
        code="conflicting_rows",
        reason=f"format('contradicts row %%s, which is about the same; correct one and take out the other', {other})",
    )
    repeated = (
        f"EXISTS (SELECT 1 FROM import_repeat r WHERE {same} AND NOT r.is_conflict AND r.first_rows[1] <> t.row_number)"
    )
    warn(
        run.cursor,
        f"import_row t WHERE verdict IS NULL AND {repeated}",
        column=run.source(*paths),
        value=value,
        code="identical_repeat",
        reason=f"format('repeats row %%s word for word', {other})",
    )
    run.execute(f"UPDATE import_row t SET verdict = 'repeated' WHERE verdict IS NULL AND {repeated}")
