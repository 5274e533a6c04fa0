"""Searches the hyper-parameters of a recipe's models on its rows to train on; the rows to test on have no part in it.

Everything is fitted anew in each fold: steps, model and calibration. Without a deadline, a search is a function of
recipe and table: two runs are identical byte for byte, and so is one that was broken off and resumed, on one machine
with the same releases of the libraries. Another machine, or a GPU, can change the last bits of what BLAS or Keras sum:
the linear models, support vectors, the network and the autoencoder. With a deadline, the speed of the machine has its
part.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from risk.manifest import Model
from training.recipe import ModelPlan, Recipe, Search
from training.search_journal import Journal
from training.search_space import candidates, plan_text
from training.steps.step import StepError
from training.successive_halving import Trial, rungs, successive_halving, winner
from training.table_data import TableData
from training.table_fit import fit_table, model_name
from training.table_measures import table_measures
from training.table_split import Rows, folds


class SearchError(ValueError):
    """A search that the rows do not allow; `key` is that of the recipe's `[search]`."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(f"search.{key}: {message}")
        self.key = key


@dataclass(frozen=True, slots=True)
class SearchProgress:
    """How far a search is, after an evaluation: of `total` over all models, `done`.

    `trial` of `trials` plans of `model` was evaluated on the `share` of the rows; `best` is the measure of the best
    plan on as many.
    """

    model: Model
    done: int
    total: int
    trial: int
    trials: int
    share: str
    best: float


@dataclass(frozen=True, slots=True)
class Searched:
    """The best plan of each model, in the recipe's order, and a note on each.

    `taken` evaluations were in the journal already; `stopped` tells that the deadline ended the search.
    """

    models: tuple[ModelPlan, ...]
    notes: tuple[str, ...]
    journal: Path
    taken: int
    stopped: bool


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
    `before(share)` tells whether less than that share of the time allowed has passed: the k-th of n models is searched
    before k / n; where it ends early, the best plan so far is used, and the recipe's own if there is none.

    Raises SearchError for folds that cannot be learnt from, StepError for a step that does not fit, and OSError.
    """
    parts = _folds(search, train, order, seed=recipe.seed)
    choices = [candidates(plan, search.trials, seed=recipe.seed) for plan in recipe.model]
    totals = [sum(count for _, count in rungs(len(one))) for one in choices]
    sign = -1.0 if search.measure == "loss" else 1.0
    best: list[ModelPlan] = []
    notes: list[str] = []
    taken, done, stopped = 0, 0, False

    def evaluate(plan: ModelPlan, share: Fraction) -> float:
        nonlocal taken
        values = journal.get(plan_text(plan), str(share))
        if values is None:
            values = tuple(_evaluated(recipe, search, plan, train, part, share) for part in parts)
            journal.add(plan_text(plan), str(share), values)
        else:
            taken += 1
        return sign * float(np.mean(values))

    for number, (tried, total) in enumerate(zip(choices, totals, strict=True), 1):
        model, deadline = model_name(tried[0]), number / len(choices)
        trials: list[Trial[ModelPlan]] = []
        for trial in successive_halving(tried, evaluate, partial(before, deadline)):
            trials.append(trial)
            done += 1
            leader = winner([one for one in trials if one.rung == trial.rung])
            assert leader is not None
            on_progress(
                SearchProgress(
                    model, done, sum(totals), trial.number + 1, len(tried), str(trial.share), sign * leader.score
                )
            )
        found = winner(trials)
        best.append(tried[0] if found is None else found.candidate)
        short = len(trials) < total
        stopped |= short
        ended = f", the budget ended after {len(trials)} of {total} evaluations" if short else ""
        notes.append(f"search: {len(tried)} trials{ended}, best {plan_text(best[-1])}")
    return Searched(tuple(best), tuple(notes), journal.path, taken, stopped)


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
