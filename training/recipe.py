"""The recipe: one TOML file that says how a table becomes a bundle.

It is read into frozen structs that know every field. What cannot be used is refused with the line it stands on.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

import msgspec

from risk.manifest import Name
from training import calibration
from training.steps import impute, outliers, project, scale

Selection = str | tuple[str, ...]
"""Columns: their names, or one of "numbers", "categories" and "all", as of the step."""

Share = Annotated[float, msgspec.Meta(gt=0.0, lt=1.0)]
Positive = Annotated[float, msgspec.Meta(gt=0.0)]
Count = Annotated[int, msgspec.Meta(ge=1)]


T = TypeVar("T")


class RecipeError(ValueError):
    """A recipe that cannot be used; the message names the file, the line and the remedy."""


class Data(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The table. `path` is relative to the recipe.

    `positive` is the value of the column `target` that is the event; without it the target holds 0 and 1. Columns in
    `categorical` are names even if they look like numbers, those in `drop` are not used. `ranges` maps a column to the
    least and the greatest valid value. `amount` is the column of what is at stake in a row, for costs.
    """

    path: str
    target: str
    positive: str | int | float | bool | None = None
    categorical: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    ranges: dict[str, tuple[float, float]] = {}
    amount: str | None = None
    duplicates: Literal["keep", "drop"] = "keep"
    missing: Literal["keep", "drop"] = "keep"


class SplitPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How rows to test on are set apart: at random, or the last ones by `column`.

    `folds` above 1 adds a cross-validation over the whole table, everything fitted anew in each fold: stratified at
    random, or in order of time, each fold tested on what follows.
    """

    by: Literal["random", "time"] = "random"
    column: str | None = None
    test_share: Share = 0.2
    folds: Annotated[int, msgspec.Meta(ge=0, le=50)] = 0


class Impute(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="impute"):
    """Fill what is missing; `value` belongs to by = "constant", of categories their name."""

    columns: Selection
    by: impute.By
    value: float | str | None = None
    indicator: bool = False


class Winsorise(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="winsorise"):
    """Pull outliers in; `factor` is the quantile, the interquartile ranges or the standard deviations."""

    columns: Selection
    by: outliers.By
    factor: Positive | None = None


class RemoveOutliers(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="remove_outliers"):
    """Leave rows with an outlier out of training; when scoring, nothing is left out."""

    columns: Selection
    by: outliers.By
    factor: Positive | None = None


class Scale(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="scale"):
    """Put numbers on one scale."""

    columns: Selection
    by: scale.By


class OneHot(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="one_hot"):
    """Make a column of 0 and 1 of each category."""

    columns: Selection
    drop_first: bool = False


class Ordinal(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="ordinal"):
    """Number the categories of one column in their order."""

    column: str
    order: tuple[str, ...]


class WeightOfEvidence(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="weight_of_evidence"
):
    """Replace values by the evidence of their bin."""

    columns: Selection
    min_share: Annotated[float, msgspec.Meta(ge=0.0, le=0.5)] = 0.05
    monotone: bool = True


class Polynomial(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="polynomial"):
    """Add products of columns."""

    columns: Selection
    degree: Annotated[int, msgspec.Meta(ge=2, le=4)] = 2
    interactions_only: bool = False


class Ratio(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="ratio"):
    """Add columns divided by another."""

    columns: Selection
    by: str


class Project(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="project"):
    """Replace columns by their principal components, or by their linear discriminant."""

    columns: Selection
    by: project.By
    components: Positive | None = None


StepPlan = (
    Impute | Winsorise | RemoveOutliers | Scale | OneHot | Ordinal | WeightOfEvidence | Polynomial | Ratio | Project
)


class LogisticRegression(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="logistic_regression"
):
    """`training.linear_models.fit_logistic_regression`."""

    inverse_penalty: Positive = 1.0


class LinearSvm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="linear_svm"):
    """`training.linear_models.fit_linear_svm`."""

    inverse_penalty: Positive = 1.0


class LinearDiscriminant(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="linear_discriminant"
):
    """`training.linear_models.fit_linear_discriminant`."""


class KernelSvm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="kernel_svm"):
    """`training.kernel_svm.fit_kernel_svm`."""

    inverse_penalty: Positive = 1.0


class RandomForest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="random_forest"):
    """`training.tree_models.fit_random_forest`."""

    trees: Count = 100
    max_depth: Count | None = None
    leaf_rows: Count = 2
    feature_share: Annotated[float, msgspec.Meta(gt=0.0, le=1.0)] = 0.5


class GradientBoosting(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="gradient_boosting"
):
    """`training.tree_models.fit_gradient_boosting`."""

    trees: Count = 200
    leaves: Annotated[int, msgspec.Meta(ge=2)] = 8
    learning_rate: Positive = 0.05


class Lightgbm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="lightgbm"):
    """`training.tree_models.fit_lightgbm`."""

    trees: Count = 200
    leaves: Annotated[int, msgspec.Meta(ge=2)] = 8
    learning_rate: Positive = 0.05


class Xgboost(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="xgboost"):
    """`training.tree_models.fit_xgboost`."""

    trees: Count = 100
    max_depth: Count = 3
    learning_rate: Positive = 0.1


class IsolationForest(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="isolation_forest"
):
    """`training.tree_models.fit_isolation_forest`."""

    trees: Count = 100


class Autoencoder(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="autoencoder"):
    """`training.autoencoder.fit_autoencoder`."""

    hidden: tuple[Count, ...] = (16, 4, 16)
    epochs: Count = 30


class Network(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="network"):
    """`training.network.fit_network`."""

    hidden: tuple[Count, ...] = (64, 32)
    dropout: Annotated[float, msgspec.Meta(ge=0.0, lt=1.0)] = 0.0
    epochs: Count = 20
    members: Count = 3


ModelPlan = (
    LogisticRegression
    | LinearSvm
    | LinearDiscriminant
    | KernelSvm
    | RandomForest
    | GradientBoosting
    | Lightgbm
    | Xgboost
    | IsolationForest
    | Autoencoder
    | Network
)


MODEL_PLANS: Mapping[str, ModelPlan] = {str(one.__struct_config__.tag): one() for one in get_args(ModelPlan)}
"""Each kind of model as it is by default, by name."""


class Fitting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the model is fitted: with classes of equal weight, and calibrated on `calibration_share` of the rows."""

    balance: bool = False
    calibrate: calibration.By | None = None
    calibration_share: Share = 0.2


