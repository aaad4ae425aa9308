"""Recurring value over time: terms of contracts, what moved between two days, and where it may end.

Days are int day numbers since 1970-01-01, amounts int64 cents a month in the reporting currency. The rules are stated
in `forecasting.mrr`.
"""

from forecasting.engine.recurring.band import Uncertain, closing_band
from forecasting.engine.recurring.movements import Points, find_movements
from forecasting.engine.recurring.timelines import NEVER, Decisions, Events, Renewed, Steps, Terms, draw_timelines
from forecasting.engine.recurring_kinds import Kind, State

__all__ = [
    "NEVER",
    "Decisions",
    "Events",
    "Kind",
    "Points",
    "Renewed",
    "State",
    "Steps",
    "Terms",
    "Uncertain",
    "closing_band",
    "draw_timelines",
    "find_movements",
]
