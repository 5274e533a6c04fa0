"""The usual row: what a row would be like, were all its features as they usually are."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from risk.normaliser import Normaliser

_OWN_MEAN = "customer_decayed_mean_30d"
_AMOUNTS = ("amount", "customer_mean_amount", "customer_decayed_mean")
_DEVIATIONS = ("customer_amount_z",)


@dataclass(frozen=True, slots=True)
class Usual:
    """The usual rows of n rows, before and after the normaliser, float64[n, F].

    `own` bool[n, F] tells where the usual value is the customer's own, and not everyone's.
    """

    raw: npt.NDArray[np.float64]
    normalised: npt.NDArray[np.float64]
    own: npt.NDArray[np.bool_]


class UsualRows:
    """Gives the usual row of each row of features.

    The usual value of a feature is its mean in training, of `usual_values` float64[F]. Where the customer has a past,
    the amount and its means over windows are compared with the customer's own decayed mean over 30 days, if the model
    takes that, and an amount's usual deviation is 0. The 30-day mean itself is compared with everyone's: of the
    customer's own there is nothing longer.

    `normaliser` is one at the frozen statistics of training, also for a bundle whose normaliser adapts: being usual
    then means lying where the centre of the population lies.

    >>> identity = Normaliser("zscore", np.zeros(2), np.ones(2), half_life_days=None)
    >>> rows = UsualRows(["amount", "customer_decayed_mean_30d"], np.array([50.0, 55.0]), identity)
    >>> rows.of(np.array([[400.0, 30.0], [400.0, 0.0]])).raw.tolist()
    [[30.0, 55.0], [50.0, 55.0]]
    """

    def __init__(self, features: Sequence[str], usual_values: npt.NDArray[np.float64], normaliser: Normaliser) -> None:
        self._values = usual_values
        self._normaliser = normaliser
        self._own_mean = features.index(_OWN_MEAN) if _OWN_MEAN in features else None
        self._amounts = [at for at, one in enumerate(features) if one.startswith(_AMOUNTS) and one != _OWN_MEAN]
        self._deviations = [at for at, one in enumerate(features) if one.startswith(_DEVIATIONS)]

    def of(self, raw: npt.NDArray[np.float64]) -> Usual:
        """Return the usual rows of rows float64[n, F], taken before the normaliser."""
        usual = np.tile(self._values, (len(raw), 1))
        own = np.zeros(raw.shape, dtype=np.bool_)
        if self._own_mean is not None:
            own_mean = raw[:, self._own_mean, None]
            past = own_mean > 0.0
            usual[:, self._amounts] = np.where(past, own_mean, usual[:, self._amounts])
            usual[:, self._deviations] = np.where(past, 0.0, usual[:, self._deviations])
            own[:, self._amounts + self._deviations] = past
        return Usual(usual, self._normaliser.advance(usual, np.zeros(len(raw), dtype=np.int64)), own)
