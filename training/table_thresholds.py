"""Chooses a table bundle's thresholds, on scores of rows that the model which gave them was not fitted to."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from risk.decision import Thresholds
from risk.manifest import Costs
from risk.segments import SegmentThresholds
from training.recipe import Decision, ModelPlan, Recipe
from training.table_data import DataError, TableData
from training.table_fit import fit_table
from training.table_scores import served_scores
from training.table_split import folds
from training.thresholds import choose_thresholds

FOLDS = 3
SEGMENT_ROWS, SEGMENT_EVENTS = 100, 10
"""What a segment needs at least for thresholds of its own."""


@dataclass(frozen=True, slots=True)
class TableThresholds:
    """The thresholds of all rows, and those of segments, None where no segment is asked for."""

    thresholds: Thresholds
    segments: SegmentThresholds | None


def decision_costs(decision: Decision) -> Costs:
    """Return what a recipe's decisions cost."""
    return Costs(decision.review, decision.declined_good, decision.missed_fraction)


def choose_table_thresholds(
    recipe: Recipe, plan: ModelPlan, train: TableData, order: npt.NDArray[np.float64] | None
) -> TableThresholds:
    """Return the thresholds of least cost on the rows to train on, each scored by a fit to other folds than its own.

    The test rows stay untouched. `order` float64[n] is as for `training.table_split.folds`. Raises DataError for a
    segment that is no column of categories.
    """
    decision, costs = recipe.decision, decision_costs(recipe.decision)
    names = [column.name for column in train.columns]
    if decision.segment is not None and (
        decision.segment not in names or train.columns[names.index(decision.segment)].categories is None
    ):
        raise DataError(f"decision.segment = {decision.segment!r}: is no column of categories that is learnt from")
    parts, scores = [], []
    for fitted_rows, rows in folds(train.target, order, count=FOLDS, seed=recipe.seed):
        fitted = fit_table(train.where(fitted_rows), recipe.step, plan, recipe.fit, seed=recipe.seed)
        parts.append(rows)
        scores.append(served_scores(fitted.export(), fitted, train.matrix[rows]))
    rows, score = np.concatenate(parts), np.concatenate(scores)
    target, amount = train.target[rows], train.amount[rows]

    def chosen(among: npt.NDArray[np.bool_]) -> Thresholds:
        return choose_thresholds(score[among], target[among], amount[among], costs, decision.flagged_share)

    own: dict[str, Thresholds] = {}
    if decision.segment is not None:
        at = names.index(decision.segment)
        for code, name in enumerate(train.columns[at].categories or ()):
            among = train.matrix[rows, at] == code
            if among.sum() >= SEGMENT_ROWS and target[among].sum() >= SEGMENT_EVENTS:
                own[name] = chosen(among)
    return TableThresholds(
        chosen(np.ones(len(rows), dtype=np.bool_)),
        None if decision.segment is None else SegmentThresholds(decision.segment, own),
    )