class Search(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How hyper-parameters are searched around each model, on the rows to train on: `training.table_search`.

    `trials` plans of each model, the recipe's own among them, are compared by the mean `measure` over `folds`, made in
    the manner of the split. With split.by = "time", the rows that lie within `delay` before the rows of a fold, in the
    unit of split.column (seconds, for times), are left out, for their outcome would not have been known.
    """

    trials: Annotated[int, msgspec.Meta(ge=2, le=1000)] = 24
    folds: Annotated[int, msgspec.Meta(ge=2, le=50)] = 3
    delay: Annotated[float, msgspec.Meta(ge=0.0)] = 0.0
    measure: Literal["average_precision", "auc", "loss"] = "average_precision"


class Decision(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What decisions cost, in units of the amount, and how many rows may be flagged.

    An approved event costs its amount times `missed_fraction`, a review `review`, and declining a row that is no event
    `declined_good`. Without a column of amounts each row has the amount 1. `segment` names a column of categories: each
    that has enough rows gets thresholds of its own.
    """

    review: Annotated[float, msgspec.Meta(ge=0.0)] = 0.05
    declined_good: Annotated[float, msgspec.Meta(ge=0.0)] = 0.2
    missed_fraction: Annotated[float, msgspec.Meta(ge=0.0)] = 1.0
    flagged_share: Annotated[float, msgspec.Meta(gt=0.0, le=1.0)] = 1.0
    segment: str | None = None


class Scorecard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The scale of a scorecard: `base_points` at odds of `base_odds` to one against the event.

    Every `points_to_double` more, the odds double.
    """

    base_points: float = 600.0
    base_odds: Positive = 50.0
    points_to_double: Positive = 20.0


class Loss(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is lost when the event comes: `loss_given_default` of the exposure, 0 to 1, the column `exposure`."""

    exposure: str
    loss_given_default: Annotated[float, msgspec.Meta(ge=0.0, le=1.0)] = 0.45


class Recipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A whole recipe. `model` may hold several: they are compared, and the best is bundled."""

    name: Name
    data: Data
    model: tuple[ModelPlan, ...]
    step: tuple[StepPlan, ...] = ()
    split: SplitPlan = SplitPlan()
    fit: Fitting = Fitting()
    search: Search | None = None
    decision: Decision = Decision()
    scorecard: Scorecard | None = None
    loss: Loss | None = None
    seed: int = 0


def read_recipe(path: Path) -> Recipe:
    """Return the recipe in a TOML file; raises RecipeError naming the line of what cannot be used."""
    text, loaded = read_toml(path)
    recipe = converted(path, text, loaded, Recipe)
    _check(recipe, path, text)
    return recipe


def read_toml(path: Path) -> tuple[str, dict[str, Any]]:
    """Return a TOML file's text and what it says; raises RecipeError for what is none."""
    try:
        text = path.read_text(encoding="utf-8")
        return text, tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"{path}: is no TOML: {error}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path}: cannot be read: {error}; give a recipe in TOML") from None


