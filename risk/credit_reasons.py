"""Says why an application is decided no better: by points that were lost, or by what raised the probability."""

import re

import numpy as np
import numpy.typing as npt

from risk.permutation_explainer import PermutationExplainer
from risk.scorecard import Scorecard, points_lost
from risk.table_bundle import TableBundle
from risk.table_columns import value_text
from schemas.decision_reason import DecisionReason

MAX_REASONS = 4

_EXPLAINED_ROWS = 65_536
"""How many rows are scored at once to explain: it bounds the memory, not what comes out."""


def reason_code(column: str) -> str:
    """Return the code of a column as a reason.

    >>> reason_code("credit.amount in DM")
    'CREDIT_AMOUNT_IN_DM'
    """
    return re.sub(r"\W+", "_", column).upper()


def points_reasons(
    bundle: TableBundle, card: Scorecard, matrix: npt.NDArray[np.float64], given: npt.NDArray[np.int64]
) -> list[tuple[DecisionReason, ...]]:
    """Return for each row the columns that lost the most points, at most MAX_REASONS, the most first.

    `matrix` is encoded rows float64[n, C], and `given` their points int64[n, C]. Columns that lost as much as another
    come in the order of the bundle. Siddiqi (2006), "Credit risk scorecards", chapter 6, on adverse codes.
    """
    lost = points_lost(card, given)
    return [
        tuple(
            DecisionReason(
                code=reason_code(bundle.manifest.columns[at].name),
                column=bundle.manifest.columns[at].name,
                value=value_text(bundle.manifest.columns[at], float(matrix[row, at])),
                points=int(given[row, at]),
                best_points=int(given[row, at] + lost[row, at]),
            )
            for at in _greatest(lost[row])
        )
        for row in range(len(matrix))
    ]


def contribution_reasons(bundle: TableBundle, matrix: npt.NDArray[np.float64]) -> list[tuple[DecisionReason, ...]]:
    """Return for each row the columns that raised its probability most, at most MAX_REASONS, the most first.

    `matrix` is encoded rows float64[n, C]. The contributions of all columns add up to the difference to the score of
    the bundle's usual row (`risk.permutation_explainer`).
    """
    usual = np.array(bundle.manifest.usual_values)
    explainer = PermutationExplainer(bundle.scorer)
    # Each row is explained by two orders of its columns, one score for each step.
    step = max(1, _EXPLAINED_ROWS // (2 * len(usual) + 2))
    reasons = []
    for first in range(0, len(matrix), step):
        rows = matrix[first : first + step]
        for row, contributions in zip(rows, explainer.contributions(rows, np.tile(usual, (len(rows), 1))), strict=True):
            reasons.append(
                tuple(
                    DecisionReason(
                        code=reason_code(bundle.manifest.columns[at].name),
                        column=bundle.manifest.columns[at].name,
                        value=value_text(bundle.manifest.columns[at], float(row[at])),
                        usual_value=value_text(bundle.manifest.columns[at], float(usual[at])),
                        contribution=float(contributions[at]),
                    )
                    for at in _greatest(contributions)
                )
            )
    return reasons


def _greatest(values: npt.NDArray[np.int64] | npt.NDArray[np.float64]) -> list[int]:
    """Return where the greatest values above 0 are, the greatest first."""
    order = np.argsort(-values, kind="stable")[:MAX_REASONS]
    return [int(at) for at in order if values[at] > 0]
