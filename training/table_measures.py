"""How good the scores of a table's rows are: ranking, probabilities and loss, each with its interval."""

import numpy as np
import numpy.typing as npt

from training.measures import (
    auc,
    average_precision,
    brier,
    calibration_bins,
    calibration_error,
    cuts,
    kolmogorov_smirnov,
    mean,
)

_LEAST = 1e-15


def table_measures(
    score: npt.NDArray[np.float64], target: npt.NDArray[np.bool_], weight: npt.NDArray[np.float64]
) -> dict[str, float]:
    """Return the figures of scores float64[n] for events bool[n], by name; weights float64[n] are 1 but in a bootstrap.

    `loss` is the mean negative log likelihood in nats, `accuracy` that of the more likely class; the others are as
    `training.measures` says.

    >>> found = table_measures(np.array([0.9, 0.2, 0.4]), np.array([True, False, False]), np.ones(3))
    >>> found["accuracy"], found["auc"], round(found["loss"], 4)
    (1.0, 1.0, 0.2798)
    """
    given = np.clip(np.where(target, score, 1.0 - score), _LEAST, 1.0)
    cut = cuts(score, target, weight)
    ranked = auc(cut)
    return {
        "loss": mean(-np.log(given), weight),
        "accuracy": mean(((score >= 0.5) == target).astype(np.float64), weight),
        "auc": ranked,
        "gini": 2.0 * ranked - 1.0,
        "kolmogorov_smirnov": kolmogorov_smirnov(cut),
        "average_precision": average_precision(cut),
        "brier": brier(score, target, weight),
        "calibration_error": calibration_error(score, target, weight, calibration_bins(score)),
    }
