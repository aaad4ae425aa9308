"""Gradient boosting by scikit-learn, kept and applied as plain arrays.

A tree of at most 16 leaves is applied without walking it: its leaves are the bits of a 16-bit number, every test that
fails for a row strikes out the leaves it leads to (their bits become 0), and the first bit left is the row's leaf
(QuickScorer, Lucchese et al., SIGIR 2015). The tests of one column on all trees at once depend only on where the
value lies among that column's thresholds, so the strikes of a column are one look-up per row.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forecasting.engine.arrays import Booleans, Floats, Integers

LEAVES: Final = 16
DEPTH: Final = 4
ITERATIONS: Final = 300
PATIENCE: Final = 15
LEARNING_RATE: Final = 0.08
PENALTY: Final = 5.0
BINS: Final = 128
BLOCK_ROWS: Final = 4_096  # whose masks stay in the processor's cache
_FIRST_BIT: Final = np.array([0, *((k & -k).bit_length() - 1 for k in range(1, 1 << LEAVES))], dtype=np.uint8)


@dataclass(frozen=True, eq=False)
class Trees:
    """t trees over c columns; `base` plus the value of the leaf that a row falls into, tree by tree, in log-odds.

    thresholds     by column: float64, ascending
    strikes        by column: uint16[len(thresholds) + 2, t], bits that stay for a value after k thresholds; the last
                   row is for missing
    leaf_values    float64[t, 16]
    contributions  float64[t, 16, c]: what each column's tests on the way to a leaf moved the mean of the training rows
                   by; base + sum over trees and columns = the log-odds
    """

    base: float
    thresholds: tuple[Floats, ...]
    strikes: tuple[NDArray[np.uint16], ...]
    leaf_values: Floats
    leaf_contributions: Floats

    @cached_property
    def _flat_values(self) -> Floats:
        return self.leaf_values.reshape(-1)

    def log_odds(self, x: Floats) -> Floats:
        """float64[n] of rows x float64[n, c], NaN where missing."""
        found = np.empty(x.shape[0])
        offsets = np.arange(self.leaf_values.shape[0], dtype=np.int32) * LEAVES
        for first in range(0, x.shape[0], BLOCK_ROWS):
            block = slice(first, first + BLOCK_ROWS)
            values = np.take(self._flat_values, self.leaves(x[block]) + offsets, mode="clip")
            found[block] = self.base + values.sum(axis=1)
        return found

    def contributions(self, x: Floats) -> Floats:
        """float64[n, c]; base + their sum = log-odds."""
        found = np.zeros(x.shape)
        leaves = self.leaves(x)
        for tree in range(leaves.shape[1]):
            found += self.leaf_contributions[tree][leaves[:, tree]]
        return found

    def leaves(self, x: Floats) -> NDArray[np.uint8]:
        """uint8[n, t]: the leaf of each row in each tree."""
        left = np.full((x.shape[0], self.leaf_values.shape[0]), (1 << LEAVES) - 1, dtype=np.uint16)
        stay = np.empty_like(left)
        for column, (thresholds, strikes) in enumerate(zip(self.thresholds, self.strikes, strict=True)):
            if thresholds.size:
                # No place is out of range: "clip" only spares the check, and a buffer in between.
                np.take(strikes, _place(thresholds, x[:, column]), axis=0, out=stay, mode="clip")
                left &= stay
        return np.take(_FIRST_BIT, left, mode="clip")

    def to_dict(self) -> dict[str, Any]:
        return {
            "base": self.base,
            "thresholds": [thresholds.tolist() for thresholds in self.thresholds],
            "strikes": [strikes.tolist() for strikes in self.strikes],
            "leaf_values": self.leaf_values.tolist(),
            "leaf_contributions": self.leaf_contributions.tolist(),
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> "Trees":
        return cls(
            stored["base"],
            tuple(np.asarray(thresholds, dtype=np.float64) for thresholds in stored["thresholds"]),
            tuple(np.asarray(strikes, dtype=np.uint16) for strikes in stored["strikes"]),
            np.asarray(stored["leaf_values"], dtype=np.float64),
            np.asarray(stored["leaf_contributions"], dtype=np.float64),
        )


def learn_trees(
    x: Floats,
    is_renewed: Booleans,
    weights: Floats,
    *,
    iterations: int = ITERATIONS,
    held_out: tuple[Floats, Booleans, Floats] | None = None,
) -> tuple[Trees, int]:
    """(trees, number of them). With `held_out` (x, is_renewed, weights) it stops when they gain no more.

    Values are put into bins of equal numbers of rows here: scikit-learn's own binning of weighted rows takes longer
    than the trees.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier  # a second to import: only fits pay it
    from threadpoolctl import threadpool_limits

    machine = HistGradientBoostingClassifier(
        learning_rate=LEARNING_RATE,
        max_iter=iterations,
        max_leaf_nodes=LEAVES,
        max_depth=DEPTH,
        min_samples_leaf=int(np.clip(x.shape[0] // 100, 20, 100)),
        l2_regularization=PENALTY,
        early_stopping=held_out is not None,
        n_iter_no_change=PATIENCE,
        random_state=0,
    )
    edges = [_edges(column) for column in x.T]
    validation = {}
    if held_out is not None:
        values = (_binned(held_out[0], edges), *held_out[1:])
        validation = dict(zip(("X_val", "y_val", "sample_weight_val"), values, strict=True))
    # One thread: sums of floats come in the same order, so the same rows give the same trees on every machine.
    with threadpool_limits(limits=1):
        machine.fit(_binned(x, edges), is_renewed, sample_weight=weights, **validation)
    kept = machine.n_iter_
    if held_out is not None:  # the last of them gained nothing
        kept = int(np.argmax(machine.validation_score_[1:])) + 1
    nodes = [predictors[0].nodes for predictors in machine._predictors[:kept]]
    return _as_arrays(nodes, float(machine._baseline_prediction[0, 0]), edges), kept


def _edges(x: Floats) -> Floats:
    """At most BINS - 1 values of x, ascending; a bin reaches up to its edge and includes it."""
    known = np.unique(x[~np.isnan(x)])
    if known.size > BINS:
        known = np.unique(np.nanquantile(x, np.linspace(0, 1, BINS + 1)[1:], method="lower"))
    return known[:-1]


def _binned(x: Floats, edges: list[Floats]) -> Floats:
    bins = [np.searchsorted(own, column, side="left") for own, column in zip(edges, x.T, strict=True)]
    return np.where(np.isnan(x), np.nan, np.stack(bins, axis=1))


def _as_arrays(trees: list[NDArray[Any]], base: float, edges: list[Floats]) -> Trees:
    """The node tables of scikit-learn, whose values are bins, as thresholds, strikes and leaves."""
    columns, n = len(edges), len(trees)
    tests: list[list[tuple[float, int, int, int, bool]]] = [[] for _ in range(columns)]
    values, contributions = np.zeros((n, LEAVES)), np.zeros((n, LEAVES, columns))
    for tree, nodes in enumerate(trees):
        base += _take_apart(nodes, tree, tests, values[tree], contributions[tree])
    thresholds, strikes = [], []
    for column in range(columns):
        # A test lies half-way between two bins, or beyond the last one: known against missing.
        bins = np.unique([test[0] for test in tests[column]])
        known = np.append(edges[column], np.finfo(np.float64).max)[
            np.minimum(bins, edges[column].size).astype(np.int64)
        ]
        table = np.full((bins.size + 2, n), (1 << LEAVES) - 1, dtype=np.uint16)
        for threshold, tree, below, above, missing_is_below in tests[column]:
            place = int(np.searchsorted(bins, threshold))
            # x <= threshold stays below, so the leaves above are struck out, and the other way round.
            table[: place + 1, tree] &= ~np.uint16(above)
            table[place + 1 : -1, tree] &= ~np.uint16(below)
            table[-1, tree] &= ~np.uint16(above if missing_is_below else below)
        thresholds.append(known)
        strikes.append(table)
    return Trees(base, tuple(thresholds), tuple(strikes), values, contributions)


def _take_apart(
    nodes: NDArray[Any],
    tree: int,
    tests: list[list[tuple[float, int, int, int, bool]]],
    values: Floats,
    contributions: Floats,
) -> float:
    """Fill in one tree's tests, leaf values and contributions; returns its mean value over the training rows."""
    means, leaves, next_leaf = np.zeros(len(nodes)), np.zeros(len(nodes), dtype=np.int64), 0
    for place in _leaves_first(nodes):
        node = nodes[place]
        if node["is_leaf"]:
            means[place], leaves[place] = node["value"], 1 << next_leaf
            values[next_leaf] = node["value"]
            next_leaf += 1
        else:
            sides = [int(node["left"]), int(node["right"])]
            means[place] = np.average(means[sides], weights=nodes["count"][sides])
            leaves[place] = leaves[sides[0]] | leaves[sides[1]]
    for place, node in enumerate(nodes):
        if node["is_leaf"]:
            continue
        below, above = int(node["left"]), int(node["right"])
        column = int(node["feature_idx"])
        is_below = bool(node["missing_go_to_left"])
        tests[column].append((float(node["num_threshold"]), tree, int(leaves[below]), int(leaves[above]), is_below))
        for side in (below, above):
            reached = [leaf for leaf in range(LEAVES) if leaves[side] >> leaf & 1]
            contributions[reached, column] += means[side] - means[place]
    values -= means[0]
    return float(means[0])


def _leaves_first(nodes: NDArray[Any]) -> Integers:
    """Places of the nodes with every child before its parent."""
    return np.argsort(-nodes["depth"].astype(np.int64), kind="stable")


def _place(thresholds: Floats, x: Floats) -> Integers:
    """How many thresholds are below each value; one past that of the greatest where it is missing."""
    x = np.ascontiguousarray(x)
    place: Integers = np.searchsorted(thresholds, x, side="left")
    place[np.isnan(x)] = thresholds.size + 1
    return place
