"""Handing work to the Celery workers, for callers that must not wait for a broker that is down."""

import logging
from typing import Final

log = logging.getLogger(__name__)
# One try: what cannot be sent now is found in the database, and sent, by `dispatch_runs` and `refresh_stale_months`.
ONE_TRY: Final = {
    "socket_connect_timeout": 1,
    "socket_timeout": 1,
    "max_retries": 0,
    "interval_start": 0,
    "interval_step": 0,
    "interval_max": 0,
    "connect_retries_timeout": 1,
}


def send(task: str, *arguments: int) -> bool:
    """Queue a task of forecasting.tasks by name; False, within about two seconds, when the broker does not take it."""
    # A fifth of a second to load, which a recompute by the command line and an edit in a cell never need.
    from kombu.exceptions import OperationalError

    from config.celery import app

    try:
        with app.connection_for_write() as link:
            link.transport_options = {**(link.transport_options or {}), **ONE_TRY}
            app.send_task(f"forecasting.tasks.{task}", args=arguments, connection=link, retry=False, ignore_result=True)
    except (OperationalError, OSError) as error:
        log.warning("The broker did not take %s: %s. It will be sent again.", task, error)
        return False
    return True
