"""Training data made up here, and every classifier fitted to it once a session."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest

from risk.bundle import FEATURES
from risk.manifest import Model, NormaliserStatistics
from risk.normaliser import running_moments
from training.classifier import Classifier
from training.classifiers import FITS
from training.onnx_export import export_onnx


@dataclass(frozen=True, slots=True)
class TrainingData:
    """Raw features of every scale, their statistics, the features normalised, and which rows are fraud."""

    features: npt.NDArray[np.float64]
    statistics: NormaliserStatistics
    normalised: npt.NDArray[np.float64]
    fraud: npt.NDArray[np.bool_]


@pytest.fixture(scope="session")
def training_data() -> TrainingData:
    """Give 6,000 rows of skewed features, of scales from 0.01 to 10,000, one row in ten a fraud."""
    random = np.random.default_rng(11)
    width = len(FEATURES)
    features = random.gamma(1.5, 1.0, size=(6000, width)) * 10.0 ** np.linspace(-2.0, 4.0, width)
    features[:, 1:3] = random.random((6000, 2)) < 0.3
    centre, scale = running_moments(features)
    statistics = NormaliserStatistics("zscore", tuple(centre.tolist()), tuple(scale.tolist()), None)
    normalised = (features - centre) / scale
    risk = normalised[:, 0] + normalised[:, 5] ** 2 + normalised[:, 20] * normalised[:, 1] + random.normal(size=6000)
    return TrainingData(features, statistics, normalised, risk > np.quantile(risk, 0.9))


@pytest.fixture(scope="session")
def classifiers(training_data: TrainingData) -> dict[Model, Classifier]:
    """Give every classifier, fitted."""
    return {
        model: fit(
            training_data.normalised,
            training_data.fraud,
            seed=1,
            **({"epochs": 3} if model in ("network", "autoencoder") else {}),
        )
        for model, fit in FITS.items()
    }


@pytest.fixture(scope="session")
def exports(classifiers: dict[Model, Classifier]) -> dict[Model, bytes]:
    """Give every classifier exported."""
    return {model: export_onnx(classifier) for model, classifier in classifiers.items()}


@pytest.fixture(params=FITS)
def model(request: pytest.FixtureRequest) -> Model:
    """Give the name of each model in turn."""
    name: Model = request.param
    return name
