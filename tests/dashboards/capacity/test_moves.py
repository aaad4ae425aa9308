"""Suggested moves against every combination of moves there is, on books small enough for that."""

from __future__ import annotations

from itertools import product

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dashboards.capacity.engine import SLACK, Hours, Work, load_of
from dashboards.capacity.moves import Group, Move, overload_hours, peak_hours, suggest_moves

WEEKS = 3


def load_with(groups: list[Group], owners: tuple[int, ...], people: int) -> Hours:
    works = [Work(owner, one.first, one.last, one.share * one.count) for one, owner in zip(groups, owners, strict=True)]
    return load_of(works, people, WEEKS)


def best_by_trying_all(groups: list[Group], capacity: Hours) -> tuple[float, int]:
    """The lowest peak that any owners of these single renewals give, and the fewest changes that reach it."""
    people = len(capacity)
    tried = [
        (
            round(peak_hours(load_with(groups, owners, people), capacity), 6),
            sum(one.person != owner for one, owner in zip(groups, owners, strict=True)),
        )
        for owners in product(range(people), repeat=len(groups))
    ]
    return min(tried)


def moved(moves: list[Move]) -> int:
    return sum(move.count for move in moves)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 2), min_size=1, max_size=6), st.lists(st.integers(0, 4), min_size=3, max_size=3))
def test_of_renewals_that_are_alike_the_moves_are_the_fewest_that_there_are(owners: list[int], room: list[int]) -> None:
    groups = [Group(person, 1, 1, 5.0, 1) for person in owners]
    capacity = np.repeat(np.array(room, dtype=np.float64)[:, None] * 5, WEEKS, axis=1)
    load = load_with(groups, tuple(owners), 3)
    moves, after = suggest_moves(load, capacity, groups, [1, 1, 1])
    peak, changes = best_by_trying_all(groups, capacity)
    if peak == 0:  # where nobody has to be over, nobody is, and nothing is moved for nothing
        assert (peak_hours(after, capacity), moved(moves)) == (peak, changes)
    assert peak <= peak_hours(after, capacity) <= peak_hours(load, capacity)


@st.composite
def books(draw: st.DrawFn) -> tuple[list[Group], Hours]:
    groups = []
    for _ in range(draw(st.integers(1, 6))):
        first = draw(st.integers(0, WEEKS - 1))
        last = draw(st.integers(first, WEEKS - 1))
        groups.append(Group(draw(st.integers(0, 2)), first, last, float(draw(st.integers(1, 9))), 1))
    room = draw(st.lists(st.integers(0, 20), min_size=3 * WEEKS, max_size=3 * WEEKS))
    return groups, np.array(room, dtype=np.float64).reshape(3, WEEKS)


# A move that is taken back makes the one before it needless.
TWICE = (
    [Group(0, 0, 1, 1.0, 1), Group(0, 1, 1, 5.0, 1), Group(2, 0, 1, 7.0, 1), Group(0, 0, 2, 9.0, 1)],
    np.array([[7.0, 5, 4], [3, 3, 9], [2, 12, 0]]),
)


@settings(max_examples=80, deadline=None)
@given(books())
@example(TWICE)
def test_moves_do_what_they_say_and_none_is_for_nothing(book: tuple[list[Group], Hours]) -> None:
    groups, capacity = book
    owners = [one.person for one in groups]
    load = load_with(groups, tuple(owners), 3)
    moves, after = suggest_moves(load, capacity, groups, [1, 1, 1])
    for move in moves:
        owners[move.group] = move.to
    assert np.allclose(after, load_with(groups, tuple(owners), 3))
    reached = peak_hours(after, capacity)
    best, fewest = best_by_trying_all(groups, capacity)
    assert best - SLACK <= reached <= peak_hours(load, capacity) + SLACK
    assert not moves or reached < peak_hours(load, capacity)
    if abs(reached - best) < SLACK:
        assert moved(moves) >= fewest
    for move in moves:
        without = list(owners)
        without[move.group] = groups[move.group].person
        assert peak_hours(load_with(groups, tuple(without), 3), capacity) > reached - SLACK


def test_a_group_gives_as_many_as_are_needed_to_who_has_most_room() -> None:
    groups = [Group(0, 0, 1, 2.0, 10)]
    load = np.array([[20.0, 20, 0], [4, 4, 0], [0, 0, 0]])
    capacity = np.full((3, WEEKS), 16.0)
    moves, after = suggest_moves(load, capacity, groups, [1, 1, 1])
    assert moves == [Move(0, 2, 2)]
    assert after.tolist() == [[16, 16, 0], [4, 4, 0], [4, 4, 0]]
    assert (overload_hours(load, capacity), overload_hours(after, capacity)) == (8.0, 0.0)


def test_nothing_leaves_its_team() -> None:
    load, capacity = np.array([[20.0, 0, 0], [0, 0, 0]]), np.full((2, WEEKS), 10.0)
    groups = [Group(0, 0, 0, 5.0, 4)]
    assert suggest_moves(load, capacity, groups, [1, 2])[0] == []
    assert suggest_moves(load, capacity, groups, [None, None])[0] == []
    assert suggest_moves(load, capacity, groups, [1, 1])[0] == [Move(0, 1, 2)]


def test_no_more_than_so_many_owners_are_changed() -> None:
    load, capacity = np.array([[20.0, 0, 0], [0, 0, 0]]), np.full((2, WEEKS), 10.0)
    moves, after = suggest_moves(load, capacity, [Group(0, 0, 0, 1.0, 20)], [1, 1], most=3)
    assert (moves, after[0, 0]) == ([Move(0, 1, 3)], 17.0)


def test_nobody_and_nothing() -> None:
    empty = np.zeros((0, WEEKS))
    assert suggest_moves(empty, empty, [], [])[0] == []
