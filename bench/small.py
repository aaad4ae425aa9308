"""A small scored book beside the large one, in a process of its own that measures its pages when it is asked to.

What the large book takes is held against the same here. A machine changes its speed within minutes: only what is
measured in turn, address by address, tells of the books and not of the machine.
"""

import subprocess
import sys
from collections.abc import Callable
from typing import Self

import django
from django.conf import settings

from config import embedded

SMALL = 10_000
READY = "ready"


class SmallBook:
    """Its database is made on entering and dropped on leaving."""

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "bench.small"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._answer() == READY, "the small book could not be made"
        return self

    def __exit__(self, *error: object) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait()

    def ms(self, way: str, address: str) -> float:
        """Milliseconds of a page, measured in one of the ways of `serve`."""
        print(way, address, file=self.process.stdin, flush=True)
        return float(self._answer())

    def _answer(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline().strip()


def serve() -> None:
    """Make the book, then answer each line, `way address`, with milliseconds until there are no more."""
    from bench import dashboards, pages, run, scratch

    settings.ALLOWED_HOSTS = ["*"]
    with scratch.scratch_database("perennial_bench_small"):
        run.load_scored_book(SMALL)
        dashboards.bring_up_to_date()
        dashboards.roll_up_mrr()
        client = pages.admin_client()
        ways: dict[str, Callable[[str], float]] = {
            "page": lambda address: pages.best_ms(lambda: client.get(address)),
            "anew": lambda address: dashboards.set_anew(client, address),
        }
        print(READY, flush=True)
        for line in sys.stdin:
            way, address = line.split()
            print(ways[way](address), flush=True)


if __name__ == "__main__":
    with embedded.running():
        django.setup()
        serve()
