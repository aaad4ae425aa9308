"""Freeze the scheduled calls that were missed, from history."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from forecasting.snapshots import freeze_due_calls


class Command(BaseCommand):
    help = "Freeze every scheduled call of the last 100 days that is over and was not made."

    def handle(self, *args: Any, **options: Any) -> None:
        for snapshot in freeze_due_calls():
            late = ", late" if snapshot.is_late else ""
            self.stdout.write(f"{snapshot}: {snapshot.row_count:,} renewals{late}.")
