"""Names in a file against the lists of the book: segments, industries, offers, stages, churn reasons, users."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

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

    A new name has a negative id until `save_new_names` gives it a real one; so a check writes nothing.
    """

    may_create: bool
    known: dict[Kind, dict[str, int]] = field(default_factory=dict)
    new_names: dict[Kind, list[str]] = field(default_factory=dict)
    made: dict[Kind, list[int]] = field(default_factory=dict)  # ids of the names that were added

    def find(self, kind: Kind, text: str, *, create_missing: bool) -> int | None:
        known = self._list(kind)
        folded = text.casefold()
        if folded not in known and create_missing and self.may_create and len(text) <= LENGTHS[kind]:
            names = self.new_names.setdefault(kind, [])
            names.append(text)
            known[folded] = -len(names)
        return known.get(folded)

    def _list(self, kind: Kind) -> dict[str, int]:
        if kind not in self.known:
            if kind is Kind.USER:
                rows = User.objects.filter(is_active=True).values_list("email", "pk")
            else:
                rows = LISTS[kind].objects.values_list("name", "pk")
            self.known[kind] = {name.casefold(): pk for name, pk in rows}
        return self.known[kind]

    def save_new_names(self) -> dict[Kind, dict[int, int]]:
        """Adds the new names; the real id of each negative one. Somebody may have added one meanwhile: then theirs."""
        real: dict[Kind, dict[int, int]] = {}
        for kind, names in self.new_names.items():
            model = LISTS[kind]
            extra: dict[str, Any] = {}
            if kind is Kind.SEGMENT:
                extra["position"] = (Segment.objects.aggregate(last=Max("position"))["last"] or 0) + 1
            for number, name in enumerate(names, 1):
                found = model.objects.filter(name__iexact=name).first()
                if found is None:
                    found = model.objects.create(name=name, **extra)
                    self.made.setdefault(kind, []).append(found.pk)
                real.setdefault(kind, {})[-number] = found.pk
        return real

    def made_by_table(self) -> dict[str, list[int]]:
        return {LISTS[kind]._meta.db_table: ids for kind, ids in self.made.items()}
