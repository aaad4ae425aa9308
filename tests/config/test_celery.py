import logging

import pytest
from celery import beat

from config.beat import Scheduler
from config.celery import app


def test_beat_keeps_no_file_and_asks_everything_once_as_it_starts() -> None:
    app.loader.import_default_modules()
    assert app.conf.beat_scheduler == "config.beat:Scheduler"
    entries = Scheduler(app).schedule
    mine = {name: entries[name] for name in app.conf.beat_schedule}
    assert len(mine) > 15
    assert {entry.task for entry in mine.values()} <= set(app.tasks)
    assert [name for name, entry in mine.items() if not entry.is_due().is_due] == []
    assert [name for name, entry in mine.items() if next(entry).is_due().is_due] == []


class Broker(Scheduler):
    """A broker that is there or away."""

    is_there = False

    def apply_async(self, *arguments: object, **options: object) -> None:
        if not self.is_there:
            raise beat.SchedulingError("Couldn't apply scheduled task plans: Connection refused.")


def test_beat_says_once_that_the_broker_is_away_and_once_that_it_is_back(caplog: pytest.LogCaptureFixture) -> None:
    scheduler = Broker(app)
    entry = scheduler.schedule["plans"]
    with caplog.at_level(logging.WARNING):
        for is_there in (False, False, False, True, True):
            scheduler.is_there = is_there
            scheduler.apply_entry(entry)
    assert caplog.messages == [
        "Couldn't apply scheduled task plans: Connection refused. It is tried again until the broker is back; nothing"
        " is lost.",
        "The broker is back.",
    ]
