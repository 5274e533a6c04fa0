"""What a search may try in place of a model's plan: seeded draws around it."""

import msgspec
import numpy as np

from training import recipe as plans
from training.recipe import ModelPlan

_DEPTHS = (None, 4, 6, 8, 12, 16)


def candidates(plan: ModelPlan, trials: int, *, seed: int) -> tuple[ModelPlan, ...]:
    """Return at most `trials` plans of one kind of model: first the plan itself, then draws around it.

    Each draw is a function of the plan, the seed and its own number, so that more trials only add to fewer. Draws that
    repeat an earlier plan are left out: a model without hyper-parameters has one candidate.

    >>> [type(one).__name__ for one in candidates(plans.LinearDiscriminant(), 5, seed=0)]
    ['LinearDiscriminant']
    >>> len(candidates(plans.Xgboost(), 5, seed=0))
    5
    """
    drawn = (draw_plan(plan, np.random.default_rng([seed, number])) for number in range(1, trials))
    return tuple(dict.fromkeys((plan, *drawn)))


def draw_plan(plan: ModelPlan, random: np.random.Generator) -> ModelPlan:
    """Return a plan near another: numbers are multiplied or divided by up to some factor, evenly by their logarithm.

    Penalties move by up to 1,000, or from 1 where there is none; learning rates and trees of boosting by 4, the rows of
    a leaf by 16, widths and epochs by 2. A forest keeps its number of trees, and a network that of its
    members: more are never worse, and what they may cost is not for a search to say.
    """
    match plan:
        case plans.LogisticRegression() | plans.LinearSvm() | plans.KernelSvm():
            base = plan.inverse_penalty if np.isfinite(plan.inverse_penalty) else 1.0
            return msgspec.structs.replace(plan, inverse_penalty=_times(base, 1000.0, random))
        case plans.LinearDiscriminant():
            return plan
        case plans.RandomForest():
            return msgspec.structs.replace(
                plan,
                max_depth=_DEPTHS[random.integers(len(_DEPTHS))],
                leaf_rows=_count(plan.leaf_rows, 16.0, random),
                feature_share=_rounded(random.uniform(0.1, 1.0)),
            )
        case plans.GradientBoosting() | plans.Lightgbm():
            return msgspec.structs.replace(
                plan,
                trees=_count(plan.trees, 4.0, random),
                leaves=max(2, _count(plan.leaves, 4.0, random)),
                learning_rate=min(1.0, _times(plan.learning_rate, 4.0, random)),
            )
        case plans.Xgboost():
            return msgspec.structs.replace(
                plan,
                trees=_count(plan.trees, 4.0, random),
                max_depth=_count(plan.max_depth, 2.0, random),
                learning_rate=min(1.0, _times(plan.learning_rate, 4.0, random)),
            )
        case plans.IsolationForest():
            return msgspec.structs.replace(plan, trees=_count(plan.trees, 4.0, random))
        case plans.Autoencoder():
            factor = _times(1.0, 2.0, random)
            return msgspec.structs.replace(
                plan, hidden=_widths(plan.hidden, factor), epochs=_count(plan.epochs, 2.0, random)
            )
        case plans.Network():
            factor = _times(1.0, 2.0, random)
            return msgspec.structs.replace(
                plan,
                hidden=_widths(plan.hidden, factor),
                dropout=_rounded(random.uniform(0.0, 0.5)),
                epochs=_count(plan.epochs, 2.0, random),
            )


def plan_text(plan: ModelPlan) -> str:
    """Return a plan as people read it; two plans of one kind have one text only if they are equal.

    >>> plan_text(plans.Xgboost(trees=40))
    'xgboost(trees=40, max_depth=3, learning_rate=0.1)'
    """
    settings = ", ".join(f"{name}={value!r}" for name, value in msgspec.structs.asdict(plan).items())
    return f"{plan.__struct_config__.tag}({settings})"


def _times(base: float, factor: float, random: np.random.Generator) -> float:
    return _rounded(base * factor ** random.uniform(-1.0, 1.0))


def _count(base: int, factor: float, random: np.random.Generator) -> int:
    return max(1, round(_times(base, factor, random)))


def _widths(hidden: tuple[int, ...], factor: float) -> tuple[int, ...]:
    return tuple(max(1, round(units * factor)) for units in hidden)


def _rounded(value: float) -> float:
    """Return three digits of a number: more would only make a plan hard to copy."""
    return float(f"{value:.3g}")
