"""The parity gate for tables: the whole graph against its steps and the classifier's own library."""

import numpy as np
import numpy.typing as npt

from risk.scorer import Scorer
from risk.table_columns import UNKNOWN
from training.parity import PARITY_ROWS, TOLERANCES, Parity, check_parity
from training.steps.step import run_step
from training.table_fit import FittedTable


def check_table_export(
    fitted: FittedTable, model: bytes, matrix: npt.NDArray[np.float64], *, seed: int, rows: int = PARITY_ROWS
) -> Parity:
    """Compare the export `model` with what was fitted, on rows made of encoded ones float64[n, C].

    Raises ParityError, with the worst row, when a probability differs by more than the model's tolerance; a calibration
    may stretch the difference by its slope.
    """
    tried = parity_table(fitted, matrix, rows, seed=seed)
    prepared = tried
    for step in fitted.steps:
        prepared = run_step(step, prepared)
    expected = fitted.classifier.probability(prepared)
    tolerance = TOLERANCES[fitted.classifier.model]
    magnitude = np.max(np.abs(prepared), axis=1)
    allowed = np.clip(tolerance.unit * magnitude, tolerance.unit, tolerance.extreme)
    if fitted.calibration is not None:
        low, high = (fitted.calibration.apply(np.clip(expected + sign * allowed, 0.0, 1.0)) for sign in (-1.0, 1.0))
        expected = fitted.calibration.apply(expected)
        allowed = np.maximum(allowed, np.maximum(high - expected, expected - low))
    served = Scorer(model).score(tried)
    check_parity(expected, served, tried, [column.name for column in fitted.columns], allowed)
    difference = np.abs(expected - served)
    return Parity(rows, float(difference[magnitude <= 10.0].max(initial=0.0)), float(difference.max()))


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
    factor = 10.0 ** random.uniform(-3.0, 9.0, extremes.shape) * random.choice([-1.0, 1.0], extremes.shape)
    extremes *= np.where((random.random(extremes.shape) < 0.25) & ~categorical, factor, 1.0)
    numbers = np.flatnonzero(~categorical)
    if len(numbers):
        infinite = np.arange(0, len(extremes), 50)
        extremes[infinite, random.choice(numbers, size=len(infinite))] = random.choice(
            [-np.inf, np.inf], size=len(infinite)
        )
    return drawn
