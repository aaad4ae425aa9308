"""The book as at any past moment: scored by the same engine with the rules and the fit of that moment.

A moment is safe to ask for once every transaction that began before it has ended, because history times a change by the
beginning of its transaction; `settled_moment` names the newest such.
"""

from forecasting.as_at.book import ScoredBook, lines_of, score_at
from forecasting.as_at.moments import Asked, InvalidMoment, KnownSince, known_since, parse_moment, settled_moment

__all__ = [
    "Asked",
    "InvalidMoment",
    "KnownSince",
    "ScoredBook",
    "known_since",
    "lines_of",
    "parse_moment",
    "score_at",
    "settled_moment",
]
