"""The columns of an exported file: for each column of the central table, one or more, typed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from renewals.table.columns import COLUMNS as SHOWN

ID, STATE = "id", "_state"


class Kind(Enum):
    ID = "id"
    TEXT = "text"
    CODE = "code"  # a text of ours, from a closed list
    NUMBER = "number"
    AMOUNT = "amount"
    SHARE = "share"  # 0 to 1, written in per cent
    PERCENT = "percent"  # 0 to 100
    DATE = "date"


@dataclass(frozen=True)
class Column:
    """One column of the file. `field` is what a cell of it writes when the file comes back; blank: read-only."""

    heading: str
    accessor: str
    kind: Kind
    width: int = 12
    field: str = ""


def _read_only(shown: str, kind: Kind, accessor: str = "", heading: str = "", width: int = 12) -> Column:
    column = SHOWN[shown]
    return Column(heading or str(column.verbose_name), accessor or str(column.accessor), kind, width)


ID_COLUMN = Column(ID, "id", Kind.ID, 10)
# What the file has for a column that is shown. What stands small in a cell on the page has a column of its own.
BEHIND: dict[str, tuple[Column, ...]] = {
    "account": (
        _read_only("account", Kind.TEXT, width=32),
        _read_only("account", Kind.TEXT, "account__segment__name", "Segment"),
    ),
    "contract": (_read_only("contract", Kind.TEXT, width=16),),
    "due_on": (_read_only("due_on", Kind.DATE),),
    "decision_on": (_read_only("decision_on", Kind.DATE),),
    "timing": (
        _read_only("timing", Kind.CODE, "score__timing_class"),
        _read_only("timing", Kind.NUMBER, "score__timing_days", "Timing days"),
    ),
    "stage": (Column("Stage", "stage__name", Kind.TEXT, 16, "stage"),),
    "baseline_amount": (
        Column("Baseline", "baseline_amount", Kind.AMOUNT, 14),
        Column("Currency", "currency", Kind.CODE, 9),
    ),
    "forecast_amount": (Column("Forecast", "forecast_amount", Kind.AMOUNT, 14, "forecast_amount"),),
    "offer": (Column("Offer", "offer__name", Kind.TEXT, 24, "offer"),),
    "confidence": (Column("Confidence %", "confidence", Kind.PERCENT, 13, "confidence"),),
    "likelihood": (Column("Likelihood %", "score__likelihood", Kind.SHARE),),
    "probability": (Column("Probability %", "score__probability", Kind.SHARE),),
    "risk": (Column("Risk", "score__risk_score", Kind.NUMBER),),
    "health": (
        _read_only("health", Kind.NUMBER),
        _read_only("health", Kind.CODE, "account__health__band", "Health band"),
    ),
    "owner": (Column("Owner", "owner__name", Kind.TEXT, 18, "owner"),),
    "next_step": (
        Column("Next step", "next_step", Kind.TEXT, 32, "next_step"),
        Column("Next step due", "next_step_on", Kind.DATE, 13, "next_step_on"),
    ),
    "last_touch_on": (_read_only("last_touch_on", Kind.DATE),),
    "expected_order_on": (Column("Expected order", "expected_order_on", Kind.DATE, 14, "expected_order_on"),),
    "ordered_on": (Column("Ordered", "ordered_on", Kind.DATE, 12, "ordered_on"),),
    "outcome": (
        Column("Outcome", "outcome", Kind.CODE, 10, "outcome"),
        Column("Churn reason", "churn_reason__name", Kind.TEXT, 18, "churn_reason"),
        Column("Final amount", "final_amount", Kind.AMOUNT, 14, "final_amount"),
    ),
}
# Columns of the table that this module does not know yet are exported as the text that their accessor has.
EXPORTABLE: dict[str, tuple[Column, ...]] = {name: BEHIND.get(name, (_read_only(name, Kind.TEXT),)) for name in SHOWN}
EDITABLE_HEADINGS = {column.heading: column.field for columns in BEHIND.values() for column in columns if column.field}
READ_ONLY_HEADINGS = {column.heading for columns in EXPORTABLE.values() for column in columns if not column.field}


def file_columns(shown: Iterable[str]) -> list[Column]:
    """The columns of the file, but for the state: the id first, so that a row can come back."""
    return [ID_COLUMN, *(column for name in shown for column in EXPORTABLE[name])]
