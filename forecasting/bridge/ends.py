"""The ends of a bridge: a call, a moment as at, or now."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from django.db import connection

from accounts.models import Company
from forecasting.as_at import InvalidMoment, known_since, parse_moment, score_at, settled_moment
from forecasting.as_at.book import ScoredBook, lines_of
from forecasting.as_at.kept import read_scored_book
from forecasting.as_at.standing import Standing, standing_of
from forecasting.engine.arrays import NO_ID, Booleans, Integers
from forecasting.engine.timing import PolicyTable
from forecasting.frames import Arrays
from forecasting.frames.rules import policy_entries, policy_table
from forecasting.models import Snapshot
from forecasting.periods import Grain, Period, month_number
from forecasting.scopes.scope import Scope, Slice
from forecasting.scopes.slices import are_sliced, sliced_then
from forecasting.snapshots.reading import read_call_lines, read_standing

NOW: Final = "now"
CALL: Final = "call-"


class InvalidEnd(ValueError):
    """A text in an address that names no end of a bridge; in words for the person."""


@dataclass(frozen=True, eq=False)
class End:
    """How the renewals stood at one end, and what the forecast said. `text` names it in an address."""

    text: str
    label: str
    standing: Standing
    snapshot: Snapshot | None = None
    book: ScoredBook | None = None

    @property
    def moment(self) -> dt.datetime:
        return self.standing.moment

    @cached_property
    def policies(self) -> PolicyTable:
        return self.book.rules.policies if self.book else policy_table(policy_entries(self.moment))

    def had(self, renewal_ids: Integers) -> Booleans:
        """Which of these renewals were recorded by then, whatever is kept of them."""
        if not renewal_ids.size:
            return np.zeros(0, dtype=np.bool_)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT id FROM renewals_renewal WHERE id = ANY(%(ids)s) AND created_at <= %(moment)s UNION"
                " SELECT id FROM renewals_renewalevent WHERE pgh_obj_id = ANY(%(ids)s) AND created_at <= %(moment)s",
                {"ids": renewal_ids.tolist(), "moment": self.moment},
            )
            return np.isin(renewal_ids, np.array([pk for (pk,) in cursor.fetchall()], dtype=np.int64))

    def are_sliced(self, part: Slice, renewal_ids: Integers) -> Booleans:
        """Which of these renewals are of a slice: by what they were then, but those of a call, which keeps neither
        regions nor booking types, by what they are today."""
        if self.book is None or not part:
            return are_sliced(part, renewal_ids)
        kept = sliced_then(part, self.book.rows, self.book.report, self.moment)
        return np.isin(renewal_ids, self.book.rows["id"][kept])

    def expected_cents(self, scope: Scope, period: Period) -> int:
        """What the forecast line of the period said, in cents; of a scope that has no line, the sum of its renewals."""
        lines, key = self._lines(scope, period)
        if lines is None:
            first = month_number(period.starts_on)
            month = self.standing.month
            within = self.standing.within(scope) & (month >= first) & (month < first + period.month_count)
            within &= self.are_sliced(scope.slice, self.standing.rows["renewal"])
            return int(np.rint(self.standing.values()[within].sum()))
        wanted = {"grain": int(period.grain == Grain.QUARTER), "month": month_number(period.starts_on), **key}
        found = np.flatnonzero(np.logical_and.reduce([lines[name] == value for name, value in wanted.items()]))
        return int(lines["expected_amount"][found[0]]) if found.size else 0

    def _lines(self, scope: Scope, period: Period) -> tuple[Arrays | None, Mapping[str, int]]:
        if self.snapshot is not None:
            key = {name: NO_ID if pk is None else pk for name, pk in scope.line_key.items()}
            return (None, {}) if (scope.owner and scope.segment) or scope.slice else (self._call_lines, key)
        assert self.book is not None
        first = month_number(period.starts_on)
        month = self.standing.month
        within = self.book.within(scope) & (month >= first) & (month < first + period.month_count)
        return lines_of(self.book.only(within)), {"owner_id": NO_ID, "team_id": NO_ID, "segment_id": NO_ID}

    @cached_property
    def _call_lines(self) -> Arrays:
        assert self.snapshot is not None
        return read_call_lines(self.snapshot)


def read_end(text: str, company: Company) -> End:
    """`now`, `call-12`, a day or a moment.

    Raises:
        InvalidEnd: it is none of these, or lies ahead.
    """
    if text.startswith(CALL):
        number = text.removeprefix(CALL)
        snapshot = Snapshot.objects.filter(pk=int(number)).first() if number.isdecimal() and len(number) < 19 else None
        if snapshot is None:
            raise InvalidEnd(f"There is no call {number!r}.")
        return End(text, str(snapshot), read_standing(snapshot), snapshot=snapshot)
    if text == NOW:
        return _end_at(text, "Now", score_at(settled_moment()))
    try:
        asked = parse_moment(text, company)
    except InvalidMoment as error:
        raise InvalidEnd(str(error)) from error
    since = known_since()
    if since is not None and since.hides(asked.moment):
        raise InvalidEnd(
            f"The book is known since {since.at:%d %b %Y}: {since.because}. A call of before can be chosen."
        )
    label = f"{asked.as_of:%d %b %Y}" if asked.is_whole_day else f"{asked.moment:%d %b %Y %H:%M} UTC"
    return _end_at(text, label, read_scored_book(asked.moment))


def _end_at(text: str, label: str, book: ScoredBook) -> End:
    return End(text, label, standing_of(book), book=book)
