"""LightGBM's boosted trees, read from its own text: its scores to the last bit, without loading it, many
times as fast.

A small tree asks a row few questions. Their answers, a bit each, make the row's code, and all that can be
wanted of the tree (its value, what each signal contributed) is a table by that code. So a forest costs a few
comparisons of columns and a lookup for each tree, where walking the trees costs a jump for each question of
each row.

Larger trees and other kinds are LightGBM's own to answer, in the same way.
"""

from dataclasses import dataclass
from functools import cached_property
from math import factorial
from typing import Any

import numpy as np

VERSION = "v4"  # of LightGBM's text; what another means by the same words, LightGBM alone can say
QUESTIONS = 8  # of a tree, at most: its code is a byte
CATEGORY, BLANK_LEFT, MISSING_ZERO, MISSING_BLANK = 1, 2, 4, 8  # bits of LightGBM's decision_type


@dataclass(frozen=True)
class Tree:
    """A tree's questions, each `signals[feature] <= threshold`, where each answer leads, and the rows that
    went there.
    """

    features: np.ndarray
    thresholds: np.ndarray
    blank_is_yes: np.ndarray
    yes: np.ndarray  # the question that follows; below 0 a leaf, ~leaf its place
    no: np.ndarray
    values: np.ndarray  # of the leaves
    rows_asked: np.ndarray  # learned from, at each question
    rows_ended: np.ndarray  # and at each leaf

    def codes(self, columns: list[np.ndarray]) -> np.ndarray:
        """The answers of every row, a bit a question, as bytes; columns of other shapes broadcast."""
        held: Any = np.uint8(0)
        for place, feature in enumerate(self.features):
            column, threshold = columns[feature], self.thresholds[place]
            # A blank is neither above nor at most the threshold.
            said = ~(column > threshold) if self.blank_is_yes[place] else column <= threshold
            held = held | (said.view(np.uint8) << np.uint8(place))
        return held

    @cached_property
    def by_code(self) -> np.ndarray:
        """The tree's value for each code."""
        codes = np.arange(1 << len(self.features))

        def value(at: int) -> np.ndarray:
            if at < 0:
                return np.full(len(codes), self.values[~at])
            return np.where(codes >> at & 1, value(self.yes[at]), value(self.no[at]))

        return value(0 if len(self.features) else -1)

    @cached_property
    def shares_by_code(self) -> tuple[np.ndarray, np.ndarray, float]:
        """The features asked about, their Shapley values (features x codes), and the value where nothing is
        known.

        Path-dependent, as LightGBM's and TreeSHAP's (Lundberg and others 2020): a question about an unknown
        feature is answered both ways, weighted by the rows learned from that went each way. Here by its
        definition, over all sets of features, which a small tree has few of.
        """
        asked = np.unique(self.features)
        many, codes = len(asked), np.arange(1 << len(self.features))
        sets = np.arange(1 << many)[:, None]

        def rows(at: int) -> float:
            return float(self.rows_ended[~at] if at < 0 else self.rows_asked[at])

        def expected(at: int) -> np.ndarray:  # sets of known features x codes
            if at < 0:
                return np.full((1, 1), self.values[~at])
            yes, no = expected(self.yes[at]), expected(self.no[at])
            mixed = (rows(self.yes[at]) * yes + rows(self.no[at]) * no) / rows(at)
            known = sets >> np.searchsorted(asked, self.features[at]) & 1
            return np.where(known, np.where(codes >> at & 1, yes, no), mixed)

        worth = np.broadcast_to(expected(0 if len(self.features) else -1), (len(sets), len(codes)))
        size = np.bitwise_count(sets).ravel().astype(int)
        weight = np.array(
            [factorial(s) * factorial(many - s - 1) / factorial(many) for s in range(many)] + [0.0]
        )
        has = (sets.ravel() >> np.arange(many)[:, None] & 1).astype(bool)
        turns = np.where(has, weight[size - 1], -weight[size])  # features x sets
        return asked, turns @ worth, float(worth[0, 0])


@dataclass(frozen=True)
class Forest:
    """The trees of a booster, in order."""

    trees: tuple[Tree, ...]
    features: int

    def scores(self, columns: list[np.ndarray]) -> np.ndarray:
        """The raw score of every row: LightGBM's `predict(raw_score=True)`.

        `columns` holds the features' float64 values, by the booster's order. One may have a further axis, of
        several values to be tried for every row (`[[-1.0], [0.0]]`); the scores have it too.
        """
        total = np.zeros(np.broadcast_shapes(*(column.shape for column in columns)))
        for tree in self.trees:
            total += tree.by_code.take(tree.codes(columns))
        return total

    def contributions(self, columns: list[np.ndarray]) -> np.ndarray:
        """What each feature adds to every row's raw score, rows x features, and in the last column what none
        does.
        """
        parts = np.zeros((self.features + 1, len(columns[0])))
        for tree in self.trees:
            asked, shares, rest = tree.shares_by_code
            codes = tree.codes(columns)
            for feature, share in zip(asked, shares, strict=True):
                parts[feature] += share.take(codes)
            parts[-1] += rest
        return parts.T


class Library:
    """The same, by LightGBM itself."""

    def __init__(self, text: str) -> None:
        import lightgbm

        self.booster = lightgbm.Booster(model_str=text)

    def scores(self, columns: list[np.ndarray]) -> np.ndarray:
        return self._answers(columns, raw_score=True)[..., 0]

    def contributions(self, columns: list[np.ndarray]) -> np.ndarray:
        return self._answers(columns, pred_contrib=True)

    def _answers(self, columns: list[np.ndarray], **what: bool) -> np.ndarray:
        every = np.broadcast_arrays(*columns)
        rows = np.column_stack([column.ravel() for column in every])
        if not len(rows):  # LightGBM divides by their number
            return np.zeros((*every[0].shape, len(columns) + 1))
        return self.booster.predict(rows, num_threads=1, **what).reshape(*every[0].shape, -1)


def read(text: str) -> Forest | Library:
    """The forest of a booster's `model_to_string`; read by LightGBM where its version of text isn't known
    here.
    """
    head, *bodies = text.split("\n\nTree=")
    header = dict(line.split("=", 1) for line in head.splitlines() if "=" in line)
    if header.get("version") != VERSION:
        return Library(text)
    trees = [
        _tree(dict(line.split("=", 1) for line in body.split("\n\n")[0].splitlines()[1:] if "=" in line))
        for body in bodies
    ]
    if None in trees or "average_output" in head.splitlines() or header["num_tree_per_iteration"] != "1":
        return Library(text)
    return Forest(tuple(trees), int(header["max_feature_idx"]) + 1)


def _tree(told: dict[str, str]) -> Tree | None:
    """The tree, or nothing where it asks more than a code holds, or other questions."""

    def numbers(name: str, dtype: type) -> np.ndarray:
        return np.array(told.get(name, "").split(), dtype=dtype)

    kind = numbers("decision_type", int)
    if (
        int(told["num_leaves"]) - 1 > QUESTIONS
        or told.get("is_linear", "0") != "0"
        or (kind & (CATEGORY | MISSING_ZERO)).any()
    ):
        return None
    thresholds = numbers("threshold", float)
    # A feature that had no blanks when it was learned from takes one for a nought.
    blank_is_yes = np.where(kind & MISSING_BLANK, kind & BLANK_LEFT, thresholds >= 0).astype(bool)
    return Tree(
        numbers("split_feature", int),
        thresholds,
        blank_is_yes,
        numbers("left_child", int),
        numbers("right_child", int),
        numbers("leaf_value", float),
        numbers("internal_count", float),
        numbers("leaf_count", float),
    )
