"""What is told of a column of numbers: quantiles, moments, outliers and a histogram, all over its finite values."""

import msgspec
import numpy as np

from training.coded_column import CodedColumn, Counts
from training.table import Numbers

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
_FENCE = 1.5
_Z = 3.0
_BINS = 24


class Histogram(msgspec.Struct, frozen=True):
    """Counts of bins of equal width from `low` to `high`; what lies outside counts to the first and the last bin."""

    low: float
    high: float
    counts: tuple[int, ...]


class NumberFigures(msgspec.Struct, frozen=True):
    """Figures of a column's finite values, and how many are not finite.

    `quantiles` are those of QUANTILES, interpolated as numpy does. `standard_deviation` divides by n - 1; it and
    `skewness` are None where they are undefined. `fence_outliers` lie more than 1.5 times the distance between the
    quartiles beyond them (Tukey 1977), `z_outliers` more than three standard deviations from the mean.
    """

    infinite: int
    min: float
    quantiles: tuple[float, ...]
    max: float
    mean: float
    standard_deviation: float | None
    skewness: float | None
    fence_outliers: int
    z_outliers: int
    histogram: Histogram


def number_figures(coded: CodedColumn) -> NumberFigures | None:
    """Return the figures of a column of numbers, None if no value is finite.

    >>> from training.coded_column import code_column
    >>> found = number_figures(code_column(np.array([1.0, 2.0, 3.0, np.nan, np.inf])))
    >>> found.mean, found.standard_deviation, found.skewness, found.infinite
    (2.0, 1.0, 0.0, 1)
    """
    all_values = np.asarray(coded.values, dtype=np.float64)
    finite = np.isfinite(all_values)
    values, counts = all_values[finite], coded.counts[finite]
    if not len(values):
        return None
    # Within -1 to 1 no square or cube overflows; by a power of 2 no digit is lost.
    power = int(np.frexp(np.abs(values).max())[1])
    scaled = np.ldexp(values, -power)
    rows = int(counts.sum())
    ascending = np.repeat(scaled, counts)
    cuts = np.quantile(ascending, QUANTILES)
    mean = float(np.sum(scaled * counts)) / rows
    away = scaled - mean
    variance = float(np.sum(away**2 * counts)) / rows
    deviation, skewness = None, None
    if rows > 1:
        deviation = float(np.sqrt(variance * rows / (rows - 1))) if len(values) > 1 else 0.0
    # Two values that differ in the last digit alone have no shape that rounding would leave.
    if len(values) > 1 and variance > 1e-24:
        skewness = float(np.sum(away**3 * counts)) / rows / variance**1.5
    low_quartile, high_quartile = cuts[QUANTILES.index(0.25)], cuts[QUANTILES.index(0.75)]
    reach = _FENCE * (high_quartile - low_quartile)
    beyond = (scaled < low_quartile - reach) | (scaled > high_quartile + reach)
    return NumberFigures(
        infinite=coded.known - rows,
        min=float(values[0]),
        # Rounding may leave the range by a digit.
        quantiles=tuple(np.clip(np.ldexp(cuts, power), values[0], values[-1]).tolist()),
        max=float(values[-1]),
        mean=float(np.ldexp(mean, power)),
        standard_deviation=None if deviation is None else float(np.ldexp(deviation, power)),
        skewness=skewness,
        fence_outliers=int(counts[beyond].sum()),
        z_outliers=int(counts[np.abs(away) > _Z * deviation].sum()) if deviation else 0,
        histogram=_histogram(scaled, counts, power, float(cuts[0]), float(cuts[-1])),
    )


def _histogram(scaled: Numbers, counts: Counts, power: int, low: float, high: float) -> Histogram:
    # From the 1st to the 99th percentile, so that one far value does not squeeze the rest into a single bin.
    if not high > low:
        low, high = float(scaled[0]), float(scaled[-1])
    bins = _BINS if high > low else 1
    place = np.zeros(len(scaled), dtype=np.int64)
    if bins > 1:
        place = np.clip((scaled - low) / (high - low) * bins, 0, bins - 1).astype(np.int64)
    found = np.bincount(place, weights=counts, minlength=bins).astype(np.int64)
    return Histogram(float(np.ldexp(low, power)), float(np.ldexp(high, power)), tuple(found.tolist()))
