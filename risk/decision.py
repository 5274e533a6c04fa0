"""Decides what a score means: an outcome, and how severe the alert is."""

from typing import get_args

import msgspec
import numpy as np
import numpy.typing as npt

from schemas.outcome import Outcome
from schemas.severity import Severity

APPROVE, REVIEW, DECLINE = range(3)

OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
"""The outcome of each code."""

SEVERITIES: tuple[Severity, ...] = get_args(Severity)
"""The severity of each code."""


class Thresholds(msgspec.Struct, frozen=True):
    """The least score that is reviewed, and the least that is declined; 0 <= review <= decline <= 1.

    Raises ValueError otherwise.

    >>> Thresholds(review=0.9, decline=0.5)
    Traceback (most recent call last):
    ...
    ValueError: thresholds review=0.9, decline=0.5: need 0 <= review <= decline <= 1
    """

    review: float
    decline: float

    def __post_init__(self) -> None:
        if not 0.0 <= self.review <= self.decline <= 1.0:
            raise ValueError(
                f"thresholds review={self.review}, decline={self.decline}: need 0 <= review <= decline <= 1"
            )


def decide(score: npt.NDArray[np.float64], thresholds: Thresholds) -> npt.NDArray[np.uint8]:
    """Return the outcome code of each score, uint8[n]; a score equal to a threshold meets it.

    >>> decide(np.array([0.1, 0.5, 0.9]), Thresholds(review=0.5, decline=0.9)).tolist()
    [0, 1, 2]
    """
    return decide_at(score, thresholds.review, thresholds.decline)


def decide_at(
    score: npt.NDArray[np.float64],
    review: float | npt.NDArray[np.float64],
    decline: float | npt.NDArray[np.float64],
) -> npt.NDArray[np.uint8]:
    """Return the outcome code of each score, uint8[n], for thresholds of all rows or of each, float64[n].

    >>> decide_at(np.array([0.4, 0.4]), np.array([0.5, 0.3]), 0.9).tolist()
    [0, 1]
    """
    codes = np.asarray(score >= review, dtype=np.uint8)
    codes += score >= decline
    return codes


def severity(score: npt.NDArray[np.float64], thresholds: Thresholds) -> npt.NDArray[np.uint8]:
    """Return the severity code of each score, uint8[n], an index of SEVERITIES.

    Low is below review, medium from review, high from decline, and critical from half way between decline and
    certainty.

    >>> codes = severity(np.array([0.1, 0.5, 0.8, 0.9]), Thresholds(review=0.5, decline=0.8))
    >>> [SEVERITIES[code] for code in codes]
    ['low', 'medium', 'high', 'critical']
    """
    codes = decide(score, thresholds)
    codes += score >= (thresholds.decline + 1.0) / 2.0
    return codes
