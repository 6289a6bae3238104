"""The plain rules every candidate is judged against, as estimators like any other.

Each is fitted on `state` (current rank 1-4 and what else names its cell), the next rank and a weight for each
row, and answers with the chances of improved, same and worse, as columns in that order.
"""

import numpy as np
import pandas as pd

OUTCOMES = ("improved", "same", "worse")


def outcome(current: np.ndarray, following: np.ndarray) -> np.ndarray:
    """0 improved, 1 same, 2 worse: a lower rank is a better grade."""
    return 1 + np.sign(np.asarray(following) - np.asarray(current)).astype(int)


class Rate:
    """How often schools of the same cell improved, stayed or fell: `by` names the columns that make a cell.

    A cell never seen takes the rate of its first column's value, and failing that of everyone.
    """

    def __init__(self, *by: str) -> None:
        self.by = by

    def fit(self, state: pd.DataFrame, following: np.ndarray, weight: np.ndarray) -> "Rate":
        happened = np.eye(3)[outcome(state["overall"], following)] * np.asarray(weight)[:, None]
        sums = pd.DataFrame(happened, columns=OUTCOMES)
        self.levels = []
        for depth in range(len(self.by), -1, -1):
            keys = [state[name].to_numpy() for name in self.by[:depth]]
            cells = sums.groupby(keys).sum() if keys else sums.sum().to_frame().T
            self.levels.append((self.by[:depth], cells.div(cells.sum(axis=1), axis=0)))
        return self

    def predict(self, state: pd.DataFrame) -> np.ndarray:
        chances = np.full((len(state), 3), np.nan)
        for by, cells in self.levels:
            if not by:
                result = np.repeat(cells.to_numpy(), len(state), axis=0)
            else:
                keys = pd.MultiIndex.from_frame(state[list(by)]) if len(by) > 1 else pd.Index(state[by[0]])
                result = cells.reindex(keys).to_numpy()
            chances = np.where(np.isnan(chances), result, chances)
        return _possible(chances, state["overall"].to_numpy())


class Logistic:
    """A plain logistic regression of the outcome on grade, phase and the leadership gap: no years, no
    departures.
    """

    def fit(self, state: pd.DataFrame, following: np.ndarray, weight: np.ndarray) -> "Logistic":
        from sklearn.linear_model import LogisticRegression

        self.cells = sorted(set(self._cells(state)))
        self.model = LogisticRegression(C=1.0, max_iter=1000)
        self.model.fit(
            self._design(state), outcome(state["overall"], following), sample_weight=np.asarray(weight)
        )
        return self

    def predict(self, state: pd.DataFrame) -> np.ndarray:
        chances = np.zeros((len(state), 3))
        chances[:, self.model.classes_] = self.model.predict_proba(self._design(state))
        return _possible(chances, state["overall"].to_numpy())

    @staticmethod
    def _cells(state: pd.DataFrame) -> pd.Series:
        return state["overall"].astype("str") + " " + state["phase"].fillna("").astype("str")

    def _design(self, state: pd.DataFrame) -> np.ndarray:
        cells = self._cells(state)
        # one never seen has no slope
        cell = pd.Categorical(cells.where(cells.isin(self.cells)), categories=self.cells)
        gap = state["leadership_gap"].fillna(0.0).to_numpy()
        return np.column_stack(
            [pd.get_dummies(cell).to_numpy(dtype=float), gap, gap * state["overall"].eq(2)]
        )


def _possible(chances: np.ndarray, current: np.ndarray) -> np.ndarray:
    """Nobody rises above rank 1 or falls below rank 4."""
    chances = chances.copy()
    chances[current == 1, 0] = 0.0
    chances[current == 4, 2] = 0.0
    return chances / chances.sum(axis=1, keepdims=True)


RULES = {
    "base_rate_grade": lambda: Rate("overall"),
    "base_rate_grade_phase": lambda: Rate("overall", "phase"),
    "leadership_gap_rule": lambda: Rate("overall", "gap_sign"),
    "logistic": Logistic,
}
