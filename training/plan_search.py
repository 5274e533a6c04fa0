"""Searches the hyper-parameters of models, whatever they are fitted to.

Without a deadline a search is a function of what its evaluations depend on: two runs are identical, and so is one that
was broken off and resumed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np

from risk.manifest import Model
from training.recipe import ModelPlan, Search
from training.search_journal import Journal
from training.search_space import candidates, plan_text
from training.successive_halving import Trial, rungs, successive_halving, winner
from training.table_fit import model_name


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


def search_plans(
    models: Sequence[ModelPlan],
    search: Search,
    evaluated: Callable[[ModelPlan, Fraction], Sequence[float]],
    journal: Journal,
    *,
    seed: int,
    before: Callable[[float], bool] = lambda share: True,
    on_progress: Callable[[SearchProgress], None] = lambda progress: None,
) -> Searched:
    """Return the best plan that was found of each model, by successive halving.

    `evaluated` returns the measure of the search for a plan on a share of the rows, one for each fold.
    `before(share)` tells whether less than that share of the time allowed has passed: the k-th of n models is searched
    before k / n; where it ends early, the best plan so far is used, and the model's own if there is none. Raises
    OSError, and what `evaluated` raises.
    """
    choices = [candidates(plan, search.trials, seed=seed) for plan in models]
    totals = [sum(count for _, count in rungs(len(one))) for one in choices]
    sign = -1.0 if search.measure == "loss" else 1.0
    best: list[ModelPlan] = []
    notes: list[str] = []
    taken, done, stopped = 0, 0, False

    def evaluate(plan: ModelPlan, share: Fraction) -> float:
        nonlocal taken
        values = journal.get(plan_text(plan), str(share))
        if values is None:
            values = tuple(evaluated(plan, share))
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
