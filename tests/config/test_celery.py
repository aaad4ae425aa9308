from celery.beat import Scheduler

from config.celery import app


def test_beat_keeps_no_file_and_asks_everything_once_as_it_starts() -> None:
    app.loader.import_default_modules()
    assert app.conf.beat_scheduler == "celery.beat:Scheduler"
    entries = Scheduler(app).schedule
    mine = {name: entries[name] for name in app.conf.beat_schedule}
    assert len(mine) > 15
    assert {entry.task for entry in mine.values()} <= set(app.tasks)
    assert [name for name, entry in mine.items() if not entry.is_due().is_due] == []
    assert [name for name, entry in mine.items() if next(entry).is_due().is_due] == []
