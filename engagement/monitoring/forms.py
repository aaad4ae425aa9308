"""The days of each segment, in one form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms

from accounts.models import Segment
from engagement.models.monitoring import MOST_DAYS
from engagement.monitoring.unmonitored import Terms


class RulesForm(forms.Form):
    """Two fields for everybody else, and two for each segment; a segment with both blank has no rule of its own."""

    def __init__(
        self, *args: Any, segments: Sequence[Segment], terms: Mapping[int | None, Terms], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.names: list[tuple[str, int | None]] = [("Everybody else", None)]
        self.names += [(segment.name, segment.pk) for segment in segments]
        for name, pk in self.names:
            term = terms.get(pk)
            for field, label, lowest in (("due", "due within, days", 0), ("silent", "no touch for, days", 1)):
                value = None if term is None else term.due_within_days if field == "due" else term.silent_days
                self.fields[f"{field}-{pk or 'others'}"] = forms.IntegerField(
                    required=pk is None, min_value=lowest, max_value=MOST_DAYS, initial=value, label=f"{name}: {label}"
                )

    def rows(self) -> list[tuple[str, forms.BoundField, forms.BoundField]]:
        return [(name, self[f"due-{pk or 'others'}"], self[f"silent-{pk or 'others'}"]) for name, pk in self.names]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for name, pk in self.names:
            fields = [f"due-{pk}", f"silent-{pk}"]
            given = [field for field in fields if cleaned.get(field) is not None]
            if pk is not None and len(given) == 1 and not any(field in self.errors for field in fields):
                (missing,) = set(fields) - set(given)
                self.add_error(missing, f"{name} needs both, or neither.")
        return cleaned

    def terms(self) -> dict[int | None, Terms | None]:
        found: dict[int | None, Terms | None] = {}
        for _, pk in self.names:
            due = self.cleaned_data[f"due-{pk or 'others'}"]
            found[pk] = None if due is None else Terms(due, self.cleaned_data[f"silent-{pk or 'others'}"])
        return found
