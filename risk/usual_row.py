"""The usual row: what a row would be like, were all its features as they usually are."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

from risk.normaliser import LIMIT

_OWN_MEAN = "customer_decayed_mean_30d"
_AMOUNTS = ("amount", "customer_mean_amount", "customer_decayed_mean")
_DEVIATIONS = ("customer_amount_z",)
_RATIOS = ("customer_amount_ratio",)
_EVERYONES, _OWN_AMOUNT, _OWN_DEVIATION, _OWN_RATIO = range(4)


@dataclass(frozen=True, slots=True)
class Usual:
    """The usual rows of n rows, before and after the normaliser, float64[n, F].

    `own` bool[n, F] tells where the usual value is the customer's own, and not everyone's.
    """

    raw: npt.NDArray[np.float64]
    normalised: npt.NDArray[np.float64]
    own: npt.NDArray[np.bool_]


@njit(cache=True)
def _fill(
    raw: npt.NDArray[np.float64],
    values: npt.NDArray[np.float64],
    centre: npt.NDArray[np.float64],
    scale: npt.NDArray[np.float64],
    kind: npt.NDArray[np.int8],
    own_mean: int,
    usual: npt.NDArray[np.float64],
    normalised: npt.NDArray[np.float64],
    own: npt.NDArray[np.bool_],
) -> None:
    for row in range(raw.shape[0]):
        mean = raw[row, own_mean] if own_mean >= 0 else 0.0
        for column in range(raw.shape[1]):
            own[row, column] = mean > 0.0 and kind[column] != _EVERYONES
            value = values[column]
            if own[row, column]:
                value = mean if kind[column] == _OWN_AMOUNT else 1.0 if kind[column] == _OWN_RATIO else 0.0
            usual[row, column] = value
            if scale[column] > 0.0:
                normalised[row, column] = min(max((value - centre[column]) / scale[column], -LIMIT), LIMIT)
            else:
                normalised[row, column] = 0.0


class UsualRows:
    """Gives the usual row of each row of features.

    The usual value of a feature is its mean in training, of `usual_values` float64[F]. Where the customer has a past,
    the amount and its means over windows are compared with the customer's own decayed mean over 30 days, if the model
    takes that; an amount's usual deviation is 0, and its usual ratio to the mean 1. The 30-day mean itself is compared
    with everyone's: of the customer's own there is nothing longer.

    `centre` and `scale` float64[F] are the normaliser's statistics of training, also for a bundle whose normaliser
    adapts: being usual then means lying where the centre of the population lies.

    >>> rows = UsualRows(["amount", "customer_decayed_mean_30d"], np.array([50.0, 55.0]), np.zeros(2), np.ones(2))
    >>> rows.of(np.array([[400.0, 30.0], [400.0, 0.0]])).raw.tolist()
    [[30.0, 55.0], [50.0, 55.0]]
    """

    def __init__(
        self,
        features: Sequence[str],
        usual_values: npt.NDArray[np.float64],
        centre: npt.NDArray[np.float64],
        scale: npt.NDArray[np.float64],
    ) -> None:
        self._values = usual_values
        self._centre = centre
        self._scale = scale
        self._own_mean = features.index(_OWN_MEAN) if _OWN_MEAN in features else -1
        self._kind = np.full(len(features), _EVERYONES, dtype=np.int8)
        for at, name in enumerate(features):
            if name.startswith(_DEVIATIONS):
                self._kind[at] = _OWN_DEVIATION
            elif name in _RATIOS:
                self._kind[at] = _OWN_RATIO
            elif name.startswith(_AMOUNTS) and name != _OWN_MEAN:
                self._kind[at] = _OWN_AMOUNT

    def of(self, raw: npt.NDArray[np.float64]) -> Usual:
        """Return the usual rows of rows float64[n, F], taken before the normaliser."""
        usual = Usual(np.empty(raw.shape), np.empty(raw.shape), np.empty(raw.shape, dtype=np.bool_))
        _fill(
            np.ascontiguousarray(raw),  # one layout, one compilation
            self._values,
            self._centre,
            self._scale,
            self._kind,
            self._own_mean,
            usual.raw,
            usual.normalised,
            usual.own,
        )
        return usual
