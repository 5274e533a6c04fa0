"""The parity gate: an export that does not give its Python original's scores is never written.

Many exports fail in silence: a converter drops a missing indicator, a forest trained with NaN sends missing values
down the wrong branch, float32 blurs large numbers. So each export is compared with its original on 10,000 rows or
more, among them missing and extreme values, along the whole path of serving: normaliser, then scorer. The original's
path is built from scikit-learn's own scaler and imputer, fitted afresh.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from risk.bundle import normaliser_from
from risk.manifest import Model, NormaliserStatistics
from risk.normaliser import LIMIT
from risk.scorer import Scorer
from training.classifier import Classifier

PARITY_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class Tolerance:
    """The greatest difference of scores allowed.

    It is `unit` for a row whose normalised features lie within 1, and grows with the greatest of them up to
    `extreme`, as the rounding of a sum grows with its terms.
    """

    unit: float
    extreme: float


# 5e-13 was measured on 77,000 real rows, whose statistics the two sides accumulate differently.
_DOUBLE = Tolerance(unit=1e-10, extreme=1e-7)
# Trees compare features and do not add them: size is no excuse.
_TREES = Tolerance(unit=1e-6, extreme=1e-6)
_NETWORK = Tolerance(unit=2e-6, extreme=1e-2)
TOLERANCES: dict[Model, Tolerance] = {
    "logistic_regression": _DOUBLE,
    "linear_svm": _DOUBLE,
    "linear_discriminant": _DOUBLE,
    "kernel_svm": _DOUBLE,
    "random_forest": _TREES,
    "gradient_boosting": _TREES,
    "lightgbm": _TREES,
    "xgboost": _TREES,
    "isolation_forest": _TREES,
    "autoencoder": _NETWORK,
    "network": _NETWORK,
}


class ParityError(ValueError):
    """An export that is not its original; the message shows the worst row."""


@dataclass(frozen=True, slots=True)
class Parity:
    """What the gate measured: the rows compared, and the greatest difference of scores in ordinary and in all rows.

    Ordinary are the rows whose normalised features all lie within 10.
    """

    rows: int
    max_difference_ordinary: float
    max_difference: float


def check_export(
    classifier: Classifier,
    model: bytes,
    statistics: NormaliserStatistics,
    features: npt.NDArray[np.float64],
    feature_names: Sequence[str],
    *,
    seed: int,
    rows: int = PARITY_ROWS,
) -> Parity:
    """Compare the export `model`, served, with its original `classifier` and return what was measured.

    `features` are the raw training rows, float64[n, F], of which `statistics` and the classifier were made. Raises
    ParityError with the worst row when a score differs by more than the model's tolerance.
    """
    tried = parity_rows(features, rows, seed=seed)
    frozen = msgspec.structs.replace(statistics, half_life_days=None)
    normalised = normaliser_from(frozen).advance(tried, np.zeros(rows, dtype=np.int64))
    expected = classifier.probability(_normalised_by_sklearn(statistics.kind, features, tried))
    served = Scorer(model).score(normalised)
    check_parity(expected, served, tried, feature_names, allowed_difference(classifier.model, normalised))
    return parity_of(expected, served, normalised)


def allowed_difference(model: Model, normalised: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return by how much a model's scores of normalised rows float64[n, F] may differ, float64[n]."""
    tolerance = TOLERANCES[model]
    magnitude: npt.NDArray[np.float64] = np.max(np.abs(normalised), axis=1)
    return np.clip(tolerance.unit * magnitude, tolerance.unit, tolerance.extreme)


def parity_of(
    expected: npt.NDArray[np.float64], served: npt.NDArray[np.float64], normalised: npt.NDArray[np.float64]
) -> Parity:
    """Return what was measured on the scores float64[n] of normalised rows float64[n, F]."""
    difference = np.abs(expected - served)
    ordinary = np.max(np.abs(normalised), axis=1) <= 10.0
    return Parity(len(served), float(difference[ordinary].max(initial=0.0)), float(difference.max()))


