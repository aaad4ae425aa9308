"""From contracts and their renewals to what each brings a month, from which day to which.

Source: docs/domain.md section 4.3; `forecasting.mrr` states each rule in words, by the names used here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forecasting.engine.arrays import Booleans, Integers
from forecasting.engine.timing import TimingClass

NEVER: Final = 2**30  # a day after all days
NONE: Final = -1
# A contract that starts within these days around the end of another one of its product goes on with it.
EARLIEST_SUCCESSOR: Final = 31
LATEST_SUCCESSOR: Final = 92


@dataclass(frozen=True, eq=False)
class Terms:
    """n contracts, sorted by account, number and start. `number` and `product` are codes, `amount` the last year's."""

    account: Integers
    number: Integers
    product: Integers
    starts: Integers
    ends: Integers
    amount: Integers

    def __len__(self) -> int:
        return int(self.starts.size)


@dataclass(frozen=True, eq=False)
class Steps:
    """What ramps bring from a day on; `term` is a position among the terms. Sorted by term and day."""

    term: Integers
    starts: Integers
    amount: Integers


@dataclass(frozen=True, eq=False)
class Renewed:
    """Renewals, sorted by term and due day. `amount` is the final one; while open what is expected, NONE if unknown."""

    term: Integers
    due: Integers
    ordered: Integers
    timing: Integers
    baseline: Integers
    amount: Integers
    cross_sell: Integers


@dataclass(frozen=True, eq=False)
class Events:
    """Changes of what a term brings: `delta` cents from `day` on; `renewal` is the position of the one behind it."""

    term: Integers
    renewal: Integers
    day: Integers
    delta: Integers
    cross_sell: Integers  # the part of a rise on products that were not in the contract


@dataclass(frozen=True, eq=False)
class Decisions:
    """What is still to be decided: from `day` on `amount` goes on or not. Without a row `renewal` is NONE."""

    term: Integers
    renewal: Integers
    day: Integers
    amount: Integers


def draw_timelines(terms: Terms, steps: Steps, renewed: Renewed, *, as_of: int) -> tuple[Events, Decisions]:
    """Every change of what the terms bring, and what is undecided; the undecided is carried on for ever."""
    return _Timelines(terms, steps, renewed, as_of).draw()


