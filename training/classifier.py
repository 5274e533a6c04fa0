"""A fitted classifier of fraud, and what it may be fitted to.

Every fit is a function of its arguments alone, the seed included: the same machine and library versions give the
same parameters again.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from risk.manifest import Model

_PREDICT_ROWS = 8192
_SINGLE: frozenset[Model] = frozenset(["gradient_boosting", "lightgbm", "xgboost"])
"""Models that are fitted to features in float32, as they are served."""

_KERAS: frozenset[Model] = frozenset(["autoencoder", "network"])


@dataclass(frozen=True, slots=True)
class Classifier:
    """A fitted classifier: which model it is, and the estimator of its library.

    `estimator` has scikit-learn's `predict_proba`; for the network and the autoencoder it is a Keras model, for the
    isolation forest scikit-learn's. `log_odds_shift` is added to the log odds: it corrects for rows left out of the
    fit, and is the unit of the autoencoder's error.
    """

    model: Model
    estimator: Any
    log_odds_shift: float = 0.0

    @property
    def feature_count(self) -> int:
        """The number of features that it takes."""
        return int(self.estimator.input_shape[1] if self.model in _KERAS else self.estimator.n_features_in_)

    def probability(self, normalised: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the probability of fraud, float64[n], by the estimator itself, for features float64[n, F].

        The isolation forest and the autoencoder, which have seen no label, give an anomaly score in 0 to 1.
        """
        if self.model == "network":
            given = self.estimator.predict(normalised.astype(np.float32), batch_size=_PREDICT_ROWS, verbose=0)
            return np.asarray(given[:, 0], dtype=np.float64)
        if self.model == "autoencoder":
            made = self.estimator.predict(normalised.astype(np.float32), batch_size=_PREDICT_ROWS, verbose=0)
            error = np.mean((normalised - np.asarray(made, dtype=np.float64)) ** 2, axis=1)
            return np.asarray(error / (error + np.exp(-self.log_odds_shift)), dtype=np.float64)
        if self.model == "isolation_forest":
            return np.asarray(-self.estimator.score_samples(normalised), dtype=np.float64)
        if self.model in _SINGLE:
            normalised = in_single(normalised)
        given = np.asarray(self.estimator.predict_proba(normalised)[:, 1], dtype=np.float64)
        if self.log_odds_shift == 0.0:
            return given
        odds = np.divide(given, 1.0 - given, out=np.full(len(given), np.inf), where=given < 1.0)
        odds = np.maximum(odds, np.finfo(np.float64).tiny)
        return np.asarray(1.0 / (1.0 + np.exp(-self.log_odds_shift) / odds), dtype=np.float64)


def in_single(normalised: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return features rounded to float32, in which trees are served: fitted to others, they would branch otherwise."""
    return normalised.astype(np.float32).astype(np.float64)


def check_rows(normalised: npt.NDArray[np.float64], fraud: npt.NDArray[np.bool_]) -> None:
    """Refuse what an estimator would take and get wrong: above all NaN, with which a forest exports silently wrong."""
    if not np.isfinite(normalised).all():
        row, column = (int(one) for one in np.argwhere(~np.isfinite(normalised))[0])
        raise ValueError(
            f"normalised feature {column} of row {row} is {normalised[row, column]}: normalise the features first"
        )
    if len(normalised) != len(fraud):
        raise ValueError(f"{len(normalised)} rows of features, {len(fraud)} labels: give one label a row")
    if not 0 < int(fraud.sum()) < len(fraud):
        raise ValueError(f"{int(fraud.sum())} frauds in {len(fraud)} rows: both classes must occur")
