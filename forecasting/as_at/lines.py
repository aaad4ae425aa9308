"""Lines as arrays, and as the model that pages show."""

from __future__ import annotations

from decimal import Decimal

from forecasting.frames import Arrays
from forecasting.models import ForecastLine
from forecasting.periods import first_day


def as_line(lines: Arrays, at: int, grain: str) -> ForecastLine:
    """One entry of compute_lines, unsaved."""
    fields = {field.name for field in ForecastLine._meta.concrete_fields}
    amounts = {name: Decimal(int(lines[name][at])) / 100 for name in lines if name.endswith("_amount")}
    counts = {name: int(lines[name][at]) for name in lines if name.endswith("_count")}
    values = {name: value for name, value in (amounts | counts).items() if name in fields}
    return ForecastLine(grain=grain, starts_on=first_day(int(lines["month"][at])), **values)