class _Timelines:
    def __init__(self, terms: Terms, steps: Steps, renewed: Renewed, as_of: int) -> None:
        self.terms, self.steps, self.renewed, self.as_of = terms, steps, renewed, as_of
        count, rows = len(terms), renewed.term.size
        self.first = np.full(count, NONE, dtype=np.int64)
        self.last = np.full(count, NONE, dtype=np.int64)
        self.first[renewed.term[::-1]] = np.arange(rows)[::-1]
        self.last[renewed.term] = np.arange(rows)
        timing = renewed.timing
        self.is_open = timing <= TimingClass.OVERDUE
        self.is_won = (timing >= TimingClass.EARLY) & (timing <= TimingClass.WIN_BACK)
        self.is_won_back = timing == TimingClass.WIN_BACK
        self.begins = np.where(self.is_won_back, np.maximum(renewed.ordered, renewed.due + 1), renewed.due + 1)
        self.successor = self._successors()
        self.starts = self._starts()
        self.brings = self._amounts_after()

    def draw(self) -> tuple[Events, Decisions]:
        ends, undecided = self._ends()
        own = self._own_pieces(ends)
        after = self._pieces_after(ends)
        term, renewal, since, until, amount = (np.concatenate(pair) for pair in zip(own, after, strict=True))
        is_some = (until > since) & (amount > 0)
        term, renewal, since, until, amount = (part[is_some] for part in (term, renewal, since, until, amount))
        stops = self._renewal_at(term, until)
        cross = self._cross_sells()
        none = np.zeros(term.size, dtype=np.int64)
        events = Events(
            term=np.concatenate([term, term, cross[0]]),
            renewal=np.concatenate([renewal, stops, cross[1]]),
            day=np.concatenate([since, until, cross[2]]),
            delta=np.concatenate([amount, -amount, 0 * cross[3]]),
            cross_sell=np.concatenate([none, none, cross[3]]),
        )
        return events, undecided

    def _successors(self) -> Integers:
        """The term that goes on with each one, or NONE: the next of its number; else one of its product."""
        terms, count = self.terms, len(self.terms)
        if not count:
            return np.empty(0, dtype=np.int64)
        same = (terms.account[1:] == terms.account[:-1]) & (terms.number[1:] == terms.number[:-1])
        following = np.append(np.where(same, np.arange(1, count), NONE), NONE)
        is_first = np.append(True, ~same)
        asked = np.flatnonzero((following == NONE) & self._may_go_on_elsewhere())
        following[asked] = self._of_product(asked, np.flatnonzero(is_first))
        return following

    def _may_go_on_elsewhere(self) -> Booleans:
        """Renewed ones, and those without any renewal row: an open or lost one says itself what it is."""
        is_without = self.last == NONE
        may: Booleans = is_without | (self.is_won[self.last] if self.is_won.size else is_without)
        return may

    def _of_product(self, asked: Integers, firsts: Integers) -> Integers:
        """Of the first terms of other numbers: the first from the day after the end on, else the last before it."""
        terms, day = self.terms, self._last_days()[asked] + 1
        group = _joined(terms.account, terms.product)
        order = firsts[np.lexsort((terms.starts[firsts], group[firsts]))]
        span = np.int64(2**32)
        keys, key = group[order] * span + terms.starts[order], group[asked] * span
        place = np.searchsorted(keys, key + day)
        found = np.full(asked.size, NONE, dtype=np.int64)
        for at, low, high in (
            (place - 1, np.maximum(day - EARLIEST_SUCCESSOR, terms.starts[asked] + 1), day - 1),
            (place, day, day + LATEST_SUCCESSOR),
        ):
            inside = np.clip(at, 0, max(keys.size - 1, 0))
            is_there = (at >= 0) & (at < keys.size) & (keys[inside] >= key + low) & (keys[inside] <= key + high)
            found = np.where(is_there & (order[inside] != asked), order[inside], found)
        return found

    def _last_days(self) -> Integers:
        """The day on which each term ends: the last due day that was written down, else the contract's own."""
        has_rows = self.last != NONE
        due = self.renewed.due[self.last] if self.renewed.due.size else self.terms.ends
        return np.where(has_rows, due, self.terms.ends).astype(np.int64)

    def _starts(self) -> Integers:
        """When each term begins to count: one that was won back not before it was ordered."""
        starts = self.terms.starts.astype(np.int64)
        before = np.flatnonzero((self.successor != NONE) & (self.last != NONE))
        row, after = self.last[before], self.successor[before]
        won_back = np.where(self.is_won_back[row], np.maximum(starts[after], self.renewed.ordered[row]), starts[after])
        moved = np.full(starts.size, NEVER, dtype=np.int64)
        np.minimum.at(moved, after, won_back)
        return np.where(moved == NEVER, starts, moved)

    def _amounts_after(self) -> Integers:
        """What is brought after each renewal: what was renewed, nothing, or as before while it is open."""
        renewed, rows = self.renewed, np.arange(self.renewed.term.size)
        first = self.first[renewed.term]
        said = np.maximum.accumulate(np.where(self.is_open, -1, rows)) if rows.size else rows
        before = np.where(said >= first, np.where(self.is_won, np.maximum(renewed.amount, 0), 0)[said], -1)
        return np.where(before >= 0, before, self._amount_before_first()[renewed.term])

    def _amount_before_first(self) -> Integers:
        """The contract's amount; where it has several renewals that is the newest, and the first baseline counts."""
        several = (self.first != self.last) & (self.first != NONE)
        baseline = self.renewed.baseline[self.first] if self.renewed.baseline.size else self.terms.amount
        return np.where(several, baseline, self.terms.amount)

    def _ends(self) -> tuple[Integers, Decisions]:
        """(day from which each term brings nothing more, what is undecided)."""
        terms, renewed, last = self.terms, self.renewed, self.last
        has_rows, day = last != NONE, self._last_days()
        row = np.where(has_rows, last, 0)
        won, open_ = (flags[row] & has_rows if flags.size else has_rows for flags in (self.is_won, self.is_open))
        goes_on = np.where(day < terms.ends, terms.ends, add_months(day, self._months_before_end(day)))
        last_day = np.where(won, goes_on, day)
        is_followed = self.successor != NONE
        is_undecided = ~is_followed & (open_ | ((won | ~has_rows) & (last_day >= self.as_of)))
        ends = np.where(is_followed, self.starts[self.successor], np.where(is_undecided, NEVER, last_day + 1))
        is_gone = has_rows & ~won & ~open_
        ends = np.where(is_gone, np.minimum(ends, day + 1), ends)
        # Where nothing was written down of a term that has a later one, it ends by itself, and there may be a gap.
        ends = np.where(~has_rows & is_followed, np.minimum(ends, terms.ends + 1), ends)
        at = np.flatnonzero(is_undecided)
        amount = np.where(has_rows, self.brings[row] if renewed.term.size else 0, self._amount_before_first())
        return ends, Decisions(
            term=at, renewal=np.where(open_, last, NONE)[at], day=last_day[at] + 1, amount=amount[at]
        )

    def _months_before_end(self, day: Integers) -> Integers:
        """How long the term before the last due day was, in whole months."""
        row = np.maximum(self.last - 1, 0)
        has_earlier = (self.last != NONE) & (self.first != self.last)
        earlier = self.renewed.due[row] if self.renewed.due.size else self.terms.starts
        since = np.where(has_earlier, earlier, self.terms.starts - 1)
        return np.maximum(np.rint((day - since) / 30.4375).astype(np.int64), 1)

    def _own_pieces(self, ends: Integers) -> tuple[Integers, Integers, Integers, Integers, Integers]:
        """What each contract brings before its first renewal, in the steps of its ramp."""
        terms, steps = self.terms, self.steps
        has_rows = self.first != NONE
        due = self.renewed.due[self.first] if self.renewed.due.size else terms.ends
        until = np.where(has_rows, np.minimum(due + 1, ends), ends)
        has_ramp = np.zeros(len(terms), dtype=np.bool_)
        has_ramp[steps.term] = True
        plain = np.flatnonzero(~has_ramp)
        term = np.concatenate([plain, steps.term])
        since = np.concatenate([self.starts[plain], np.maximum(steps.starts, self.starts[steps.term])])
        following = np.append(np.where(steps.term[1:] == steps.term[:-1], steps.starts[1:], NEVER), NEVER)
        before = np.concatenate([until[plain], np.minimum(following[: steps.term.size], until[steps.term])])
        amount = np.concatenate([self._amount_before_first()[plain], steps.amount])
        return term, self._renewal_before()[term], since, before, amount

    def _renewal_before(self) -> Integers:
        """The renewal that a term comes from; the newest where there are several."""
        found = np.full(len(self.terms), NONE, dtype=np.int64)
        before = np.flatnonzero((self.successor != NONE) & (self.last != NONE))
        np.maximum.at(found, self.successor[before], self.last[before])
        return found

    def _pieces_after(self, ends: Integers) -> tuple[Integers, Integers, Integers, Integers, Integers]:
        """What each renewal brings until the next one of its contract, or the end of it all."""
        renewed = self.renewed
        rows = np.arange(renewed.term.size)
        same = renewed.term[1:] == renewed.term[:-1]
        following = np.append(np.where(same, renewed.due[1:] + 1, NEVER), NEVER)[: rows.size]
        until = np.minimum(following, ends[renewed.term])
        return renewed.term, rows, self.begins, until, self.brings

    def _renewal_at(self, term: Integers, until: Integers) -> Integers:
        """The renewal that was due the day before a piece ends, or NONE."""
        key = self.renewed.term.astype(np.int64) * 2**32 + self.renewed.due + 1
        wanted = term.astype(np.int64) * 2**32 + until
        if not key.size:
            return np.full(term.size, NONE, dtype=np.int64)
        place = np.minimum(np.searchsorted(key, wanted), key.size - 1)
        return np.where(key[place] == wanted, place, NONE)

    def _cross_sells(self) -> tuple[Integers, Integers, Integers, Integers]:
        """(term, renewal, day, amount) of what was sold beside the contract's products."""
        row = np.flatnonzero(self.is_won & (self.renewed.cross_sell > 0))
        term = self.renewed.term[row]
        after = np.where(self.last[term] == row, self.successor[term], NONE)
        day = np.where(after == NONE, self.begins[row], self.starts[after])
        return term, row, day, self.renewed.cross_sell[row]


def add_months(day: Integers, months: Integers) -> Integers:
    """Day numbers so many months later; the last day of a month stays the last of its month."""
    dates: NDArray[np.datetime64] = np.asarray(day, dtype=np.int64).astype("datetime64[D]")
    month = dates.astype("datetime64[M]")
    in_month = (dates - month.astype("datetime64[D]")).astype(np.int64)
    is_last = (dates + 1).astype("datetime64[M]") != month
    target = month + np.asarray(months).astype("timedelta64[M]")
    length = ((target + 1).astype("datetime64[D]") - target.astype("datetime64[D]")).astype(np.int64)
    moved: Integers = target.astype("datetime64[D]").astype(np.int64)
    moved += np.where(is_last, length - 1, np.minimum(in_month, length - 1))
    return moved


def _joined(first: Integers, second: Integers) -> Integers:
    """A small code for each pair of ids."""
    _, one = np.unique(first, return_inverse=True)
    known, two = np.unique(second, return_inverse=True)
    joined = np.unique(one.astype(np.int64) * max(known.size, 1) + two, return_inverse=True)[1]
    code: Integers = joined.astype(np.int64)
    return code
