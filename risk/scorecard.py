"""A scorecard: whole points for each characteristic of an applicant, which people can add up by hand.

Siddiqi (2006), "Credit risk scorecards", chapter 6: points = offset + factor * ln(odds against the event), where the
factor is the points to double the odds, divided by ln 2. Each characteristic has its share of the offset.
"""

from typing import Annotated

import msgspec
import numpy as np
import numpy.typing as npt


class PointsBin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The points of values above `low` up to `high`, of what is missing where both are None, and what it is called.

    None stands for no limit where the other is a number; a category is a bin of half a code to each side.
    """

    label: str
    low: float | None
    high: float | None
    missing: bool
    points: int


class Characteristic(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A column's points by bin; a value in no bin, such as an unknown category, has `neutral` points."""

    column: str
    bins: Annotated[tuple[PointsBin, ...], msgspec.Meta(min_length=1)]
    neutral: int


class Scorecard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Characteristics in the order of the columns, and the scale on which their points add up.

    `base_points` stand for odds of `base_odds` to one against the event, `points_to_double` more for twice the odds.
    """

    base_points: float
    base_odds: float
    points_to_double: float
    characteristics: tuple[Characteristic, ...]

    @property
    def factor(self) -> float:
        """Points for each unit of log odds."""
        return self.points_to_double / float(np.log(2.0))

    @property
    def offset(self) -> float:
        """Points at even odds."""
        return self.base_points - self.factor * float(np.log(self.base_odds))


def points(scorecard: Scorecard, matrix: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Return the points of each characteristic, int64[n, C], for encoded rows float64[n, C]; their sum is the score.

    >>> young = PointsBin("up to 30", None, 30.0, False, 10)
    >>> older = PointsBin("above 30", 30.0, None, False, 25)
    >>> card = Scorecard(600.0, 50.0, 20.0, (Characteristic("age", (young, older), 18),))
    >>> points(card, np.array([[30.0], [31.0], [np.nan]])).tolist()
    [[10], [25], [18]]
    """
    found = np.empty(matrix.shape, dtype=np.int64)
    for at, characteristic in enumerate(scorecard.characteristics):
        values = matrix[:, at]
        found[:, at] = characteristic.neutral
        for one in characteristic.bins:
            if one.missing:
                inside = np.isnan(values)
            else:
                low = -np.inf if one.low is None else one.low
                high = np.inf if one.high is None else one.high
                inside = (values > low) & (values <= high)
            found[inside, at] = one.points
    return found


def points_lost(scorecard: Scorecard, given: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return how many points each characteristic is short of the best that it can give, int64[n, C].

    The greatest are the reasons to name to who is rejected.
    """
    best = np.array([max(one.points for one in each.bins) for each in scorecard.characteristics], dtype=np.int64)
    return best - given
