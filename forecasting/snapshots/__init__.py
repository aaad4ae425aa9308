"""Calls: the forecast frozen when it is due and by hand, read back, and proved to be what history says it was."""

from forecasting.snapshots.reading import read_call_lines, read_standing
from forecasting.snapshots.services import CallRefused, freeze_due_calls, freeze_snapshot, verify_snapshot

__all__ = [
    "CallRefused",
    "freeze_due_calls",
    "freeze_snapshot",
    "read_call_lines",
    "read_standing",
    "verify_snapshot",
]