def _normalised_by_sklearn(
    kind: Literal["zscore", "minmax"], features: npt.NDArray[np.float64], rows: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return the rows normalised by scikit-learn's scaler, fitted to the training features, by the normaliser's rules.

    A missing value is imputed by 0 after scaling, which for z-scores is imputing the mean before it.
    """
    scaler = StandardScaler() if kind == "zscore" else MinMaxScaler()
    pipeline = make_pipeline(scaler, SimpleImputer(strategy="constant", fill_value=0.0)).fit(features)
    # scikit-learn takes no infinities; what is left of them after the cut at LIMIT is the same.
    scaled = pipeline.transform(np.nan_to_num(rows, nan=np.nan, posinf=1e300, neginf=-1e300))
    # scikit-learn lets through what differs from a constant, of which a model can have learnt nothing.
    scaled[:, np.ptp(features, axis=0) == 0.0] = 0.0
    return np.asarray(np.clip(scaled, -LIMIT, LIMIT), dtype=np.float64)


def check_parity(
    expected: npt.NDArray[np.float64],
    served: npt.NDArray[np.float64],
    rows: npt.NDArray[np.float64],
    feature_names: Sequence[str],
    allowed: npt.NDArray[np.float64],
) -> None:
    """Raise ParityError unless each served score is within `allowed` of the expected one; all float64[n].

    The error shows the row, of `rows` float64[n, F], that exceeds what is allowed by most. NaN never passes.

    >>> row, allowed = np.array([[7.0]]), np.array([1e-6])
    >>> check_parity(np.array([0.9]), np.array([0.25]), row, ["amount"], allowed)
    Traceback (most recent call last):
    ...
    training.parity.ParityError: the export differs from its original in 1 of 1 rows; the worst is row 0: original
    0.9, export 0.25, allowed 1e-06, for amount=7.0
    """
    difference = np.abs(expected - served)
    wrong = ~(difference <= allowed)
    if not wrong.any():
        return
    excess = np.where(np.isnan(difference), np.inf, difference / allowed)
    worst = int(np.argmax(np.where(wrong, excess, -np.inf)))
    shown = ", ".join(f"{name}={value}" for name, value in zip(feature_names, rows[worst].tolist(), strict=True))
    raise ParityError(
        f"the export differs from its original in {int(wrong.sum())} of {len(wrong)} rows; the worst is row {worst}:"
        f" original {float(expected[worst])}, export {float(served[worst])}, allowed {float(allowed[worst]):.3g},"
        f" for {shown}"
    )


def parity_rows(features: npt.NDArray[np.float64], rows: int, *, seed: int) -> npt.NDArray[np.float64]:
    """Return rows to compare on, float64[rows, F]: real ones, a third each untouched, with gaps, and with extremes.

    In the second third one value in ten is missing (NaN), in every 50th row all are. In the last third a value in
    four is multiplied by a power of ten from 1e-3 to 1e9 and may change its sign, and in every 50th row one is
    infinite: beyond all that a decoded message can bring about.
    """
    random = np.random.default_rng(seed)
    drawn = features[random.integers(len(features), size=rows)].copy()
    gaps, extremes = drawn[rows // 3 : 2 * rows // 3], drawn[2 * rows // 3 :]
    gaps[random.random(gaps.shape) < 0.1] = np.nan
    gaps[::50] = np.nan
    extremes[:] = stretched(extremes, random)
    infinite = np.arange(0, len(extremes), 50)
    extremes[infinite, random.integers(extremes.shape[1], size=len(infinite))] = np.inf
    extremes[infinite[::2]] *= -1.0
    return drawn


def stretched(values: npt.NDArray[np.float64], random: np.random.Generator) -> npt.NDArray[np.float64]:
    """Return values float64[n, F], one in four times a power of ten from 1e-3 to 1e9, its sign perhaps changed."""
    factor = 10.0 ** random.uniform(-3.0, 9.0, values.shape) * random.choice([-1.0, 1.0], values.shape)
    return values * np.where(random.random(values.shape) < 0.25, factor, 1.0)
