"""The neural network, by Keras; TensorFlow is imported when one is fitted and not before."""

import os
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from training.classifier import Classifier, check_rows

NETWORK_MAX_EPOCHS = 100
NETWORK_BATCH_ROWS = 32
NETWORK_PATIENCE_EPOCHS = 8
_VALIDATION_FRACTION = 0.2


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
    check_rows(normalised, fraud)
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
