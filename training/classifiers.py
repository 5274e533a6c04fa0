"""The four classifiers of fraud, each fitted to normalised features and asked for a probability.

Every fit is a function of its arguments alone, the seed included: the same machine and library versions give the
same parameters again.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from risk.manifest import Model

NETWORK_MAX_EPOCHS = 100
NETWORK_BATCH_ROWS = 32
NETWORK_PATIENCE_EPOCHS = 8
_VALIDATION_FRACTION = 0.2
_PREDICT_ROWS = 8192


@dataclass(frozen=True, slots=True)
class Classifier:
    """A fitted classifier: which model it is, and the estimator of its library.

    `estimator` is a scikit-learn classifier with `predict_proba`, or for the network a Keras model.
    """

    model: Model
    estimator: Any

    def probability(self, normalised: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the probability of fraud, float64[n], by the estimator itself, for features float64[n, F]."""
        if self.model == "network":
            given = self.estimator.predict(normalised.astype(np.float32), batch_size=_PREDICT_ROWS, verbose=0)
            return np.asarray(given[:, 0], dtype=np.float64)
        return np.asarray(self.estimator.predict_proba(normalised)[:, 1], dtype=np.float64)


def fit_logistic_regression(
    normalised: npt.NDArray[np.float64], fraud: npt.NDArray[np.bool_], *, seed: int
) -> Classifier:
    """Fit a logistic regression with an L2 penalty of C = 1.

    `normalised` float64[n, F] and `fraud` bool[n]; raises ValueError for features that are not finite, and unless
    both classes occur.

    >>> rows = np.linspace(-1.0, 1.0, 50)[:, None]
    >>> classifier = fit_logistic_regression(rows, rows[:, 0] > 0.2, seed=0)
    >>> bool(classifier.probability(rows)[-1] > 0.5)
    True
    """
    _check(normalised, fraud)
    estimator = LogisticRegression(max_iter=1000, random_state=seed)
    return Classifier("logistic_regression", estimator.fit(normalised, fraud))


def fit_linear_svm(normalised: npt.NDArray[np.float64], fraud: npt.NDArray[np.bool_], *, seed: int) -> Classifier:
    """Fit a linear support vector machine (squared hinge, C = 1) and make its margin a probability.

    The margin is calibrated by Platt's sigmoid (Platt 1999, "Probabilistic outputs for support vector machines"),
    fitted to margins that five cross-validation fits give for rows they were not fitted to. Arguments and errors as
    for `fit_logistic_regression`; each class must occur five times.
    """
    _check(normalised, fraud)
    margin = LinearSVC(dual=False, max_iter=5000, random_state=seed)
    estimator = CalibratedClassifierCV(margin, method="sigmoid", cv=5, ensemble=False)
    return Classifier("linear_svm", estimator.fit(normalised, fraud))


def fit_random_forest(
    normalised: npt.NDArray[np.float64],
    fraud: npt.NDArray[np.bool_],
    *,
    seed: int,
    trees: int = 100,
    max_depth: int | None = 20,
) -> Classifier:
    """Fit a random forest (Breiman 2001) on both processors' worth of threads; arguments as for the others."""
    _check(normalised, fraud)
    estimator = RandomForestClassifier(n_estimators=trees, max_depth=max_depth, random_state=seed, n_jobs=-1)
    return Classifier("random_forest", estimator.fit(normalised, fraud))


def fit_network(
    normalised: npt.NDArray[np.float64],
    fraud: npt.NDArray[np.bool_],
    *,
    seed: int,
    max_epochs: int = NETWORK_MAX_EPOCHS,
    on_epoch: Callable[[int, float], None] = lambda epoch, loss: None,
) -> Classifier:
    """Fit a network Dense 64 relu, Dense 32 relu, Dense 1 sigmoid: Adam, binary cross-entropy, batches of 32.

    Rows are in order of time: the last fifth of them is held out, and fitting stops when its loss has not improved
    for 8 epochs, at the latest after `max_epochs`; the best epoch's weights are kept. `on_epoch` is told the number
    of each epoch done, from 1, and the loss on the rows held out. Seeds Keras and TensorFlow for the whole process.

    Raises ImportError where TensorFlow is absent (extra `network`); other arguments and errors as for the others.
    """
    _check(normalised, fraud)
    # Importing TensorFlow costs 10 s of processor time, which only those who fit a network shall pay.
    # TensorFlow heeds these only before it loads: the one silences its talk of processor instructions, the other keeps
    # the order of its sums the same on every processor.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    # Named, so that an export has the same bytes however many networks the process has made before.
    network = keras.Sequential(
        [
            keras.layers.Input((normalised.shape[1],), name="normalised"),
            keras.layers.Dense(64, activation="relu", name="first"),
            keras.layers.Dense(32, activation="relu", name="second"),
            keras.layers.Dense(1, activation="sigmoid", name="probability"),
        ],
        name="network",
    )
    network.compile(optimizer="adam", loss="binary_crossentropy")
    network.fit(
        normalised.astype(np.float32),
        fraud.astype(np.float32),
        batch_size=NETWORK_BATCH_ROWS,
        epochs=max_epochs,
        validation_split=_VALIDATION_FRACTION,
        verbose=0,
        callbacks=[
            keras.callbacks.EarlyStopping(patience=NETWORK_PATIENCE_EPOCHS, restore_best_weights=True),
            keras.callbacks.LambdaCallback(
                on_epoch_end=lambda epoch, logs: on_epoch(epoch + 1, float(logs["val_loss"]))
            ),
        ],
    )
    return Classifier("network", network)


def _check(normalised: npt.NDArray[np.float64], fraud: npt.NDArray[np.bool_]) -> None:
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
