"""The neural network, by Keras; TensorFlow is imported when one is fitted and not before."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.linalg import block_diag

from training.classifier import Classifier, check_rows
from training.keras_backend import load_keras

NETWORK_EPOCHS = 20
NETWORK_BATCH_ROWS = 128
NETWORK_MEMBERS = 3
_SEED_STEP = 1_000_003
_STEPS_AT_ONCE = 32
"""Batches between which TensorFlow does not return to Python: the weights are the same, in a third of the time."""


def fit_network(
    normalised: npt.NDArray[np.float64],
    fraud: npt.NDArray[np.bool_],
    *,
    seed: int,
    weights: npt.NDArray[np.float64] | None = None,
    hidden: Sequence[int] = (64, 32),
    dropout: float = 0.0,
    epochs: int = NETWORK_EPOCHS,
    members: int = NETWORK_MEMBERS,
) -> Classifier:
    """Fit networks of relu layers of `hidden` units and one of sigmoid, and make one network of their mean log odds.

    `members` networks differ by their seeds alone, which steadies the ranking of few frauds (Lakshminarayanan, Pritzel
    and Blundell 2017, "Simple and scalable predictive uncertainty estimation using deep ensembles"). Side by side they
    are one network of so many times the units. `dropout` is the fraction of each hidden layer's outputs that are left
    out at random while fitting.

    Each is fitted to binary cross-entropy by AdamW (Loshchilov and Hutter 2019), in batches of 128 rows, with a
    learning rate of 0.002 and a decay of 0.05. Its weights are the mean of those at the ends of the later half of the
    epochs (Izmailov et al. 2018, "Averaging weights leads to wider optima and better generalization"): frauds are few,
    so that the last steps' weights are noisy, and that rows held out to stop by would be missed. Seeds Keras and
    TensorFlow for the whole process.

    Raises ImportError where TensorFlow is absent (extra `network`); other arguments and errors as for the others.
    """
    check_rows(normalised, fraud)
    single, target = normalised.astype(np.float32), fraud.astype(np.float32)
    fitted = [
        _fit_member(single, target, weights, hidden, dropout, epochs, seed=seed + _SEED_STEP * member)
        for member in range(members)
    ]
    keras = load_keras(seed)
    network = _network(keras, normalised.shape[1], [units * members for units in hidden], dropout=0.0, seed=seed)
    network.set_weights(_side_by_side(fitted))
    return Classifier("network", network)


def _network(keras: Any, width: int, hidden: Sequence[int], *, dropout: float, seed: int) -> Any:
    # Named, so that an export has the same bytes however many networks the process has made before.
    layers = [keras.layers.Input((width,), name="normalised")]
    for number, units in enumerate(hidden):
        layers.append(keras.layers.Dense(units, activation="relu", name=f"hidden_{number}"))
        if dropout > 0.0:
            layers.append(keras.layers.Dropout(dropout, seed=seed, name=f"dropout_{number}"))
    return keras.Sequential([*layers, keras.layers.Dense(1, activation="sigmoid", name="probability")], name="network")


def _fit_member(
    single: npt.NDArray[np.float32],
    target: npt.NDArray[np.float32],
    weights: npt.NDArray[np.float64] | None,
    hidden: Sequence[int],
    dropout: float,
    epochs: int,
    *,
    seed: int,
) -> list[npt.NDArray[np.float32]]:
    """Return kernel and bias of each layer, one after the other."""
    keras = load_keras(seed)
    network = _network(keras, single.shape[1], hidden, dropout=dropout, seed=seed)
    network.compile(
        optimizer=keras.optimizers.AdamW(learning_rate=0.002, weight_decay=0.05),
        loss="binary_crossentropy",
        steps_per_execution=_STEPS_AT_ONCE,
    )
    totals = [np.zeros(one.shape) for one in network.weights]
    averaged = range(epochs // 2, epochs)

    def add(epoch: int, logs: object) -> None:
        if epoch in averaged:
            for total, one in zip(totals, network.get_weights(), strict=True):
                total += one

    network.fit(
        single,
        target,
        batch_size=NETWORK_BATCH_ROWS,
        epochs=epochs,
        sample_weight=weights,
        verbose=0,
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=add)],
    )
    return [np.asarray(total / len(averaged), dtype=np.float32) for total in totals]


def _side_by_side(members: Sequence[list[npt.NDArray[np.float32]]]) -> list[npt.NDArray[np.float32]]:
    """Return the weights of one network whose log odds are the mean of the members'.

    >>> one = [np.full((1, 1), 2.0), np.zeros(1), np.full((1, 1), 3.0), np.ones(1)]
    >>> other = [np.full((1, 1), 4.0), np.zeros(1), np.full((1, 1), 5.0), np.zeros(1)]
    >>> [weights.tolist() for weights in _side_by_side([one, other])]
    [[[2.0, 4.0]], [0.0, 0.0], [[1.5], [2.5]], [0.5]]
    """
    joined: list[npt.NDArray[np.float32]] = []
    last = len(members[0]) - 2
    for at, parts in enumerate(zip(*members, strict=True)):
        if at == last:
            joined.append(np.asarray(np.concatenate(parts) / len(members), dtype=np.float32))
        elif at == last + 1:
            joined.append(np.asarray(np.mean(parts, axis=0), dtype=np.float32))
        elif at == 0 or at % 2 == 1:
            joined.append(np.concatenate(parts, axis=-1))
        else:
            joined.append(np.asarray(block_diag(*parts), dtype=np.float32))
    return joined
