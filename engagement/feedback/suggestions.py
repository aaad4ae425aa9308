"""Themes that nobody has named yet: pairs of words that stand side by side in many subjects. Pure: texts in, pairs out.

A pair counts once for each account, so that one customer who writes often makes no theme.
"""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

FEWEST_ACCOUNTS: Final = 3
MOST_PAIRS: Final = 12
# What stands between blanks and stops; only a pair of plain words is found again by the search, which splits others.
TOKEN: Final = re.compile(r"[^\s.,;:!?()\[\]\"“”]+")
WORD: Final = re.compile(r"[^\W\d_]{2,}")
# Words that join others and name nothing.
NAMING_NOTHING: Final = """
a about after all am an and any are as at be been before but by can cannot could did do does for from get got had has
have hello help hi how if in into is it its me more my need no not of off on or our out please re should so than
thanks that the their them then there they this to too up us was we were what when where which who why will with would
you your
"""
EMPTY_WORDS: Final = frozenset(NAMING_NOTHING.split())


@dataclass(frozen=True)
class Pair:
    words: str
    account_count: int
    ticket_count: int


def frequent_pairs(texts: Iterable[tuple[int, str]]) -> list[Pair]:
    """Of (account, subject), the pairs of at least three accounts, those of most accounts first.

    A pair that only repeats the tickets of one before it ("data export" beside "export fails") is told all the same:
    which name fits is for people to say.
    """
    accounts: defaultdict[str, set[int]] = defaultdict(set)
    tickets: defaultdict[str, int] = defaultdict(int)
    for account, text in texts:
        for pair in pairs_of(text):
            accounts[pair].add(account)
            tickets[pair] += 1
    found = [Pair(pair, len(who), tickets[pair]) for pair, who in accounts.items() if len(who) >= FEWEST_ACCOUNTS]
    found.sort(key=lambda pair: (-pair.account_count, -pair.ticket_count, pair.words))
    return found[:MOST_PAIRS]


def pairs_of(text: str) -> set[str]:
    """Neighbours of the text, in small letters; a number or a word that names nothing parts its neighbours."""
    words = [word if _names_something(word) else "" for word in TOKEN.findall(text.lower())]
    return {f"{one} {other}" for one, other in itertools.pairwise(words) if one and other and one != other}


def _names_something(word: str) -> bool:
    return WORD.fullmatch(word) is not None and word not in EMPTY_WORDS