def converted(path: Path, text: str, loaded: dict[str, Any], kind: type[T]) -> T:
    """Return what a TOML file says as a struct; raises RecipeError naming the line of what does not fit it."""
    try:
        return msgspec.convert(loaded, kind, strict=True)
    except msgspec.ValidationError as error:
        message, _, where = str(error).partition(" - at `$")
        field = re.search(r"unknown field `([^`]+)`", message)
        keys = _keys(where.rstrip("`")) + ((field[1],) if field else ())
        raise RecipeError(f"{path}, line {line_of(text, keys)}: {dotted(keys)}: {message}") from None


def _check(recipe: Recipe, path: Path, text: str) -> None:
    """Refuse what the types let through."""

    def refuse(keys: tuple[str | int, ...], what: str) -> None:
        raise RecipeError(f"{path}, line {line_of(text, keys)}: {dotted(keys)}: {what}")

    check_models(recipe.model, recipe.fit, path, text)
    if (recipe.split.by == "time") != (recipe.split.column is not None):
        refuse(("split", "by"), "by = 'time' needs column, the one to order by; by = 'random' has none")
    if recipe.search is not None and recipe.search.delay > 0.0 and recipe.split.by != "time":
        refuse(("search", "delay"), "rows at random have no time; give split.by = 'time', or leave it out")
    for name, (low, high) in recipe.data.ranges.items():
        if not low <= high:
            refuse(("data", "ranges"), f"{name} = [{low}, {high}] is empty; give the least value first")
    if recipe.scorecard is not None and any(not isinstance(one, LogisticRegression) for one in recipe.model):
        refuse(("scorecard",), "points belong to a logistic regression; make it the only model")
    if recipe.scorecard is not None:
        evidence = [isinstance(one, WeightOfEvidence) and one.columns == "all" for one in recipe.step]
        if evidence != [True]:
            refuse(("scorecard",), "points belong to bins; give one step, weight_of_evidence on all columns")
        if recipe.fit.calibrate is not None:
            refuse(("scorecard",), "its points tell the odds as fitted; leave out fit.calibrate")


def check_models(models: tuple[ModelPlan, ...], fitting: Fitting, path: Path, text: str) -> None:
    """Raise RecipeError for models that are none, of one kind twice, or that cannot be fitted so."""
    tags = [one.__struct_config__.tag for one in models]
    for number, one in enumerate(models):
        if tags[number] in tags[:number]:
            what = f"is {tags[number]} again, and models are told apart by their kind; give each once"
            raise RecipeError(f"{path}, line {line_of(text, ('model', number))}: model {number + 1}: {what}")
        if fitting.balance and isinstance(one, LinearDiscriminant | KernelSvm | IsolationForest | Autoencoder):
            what = f"model {number + 1} has no weights; leave it out, or balance nothing"
            raise RecipeError(f"{path}, line {line_of(text, ('fit', 'balance'))}: fit, balance: {what}")
    if not models:
        raise RecipeError(f"{path}, line 1: model: is empty; give at least one [[model]]")


def line_of(text: str, keys: tuple[str | int, ...]) -> int:
    """Return the line, from 1, on which a key of a TOML text stands, or else its table, or else 1.

    Keys are the names of tables, the numbers of tables in arrays, and the key itself.

    >>> line_of("a = 1" + chr(10) + "[[step]]" + chr(10) + "[[step]]" + chr(10) + "by = 2", ("step", 1, "by"))
    4
    """
    best, found = 0, 1
    for number, at in _lines(text):
        same = 0
        while same < min(len(at), len(keys)) and at[same] == keys[same]:
            same += 1
        if same == len(at) and same > best:
            best, found = same, number
    return found


def _lines(text: str) -> Iterator[tuple[int, tuple[str | int, ...]]]:
    """Yield the number of each line that has a header or a key, and the keys that lead to it."""
    table: tuple[str | int, ...] = ()
    counts: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[\[([^\]]+)\]\]", line):
            name = header[1].strip()
            counts[name] = counts.get(name, -1) + 1
            table = (name, counts[name])
            yield number, table
        elif header := re.match(r"\s*\[([^\]]+)\]", line):
            table = tuple(one.strip().strip("\"'") for one in header[1].split("."))
            yield number, table
        elif key := re.match(r"\s*([\w.-]+|\"[^\"]*\"|'[^']*')\s*=", line):
            yield number, (*table, *(one.strip("\"'") for one in key[1].split(".")))


def _keys(where: str) -> tuple[str | int, ...]:
    """Return the keys of a path such as `.step[1].by`; that of a mapping's values, [...], ends it."""
    keys: list[str | int] = []
    for name, number in re.findall(r"\.([\w-]+)|\[(\d+)\]", where):
        keys.append(name or int(number))
    return tuple(keys)


def dotted(keys: tuple[str | int, ...]) -> str:
    """Return keys as people write them.

    >>> dotted(("step", 1, "by"))
    'step 2, by'
    """
    shown = ""
    for key in keys:
        shown += f" {key + 1}" if isinstance(key, int) else (f", {key}" if shown else key)
    return shown or "recipe"
