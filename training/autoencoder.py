"""The autoencoder, for data without labels: what it cannot make again is unlike anything that it has seen."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from training.classifier import Classifier, check_rows
from training.keras_backend import load_keras

EPOCHS = 30
_BATCH_ROWS = 128
_HALF_AT = 0.99


def fit_autoencoder(
    normalised: npt.NDArray[np.float64],
    fraud: npt.NDArray[np.bool_],
    *,
    seed: int,
    hidden: Sequence[int] = (16, 4, 16),
    epochs: int = EPOCHS,
) -> Classifier:
    """Fit a network that makes its input again through relu layers of `hidden` units; labels have no part in it.

    The score is e / (e + u) of a row's mean squared error e, with u the error that 99 in 100 of the rows fitted to stay
    below: it is a half there, and no probability. Hinton and Salakhutdinov (2006), "Reducing the dimensionality of
    data with neural networks"; Adam. Arguments and errors as for `fit_network`.
    """
    check_rows(normalised, fraud)
    keras = load_keras(seed)
    layers = [keras.layers.Input((normalised.shape[1],), name="normalised")]
    layers += [keras.layers.Dense(units, activation="relu", name=f"hidden_{at}") for at, units in enumerate(hidden)]
    network = keras.Sequential([*layers, keras.layers.Dense(normalised.shape[1], name="made")], name="autoencoder")
    network.compile(optimizer="adam", loss="mse")
    single = normalised.astype(np.float32)
    network.fit(
        single,
        single,
        batch_size=_BATCH_ROWS,
        epochs=epochs,
        verbose=0,
    )
    made = np.asarray(network.predict(single, batch_size=8192, verbose=0), dtype=np.float64)
    error: npt.NDArray[np.float64] = np.mean((normalised - made) ** 2, axis=1)
    unit = max(float(np.quantile(error, _HALF_AT)), float(np.finfo(np.float32).tiny))
    return Classifier("autoencoder", network, log_odds_shift=-float(np.log(unit)))
