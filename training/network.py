"""The neural network, by Keras; TensorFlow is imported when one is fitted and not before."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from training.classifier import Classifier, check_rows
from training.keras_backend import load_keras

NETWORK_EPOCHS = 20
NETWORK_BATCH_ROWS = 128


def fit_network(
    normalised: npt.NDArray[np.float64],
    fraud: npt.NDArray[np.bool_],
    *,
    seed: int,
    weights: npt.NDArray[np.float64] | None = None,
    hidden: Sequence[int] = (64, 32),
    dropout: float = 0.0,
    epochs: int = NETWORK_EPOCHS,
) -> Classifier:
    """Fit a network of relu layers of `hidden` units and one of sigmoid to binary cross-entropy, batches of 128 rows.

    `dropout` is the fraction of each hidden layer's outputs that are left out at random while fitting.
    AdamW (Loshchilov and Hutter 2019) with a learning rate of 0.002 and a decay of 0.05. The weights are the mean of
    those at the ends of the later half of the epochs (Izmailov et al. 2018, "Averaging weights leads to wider optima
    and better generalization"): frauds are few, so that the last steps' weights are noisy, and that rows held out to
    stop by would be missed. Seeds Keras and TensorFlow for the whole process.

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
    network.compile(
        optimizer=keras.optimizers.AdamW(learning_rate=0.002, weight_decay=0.05), loss="binary_crossentropy"
    )
    totals = [np.zeros(one.shape) for one in network.weights]
    averaged = range(epochs // 2, epochs)

    def add(epoch: int, logs: object) -> None:
        if epoch in averaged:
            for total, one in zip(totals, network.get_weights(), strict=True):
                total += one

    network.fit(
        normalised.astype(np.float32),
        fraud.astype(np.float32),
        batch_size=NETWORK_BATCH_ROWS,
        epochs=epochs,
        sample_weight=weights,
        verbose=0,
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=add)],
    )
    network.set_weights([total / len(averaged) for total in totals])
    return Classifier("network", network)
