"""What every step of one import shares: the mapping, the days, who asks, and whether anything is written."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.backends.utils import CursorWrapper

from accounts.models import User
from renewals.imports.findings import refuse, warn
from renewals.imports.mapping import Mapping

# The driver reads % only where there are parameters, and the history context adds some to writes: always give some.
NOTHING: dict[str, Any] = {"nothing": None}
MADE_HERE = (
    *("accounts_account", "accounts_accountsignal", "accounts_ticket", "accounts_invoice"),
    *("accounts_touch", "accounts_contact"),
    *("renewals_contract", "renewals_renewal"),
)


@dataclass(frozen=True)
class Refusal:
    """Which rows of import_row cannot be imported; `condition`, `value` and `reason` are SQL of the row."""

    condition: str
    paths: Sequence[str]
    value: str
    code: str
    reason: str
    params: Sequence[Any] = ()


@dataclass(frozen=True)
class Run:
    cursor: CursorWrapper
    mapping: Mapping
    as_of: dt.date
    file_on: dt.date  # the day the file speaks of; today where nobody says
    user: User | None  # None: the command line, which acts for the house
    is_applied: bool  # False: a check, which counts what would be written and writes nothing
    first_ids: dict[str, int] = field(default_factory=dict)  # by table: rows made here have this id or a later one
    made_definitions: list[int] = field(default_factory=list)  # ids of the attributes that were defined

    @property
    def team_id(self) -> int | None:
        """The team that rows have to belong to; None for those who may import everything."""
        return None if self.user is None or self.user.is_admin else self.user.team_id

    @property
    def is_bound_to_team(self) -> bool:
        return self.user is not None and not self.user.is_admin

    def execute(self, sql: str, params: Sequence[Any] | dict[str, Any] = ()) -> int:
        """Runs one statement; how many rows it touched. A % in it is doubled, whether it has parameters or not."""
        self.cursor.execute(sql, params or NOTHING)
        return int(self.cursor.rowcount)

    def rows(self, sql: str, params: Sequence[Any] | dict[str, Any] = ()) -> list[tuple[Any, ...]]:
        self.cursor.execute(sql, params or NOTHING)
        return list(self.cursor.fetchall())

    def make_table(
        self, name: str, query: str, params: Sequence[Any] | dict[str, Any] = (), *, joined_by: str = "row_number"
    ) -> None:
        """A temporary table from a query, with statistics: the planner guesses badly about tables it has never seen.

        Only of the columns it is joined by: a staged row has some sixty, and statistics of each would cost more than
        help.
        """
        self.execute(f"DROP TABLE IF EXISTS pg_temp.{name}")
        self.execute(f"CREATE TEMP TABLE {name} AS {query}", params)
        self.execute(f"ANALYZE {name} ({joined_by})")

    def new_id(self, table: str, row_number: str = "row_number") -> str:
        """SQL of the id of a row that is made; a check must not use up ids, so there it only is a different number."""
        return f"nextval('{table}_id_seq')" if self.is_applied else f"-({row_number})::bigint"

    def note_first_ids(self) -> None:
        for table in MADE_HERE:
            [(self.first_ids[table],)] = self.rows(f"SELECT last_value FROM {table}_id_seq")

    def new_rows(self, table: str) -> str:
        """SQL after FROM of the rows that this import made, found without reading the book."""
        return f"{table} WHERE id >= {self.first_ids[table]} AND created_at = now()"

    def has(self, path: str) -> bool:
        return path in self.mapping.rules

    def source(self, *paths: str) -> str:
        """The column of the file behind the first of these fields that is mapped, as findings name it."""
        for path in paths:
            rule = self.mapping.rule(path)
            if rule and rule.source:
                return rule.source
        return ""

    def refuse(self, condition: str, *, paths: Sequence[str], value: str, code: str, reason: str, **more: Any) -> int:
        return refuse(self.cursor, condition, column=self.source(*paths), value=value, code=code, reason=reason, **more)

    def refuse_by(self, rules: Sequence[Refusal]) -> None:
        """Refuses by each rule in turn. One look at the rows finds the rules that have anything to refuse: most do
        not."""
        asked = ", ".join(f"bool_or({rule.condition})" for rule in rules)
        params = [one for rule in rules for one in rule.params]
        [is_broken] = self.rows(f"SELECT {asked} FROM import_row WHERE verdict IS NULL", params)
        for rule, has_rows in zip(rules, is_broken, strict=True):
            if has_rows:
                self.refuse(
                    rule.condition,
                    paths=rule.paths,
                    value=rule.value,
                    code=rule.code,
                    reason=rule.reason,
                    params=rule.params,
                )

    def warn(self, source: str, *, paths: Sequence[str], value: str, code: str, reason: str) -> int:
        return warn(self.cursor, source, column=self.source(*paths), value=value, code=code, reason=reason)

    def written(self, path: str, staged: str, old: str) -> str:
        """SQL of a column after the import. A blank cell says nothing, so it never empties what the book has."""
        rule = self.mapping.rule(path)
        if rule is None:
            return old
        return f"coalesce({staged}, {old})" if rule.overwrite else f"coalesce({old}, {staged})"
