"""Where Celery looks for this app's tasks."""

from renewals.bulk.tasks import dispatch_waiting_edits, process_edit
from renewals.exports.tasks import dispatch_waiting_exports, process_export
from renewals.history.tasks import forget_old_history
from renewals.imports.tasks import dispatch_waiting_imports, process_import

__all__ = [
    "dispatch_waiting_edits",
    "dispatch_waiting_exports",
    "dispatch_waiting_imports",
    "forget_old_history",
    "process_edit",
    "process_export",
    "process_import",
]
