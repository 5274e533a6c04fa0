"""What the small networks that forecast have in common: their sequences, how they are fitted, and how sure they are."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.keras_backend import load_keras
from training.market.forecaster_fit import ForecastFitError
from training.market.lag_regression import Segments

SEQUENCE_BARS = 64
BATCH_SEQUENCES = 32
PATIENCE_EPOCHS = 3
VALIDATION_SHARE = 0.2


def sequences(segments: Segments) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return changes float64[m, L, 1] and what came after each, float64[m, L, H]: pieces of L = SEQUENCE_BARS bars.

    A piece never holds changes of two keys, and pieces overlap by half, that more of a short history is used. Raises
    ForecastFitError where there are fewer than four.
    """
    inputs, targets = [], []
    for changes, ahead in segments:
        for first in range(0, len(ahead) - SEQUENCE_BARS + 1, SEQUENCE_BARS // 2):
            inputs.append(changes[first : first + SEQUENCE_BARS, None])
            targets.append(ahead[first : first + SEQUENCE_BARS])
    if len(inputs) < 4:
        raise ForecastFitError(
            f"the changes make {len(inputs)} sequences of {SEQUENCE_BARS} bars: give more bars, or fit no network"
        )
    return np.stack(inputs), np.stack(targets)


def fit_network(
    layers: Callable[[Any], Sequence[Any]], segments: Segments, *, seed: int, epochs: int, warm_up: int
) -> tuple[Any, NDArray[np.float64]]:
    """Return a Keras network in double, of sequences [m, L, 1] to forecasts [m, L, H], and its deviations float64[H].

    `layers` gives, of the module keras, the layers before the last one, which is linear. It is fitted to the squared
    error at every bar but the first `warm_up` of a sequence, by Adam (Kingma and Ba 2015) with a learning rate of
    0.003, on the sequences of the earlier four fifths of each key's bars, until three epochs did no better on the
    later fifth. The weights kept are those of the best epoch; the deviations are those of its errors on the later
    fifth. Seeds Keras for the whole process. Raises ImportError where TensorFlow is absent.
    """
    keras = load_keras(seed)
    horizon_bars = segments[0][1].shape[1]
    cuts = [int(len(ahead) * (1.0 - VALIDATION_SHARE)) for _, ahead in segments]
    # What came after the last bars before the cut lies behind it: they are left out.
    both = list(zip(segments, cuts, strict=True))
    earlier = [(changes[:cut], ahead[: max(cut - horizon_bars, 0)]) for (changes, ahead), cut in both]
    later = [(changes[cut:], ahead[cut:]) for (changes, ahead), cut in both]
    inputs, targets = sequences(earlier)
    held_inputs, held_targets = sequences(later)
    # Named, so that a process can fit several and each has the same bytes.
    network = keras.Sequential(
        [
            keras.layers.Input((None, 1), dtype="float64", name="changes"),
            *layers(keras),
            keras.layers.Dense(horizon_bars, dtype="float64", name="forecast", kernel_initializer="zeros"),
        ],
        name="forecaster",
    )
    network.compile(optimizer=keras.optimizers.Adam(0.003), loss="mse")
    network.fit(
        inputs,
        targets,
        sample_weight=_counting(inputs, warm_up),
        validation_data=(held_inputs, held_targets, _counting(held_inputs, warm_up)),
        batch_size=BATCH_SEQUENCES,
        epochs=epochs,
        verbose=0,
        callbacks=[keras.callbacks.EarlyStopping(patience=PATIENCE_EPOCHS, restore_best_weights=True)],
    )
    held = (held_targets - forecasts_by_keras(network, held_inputs[:, :, 0]))[:, warm_up:]
    return network, np.sqrt(np.mean(held**2, axis=(0, 1)))


def forecasts_by_keras(network: Any, series: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what a network forecasts after each value of series float64[n, T]: float64[n, T, H]."""
    return np.asarray(network(series[:, :, None], training=False), dtype=np.float64)


def _counting(inputs: NDArray[np.float64], warm_up: int) -> NDArray[np.float64]:
    """Return the weights of the bars of sequences, float64[m, L]."""
    counts = np.ones(inputs.shape[:2])
    counts[:, :warm_up] = 0.0
    return counts
