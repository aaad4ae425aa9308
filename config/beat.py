"""What sends the periodic tasks: Celery's scheduler without a file, which says in one line that the broker is away."""

import logging
from typing import Any

from celery import beat

log = logging.getLogger(__name__)


class Scheduler(beat.Scheduler):
    """Celery's own tells of each entry that it could not send, with a hundred lines of traceback."""

    is_cut_off = False

    def apply_entry(self, entry: beat.ScheduleEntry, producer: Any = None) -> None:
        try:
            self.apply_async(entry, producer=producer, advance=False)
        except beat.SchedulingError as error:
            if not self.is_cut_off:
                log.error("%s. It is tried again until the broker is back; nothing is lost.", str(error).rstrip("."))
            self.is_cut_off = True
        else:
            if self.is_cut_off:
                log.warning("The broker is back.")
            self.is_cut_off = False
