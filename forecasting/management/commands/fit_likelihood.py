"""Fit the likelihood on the decided renewals of the book, and have the book scored by it."""

import datetime as dt
import json
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from forecasting.learning.services import claim_fit, execute_fit, request_fit
from forecasting.models import LikelihoodModel


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--cut-off", type=dt.date.fromisoformat, metavar="DATE", help="learn from what was known on this day"
        )
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        began = time.monotonic()
        with transaction.atomic():  # so that no worker can start it before this process does
            request_fit(reason=LikelihoodModel.Reason.DEMAND, user=None)
            version = claim_fit()
        if version is None:
            raise CommandError("Another fit is running; this one waits, and a worker takes it up after that.")
        execute_fit(model_id=version.pk, cut_off=options["cut_off"])
        version.refresh_from_db()
        if version.state == LikelihoodModel.State.FAILED:
            raise CommandError(f"The fit failed: {version.message} The last good version stays in use.")
        told = {
            "version": version.pk,
            "state": version.state,
            "cut_off": version.cut_off_on.isoformat() if version.cut_off_on else None,
            "horizon_days": version.horizon_days,
            "decided": version.row_count,
            "renewed": version.renewed_count,
            "left_out": version.left_out_count,
            "way": version.way,
            "is_signal": version.is_signal,
            "reason": version.reason,
            "metrics": version.metrics,
            "seconds": round(time.monotonic() - began, 2),
        }
        if options["json"]:
            self.stdout.write(json.dumps(told))
            return
        self.stdout.write(
            f"Version {version.pk}, cut-off {version.cut_off_on}: {version.row_count:,} decided renewals,"
            f" {version.renewed_count:,} renewed, {told['seconds']} s.\n{version.reason}"
        )
        for trial in version.metrics["trials"]:
            self.stdout.write(
                f"  {trial['name']}: Brier {trial['brier']:.5f}, {trial.get('measure', 'Brier score')}"
                f" {trial['gain']:+.5f} better than {trial['against']}"
                f" (standard error {trial['standard_error']:.5f}){', taken' if trial['is_taken'] else ''}"
            )
