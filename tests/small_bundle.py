"""A small but whole bundle, for tests: a logistic regression on all features, of data made up here."""

from dataclasses import dataclass

import numpy as np

from risk.bundle import FEATURES, state_versions
from risk.decision import Thresholds
from risk.golden import Golden
from risk.manifest import Costs, Manifest, NormaliserStatistics, TrainingWindow
from risk.reasons import reason_code
from training.bundle_files import golden_of
from training.explanation import explanation_files
from training.linear_models import fit_logistic_regression
from training.onnx_export import export_onnx
from training.reference import reference_of


@dataclass(frozen=True, slots=True)
class SmallBundle:
    """What `write_bundle` takes."""

    manifest: Manifest
    model: bytes
    golden: Golden
    explanation: dict[str, bytes]


def small_bundle(features: tuple[str, ...] = FEATURES, *, half_life_days: float | None = None) -> SmallBundle:
    """Return the parts of a bundle; equal on every call."""
    random = np.random.default_rng(7)
    raw = random.gamma(2.0, 50.0, size=(400, len(features)))
    centre, scale = raw.mean(axis=0), raw.std(axis=0)
    statistics = NormaliserStatistics("zscore", tuple(centre.tolist()), tuple(scale.tolist()), half_life_days)
    classifier = fit_logistic_regression((raw - centre) / scale, raw[:, 0] > 150.0, seed=0)
    model = export_onnx(classifier)
    times = np.arange(40, dtype=np.int64) * 3_600_000_000_000
    golden = golden_of(model, statistics, raw[:40], times)
    manifest = Manifest(
        name="small",
        model="logistic_regression",
        features=features,
        state_versions=state_versions(),
        currency="EUR",
        normaliser=statistics,
        thresholds=Thresholds(review=0.5, decline=0.9),
        costs=Costs(review=5.0, declined_genuine=20.0, missed_fraud_fraction=1.0),
        reason_codes={name: reason_code(name) for name in features},
        usual_values=dict(zip(features, centre.tolist(), strict=True)),
        training_window=TrainingWindow(
            start_ns=0, end_ns=int(times[-1]) + 1, label_delay_days=7.0, transactions=400, frauds=100
        ),
        reference=reference_of(features, golden.raw, golden.score),
        metrics={"logistic_regression": {"auc": 0.9}},
        library_versions={"numpy": np.__version__},
        command="riskstream train",
        files={},
    )
    return SmallBundle(manifest, model, golden, explanation_files(classifier))
