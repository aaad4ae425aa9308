"""A chart as pages show it: its series, from which both the picture and the table are made."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

from forecasting.pictures import Series


@dataclass(frozen=True)
class Cell:
    text: str
    url: str


@dataclass(frozen=True)
class Chart:
    """A figure, the words under it, and its numbers. Without a figure `empty` says why there is nothing to draw."""

    key: str
    title: str
    caption: str
    labels: Sequence[str]
    label_head: str
    series: Sequence[Series]
    unit: str
    figure: dict[str, Any] | None
    empty: str = ""
    span: str = "p-span-6"

    @property
    def figure_id(self) -> str:
        return f"{self.key}-figure"

    @property
    def figure_text(self) -> str:
        """The figure as JSON, for a part of a page that is swapped: scripts are not taken over then, not even data."""
        return json.dumps(self.figure, cls=DjangoJSONEncoder)

    @property
    def heads(self) -> list[str]:
        return [f"{series.name}{'' if series.is_rate else f', {self.unit}'}" for series in self._tabled]

    @property
    def rows(self) -> list[tuple[str, list[Cell]]]:
        return [
            (label, [Cell(one.text(one.values[at]), one.urls[at]) for one in self._tabled])
            for at, label in enumerate(self.labels)
        ]

    @property
    def _tabled(self) -> list[Series]:
        return [series for series in self.series if series.is_in_table]
