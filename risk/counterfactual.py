"""What would not have been an alert: the same transaction of a lower amount or, if none helps, with usual features.

Scores are those of the statistics of training: what an adapting normaliser had learnt by then is not in an alert.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt

from risk.bundle import Bundle, normaliser_from
from risk.customer_profile import MAX_AMOUNT_RATIO

RESCORE_TOLERANCE = 1e-6
"""An alert's score must come out again within this, or what is said of other amounts would be of another model."""
SCANNED_AMOUNTS = 1024
_CENTS = 100

_AMOUNT = "amount"
_DISTANCE, _DECAYED_MEAN = "customer_amount_z_", "customer_decayed_mean_"
_RATIO, _RATIO_MEAN = "customer_amount_ratio", "customer_decayed_mean_30d"
_MEAN, _COUNT = "customer_mean_amount_", "customer_count_"


class CounterfactualError(ValueError):
    """Nothing can be said of another amount or of other features; the message says why."""


@dataclass(frozen=True, slots=True)
class LowerAmount:
    """The transaction would have scored `score`, which is no alert, at `amount`, which is `reduction` lower."""

    amount: float
    reduction: float
    score: float


@dataclass(frozen=True, slots=True)
class UsualFeatures:
    """The transaction would have scored `score`, which is no alert, if these features had had their usual values."""

    features: tuple[str, ...]
    score: float


_Scores = Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]]
"""Gives the scores of raw rows."""


def counterfactual(bundle: Bundle, raw: npt.NDArray[np.float64], score: float) -> LowerAmount | UsualFeatures | None:
    """Return the nearest transaction that would not have been an alert; None where even the usual row would be one.

    `raw` float64[F] are the features of an alert before the normaliser, and `score` is its score. The lower amount is
    the greatest that helps of an even grid of `SCANNED_AMOUNTS` amounts down to zero, and then to the hundredth of the
    currency: what a model says between two amounts of the grid may be missed. Usual features are taken one by one,
    each the one that lowers the score most, and the others stay as they were.

    Raises CounterfactualError where the score does not come out again, or where the features that depend on the amount
    cannot be found for another.
    """
    features, threshold = bundle.manifest.features, bundle.manifest.thresholds.review
    frozen = normaliser_from(msgspec.structs.replace(bundle.manifest.normaliser, half_life_days=None))

    def scores(rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return bundle.scorer.score(frozen.advance(rows, np.zeros(len(rows), dtype=np.int64)))

    again = float(scores(raw[None])[0])
    if not abs(again - score) <= RESCORE_TOLERANCE:
        raise CounterfactualError(f"the alert scored {score:.6f}, and by the statistics of training {again:.6f}")
    lower = _lower_amount(features, raw, scores, threshold) if _AMOUNT in features else None
    return lower or _usual_features(features, raw, bundle.usual_rows.of(raw[None]).raw[0], scores, threshold)


def _lower_amount(
    features: Sequence[str], raw: npt.NDArray[np.float64], scores: _Scores, threshold: float
) -> LowerAmount | None:
    amount = float(raw[features.index(_AMOUNT)])

    def lowered(cents: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        return np.maximum(np.round(amount - cents / _CENTS, 4), 0.0)

    def scores_without(cents: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        return scores(rows_at_amounts(features, raw, lowered(cents)))

    most = int(amount * _CENTS)
    grid = np.unique(np.linspace(min(1, most), most, SCANNED_AMOUNTS).astype(np.int64))
    helps = np.flatnonzero(scores_without(grid) < threshold)
    if not len(helps):
        return None
    least = int(grid[helps[0]])
    too_little = int(grid[helps[0] - 1]) if helps[0] else 0
    while least - too_little > 1:
        middle = (least + too_little) // 2
        if scores_without(np.array([middle]))[0] < threshold:
            least = middle
        else:
            too_little = middle
    found = np.array([least])
    return LowerAmount(float(lowered(found)[0]), least / _CENTS, float(scores_without(found)[0]))


def _usual_features(
    features: Sequence[str],
    raw: npt.NDArray[np.float64],
    usual: npt.NDArray[np.float64],
    scores: _Scores,
    threshold: float,
) -> UsualFeatures | None:
    row = raw.copy()
    taken: list[str] = []
    while len(left := np.flatnonzero(row != usual)):
        variants = np.tile(row, (len(left), 1))
        variants[np.arange(len(left)), left] = usual[left]
        found = scores(variants)
        best = int(np.argmin(found))
        row = variants[best]
        taken.append(features[left[best]])
        if found[best] < threshold:
            return UsualFeatures(tuple(taken), float(found[best]))
    return None


def rows_at_amounts(
    features: Sequence[str], raw: npt.NDArray[np.float64], amounts: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return the features that a transaction would have had at other amounts, float64[n, F], for float64[n].

    `raw` float64[F] are those that it had, the amount among them. With the amount go its distance from the customer's
    decayed mean, of which the deviation is known by what it was, its ratio to that of 30 days, and the mean amount of
    each window, in which the transaction is counted. A distance of exactly 0 is taken for that of a customer whose
    amounts have no spread.

    Raises CounterfactualError where such a feature comes without the one that it is computed with.

    >>> names = ["amount", "customer_count_7d", "customer_mean_amount_7d"]
    >>> rows_at_amounts(names, np.array([90.0, 3.0, 40.0]), np.array([60.0])).tolist()
    [[60.0, 3.0, 30.0]]
    """
    amount = raw[features.index(_AMOUNT)]
    rows = np.tile(raw, (len(amounts), 1))
    for at, name in enumerate(features):
        if name == _AMOUNT:
            rows[:, at] = amounts
        elif name.startswith(_MEAN):
            count = _companion(features, raw, name, _MEAN, _COUNT)
            rows[:, at] += (amounts - amount) / count
        elif name == _RATIO:
            mean = _companion(features, raw, name, _RATIO, _RATIO_MEAN)
            rows[:, at] = np.minimum(amounts / mean, MAX_AMOUNT_RATIO) if mean > 0.0 else 1.0
        elif name.startswith(_DISTANCE) and raw[at] != 0.0:
            mean = _companion(features, raw, name, _DISTANCE, _DECAYED_MEAN)
            rows[:, at] *= (amounts - mean) / (amount - mean)
    return rows


def _companion(
    features: Sequence[str], raw: npt.NDArray[np.float64], name: str, prefix: str, other_prefix: str
) -> float:
    """Return the value of the feature of the same window that another is computed with."""
    other = other_prefix + name.removeprefix(prefix)
    if other not in features:
        raise CounterfactualError(f"the model takes {name} without {other}, so its value at another amount is unknown")
    return float(raw[features.index(other)])
