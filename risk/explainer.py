"""What explains a score, whatever the model: the contributions of its features beside the usual row.

One definition for all. `usual` is the row with every feature at its usual value. A feature's contribution is in units
of the score, and all of a row's add up to `score(row) - score(usual)`. They are attributed to the margin, which is the
log odds (of a forest its score), and then multiplied by the difference of the scores divided by that of the margins:
the link from margin to score bends, and this is the one factor under which nothing of the sum is lost. A feature that
the model does not take, or that is as usual, contributes 0.

How the margin is attributed depends on what the bundle holds:

- `explanation.onnx`, of a linear model: weight times deviation from the usual value, which is the Shapley value. Of a
  network: the rescale rule of DeepLIFT (Shrikumar, Greenside and Kundaje 2017).
- `trees.npz`: Shapley values (`risk.tree_shap`).
- neither: Shapley values estimated from two orders (`risk.permutation_explainer`).
"""

from collections.abc import Mapping
from typing import Protocol

import numpy as np
import numpy.typing as npt

from risk.graph_explainer import GraphExplainer
from risk.permutation_explainer import PermutationExplainer
from risk.scorer import Scorer
from risk.tree_shap import tree_explainer
from risk.trees import read_trees

EXPLANATION_FILE = "explanation.onnx"
TREES_FILE = "trees.npz"


class Explainer(Protocol):
    """Gives the contributions of features to scores."""

    def contributions(
        self, normalised: npt.NDArray[np.float64], usual: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:
        """Return float64[n, F] for normalised rows and usual rows, float64[n, F] each; a row's do not depend on n."""


def explainer_of(files: Mapping[str, bytes], scorer: Scorer) -> Explainer:
    """Return what explains the scorer, made of a bundle's files by name.

    Raises ValueError for a file that cannot be read or is made for another number of features.
    """
    if EXPLANATION_FILE in files:
        graph = GraphExplainer(files[EXPLANATION_FILE])
        _check_width(graph.feature_count, scorer)
        return graph
    if TREES_FILE in files:
        trees = read_trees(files[TREES_FILE])
        _check_width(trees.feature_count, scorer)
        return tree_explainer(trees)
    return PermutationExplainer(scorer)


def _check_width(width: int, scorer: Scorer) -> None:
    if width != scorer.feature_count:
        raise ValueError(f"made for {width} features, the model takes {scorer.feature_count}: train again")
