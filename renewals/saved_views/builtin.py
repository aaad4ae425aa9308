"""The views that everybody has."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class BuiltIn:
    """As a saved view has them: a name, and a canonical address."""

    key: str
    name: str
    address: str


BUILT_IN = {
    view.key: view
    for view in (
        BuiltIn("all_open", "All open", "outcome=open"),
        BuiltIn("mine", "My renewals", "outcome=open&owner=me"),
        BuiltIn("due_soon", "Due in 90 days", "due_from=next-90-days&due_to=next-90-days&outcome=open"),
        BuiltIn("overdue", "Overdue", "outcome=open&timing=overdue"),
        BuiltIn("at_risk", "At risk", "outcome=open&risk=high&sort=-baseline_amount"),
        BuiltIn("auto_renewing", "Auto-renewing", "auto_renewing=yes&outcome=open&sort=decision_on"),
        BuiltIn("won", "Won this quarter", "ordered_from=this-quarter&ordered_to=this-quarter&outcome=renewed"),
        BuiltIn("by_stage", "By stage", "group=stage&outcome=open"),
        BuiltIn("by_owner", "By owner", "group=owner&outcome=open"),
        BuiltIn("by_month", "By month due", "group=due_month&outcome=open"),
    )
}
DEFAULT = BUILT_IN["all_open"]
