"""What the dashboards are read from: see `dashboards.rollups`; and what capacity is reckoned by."""

from dashboards.models.capacity import Absence, CapacityTerms, Holiday, PlannedCustomers, RenewalHours
from dashboards.models.cells import (
    BookChange,
    Cell,
    LateAccount,
    Level,
    MixCell,
    MovedRenewal,
    RollUp,
    ScopedQuerySet,
    StaleCell,
    get_roll_up,
)
from dashboards.models.executive import ExecutiveMail, Weekday
from dashboards.models.pace import LikelyCell, Pace, StaleLikely
from dashboards.models.risk import LostMonth, OpenCell, OpenDay, OpenRenewal, Side
from dashboards.models.work import OwnerWork, StaleWork, WorkRollUp

__all__ = [
    "Absence",
    "BookChange",
    "CapacityTerms",
    "Cell",
    "ExecutiveMail",
    "Holiday",
    "LateAccount",
    "Level",
    "LikelyCell",
    "LostMonth",
    "MixCell",
    "MovedRenewal",
    "OpenCell",
    "OpenDay",
    "OpenRenewal",
    "OwnerWork",
    "Pace",
    "PlannedCustomers",
    "RenewalHours",
    "RollUp",
    "ScopedQuerySet",
    "Side",
    "StaleCell",
    "StaleLikely",
    "StaleWork",
    "Weekday",
    "WorkRollUp",
    "get_roll_up",
]
