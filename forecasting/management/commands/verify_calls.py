"""Draw frozen calls again from history, and say what differs."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from forecasting.models import Snapshot
from forecasting.snapshots import CallRefused, verify_snapshot


class Command(BaseCommand):
    help = "Draw calls again from history and compare every renewal and line; fails where one differs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("ids", nargs="*", type=int, help="calls by number (default: all)")

    def handle(self, *args: Any, **options: Any) -> None:
        asked = options["ids"]
        snapshots = Snapshot.objects.filter(pk__in=asked) if asked else Snapshot.objects.all()
        if missing := set(asked) - {snapshot.pk for snapshot in snapshots}:
            raise CommandError(f"There is no call {', '.join(map(str, sorted(missing)))}.")
        spoiled = 0
        for snapshot in snapshots:
            try:
                found = verify_snapshot(snapshot)
            except CallRefused as refused:
                self.stdout.write(f"Call {snapshot.pk}, {snapshot}: {refused}")
                continue
            spoiled += bool(found)
            self.stdout.write(f"Call {snapshot.pk}, {snapshot}: {' '.join(found) or 'equal.'}")
        if spoiled:
            raise CommandError(f"{spoiled} of {len(snapshots)} calls differ.")
