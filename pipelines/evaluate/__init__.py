"""How good is it, honestly: every fold asked from its morning, against the plain rules, within each current grade.

Each fold's models learn only from outcomes public before its morning. What is chosen (candidate, half-life of the recent
rate) is chosen on the folds before, and the choice is kept. `walk` asks the folds, `figures` says how good the answers
were, `trials` fits them again to see what mattered.
"""

from headway.pipelines.evaluate.figures import (
    BASE,
    FEW,
    GRADES,
    GROUPS,
    TWO_YEARS,
    WITHIN,
    auc,
    calibration,
    calibration_curve,
    caught,
    coverage,
    fairness,
    grouped,
    ranked_distances,
    ranked_probability_score,
    score,
    scores,
)
from headway.pipelines.evaluate.trials import (
    DECOYS,
    Whole,
    ablation,
    censoring,
    deal,
    improving,
    inspection_weights,
    squared_error,
    wholes,
)
from headway.pipelines.evaluate.walk import (
    DEFAULT,
    FEWEST_JUDGED,
    FEWEST_LEARNED,
    HALF_LIVES,
    LEADERSHIP,
    OVERALL,
    TIE,
    Options,
    Outcome,
    academic_year,
    as_outcome,
    ask,
    backtest,
    final_choice,
    fit,
    folds,
    freshness,
    learning_weight,
    state,
    state_of_all,
    usable,
    walk,
    with_sets,
)

__all__ = [  # fmt: skip
    "BASE", "DECOYS", "DEFAULT", "FEW", "FEWEST_JUDGED", "FEWEST_LEARNED", "GRADES", "GROUPS", "HALF_LIVES", "LEADERSHIP",
    "OVERALL", "TIE", "TWO_YEARS", "WITHIN", "Options", "Outcome", "Whole", "ablation", "academic_year", "as_outcome", "ask",
    "auc", "backtest", "calibration", "calibration_curve", "caught", "censoring", "coverage", "deal", "fairness",
    "final_choice", "fit", "folds", "freshness", "grouped", "improving", "inspection_weights",  "learning_weight",
    "ranked_distances", "ranked_probability_score", "score", "scores", "squared_error", "state", "state_of_all",
    "usable",
    "walk", "wholes", "with_sets",
]
