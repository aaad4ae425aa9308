"""What the dashboards are read from: see `dashboards.rollups`."""

from dashboards.models.cells import Cell, LateAccount, Level, RollUp, ScopedQuerySet, StaleCell

__all__ = ["Cell", "LateAccount", "Level", "RollUp", "ScopedQuerySet", "StaleCell"]
