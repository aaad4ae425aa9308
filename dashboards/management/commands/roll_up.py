"""Add up what the dashboards are read from: all of it after a new run, or what was changed since."""

from typing import Any

from django.core.management.base import BaseCommand

from dashboards.models import Cell, RollUp
from dashboards.rollups.services import bring_up_to_date


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        if not bring_up_to_date():
            self.stdout.write("A worker is adding up just now.")
            return
        done = RollUp.objects.first()
        if done is None:
            self.stdout.write("There is nothing to add up before the first recompute.")
            return
        self.stdout.write(f"{Cell.objects.count():,} cells of run {done.run_id} as of {done.as_of_on}.")
