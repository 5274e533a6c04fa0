"""The manifest: all that a bundle says of itself."""

import hashlib
from typing import Annotated, Literal

import msgspec

from risk.decision import Thresholds
from risk.reference import Reference
from schemas.currency import CurrencyCode

Model = Literal[
    "logistic_regression",
    "linear_svm",
    "linear_discriminant",
    "kernel_svm",
    "random_forest",
    "gradient_boosting",
    "lightgbm",
    "xgboost",
    "isolation_forest",
    "autoencoder",
    "network",
]

Name = Annotated[str, msgspec.Meta(pattern="^[a-z0-9][a-z0-9_-]{0,62}$")]
"""The name of a bundle, which is also that of its folder."""


class NormaliserStatistics(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a Normaliser starts from: per feature, in the order of the features.

    `half_life_days` None freezes the statistics; otherwise they adapt to the stream with that half-life.
    """

    kind: Literal["zscore", "minmax"]
    centre: tuple[float, ...]
    scale: tuple[Annotated[float, msgspec.Meta(ge=0.0)], ...]
    half_life_days: Annotated[float, msgspec.Meta(gt=0.0)] | None


class Costs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the thresholds were chosen for, in units of the manifest's currency.

    `review` is the cost of looking at one event, `declined_genuine` that of declining a genuine one, and
    `missed_fraud_fraction` the fraction of the amount that is lost when a fraud is approved.
    """

    review: float
    declined_genuine: float
    missed_fraud_fraction: float


class TrainingWindow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The events trained on: times in [start_ns, end_ns), nanoseconds since the Unix epoch, and numbers."""

    start_ns: int
    end_ns: int
    label_delay_days: float
    transactions: int
    frauds: int


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The contents of `manifest.json`.

    `usual_values` are the means of the raw features in training. `metrics` holds the figures on the test window of
    every model that was compared, by model and metric; `model` is the one in the bundle, and `notes` tell people how it
    was found. `files` maps the name of every other file to its SHA-256 in hex. `reference` is what scores and features
    are watched against; bundles of former releases have none.
    """

    schema_version: Literal[1] = 1
    name: Name
    model: Model
    features: tuple[str, ...]
    state_versions: dict[str, int]
    currency: CurrencyCode
    normaliser: NormaliserStatistics
    thresholds: Thresholds
    costs: Costs
    reason_codes: dict[str, str]
    usual_values: dict[str, float]
    training_window: TrainingWindow
    reference: Reference | None = None
    metrics: dict[str, dict[str, float]]
    notes: tuple[str, ...] = ()
    library_versions: dict[str, str]
    command: str
    files: dict[str, str]


def manifest_bytes(manifest: Manifest) -> bytes:
    """Return the manifest as indented JSON with sorted keys: equal manifests give equal bytes."""
    encoded = msgspec.json.encode(manifest, order="deterministic")
    return msgspec.json.format(encoded, indent=2) + b"\n"


def short_sha256(content: bytes) -> str:
    """Return the first 12 hex digits of the SHA-256.

    >>> short_sha256(b"")
    'e3b0c44298fc'
    """
    return hashlib.sha256(content).hexdigest()[:12]
