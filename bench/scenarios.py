"""What if: a shift of the whole open book, from arrays that are kept and from nothing, in time and memory."""

import tracemalloc
from collections.abc import Callable

import numpy as np

from accounts.models import User, get_company
from bench.figures import Figure, median_ms, seconds
from forecasting.scenarios import book as books
from forecasting.scenarios.figures import base_figures, compute_figures
from forecasting.scenarios.shifts import FIELDS, Kind, Shift
from renewals.bulk.selection import Selection

MOST = 100_000  # renewals: open ones, and decided ones due since the last quarter
BAR_MS = 1000
SHIFTS = {
    Kind.LIKELIHOOD: {"by": "5"},
    Kind.DUE: {"days": "30"},
    Kind.TOLERANCES: {"late_days": "90"},
    Kind.UPLIFT: {"percent": "5"},
}


def measure(count: int) -> list[Figure]:
    admin, company = User.objects.filter(role=User.Role.ADMIN).first(), get_company()
    assert admin
    books._kept.clear()
    read_ms = seconds(lambda: books.read_scenario_book(admin, company)) * 1000
    book = books.read_scenario_book(admin, company)
    assert book
    _cut(book)
    base_ms = seconds(lambda: base_figures(book)) * 1000
    rows = f"{book.row_count:,} renewals, {np.count_nonzero(book.is_open):,} open"
    found = [
        Figure(f"what-if, the book read: of {count:,}", read_ms, "ms"),
        Figure(f"what-if, the book as it is: {rows}", base_ms, "ms", bar=BAR_MS),
    ]
    whole = [(_shift(kind), book.is_open) for kind in SHIFTS]
    steps: dict[str, Callable[[], object]] = {
        str(kind): lambda kind=kind: compute_figures(book, [(_shift(kind), book.is_open)]) for kind in SHIFTS
    }
    steps["all four at once"] = lambda: compute_figures(book, whole)
    for name, step in steps.items():
        found.append(
            Figure(f"what-if, {name} of every open one", median_ms(step, times=5, warm_up=1), "ms", bar=BAR_MS)
        )
    tracemalloc.start()
    compute_figures(book, whole)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    kept = Figure("what-if, arrays kept by a process", book.byte_count / 2**20, "MB", bar=books.MOST_BYTES / 2**20)
    return [*found, kept, Figure("what-if, memory on top while it computes", peak / 2**20, "MB")]


def _cut(book: books.ScenarioBook) -> None:
    """To as many renewals as the bar is for."""
    kept = slice(0, MOST)
    book.rows = {name: values[kept] for name, values in book.rows.items()}


def _shift(kind: Kind) -> Shift:
    return Shift(kind, Selection(query="outcome=open", is_all=True), {**FIELDS[kind], **SHIFTS[kind]})
