"""What the dashboards are read from: see `dashboards.rollups`; and what capacity is reckoned by."""

from dashboards.models.capacity import Absence, CapacityTerms, Holiday, PlannedCustomers, RenewalHours
from dashboards.models.cells import (
    BookChange,
    Cell,
    LateAccount,
    Level,
    MovedRenewal,
    RollUp,
    ScopedQuerySet,
    StaleCell,
)
from dashboards.models.executive import ExecutiveMail, Weekday

__all__ = [
    "Absence",
    "BookChange",
    "CapacityTerms",
    "Cell",
    "ExecutiveMail",
    "Holiday",
    "LateAccount",
    "Level",
    "MovedRenewal",
    "PlannedCustomers",
    "RenewalHours",
    "RollUp",
    "ScopedQuerySet",
    "StaleCell",
    "Weekday",
]
