"""Mappings that people made on the page, offered again for the next file with the same columns, such as the rows to
fix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from accounts.models import User
from renewals.imports.builtin import Fit, builtin_mapping, builtin_names, fit_of
from renewals.imports.keys import MappingError
from renewals.imports.mapping import parse_mapping
from renewals.imports.reader import fold
from renewals.models import ImportBatch

LOOKED_AT = 50  # imports, the newest first
OFFERED = 3


@dataclass(frozen=True)
class OwnMapping:
    """The mapping of an earlier import; `key` is how a form names it."""

    batch: ImportBatch
    fit: Fit

    @property
    def key(self) -> str:
        return f"import-{self.batch.pk}"


def own_mappings(batch: ImportBatch, user: User) -> list[OwnMapping]:
    """Those of the newest imports whose every column this file has."""
    has, found, known = {fold(column) for column in batch.header}, [], []
    builtin = [builtin_mapping(name).name for name in builtin_names()]
    earlier = ImportBatch.objects.visible_to(user).filter(state__in=[ImportBatch.State.CHECKED, ImportBatch.State.DONE])
    for other in earlier.exclude(pk=batch.pk).exclude(mapping_name__in=builtin)[:LOOKED_AT]:
        rules = _without_file(other.mapping)
        try:
            mapping = parse_mapping(other.mapping, other.mapping_name)
        except MappingError:  # of a version that knew other keys
            continue
        if rules not in known and {fold(column) for column in mapping.columns} <= has:
            known.append(rules)
            found.append(OwnMapping(other, fit_of(other.mapping_name, mapping, batch.header)))
    return [one for one in found if one.fit.is_whole][:OFFERED]


def _without_file(mapping: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in mapping.items() if key != "file"}
