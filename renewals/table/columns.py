"""The columns of the central table: label, where the value comes from, how it is aligned, whether a person may write.

What stands in a cell is in `cells`, how a row is read and set in `rows`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import django_tables2 as tables

from accounts.models import Company, HealthBand, User
from renewals.models import RiskBand, TimingClass

DATE = "%d %b %Y"
RISK_TONES = {RiskBand.LOW: "good", RiskBand.MEDIUM: "warn", RiskBand.HIGH: "bad"}
HEALTH_TONES = {HealthBand.POOR: "bad", HealthBand.WATCH: "warn", HealthBand.HEALTHY: "good"}
TIMING_NAMES = {member.value: member.name.lower() for member in TimingClass}

Record = dict[str, Any]


def _column(label: str, accessor: str, *, css: str = "", why: str = "", is_editable: bool = False) -> Any:
    """`why` says why nobody can write in the column; the page shows it when somebody tries."""
    names = " ".join(filter(None, [css, "g-edit" if is_editable else ""]))
    return tables.Column(
        verbose_name=label, accessor=accessor, attrs={"th": {"class": css, "data-why": why}, "td": {"class": names}}
    )


IMPORTED = "Comes with the contract: change it there, or import it anew."
COMPUTED = "Computed from the row; see the risk and the confidence."


class RenewalTable(tables.Table):  # type: ignore[misc]  # django-tables2 has no types
    account = _column("Account", "account__name", css="g-account", why=IMPORTED)
    contract = _column("Contract", "contract__number", why=IMPORTED)
    due_on = _column("Due", "due_on", css="num", why=IMPORTED)
    decision_on = _column("Decision", "decision_on", css="num", why="The due date less the notice period.")
    timing = _column("Timing", "score__timing_class", why="Judged by the timing policy in force on the due date.")
    stage = _column("Stage", "stage__name", is_editable=True)
    baseline_amount = _column("Baseline", "baseline_amount", css="num", why=IMPORTED)
    forecast_amount = _column("Forecast", "forecast_amount", css="num", is_editable=True)
    offer = _column("Offer", "offer__name", css="g-long", is_editable=True)
    confidence = _column("Confidence", "confidence", css="num", is_editable=True)
    likelihood = _column("Likelihood", "score__likelihood", css="num g-quiet", why=COMPUTED)
    probability = _column("Probability", "score__probability", css="num g-bold", why=COMPUTED)
    risk = _column("Risk", "score__risk_score", css="num", why="Computed from the risk factors.")
    health = _column("Health", "account__health__score", css="num", why="Computed from the signals of the account.")
    owner = _column("Owner", "owner__name", is_editable=True)
    next_step = _column("Next step", "next_step", css="g-long", is_editable=True)
    last_touch_on = _column("Last touch", "account__last_touch_on", css="num", why="The newest contact with it.")
    expected_order_on = _column("Expected order", "expected_order_on", css="num", is_editable=True)
    ordered_on = _column("Ordered", "ordered_on", css="num", is_editable=True)
    outcome = _column("Outcome", "outcome", is_editable=True)


COLUMNS: dict[str, Any] = dict(RenewalTable.base_columns)
NAMES = tuple(COLUMNS)
# The header of each row: wherever columns are chosen it is there, and first.
HEAD = "account"
# Beside the risk, of which it is a part, health is for those who ask for it: the page that opens pays nothing for it.
ON_DEMAND = frozenset({"health"})
DEFAULT_COLUMNS = tuple(name for name in NAMES if name not in ON_DEMAND)
EDITABLE = tuple(name for name, column in COLUMNS.items() if "g-edit" in column.attrs["td"]["class"])
# What cells need beside the column's own value.
BESIDE = (
    "id",
    "account_id",
    "account__segment__name",
    "contract__product",
    "currency",
    "stage_id",
    "offer_id",
    "owner_id",
    "owner__team_id",
    "final_amount",
    "churn_reason_id",
    "churn_reason__name",
    "next_step_on",
    "is_excluded",
    "excluded_reason",
    "quality__worst_severity",
    "broken_rules",
    "pinned",
    "newest_event",
    "derived_version",
    "score__timing_days",
    "score__likelihood_count",
    "score__completeness",
    "score__contributions",
)
VALUES = (*dict.fromkeys([*(str(COLUMNS[name].accessor) for name in DEFAULT_COLUMNS), *BESIDE]),)
# What a column that is not among the default ones asks for: read only where one is shown.
VALUES_ON_DEMAND = ("account__health__score", "account__health__band")


def read_columns(texts: Iterable[str]) -> tuple[tuple[str, ...], list[str]]:
    """The columns that are named, in order and once each, behind the row's header; and the names that are none.

    A text may name several with commas between them. The default columns where none is named.
    """
    names = dict.fromkeys(name.strip() for text in texts for name in text.split(",") if name.strip())
    known = [name for name in names if name in COLUMNS]
    unknown = [name for name in names if name not in COLUMNS]
    return (HEAD, *(name for name in known if name != HEAD)) if known else DEFAULT_COLUMNS, unknown


@dataclass(frozen=True)
class Sight:
    """Who looks, and from where: what decides how a row reads."""

    user: User
    as_of: dt.date
    currency: str

    @classmethod
    def of(cls, user: User, company: Company) -> Sight:
        return cls(user=user, as_of=company.today(), currency=company.reporting_currency)

    def may_edit(self, record: Record) -> bool:
        """As renewals.access.may_edit, asked of a row that was read as plain values."""
        match self.user.role:
            case User.Role.ADMIN:
                return True
            case User.Role.MANAGER:
                return record["owner_id"] is not None and record["owner__team_id"] == self.user.team_id
            case User.Role.REP:
                return bool(record["owner_id"] == self.user.pk)
        return False

    def why_not(self, record: Record) -> str:
        if self.user.role == User.Role.VIEWER:
            return "You may look, not change."
        owner = record["owner__name"] or "Nobody"
        return f"{owner} owns this renewal; the owner, the team's manager or an admin edits it."


def outcome_text(outcome: str, churn_reason_id: int | None, final_amount: Decimal | None) -> str:
    """The outcome with what belongs to it in one text, as the cell's editor sees and returns it: `lost/3/0.00`."""
    parts = (outcome, churn_reason_id, final_amount)
    return "/".join("" if part is None else str(part) for part in parts)
