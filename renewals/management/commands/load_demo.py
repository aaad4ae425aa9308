"""Fill an empty installation with a demo company."""

from __future__ import annotations

import datetime as dt
import json
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from config import embedded
from renewals.demo.load import BookNotEmpty, LoadedDemo, is_empty, load_demo
from renewals.demo.people import write_sign_ins


class Command(BaseCommand):
    help = "Fill an empty installation with a demo company: its customers, contracts, three years of renewals."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--renewals", type=int, default=6000, help="how many renewals (default: %(default)s)")
        parser.add_argument("--seed", type=int, default=1, help="the same seed and day give the same book")
        parser.add_argument("--as-of", type=dt.date.fromisoformat, help="the demo's today, YYYY-MM-DD (default: today)")
        parser.add_argument("--if-empty", action="store_true", help="do nothing when there are users or accounts")
        parser.add_argument("--no-recompute", action="store_true", help="leave the scores to a later recompute")
        parser.add_argument("--no-history", action="store_true", help="leave out what the renewals were before")
        parser.add_argument("--sign-in-file", type=Path, help="where the sign-ins are written (default: in the home)")
        parser.add_argument("--json", action="store_true", help="print what was loaded as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["if_empty"] and not is_empty():
            self._say({"loaded": False}, "There are users or accounts already; nothing was loaded.", options)
            return
        path: Path = options["sign_in_file"] or embedded.home() / "demo-sign-in.json"
        try:
            demo = load_demo(
                renewal_count=options["renewals"],
                seed=options["seed"],
                as_of=options["as_of"],
                with_history=not options["no_history"],
            )
        except (BookNotEmpty, ValueError) as error:
            raise CommandError(str(error)) from error
        write_sign_ins(path, demo.sign_ins)
        if not options["no_history"]:
            call_command("fill_demo")
            call_command("fill_capacity")
        if not options["no_recompute"]:
            aside = self.stderr if options["json"] else self.stdout
            call_command("recompute", stdout=aside)
            if not options["no_history"]:
                call_command("fill_demo", scored=True)
                call_command("freeze_calls", stdout=aside)
        answer = {"loaded": True, **asdict(demo), "as_of": demo.as_of.isoformat(), "sign_in_file": str(path)}
        self._say(answer, _in_words(demo, path), options)

    def _say(self, answer: dict[str, object], words: str, options: dict[str, Any]) -> None:
        self.stdout.write(json.dumps(answer, indent=2) if options["json"] else words)


def _in_words(demo: LoadedDemo, path: Path) -> str:
    lines = [
        f"Loaded {demo.renewal_count:,} renewals ({demo.open_count:,} open) of {demo.account_count:,} accounts"
        f" as of {demo.as_of:%d %b %Y} in {demo.seconds:.1f} s.",
        f"Sign in as one of these (kept in {path}):",
        *(f"  {sign_in.role:<8} {sign_in.email:<22} {sign_in.password}" for sign_in in demo.sign_ins),
    ]
    return "\n".join(lines)
