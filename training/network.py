"""The neural network, by Keras; TensorFlow is imported when one is fitted and not before."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from training.classifier import Classifier, check_rows
from training.keras_backend import load_keras

NETWORK_MAX_EPOCHS = 100
NETWORK_BATCH_ROWS = 32
NETWORK_PATIENCE_EPOCHS = 8
_VALIDATION_FRACTION = 0.2


def fit_network(
    normalised: npt.NDArray[np.float64],
    fraud: npt.NDArray[np.bool_],
    *,
    seed: int,
    weights: npt.NDArray[np.float64] | None = None,
    hidden: Sequence[int] = (64, 32),
    dropout: float = 0.0,
    max_epochs: int = NETWORK_MAX_EPOCHS,
    on_epoch: Callable[[int, float], None] = lambda epoch, loss: None,
) -> Classifier:
    """Fit a network of relu layers of `hidden` units and one of sigmoid: Adam, binary cross-entropy, batches of 32.

    `dropout` is the fraction of each hidden layer's outputs that are left out at random while fitting.

    Rows are in order of time: the last fifth of them is held out, and fitting stops when its loss has not improved
    for 8 epochs, at the latest after `max_epochs`; the best epoch's weights are kept. `on_epoch` is told the number
    of each epoch done, from 1, and the loss on the rows held out. Seeds Keras and TensorFlow for the whole process.

    Raises ImportError where TensorFlow is absent (extra `network`); other arguments and errors as for the others.
    """
    check_rows(normalised, fraud)
    keras = load_keras(seed)
    # Named, so that an export has the same bytes however many networks the process has made before.
    layers = [keras.layers.Input((normalised.shape[1],), name="normalised")]
    for number, units in enumerate(hidden):
        layers.append(keras.layers.Dense(units, activation="relu", name=f"hidden_{number}"))
        if dropout > 0.0:
            layers.append(keras.layers.Dropout(dropout, seed=seed, name=f"dropout_{number}"))
    network = keras.Sequential(
        [*layers, keras.layers.Dense(1, activation="sigmoid", name="probability")], name="network"
    )
    network.compile(optimizer="adam", loss="binary_crossentropy")
    network.fit(
        normalised.astype(np.float32),
        fraud.astype(np.float32),
        batch_size=NETWORK_BATCH_ROWS,
        epochs=max_epochs,
        sample_weight=weights,
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
