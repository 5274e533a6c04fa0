"""The parity gate for tables: the whole graph against its steps and the classifier's own library."""

import numpy as np
import numpy.typing as npt

from risk.scorer import Scorer
from risk.table_columns import UNKNOWN
from training.parity import PARITY_ROWS, Parity, allowed_difference, check_parity, parity_of, stretched
from training.steps.step import run_steps
from training.table_fit import FittedTable


def check_table_export(
    fitted: FittedTable, model: bytes, matrix: npt.NDArray[np.float64], *, seed: int, rows: int = PARITY_ROWS
) -> Parity:
    """Compare the export `model` with what was fitted, on rows made of encoded ones float64[n, C].

    Raises ParityError, with the worst row, when a probability differs by more than the model's tolerance; a calibration
    may stretch the difference by its slope.
    """
    tried = parity_table(fitted, matrix, rows, seed=seed)
    prepared = run_steps(fitted.steps, tried)
    expected = fitted.classifier.probability(prepared)
    allowed = allowed_difference(fitted.classifier.model, prepared)
    if fitted.calibration is not None:
        low, high = (fitted.calibration.apply(np.clip(expected + sign * allowed, 0.0, 1.0)) for sign in (-1.0, 1.0))
        expected = fitted.calibration.apply(expected)
        allowed = np.maximum(allowed, np.maximum(high - expected, expected - low))
    served = Scorer(model).score(tried)
    check_parity(expected, served, tried, [column.name for column in fitted.columns], allowed)
    return parity_of(expected, served, prepared)


def parity_table(
    fitted: FittedTable, matrix: npt.NDArray[np.float64], rows: int, *, seed: int
) -> npt.NDArray[np.float64]:
    """Return rows to compare on, float64[rows, C]: a third each untouched, with gaps and unknowns, and with extremes.

    Nothing is missing where a column is required: such a row is refused before it is scored.
    """
    random = np.random.default_rng(seed)
    drawn = matrix[random.integers(len(matrix), size=rows)].copy()
    categorical = np.array([column.categories is not None for column in fitted.columns])
    required = np.array(fitted.required)
    gaps, extremes = drawn[rows // 3 : 2 * rows // 3], drawn[2 * rows // 3 :]
    gaps[(random.random(gaps.shape) < 0.1) & ~required] = np.nan
    gaps[(random.random(gaps.shape) < 0.1) & categorical] = UNKNOWN
    extremes[:, ~categorical] = stretched(extremes, random)[:, ~categorical]
    numbers = np.flatnonzero(~categorical)
    if len(numbers):
        infinite = np.arange(0, len(extremes), 50)
        extremes[infinite, random.choice(numbers, size=len(infinite))] = random.choice(
            [-np.inf, np.inf], size=len(infinite)
        )
    return drawn
