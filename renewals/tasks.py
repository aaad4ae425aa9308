"""Where Celery looks for this app's tasks."""

from renewals.imports.tasks import dispatch_waiting_imports, process_import

__all__ = ["dispatch_waiting_imports", "process_import"]
