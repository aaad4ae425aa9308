"""What the dashboards are read from: see `dashboards.rollups`."""

from dashboards.models.cells import Cell, CellQuerySet, LateAccount, LateAccountQuerySet, Level, RollUp, StaleCell

__all__ = ["Cell", "CellQuerySet", "LateAccount", "LateAccountQuerySet", "Level", "RollUp", "StaleCell"]
