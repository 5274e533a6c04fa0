"""Evaluates a table bundle on the rows that its recipe sets apart, by the scores that a worker would give."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from risk.table_bundle import TableBundle
from training.bootstrap import REPLICATES
from training.full_evaluation import Columns, Evaluation, Subject, Track, evaluate_in_full
from training.group_values import group_values
from training.learning_curve import FRACTIONS, LearningPoint, learning_curve
from training.recipe import Recipe
from training.recipe_split import RecipeSplit, recipe_split
from training.refit import Rows
from training.table import Table
from training.table_data import DataError, TableData
from training.table_fit import fit_table, model_name
from training.unlabelled import UNLABELLED


@dataclass(frozen=True, slots=True)
class TableEvaluationPlan:
    """How to evaluate: `groups` are columns of the table, also such as the recipe drops, whose values are compared.

    The learning curve fits the recipe's steps and model anew. `seed` is that of what is drawn here, not of the split.
    """

    groups: Sequence[str] = ()
    with_learning_curve: bool = False
    replicates: int = REPLICATES
    seed: int = 0


def evaluate_table_bundle(
    bundle: TableBundle,
    recipe: Recipe,
    table: Table,
    plan: TableEvaluationPlan,
    *,
    command: str,
    track: Track = lambda stage, steps: lambda: None,
) -> Evaluation:
    """Return the evaluation of a bundle on the test rows of its recipe's table, with the training rows to compare.

    Raises DataError for a table, a recipe or a group that is not the bundle's: other columns, another target, another
    split; and StepError or ValueError where the learning curve cannot be fitted. `track` is told of each stage.
    """
    parts = recipe_split(recipe, table)
    train, test = parts.data.where(parts.train), parts.data.where(parts.test)
    _require_same(bundle, recipe, test)
    groups = {name: _group(table, recipe, name) for name in plan.groups}
    at = test.rows.tolist()
    curve = []
    if plan.with_learning_curve:
        curve = _learning_curve(bundle, recipe, parts, track("learning curve", len(FRACTIONS)))
    return evaluate_in_full(
        Columns(
            score=bundle.scorer.score(test.matrix),
            target=test.target,
            feature_names=[column.name for column in test.columns],
            features=test.matrix,
            train_score=bundle.scorer.score(train.matrix),
            train_target=train.target,
            train_features=train.matrix,
            amount=test.amount,
            groups={name: [values[row] for row in at] for name, values in groups.items()},
            categories={one.name: one.categories for one in test.columns if one.categories is not None},
        ),
        bundle.scorer.score,
        _subject(bundle, recipe, command, with_learning_curve=plan.with_learning_curve),
        bundle.manifest.thresholds,
        bundle.manifest.costs,
        seed=plan.seed,
        replicates=plan.replicates,
        learning_curve=curve,
        track=track,
    )


def _require_same(bundle: TableBundle, recipe: Recipe, test: TableData) -> None:
    manifest = bundle.manifest
    if recipe.data.target != manifest.target:
        raise DataError(
            f"data.target = {recipe.data.target!r}: the bundle's is {manifest.target!r}; give the recipe that made it"
        )
    remedy = "give the recipe and the table that made the bundle"
    # Whether a column is required is found by fitting, and no part of the recipe.
    known = {one.name: msgspec.structs.replace(one, required=False) for one in manifest.columns}
    given = {one.name: one for one in test.columns}
    for name in [*known, *given]:
        if name not in given:
            raise DataError(f"column {name!r}: the bundle scores by it, and the recipe has none; {remedy}")
        if name not in known:
            raise DataError(f"column {name!r}: the recipe has it, and the bundle does not score by it; {remedy}")
        if known[name] != given[name]:
            raise DataError(f"column {name!r}: has another kind, other categories or another range; {remedy}")
    if list(known) != list(given):
        raise DataError(f"columns {', '.join(given)}: are in another order than the bundle's; {remedy}")
    golden = bundle.golden.raw
    if not np.array_equal(golden, test.matrix[: len(golden)], equal_nan=True):
        raise DataError(
            "the test rows are not those that the bundle was tested on, so that it may have learnt from them: the"
            " table, the split or the seed has changed since; give those that made the bundle, or train again"
        )


def _group(table: Table, recipe: Recipe, name: str) -> list[str | None]:
    if name not in table.columns:
        raise DataError(f"--group {name}: is no column; the file has {', '.join(table.columns)}")
    if name == recipe.data.target:
        raise DataError(f"--group {name}: is the target; name a column that says who the rows are of")
    return group_values(table.columns[name])


def _learning_curve(
    bundle: TableBundle, recipe: Recipe, parts: RecipeSplit, on_fit: Callable[[], None]
) -> list[LearningPoint]:
    model = bundle.manifest.model
    plan = next((one for one in recipe.model if model_name(one) == model), None)
    if plan is None:
        raise DataError(f"--learning-curve: the recipe has no model {model}, the bundle's; give the one that made it")
    data = parts.data

    def refit(fitted: Rows) -> Callable[[Rows], npt.NDArray[np.float64]]:
        made = fit_table(data.where(fitted), recipe.step, plan, recipe.fit, seed=recipe.seed)
        return lambda rows: made.probability(data.matrix[rows])

    return learning_curve(refit, data.target, parts.train, parts.test, on_fit)


def _subject(bundle: TableBundle, recipe: Recipe, command: str, *, with_learning_curve: bool) -> Subject:
    manifest, data, split = bundle.manifest, recipe.data, recipe.split
    file = Path(data.path).name
    positive = 1 if data.positive is None else data.positive
    costs_in = "units in which each row has the amount 1" if data.amount is None else f"units of {data.amount}"
    test_share = f"{100.0 * split.test_share:.3g}% of the rows"
    return Subject(
        name=manifest.name,
        version=bundle.version,
        model=manifest.model,
        form="one ONNX graph of all steps from a raw row to the score, in a bundle that is verified before it serves",
        ranks=manifest.model in UNLABELLED and recipe.fit.calibrate is None,
        positive=f"{data.target} = {positive}",
        drawn="rows",
        features=tuple(column.name for column in manifest.columns),
        costs_in=costs_in,
        limits=_limits(recipe, with_learning_curve=with_learning_curve),
        trained_on=(
            f"rows of {file}, " + ("drawn at random" if split.column is None else f"the first by {split.column}")
        ),
        tested_on=(
            f"the other {test_share}, the same share of each class"
            if split.column is None
            else f"the last {test_share}"
        ),
        train_command=manifest.command,
        evaluate_command=command,
        library_versions=manifest.library_versions,
    )


def _limits(recipe: Recipe, *, with_learning_curve: bool) -> tuple[str, ...]:
    """Return what the figures do not tell, and what was chosen by the rows that they are of."""
    limits = []
    if recipe.decision.segment is not None:
        limits.append("Flagged rows, cost and savings are those of the thresholds of all, not of the segments' own.")
    if len(recipe.model) > 1:
        limits.append(
            f"The model was chosen among {len(recipe.model)}, by figures in which the test rows have a part: all"
            " flatter a little."
        )
    if recipe.search is not None and with_learning_curve:
        limits.append("The learning curve has the hyper-parameters of the recipe, not those that its search found.")
    if recipe.split.column is None:
        limits.append(
            "The test rows were drawn at random: what drift there is is chance, and nothing is known of other times."
        )
    else:
        limits.append("The intervals tell of other samples of this population, not of other times.")
    limits.append(
        "Only rows whose outcome is known are in the table: of others, such as applicants who were refused, nothing is"
        " known."
    )
    return tuple(limits)
