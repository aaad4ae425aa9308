"""Names in a file against the lists of the book: segments, industries, offers, stages, churn reasons, users."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.db.models import Max

from accounts.models import Industry, Segment, User
from renewals.imports.fields import Kind
from renewals.models import ChurnReason, Offer, Stage

LISTS: dict[Kind, Any] = {
    Kind.SEGMENT: Segment,
    Kind.INDUSTRY: Industry,
    Kind.OFFER: Offer,
    Kind.STAGE: Stage,
    Kind.CHURN_REASON: ChurnReason,
}
LENGTHS = {Kind.SEGMENT: 60, Kind.INDUSTRY: 80, Kind.OFFER: 120, Kind.CHURN_REASON: 80}


@dataclass
class Lookups:
    """Finds ids by name, whatever the case, and collects the names that the import adds to a list.

    Where the import is applied, a new name has from the first row on the id by which `save_new_names` adds it. A check
    writes nothing: there it has a negative one.
    """

    may_create: bool
    is_applied: bool = False
    known: dict[Kind, dict[str, int]] = field(default_factory=dict)
    new_names: dict[Kind, dict[int, str]] = field(default_factory=dict)
    made: dict[Kind, list[int]] = field(default_factory=dict)  # ids of the names that were added

    def find(self, kind: Kind, text: str, *, create_missing: bool) -> int | None:
        known = self._list(kind)
        folded = text.casefold()
        if folded not in known and create_missing and self.may_create and len(text) <= LENGTHS[kind]:
            names = self.new_names.setdefault(kind, {})
            known[folded] = number = _next_id(kind) if self.is_applied else -len(names) - 1
            names[number] = text
        return known.get(folded)

    def _list(self, kind: Kind) -> dict[str, int]:
        if kind not in self.known:
            if kind is Kind.USER:
                rows = User.objects.filter(is_active=True).values_list("email", "pk")
                self.known[kind] = {name.casefold(): pk for name, pk in rows}
            else:
                self.known[kind] = _numbers(kind)
        return self.known[kind]

    def save_new_names(self) -> dict[Kind, dict[int, int]]:
        """Adds the new names. Of one that somebody added meanwhile: their id, by the one that it has in the rows."""
        theirs: dict[Kind, dict[int, int]] = {}
        for kind, names in self.new_names.items():
            there = _numbers(kind)
            new = {number: name for number, name in names.items() if name.casefold() not in there}
            # Somebody who adds one of them at this moment, on the page of the lists, is waited for and comes first.
            LISTS[kind].objects.bulk_create(_rows(kind, new), ignore_conflicts=True)
            there = _numbers(kind)
            for number, name in names.items():
                if there[name.casefold()] == number:
                    self.made.setdefault(kind, []).append(number)
                else:
                    theirs.setdefault(kind, {})[number] = there[name.casefold()]
        return theirs

    def made_by_table(self) -> dict[str, list[int]]:
        return {LISTS[kind]._meta.db_table: ids for kind, ids in self.made.items()}


def _numbers(kind: Kind) -> dict[str, int]:
    """Ids by folded name; of names that differ in case alone, the one that was there first."""
    rows = LISTS[kind].objects.order_by("-pk").values_list("name", "pk")
    return {name.casefold(): pk for name, pk in rows}


def _rows(kind: Kind, names: dict[int, str]) -> list[Any]:
    if kind is not Kind.SEGMENT:
        return [LISTS[kind](pk=number, name=name) for number, name in names.items()]
    last = Segment.objects.aggregate(last=Max("position"))["last"] or 0
    return [Segment(pk=number, name=name, position=last + n) for n, (number, name) in enumerate(names.items(), 1)]


def _next_id(kind: Kind) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, 'id'))", [LISTS[kind]._meta.db_table])
        (number,) = cursor.fetchone()
    return int(number)
