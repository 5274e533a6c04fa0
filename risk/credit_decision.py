"""Decides on applications: what a table bundle's score means for each, and why."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from risk.credit_reasons import contribution_reasons, points_reasons
from risk.decision import APPROVE, decide_at
from risk.scorecard import points
from risk.segments import row_thresholds
from risk.table_bundle import TableBundle
from schemas.decision_reason import DecisionReason


@dataclass(frozen=True, slots=True)
class CreditDecisions:
    """Decisions, row by row: `probability`, `threshold` float64[n], `outcome` uint8[n], an index of OUTCOMES.

    `points` int64[n] is None without a scorecard; `expected_loss` float64[n], in the currency of the exposure, is None
    without loss terms and NaN where the exposure is missing. An approval has no reasons.
    """

    probability: npt.NDArray[np.float64]
    points: npt.NDArray[np.int64] | None
    outcome: npt.NDArray[np.uint8]
    expected_loss: npt.NDArray[np.float64] | None
    threshold: npt.NDArray[np.float64]
    reasons: list[tuple[DecisionReason, ...]]

    def points_of(self, at: int) -> int | None:
        """Return a row's points, None where there are none."""
        return None if self.points is None else int(self.points[at])

    def expected_loss_of(self, at: int) -> float | None:
        """Return a row's expected loss, None where it is not known."""
        if self.expected_loss is None or np.isnan(self.expected_loss[at]):
            return None
        return float(self.expected_loss[at])


def decide_applications(bundle: TableBundle, matrix: npt.NDArray[np.float64]) -> CreditDecisions:
    """Return the decisions on encoded rows, float64[n, C], n >= 0; a row's has the same bits in any batch.

    Raises FloatingPointError as `Scorer.score` does.
    """
    probability = bundle.scorer.score(matrix)
    manifest = bundle.manifest
    review, decline = row_thresholds(manifest.thresholds, manifest.segments, manifest.columns, matrix)
    outcome = decide_at(probability, review, decline)
    card = bundle.scorecard
    given = None if card is None else points(card, matrix)
    worse = np.flatnonzero(outcome != APPROVE)
    if card is None or given is None:
        found = contribution_reasons(bundle, matrix[worse])
    else:
        found = points_reasons(bundle, card, matrix[worse], given[worse])
    reasons: list[tuple[DecisionReason, ...]] = [()] * len(matrix)
    for at, one in zip(worse.tolist(), found, strict=True):
        reasons[at] = one
    return CreditDecisions(
        probability=probability,
        points=None if given is None else given.sum(axis=1),
        outcome=outcome,
        expected_loss=bundle.expected_loss(matrix, probability),
        threshold=np.choose(outcome, [np.zeros(len(matrix)), review, decline]),
        reasons=reasons,
    )
