"""Searches the hyper-parameters of a recipe's models on its rows to train on; the rows to test on have no part in it.

Everything is fitted anew in each fold: steps, model and calibration. Without a deadline, a search is a function of
recipe and table: two runs are identical byte for byte, and so is one that was broken off and resumed, on one machine
with the same releases of the libraries. Another machine, or a GPU, can change the last bits of what BLAS or Keras sum:
the linear models, support vectors, the network and the autoencoder. With a deadline, the speed of the machine has its
part.
"""

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from training.plan_search import Searched, SearchError, SearchProgress, search_plans
from training.recipe import ModelPlan, Recipe, Search
from training.search_journal import Journal
from training.search_space import plan_text
from training.steps.step import StepError
from training.table_data import TableData
from training.table_fit import fit_table
from training.table_measures import table_measures
from training.table_split import Rows, folds


def search_table(
    recipe: Recipe,
    search: Search,
    train: TableData,
    order: npt.NDArray[np.float64] | None,
    journal: Journal,
    *,
    before: Callable[[float], bool] = lambda share: True,
    on_progress: Callable[[SearchProgress], None] = lambda progress: None,
) -> Searched:
    """Return the best plan that was found of each model of the recipe, by successive halving.

    `train` are the rows to train on, and `order` float64[n] is what they are ordered by, None for rows at random.
    `before` and `on_progress` are those of `training.plan_search.search_plans`.

    Raises SearchError for folds that cannot be learnt from, StepError for a step that does not fit, and OSError.
    """
    parts = _folds(search, train, order, seed=recipe.seed)

    def evaluated(plan: ModelPlan, share: Fraction) -> tuple[float, ...]:
        return tuple(_evaluated(recipe, search, plan, train, part, share) for part in parts)

    return search_plans(
        recipe.model, search, evaluated, journal, seed=recipe.seed, before=before, on_progress=on_progress
    )


def _folds(
    search: Search, train: TableData, order: npt.NDArray[np.float64] | None, *, seed: int
) -> list[tuple[Rows, Rows]]:
    """Return for each fold the rows to fit and to validate on, those too late to be known left out."""
    parts = []
    try:
        made = list(folds(train.target, order, count=search.folds, seed=seed))
    except ValueError as error:
        raise SearchError("folds", f"{search.folds} is too many for {len(train.target)} rows: {error}") from None
    for number, (fit, validation) in enumerate(made, 1):
        known = fit if order is None else known_rows(fit, validation, order, delay=search.delay)
        if not len(known):
            raise SearchError(
                "delay",
                f"{search.delay:.12g} leaves no row to fit on before fold {number} of {search.folds}; give less of it",
            )
        events = int(train.target[validation].sum())
        if not 0 < events < len(validation):
            raise SearchError(
                "folds",
                f"fold {number} of {search.folds} has {events} events in {len(validation)} rows, and both classes are"
                " needed; give fewer folds, or more rows",
            )
        parts.append((known, validation))
    return parts


def known_rows(fit: Rows, validation: Rows, order: npt.NDArray[np.float64], *, delay: float) -> Rows:
    """Return the rows of `fit` whose outcomes are known, after `delay`, when the first of `validation` comes.

    >>> known_rows(np.arange(4), np.array([4, 5]), np.arange(6.0), delay=2.0).tolist()
    [0, 1, 2]
    """
    return fit[order[fit] + delay <= order[validation].min()] if delay > 0.0 else fit


def last_rows(fit: Rows, share: Fraction) -> Rows:
    """Return the last rows, a share of them rounded up: in order of time, those nearest to what is validated on.

    >>> last_rows(np.arange(10), Fraction(1, 9)).tolist()
    [8, 9]
    """
    return fit[len(fit) - -(-len(fit) * share.numerator // share.denominator) :]


def _evaluated(
    recipe: Recipe, search: Search, plan: ModelPlan, train: TableData, part: tuple[Rows, Rows], share: Fraction
) -> float:
    fit, validation = last_rows(part[0], share), part[1]
    try:
        fitted = fit_table(train.where(fit), recipe.step, plan, recipe.fit, seed=recipe.seed)
        score = fitted.probability(train.matrix[validation])
    except StepError:
        raise
    except ValueError as error:
        raise SearchError(
            "folds",
            f"{plan_text(plan)} cannot be fitted to {len(fit)} rows, {share} of those of a fold: {error};"
            " give fewer folds, less delay, or more rows",
        ) from None
    return table_measures(score, train.target[validation], np.ones(len(validation)))[search.measure]
