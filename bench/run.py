"""`make bench`: builds a book of N renewals in a scratch database and measures each figure beside its floor.

`make bench ONLY=recompute` measures one part alone (a comma between several); bench/latest.json then holds its figures.
"""

import argparse
import io
import os
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import nullcontext

import django

from bench.figures import Figure
from bench.small import SmallBook
from config import embedded

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("STATIC_UNHASHED", "yes")
# Commands are timed as an installation has them: their byte-code is kept from one start to the next.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
FAILED = "failed"
UNSCORED = {"signals"}  # parts that ask for a book, and neither for its scores nor for its history
BESIDE_SMALL = {"pages", "dashboards"}  # parts that hold the book against a small one
PARTS = (
    "learning",
    "recompute",
    "distribution",
    "pages",
    "edits",
    "imports",
    "signals",
    "bulk",
    "paste",
    "history",
    "as_at",
    "editors",
    "admin",
    "mrr",
    "scenarios",
    "dashboards",
    "alerts",
    "engagement",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--renewals", type=int, default=1_000_000)
    parser.add_argument("--only", type=parts, default=PARTS, metavar="PART[,PART]", help=", ".join(PARTS))
    options = parser.parse_args()
    with embedded.running():
        django.setup()
        measure(options.renewals, options.only)


def parts(text: str) -> tuple[str, ...]:
    named = tuple(text.split(",")) if text else PARTS
    for name in named:
        if name not in PARTS:
            raise argparse.ArgumentTypeError(f"{name!r} is not one of {', '.join(PARTS)}")
    return named


def load_book(count: int) -> None:
    """In a process of its own: the peak memory of a child begins with its parent's, so this one stays small.

    The sign-ins of a book that passes must not be written over the installation's own.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "manage.py", "load_demo", "--renewals", str(count), "--seed", "1"]
        command += ["--no-recompute", "--no-history"]
        subprocess.run([*command, "--sign-in-file", f"{folder}/sign-in.json"], check=True, stdout=subprocess.DEVNULL)


def measure(count: int, only: Sequence[str]) -> None:
    from django.conf import settings

    from bench import admin, figures, learning, recompute, scratch

    settings.ALLOWED_HOSTS = ["*"]
    found: list[figures.Figure] = []
    small = SmallBook()
    with small if set(only) & BESIDE_SMALL else nullcontext(), scratch.scratch_database("perennial_bench") as url:
        started = time.perf_counter()
        load_book(count)
        found.append(figures.Figure(f"demo book of {count:,}, loaded", time.perf_counter() - started, "s"))
        if {"learning", "recompute"} & set(only):
            found += told("learning", learning.measure)
        is_scored = bool(set(only) - UNSCORED)
        if "recompute" not in only and is_scored:
            recompute.recompute()
            recompute.judge_data_rules()
            recompute.judge_health()
        steps = steps_over(count, url, small)
        for name, step in steps.items():
            if name in only or (name == "fill" and set(only) - {"learning", "recompute"} - UNSCORED):
                found += told(name, step)
    if "admin" in only:
        found += told("admin", lambda: admin.measure(count, load_scored_book))
    figures.report(found)
    if any(FAILED in figure.name for figure in found):
        raise SystemExit("A part of the benchmark failed; its traceback is above.")


def steps_over(count: int, url: str, small: SmallBook) -> dict[str, Callable[[], list[Figure]]]:
    """The parts that are measured on the one book, in their order; `url` is its database's."""
    from bench import (
        alerts,
        as_at,
        bulk,
        dashboards,
        distribution,
        editors,
        edits,
        engagement,
        history,
        imports,
        learning,
        mrr,
        pages,
        paste,
        recompute,
        scenarios,
        signals,
    )
    from renewals.models import Renewal

    return {
        "recompute": lambda: recompute.measure(count),
        "learning": learning.measure_scoring,
        "fill": lambda: [history.fill(Renewal.objects.count())],
        "pages": lambda: pages.measure(count, small),
        "edits": lambda: edits.measure(count, url),
        "imports": lambda: imports.measure(min(count, 100_000)),
        "signals": lambda: signals.measure(count),
        "bulk": lambda: bulk.measure(count, url),
        "paste": lambda: paste.measure(count, url),
        "as_at": lambda: as_at.measure(count),
        "history": lambda: history.measure(Renewal.objects.count()),
        "editors": lambda: editors.measure(count),
        "scenarios": lambda: scenarios.measure(count),
        "alerts": lambda: alerts.measure(count),
        "engagement": lambda: engagement.measure(count),
        "mrr": lambda: mrr.measure(count),
        "dashboards": lambda: dashboards.measure(count, small),
        "distribution": lambda: distribution.measure(count),
    }


def told(name: str, step: Callable[[], list[Figure]]) -> list[Figure]:
    """What a part found, said at once: the whole takes long, and a part that fails must not take the others with it."""
    started = time.perf_counter()
    try:
        found = step()
    except Exception as problem:  # noqa: BLE001  # told here, counted as failed at the end
        traceback.print_exc()
        return [Figure(f"{name}: {FAILED}, {type(problem).__name__}", 1, "", bar=0)]
    print(f"{name}: {time.perf_counter() - started:,.0f} s", file=sys.stderr)
    for figure in found:
        print(f"    {figure.line()}", file=sys.stderr, flush=True)
    return found


def load_scored_book(count: int) -> None:
    from django.core.management import call_command

    load_book(count)
    call_command("recompute", stdout=io.StringIO())


if __name__ == "__main__":
    main()
