"""Contributions to the score of trees are Shapley values."""

import math
from typing import get_args

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from risk.tree_shap import tree_explainer
from risk.trees import Link, Trees
from tests.random_trees import margin, random_trees
from tests.shapley import shapley_values

WIDTH = 5
LINKS: tuple[Link, ...] = get_args(Link)


def rows_of(seed: int, count: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return rows and references on a coarse grid, so that they share values and meet thresholds."""
    random = np.random.default_rng(seed)
    return random.integers(-3, 4, (count, WIDTH)) / 2.0, random.integers(-3, 4, (count, WIDTH)) / 2.0


def score(trees: Trees, row: npt.NDArray[np.float64]) -> float:
    """Return the score of one row."""
    found = margin(trees, row)
    return {"identity": found, "logistic": 1.0 / (1.0 + math.exp(-found)), "isolation": math.exp2(-found)}[trees.link]


@settings(max_examples=40)
@given(seed=st.integers(0, 10**6), depth=st.integers(0, 7), link=st.sampled_from(LINKS))
def test_contributions_are_shapley_values_of_the_margin(seed: int, depth: int, link: Link) -> None:
    """They equal the sum over all coalitions, brought to the scale of the score by one factor."""
    trees = random_trees(seed, features=WIDTH, trees=3, depth=depth, link=link)
    rows, references = rows_of(seed, 3)
    found = tree_explainer(trees).contributions(rows, references)
    for row, reference, contributions in zip(rows, references, found, strict=True):
        expected = shapley_values(lambda one: margin(trees, one), row, reference)
        difference = margin(trees, row) - margin(trees, reference)
        slope = (score(trees, row) - score(trees, reference)) / difference if abs(difference) > 1e-9 else 0.0
        if slope or difference == 0.0:
            np.testing.assert_allclose(contributions, expected * slope, rtol=0, atol=1e-12)


@given(seed=st.integers(0, 10**6), link=st.sampled_from(LINKS))
def test_contributions_add_up_to_the_difference_of_scores(seed: int, link: Link) -> None:
    """Their sum is the score less that of the reference; a feature that is the same on both sides has none."""
    trees = random_trees(seed, features=WIDTH, trees=10, depth=8, link=link)
    rows, references = rows_of(seed, 20)
    found = tree_explainer(trees).contributions(rows, references)
    differences = [score(trees, row) - score(trees, other) for row, other in zip(rows, references, strict=True)]
    np.testing.assert_allclose(found.sum(axis=1), differences, rtol=0, atol=1e-12)
    assert np.all(found[rows == references] == 0.0)


def test_a_feature_without_a_node_has_no_contribution() -> None:
    """A dummy gets exactly 0."""
    trees = random_trees(3, features=WIDTH - 1, trees=10, depth=6, link="logistic")
    wider = Trees(
        **{name: getattr(trees, name) for name in Trees.__dataclass_fields__ if name != "feature_count"},
        feature_count=WIDTH,
    )
    found = tree_explainer(wider).contributions(*rows_of(1, 50))
    assert np.all(found[:, -1] == 0.0)
    assert np.any(found[:, :-1] != 0.0)


@given(cut=st.integers(0, 60))
def test_contributions_do_not_depend_on_the_batch(cut: int) -> None:
    """Rows explained in two batches have the very bits of one."""
    explainer = tree_explainer(random_trees(9, features=WIDTH, trees=20, depth=8, link="logistic"))
    rows, references = rows_of(2, 60)
    parts = [explainer.contributions(rows[at], references[at]) for at in (slice(cut), slice(cut, 60))]
    assert np.concatenate(parts).tobytes() == explainer.contributions(rows, references).tobytes()


@pytest.mark.parametrize("threshold", [0.1, 0.5])
def test_rows_take_branches_in_float32(threshold: float) -> None:
    """A double a little above a threshold, but equal to it in float32, goes left as it is served."""
    trees = Trees(
        roots=np.array([0]),
        feature=np.array([0, -1, -1]),
        threshold=np.array([threshold, 0.0, 0.0], dtype=np.float32),
        left=np.array([1, 0, 0]),
        right=np.array([2, 0, 0]),
        value=np.array([0.0, 0.0, 1.0]),
        offset=0.0,
        link="identity",
        feature_count=1,
    )
    above = float(np.float32(threshold)) + 1e-12
    found = tree_explainer(trees).contributions(np.array([[above], [above + 1e-3]]), np.full((2, 1), -1.0))
    assert found.tolist() == [[0.0], [1.0]]
