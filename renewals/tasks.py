"""Where Celery looks for this app's tasks."""

from renewals.history.tasks import forget_old_history
from renewals.imports.tasks import dispatch_waiting_imports, process_import

__all__ = ["dispatch_waiting_imports", "forget_old_history", "process_import"]
