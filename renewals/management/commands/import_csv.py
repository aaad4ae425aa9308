"""Brings a file into the book from a shell: the same reading, checks and upsert as the page, in this process."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from renewals.imports.builtin import builtin_names, load_mapping
from renewals.imports.keys import MappingError
from renewals.imports.reader import FileRejected
from renewals.imports.report import summary_of
from renewals.imports.services import import_now, receive_file
from renewals.models import ImportBatch

BLOCK = 1 << 20


class Command(BaseCommand):
    requires_system_checks = ()  # they would load every page of the site, which takes longer than a small file
    help = "Import a CSV or XLSX file: accounts, contracts with their renewals, signals or payments."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--mapping",
            required=True,
            help=f"A TOML file, or one of: {', '.join(builtin_names())}. See docs/import.md.",
        )
        parser.add_argument("--dry-run", action="store_true", help="Check and count; write nothing to the book.")
        parser.add_argument("--all-or-nothing", action="store_true", help="Import nothing where a row is refused.")
        parser.add_argument(
            "--user", help="Email of who imports; their rights apply. Without it, the rights of an admin."
        )
        parser.add_argument("--json", action="store_true", help="Answer in one line of JSON.")
        parser.add_argument("--findings", type=int, default=20, help="How many findings to list (default 20).")

    def handle(self, *, file: Path, mapping: str, user: str | None, **options: Any) -> None:
        try:
            data = load_mapping(mapping)
            if not file.is_file():
                raise CommandError(f"{file} is not a file.")
            batch = receive_file(file_name=file.name, chunks=_blocks(file), user=_importer(user))
            import_now(
                batch=batch,
                mapping=data,
                name=data.get("name") or Path(mapping).stem,
                is_check=options["dry_run"],
                is_all_or_nothing=options["all_or_nothing"],
            )
        except (FileRejected, MappingError) as error:
            raise CommandError(str(error)) from None
        try:
            self._answer(batch, options)
        finally:
            if options["dry_run"]:
                batch.delete()
        if batch.state == ImportBatch.State.FAILED:
            raise CommandError(batch.message)

    def _answer(self, batch: ImportBatch, options: dict[str, Any]) -> None:
        summary = summary_of(batch)
        if options["json"]:
            self.stdout.write(json.dumps(summary, ensure_ascii=False))
            return
        self.stdout.write(
            f"{batch.file_name} as {batch.mapping_name}: {batch.row_count:,} rows read, {batch.imported_count:,} good, "
            f"{batch.refused_count:,} refused, {batch.repeated_count:,} repeated, {batch.left_out_count:,} left out"
            + (" (nothing written)" if options["dry_run"] else "")
        )
        for kind, counts in summary["result"].items():
            self.stdout.write(f"  {kind}: " + ", ".join(f"{count:,} {name}" for name, count in counts.items()))
        for reason in summary["reasons"]:
            self.stdout.write(f"  {reason['severity']}: {reason['count']:,} × {reason['title']}")
        for reason, count in batch.left_out.items():
            self.stdout.write(f"  left out: {count:,} × {reason}")
        for finding in batch.findings.order_by("severity", "row_number")[: options["findings"]]:
            self.stdout.write(
                f"  row {finding.row_number} [{finding.severity}] {finding.column} “{finding.value}” {finding.reason}"
            )


def _blocks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as opened:
        while block := opened.read(BLOCK):
            yield block


def _importer(email: str | None) -> User | None:
    if email is None:
        return None
    user = User.objects.filter(email=email.lower(), is_active=True).first()
    if user is None:
        raise CommandError(f"Nobody who is active signs in as {email}.")
    if user.role not in (User.Role.ADMIN, User.Role.MANAGER):
        raise CommandError(f"{email} is a {user.get_role_display()}; admins and managers import.")
    return user
