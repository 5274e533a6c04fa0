"""Models that see no target, and what their scores are."""

from typing import Final

from risk.manifest import Model

UNLABELLED: Final[frozenset[Model]] = frozenset({"isolation_forest", "autoencoder"})
"""Models that learn what is usual, from rows without their targets."""

RANKS = (
    "Scores are ranks and no probabilities: the model learnt what is usual, without targets. A score of 0.8 is less"
    " usual than one of 0.4, not twice as likely. What takes a score for a probability, such as Brier score,"
    " calibration and log loss, says nothing good or bad of it."
)
"""Said where scores are no probabilities."""
