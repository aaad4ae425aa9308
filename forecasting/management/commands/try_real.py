"""Imports real files into scratch databases, recomputes, and prints what became of them.

The files are not part of Perennial: they lie in `../shared/data` beside the checkout, or where PERENNIAL_REAL_DATA
says.
Each company gets a database of its own, which is dropped at the end; the book of this installation is never touched.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.models import Count, Max, Min

from accounts.models import AccountSignal, get_company
from forecasting.models import ForecastLine
from renewals.models import Renewal, RenewalScore, TimingClass

TEMPLATE = "perennial_try_real"
AMOUNTS = ("due", "won", "lost", "open", "expected", "p10", "p90")


@dataclass(frozen=True)
class Book:
    """The files of one company, in the order they have to come, and the day by which its renewals are judged."""

    name: str
    as_of: dt.date
    currency: str
    files: tuple[tuple[str, str], ...]  # file, mapping


BOOKS = (
    Book(
        "Public contract registers",
        dt.date(2015, 10, 27),
        "USD",
        (
            ("registers/2015-05-05-contractlist.csv", "county_register"),
            ("registers/2015-05-22-contractlist.csv", "county_register"),
            ("registers/2015-08-13-contractlist.csv", "county_register"),
            ("registers/2015-10-27-state-contracts.csv", "state_register"),
        ),
    ),
    Book(
        "Government contracts with amounts",
        dt.date(2025, 12, 31),
        "AUD",
        (("registers/act_contracts_2025.csv", "act_contracts"),),
    ),
    Book(
        "Licences",
        dt.date(2016, 6, 30),
        "USD",
        (
            ("licence_payments/licences.csv", "licence_terms"),
            ("licence_payments/licences.csv", "licence_renewals"),
        ),
    ),
    Book("Receivables", dt.date(2013, 12, 31), "USD", (("receivables/receivables.csv", "receivables"),)),
    Book(
        "Service contracts",
        dt.date(2013, 6, 30),
        "USD",
        (
            ("service_contracts/contract_renewals_to_2013-06.csv", "service_contracts"),
            ("service_contracts/support_incidents_to_2013-06.csv", "support_incidents"),
        ),
    ),
    Book(
        "SaaS company",
        dt.date(2024, 12, 31),
        "USD",
        (
            ("saas/ravenstack_accounts.csv", "saas_accounts"),
            ("saas/ravenstack_subscriptions.csv", "saas_subscriptions"),
            ("saas/ravenstack_churn_events.csv", "saas_churn_events"),
            ("saas/ravenstack_support_tickets.csv", "saas_tickets"),
            ("saas/ravenstack_feature_usage.csv", "saas_usage"),
        ),
    ),
)


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        folder = real_data()
        if not folder.is_dir():
            raise CommandError(f"{folder} is not there. Say where the files are in PERENNIAL_REAL_DATA.")
        from bench.scratch import execute_outside, scratch_database

        began = time.monotonic()
        with scratch_database(TEMPLATE):
            connection.close()
            for book in BOOKS:
                with _clone(f"{TEMPLATE}_book", execute_outside):
                    self._try_book(folder, book)
        self.stdout.write(f"\nAll of it in {time.monotonic() - began:.0f} s.")

    def _try_book(self, folder: Path, book: Book) -> None:
        self.stdout.write(f"\n=== {book.name}, as of {book.as_of}")
        company = get_company()
        company.reporting_currency = book.currency
        company.save(update_fields=["reporting_currency"])
        for name, mapping in book.files:
            self._import(folder / name, mapping)
        told = _recompute(book.as_of)
        self.stdout.write(f"Recompute: {told['state']}, {told['seconds']:.1f} s. {told['message']}".rstrip())
        self._show_timing()
        self._show_signals()
        self._show_forecast(book)

    def _import(self, path: Path, mapping: str) -> None:
        answer, began = StringIO(), time.monotonic()
        call_command("import_csv", path, mapping=mapping, json=True, stdout=answer)
        seconds = time.monotonic() - began
        told = json.loads(answer.getvalue())
        out = sum(told["left_out"].values())
        self.stdout.write(
            f"{path.name} ({mapping}): {told['row_count']:,} read, {told['imported_count']:,} imported, "
            f"{told['refused_count']:,} refused, {told['repeated_count']:,} repeated, {out:,} left out, {seconds:.1f} s"
        )
        for kind, counts in told["result"].items():
            self.stdout.write(f"    {kind}: " + ", ".join(f"{counts[name]:,} {name}" for name in sorted(counts)))
        for reason in told["reasons"]:
            self.stdout.write(f"    {reason['severity']}: {reason['count']:,} × {reason['title']}")
        for reason, count in told["left_out"].items():
            self.stdout.write(f"    left out: {count:,} × {reason}")
        again = StringIO()
        call_command("import_csv", path, mapping=mapping, json=True, stdout=again)
        changes = {
            kind: (counts["created"], counts["changed"])
            for kind, counts in json.loads(again.getvalue())["result"].items()
            if counts["created"] or counts["changed"]
        }
        self.stdout.write("    the same file again: " + (f"CHANGED {changes}" if changes else "changes nothing"))

    def _show_timing(self) -> None:
        counts = dict(RenewalScore.objects.values_list("timing_class").annotate(Count("pk")))
        shown = ", ".join(f"{timing.label} {counts[timing]:,}" for timing in TimingClass if counts.get(timing))
        self.stdout.write(f"Renewals by timing class ({Renewal.objects.count():,}): {shown or 'none'}")

    def _show_signals(self) -> None:
        span = AccountSignal.objects.aggregate(
            Count("pk"), Count("account", distinct=True), Min("measured_on"), Max("measured_on")
        )
        if span["pk__count"]:
            self.stdout.write(
                f"Signals: {span['pk__count']:,} of {span['account__count']:,} accounts, "
                f"{span['measured_on__min']} to {span['measured_on__max']}"
            )

    def _show_forecast(self, book: Book) -> None:
        lines = ForecastLine.objects.filter(
            grain=ForecastLine.Grain.QUARTER, team=None, owner=None, segment=None, due_count__gt=0
        ).order_by("starts_on")
        if not lines:
            return
        self.stdout.write(f"Forecast by quarter, {book.currency}:")
        heads = ["quarter", "due", "won", "lost", "open", *(f"{name} {book.currency}" for name in AMOUNTS)]
        self.stdout.write("  " + "".join(head.rjust(13) for head in heads))
        for line in lines:
            counts = (line.due_count, line.won_count, line.lost_count, line.open_count)
            amounts = [getattr(line, f"{name}_amount") for name in AMOUNTS]
            cells = [
                str(line.starts_on),
                *(f"{count:,}" for count in counts),
                *(f"{amount:,.0f}" for amount in amounts),
            ]
            self.stdout.write("  " + "".join(cell.rjust(13) for cell in cells))


def real_data() -> Path:
    named = os.environ.get("PERENNIAL_REAL_DATA", "")
    return Path(named) if named else Path(settings.BASE_DIR).parent / "shared" / "data"


def _recompute(as_of: dt.date) -> dict[str, Any]:
    """In a process of its own: the engine keeps rules in memory, and knows of one database only."""
    from bench.scratch import url_of

    done = subprocess.run(  # noqa: S603  (our own program, arguments are not a shell's)
        [sys.executable, "manage.py", "recompute", "--json", "--as-of", as_of.isoformat()],
        cwd=settings.BASE_DIR,
        env={**os.environ, "DATABASE_URL": url_of(connection.settings_dict["NAME"])},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise CommandError(done.stderr.strip())
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


@contextmanager
def _clone(name: str, execute_outside: Any) -> Iterator[None]:
    """A copy of the migrated scratch database: much faster than to migrate again."""
    execute_outside(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    execute_outside(f'CREATE DATABASE "{name}" TEMPLATE "{TEMPLATE}"')
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = TEMPLATE
        execute_outside(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
