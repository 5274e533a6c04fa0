"""Loads Keras on TensorFlow, seeded and deterministic; the one place that imports either."""

import os
from typing import Any


def load_keras(seed: int) -> Any:
    """Return the module keras, with Keras and TensorFlow seeded for the whole process.

    Raises ImportError where TensorFlow is absent (extra `network`).
    """
    # Importing TensorFlow costs 10 s of processor time, which only those who fit a network shall pay.
    # TensorFlow heeds these only before it loads: the one silences its talk of processor instructions, the other keeps
    # the order of its sums the same on every processor.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    return keras
