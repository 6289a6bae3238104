"""Estimators of the next grade from signals: they know X, y and MLflow, and have never heard of a school or a
file.

`baselines` holds the plain rules, `estimators` the candidates, `conformal` the grade sets and the intervals
on chances, `registry` where models are kept (the only file that imports mlflow).
"""


class RegistryError(Exception):
    """The tracking store can't be reached or written: what failed, and what to do."""


class AlteredError(RegistryError):
    """The champion's files aren't those that its manifest names: which differ, and what to do."""
