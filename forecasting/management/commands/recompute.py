"""Recompute timing, risk, likelihood, probability and the forecast of the whole book."""

import datetime as dt
import json
import os
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection, transaction

from accounts.models import get_company
from forecasting import services
from forecasting.health import refresh_health
from forecasting.models import Run
from forecasting.mrr import services as mrr


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()  # they would load every page of the site, which takes longer than a small book

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--as-of", type=dt.date.fromisoformat, metavar="DATE", help="judge by this day, not by today"
        )
        parser.add_argument(
            "--processes",
            type=int,
            default=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
            metavar="N",
            help="work in N processes (default: one for each processor)",
        )
        parser.add_argument("--queue", action="store_true", help="hand it to the Celery workers and return at once")
        parser.add_argument(
            "--no-data-rules",
            action="store_true",
            help="leave it to a worker to judge the book by the data rules after it",
        )
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["queue"]:
            run_id = services.request_run(reason=Run.Reason.DEMAND, user=None)
            self.stdout.write(f"Run {run_id} waits for a worker.")
            return
        began = time.monotonic()
        with transaction.atomic():  # so that no worker can start it before this process does
            services.hold_waiting_run(reason=Run.Reason.DEMAND, user=None)
            run = services.claim_run(as_of=options["as_of"])
        if run is None:
            raise CommandError("Another recompute is running; this one waits, and a worker takes it up after that.")
        # Inside a caller's transaction the children would not see what it wrote.
        processes = 1 if connection.in_atomic_block else options["processes"]
        on_progress = None if options["json"] else self._print_progress
        services.execute_run(run_id=run.pk, processes=processes, on_progress=on_progress)
        run.refresh_from_db()
        if run.state == Run.State.FAILED:
            raise CommandError(f"Run {run.pk} failed in a worker that took part in it: {run.message}")
        self._print_result(run, time.monotonic() - began, as_json=options["json"])
        if not options["no_data_rules"]:
            services.judge_data_rules()
            mrr.roll_up_mrr()
            refresh_health(as_of=options["as_of"] or get_company().today())

    def _print_progress(self, run: Run) -> None:
        progress = run.progress()
        self.stdout.write(
            f"{progress.staged_row_count:,} renewals in {progress.staged_chunk_count} of {progress.chunk_count} parts"
        )

    def _print_result(self, run: Run, seconds: float, *, as_json: bool) -> None:
        result = {
            "run": run.pk,
            "state": run.state,
            "as_of": run.as_of_on.isoformat(),
            "renewals": run.row_count,
            "changed": run.changed_count,
            "seconds": round(seconds, 2),
            "message": run.message,
        }
        if as_json:
            self.stdout.write(json.dumps(result))
            return
        self.stdout.write(
            f"Run {run.pk} as of {run.as_of_on}: {run.row_count:,} renewals, {run.changed_count:,} changed,"
            f" {seconds:.1f} s."
        )
        if run.message:
            self.stdout.write(run.message)
