"""The candidates of a search are plans that a recipe could hold, the same for the same seed."""

from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training import recipe as plans
from training.recipe import ModelPlan
from training.search_space import candidates, plan_text

MODELS: tuple[ModelPlan, ...] = tuple(one() for one in get_args(ModelPlan))


@given(plan=st.sampled_from(MODELS), trials=st.integers(1, 40), seed=st.integers(0, 2**32))
def test_candidates_are_plans_of_the_kind(plan: ModelPlan, trials: int, seed: int) -> None:
    """The recipe's own plan comes first, none comes twice, and each could be read from a recipe."""
    found = candidates(plan, trials, seed=seed)
    assert found[0] == plan
    assert len(found) == len(set(found)) == len({plan_text(one) for one in found}) <= trials
    for one in found:
        assert type(one) is type(plan)
        assert msgspec.convert(msgspec.to_builtins(one), ModelPlan, strict=True) == one


@given(plan=st.sampled_from(MODELS), seed=st.integers(0, 2**32))
def test_more_trials_add_to_fewer(plan: ModelPlan, seed: int) -> None:
    """The same seed draws the same plans, whatever their number, and another seed other ones."""
    few, many = candidates(plan, 8, seed=seed), candidates(plan, 16, seed=seed)
    assert many[: len(few)] == few
    if len(few) > 1:
        assert candidates(plan, 8, seed=seed + 1) != few


@pytest.mark.parametrize("plan", [one for one in MODELS if not isinstance(one, plans.LinearDiscriminant)])
def test_every_setting_is_searched(plan: ModelPlan) -> None:
    """Each number of a plan has many values, but that of a forest's trees and of a network's members, which stay."""
    kept = {("trees", plans.RandomForest), ("members", plans.Network)}
    drawn = [msgspec.structs.asdict(one) for one in candidates(plan, 200, seed=1)]
    for name in drawn[0]:
        values = {one[name] for one in drawn}
        assert len(values) == 1 if (name, type(plan)) in kept else len(values) > 4


def test_no_penalty_is_searched_from_one() -> None:
    """An infinite inverse penalty, which nothing can be multiplied with, gives finite draws."""
    own, *drawn = candidates(plans.LogisticRegression(inverse_penalty=float("inf")), 20, seed=0)
    assert own == plans.LogisticRegression(inverse_penalty=float("inf"))
    assert all(isinstance(one, plans.LogisticRegression) and 1e-3 <= one.inverse_penalty <= 1e3 for one in drawn)
