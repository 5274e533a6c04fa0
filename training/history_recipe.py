"""The recipe of a history of transactions: one TOML file in place of the options of `riskstream train`."""

from datetime import date
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from risk.bundle import FEATURES
from risk.manifest import Name
from schemas.currency import CurrencyCode
from training.history import DAY_NS, History, TimeUnit, read_history
from training.recipe import (
    Fitting,
    ModelPlan,
    RecipeError,
    Search,
    StepPlan,
    check_models,
    converted,
    line_of,
    read_toml,
)
from training.time_split import Windows
from training.train import COSTS, FEATURE_SETS, REVIEW_SHARE, Plan

_EPOCH = date(1970, 1, 1)


class HistoryFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file, relative to the recipe, and what its columns are called: `training.history.read_history`."""

    path: str
    map: dict[str, str] = {}
    delay_days: Annotated[int, msgspec.Meta(ge=0)] = 7
    amount_divisor: Annotated[float, msgspec.Meta(ge=1.0)] = 1.0
    time_unit: TimeUnit = "ns"
    time_origin: date = _EPOCH
    currency: CurrencyCode = "EUR"


class Days(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """First and last days, UTC, of what is learnt from and of what is tested on."""

    train_from: date
    train_to: date
    test_from: date
    test_to: date


class Normalisation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How features are put on one scale; with a half-life it adapts to the stream."""

    kind: Literal["zscore", "minmax"] = "zscore"
    half_life_days: Annotated[float, msgspec.Meta(ge=0.01)] | None = None


class Costs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What decisions cost, in the currency, and the share of transactions that may be flagged, or how many a day."""

    review: Annotated[float, msgspec.Meta(ge=0.0)] = COSTS.review
    declined_genuine: Annotated[float, msgspec.Meta(ge=0.0)] = COSTS.declined_genuine
    missed_fraud_fraction: Annotated[float, msgspec.Meta(ge=0.0)] = COSTS.missed_fraud_fraction
    flagged_share: Annotated[float, msgspec.Meta(gt=0.0, le=1.0)] = REVIEW_SHARE
    reviews_per_day: Annotated[int, msgspec.Meta(ge=1)] | None = None


class HistoryRecipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A whole recipe. `features` is "all", "handbook" or names; steps prepare them after the normaliser."""

    name: Name
    history: HistoryFile
    windows: Days
    model: tuple[ModelPlan, ...]
    features: str | tuple[str, ...] = "all"
    normaliser: Normalisation = Normalisation()
    step: tuple[StepPlan, ...] = ()
    fit: Fitting = Fitting()
    search: Search | None = None
    decision: Costs = Costs()
    seed: int = 0


def read_history_recipe(path: Path) -> HistoryRecipe | None:
    """Return the recipe in a TOML file, None if it has no [history].

    Raises RecipeError naming the line of what cannot be used.
    """
    text, loaded = read_toml(path)
    if "history" not in loaded:
        return None
    recipe = converted(path, text, loaded, HistoryRecipe)
    check_models(recipe.model, recipe.fit, path, text)
    for name in _named(recipe):
        if name not in FEATURES:
            raise RecipeError(
                f"{path}, line {line_of(text, ('features',))}: features: {name!r} is none; choose"
                f" {', '.join(FEATURE_SETS)}, or from {', '.join(FEATURES)}"
            )
    return recipe


def recipe_history(recipe: HistoryRecipe, folder: Path) -> History:
    """Return the history that a recipe in a folder names; raises HistoryError as `read_history`."""
    file = recipe.history
    return read_history(
        folder / file.path,
        file.map,
        delay_days=file.delay_days,
        amount_divisor=file.amount_divisor,
        time_unit=file.time_unit,
        time_origin_ns=DAY_NS * (file.time_origin - _EPOCH).days,
    )


def recipe_plan(recipe: HistoryRecipe) -> Plan:
    """Return what a recipe asks of training."""
    days = recipe.windows
    return Plan(
        name=recipe.name,
        windows=Windows(
            train_from=(days.train_from - _EPOCH).days,
            train_to=(days.train_to - _EPOCH).days,
            test_from=(days.test_from - _EPOCH).days,
            test_to=(days.test_to - _EPOCH).days,
            delay_days=recipe.history.delay_days,
        ),
        models=recipe.model,
        features=_named(recipe),
        currency=recipe.history.currency,
        normaliser=recipe.normaliser.kind,
        half_life_days=recipe.normaliser.half_life_days,
        costs=type(COSTS)(
            recipe.decision.review, recipe.decision.declined_genuine, recipe.decision.missed_fraud_fraction
        ),
        review_share=recipe.decision.flagged_share,
        reviews_per_day=recipe.decision.reviews_per_day,
        steps=recipe.step,
        fit=recipe.fit,
        search=recipe.search,
        seed=recipe.seed,
    )


def _named(recipe: HistoryRecipe) -> tuple[str, ...]:
    if not isinstance(recipe.features, str):
        return recipe.features
    return FEATURE_SETS.get(recipe.features, (recipe.features,))
