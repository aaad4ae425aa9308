"""Scored books of past moments, kept by the process for a while: paging through one date reads it once.

What a moment was can change no more once it is settled, so nothing here is ever out of date; only history that is
forgotten meanwhile is still told for some minutes. Kept is the whole book, before any scope: it knows no reader.
"""

from __future__ import annotations

import datetime as dt
import time
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from threading import Lock
from typing import Final

from django.db import connection

from forecasting.as_at.book import ScoredBook, run_at, score_at
from forecasting.as_at.moments import is_settled

KEPT_SECONDS: Final = 600
MOST_BYTES: Final = 256 * 2**20


@dataclass(frozen=True, eq=False)
class Kept:
    book: ScoredBook
    byte_count: int
    read_at: float  # time.monotonic()


_kept: OrderedDict[Hashable, Kept] = OrderedDict()  # the one asked for last at the end
_lock: Final = Lock()


def read_scored_book(moment: dt.datetime) -> ScoredBook:
    """As `score_at`, read once for as long as it is kept."""
    run = run_at(moment)
    key = (connection.settings_dict["NAME"], moment, run.pk if run else None)
    with _lock:
        found = _kept.get(key)
        if found is not None and time.monotonic() - found.read_at <= KEPT_SECONDS:
            _kept.move_to_end(key)
            return found.book
    # Asked before the book is read: what commits in between would be missing for good. Inside a transaction the book
    # holds what may yet be taken back.
    may_be_kept = not connection.in_atomic_block and is_settled(moment)
    book = score_at(moment)
    if may_be_kept:
        _keep(key, book)
    return book


def _keep(key: Hashable, book: ScoredBook) -> None:
    """As the newest; what is too old goes, and the oldest until the rest fits. One that is too large is not kept."""
    size = sum(values.nbytes for columns in (book.rows, book.scores) for values in columns.values())
    now = time.monotonic()
    with _lock:
        for other in [other for other, kept in _kept.items() if now - kept.read_at > KEPT_SECONDS]:
            del _kept[other]
        if size > MOST_BYTES:
            return
        _kept[key] = Kept(book, size, now)
        while sum(kept.byte_count for kept in _kept.values()) > MOST_BYTES:
            _kept.popitem(last=False)
