"""The learning curve: what more history would bring, from what less of it brings."""

from collections.abc import Callable

import msgspec
import numpy as np
import numpy.typing as npt

from training.measures import average_precision, cuts
from training.refit import Refit, Rows

FRACTIONS = (0.125, 0.25, 0.5, 1.0)


class LearningPoint(msgspec.Struct, frozen=True):
    """A fit to the last `fraction` of the training rows: how many, and the average precision on them and on the test.

    The two grow together as rows are added, while the model can still learn from more.
    """

    fraction: float
    rows: int
    targets: int
    train: float
    test: float


def learning_curve(
    refit: Refit,
    target: npt.NDArray[np.bool_],
    train: Rows,
    test: Rows,
    on_fit: Callable[[], None] = lambda: None,
) -> list[LearningPoint]:
    """Return the points of growing fractions; `train` and `test` are numbers of rows in order of time, int64 each.

    A fraction without a target is passed over.
    """
    points = []
    for fraction in FRACTIONS:
        rows = train[len(train) - max(1, round(fraction * len(train))) :]
        targets = int(target[rows].sum())
        if 0 < targets < len(rows):
            scorer = refit(rows)
            of_train, of_test = (
                average_precision(cuts(scorer(part), target[part], np.ones(len(part)))) for part in (rows, test)
            )
            points.append(LearningPoint(fraction, len(rows), targets, of_train, of_test))
        on_fit()
    return points
