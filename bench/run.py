"""`make bench`: builds a book of N renewals in a scratch database and measures each figure beside its floor."""

import argparse
import io
import os
import subprocess
import sys
import tempfile
import time

import django

from config import embedded

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("STATIC_UNHASHED", "yes")
SMALL = 10_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--renewals", type=int, default=1_000_000)
    count = parser.parse_args().renewals
    with embedded.running():
        django.setup()
        measure(count)


def load_book(count: int) -> None:
    """In a process of its own: the peak memory of a child begins with its parent's, so this one stays small.

    The sign-ins of a book that passes must not be written over the installation's own.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "manage.py", "load_demo", "--renewals", str(count), "--seed", "1", "--no-recompute"]
        subprocess.run([*command, "--sign-in-file", f"{folder}/sign-in.json"], check=True, stdout=subprocess.DEVNULL)


def measure(count: int) -> None:
    from django.conf import settings
    from django.core.management import call_command

    from bench import bulk, edits, figures, history, imports, pages, recompute, scratch
    from renewals.models import Renewal

    settings.ALLOWED_HOSTS = ["*"]
    with scratch.scratch_database("perennial_bench_small"):
        load_book(SMALL)
        call_command("recompute", stdout=io.StringIO())
        small_ms, _ = pages.first_page(SMALL)
    found: list[figures.Figure] = []
    with scratch.scratch_database("perennial_bench") as url:
        started = time.perf_counter()
        load_book(count)
        found.append(figures.Figure(f"demo book of {count:,}, loaded", time.perf_counter() - started, "s"))
        found += recompute.measure(count)
        found += pages.measure(count, small_ms)
        found += edits.measure(count, url)
        found += imports.measure(min(count, 100_000))
        found += bulk.measure(count, url)
        found += history.measure(Renewal.objects.count())
    figures.report(found)


if __name__ == "__main__":
    main()
