"""A whole alert for a reader: what its score is made of, whether that adds up, and what would have been none."""

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from risk.explanation import ADDITIVITY_TOLERANCE
from schemas.alert import Alert

if TYPE_CHECKING:
    from risk.bundle import Bundle


class Feature(msgspec.Struct, frozen=True):
    """A feature's value, what is usual, None where that is not known, and what it added to the score."""

    feature: str
    value: float | None
    usual_value: float | None
    contribution: float


class Sum(msgspec.Struct, frozen=True):
    """Whether the usual score and the contributions are the score; `missed` is what is not explained."""

    usual_score: float
    contributions: float
    score: float
    missed: float
    holds: bool


class AlertDetail(msgspec.Struct, frozen=True):
    """An alert, whole, and what is said of it: `features` come by falling weight, `note` is a sentence.

    `arrived_ms` is when Kafka took it up, in milliseconds since the Unix epoch.
    """

    alert: Alert
    arrived_ms: int
    features: list[Feature]
    sum: Sum | None
    note: str


class AlertExplainer:
    """Explains alerts by the bundle at a path, which is read when the first is asked for. Called in threads."""

    def __init__(self, bundle: Path) -> None:
        self._path = bundle
        self._reading = threading.Lock()
        self._bundle: Bundle | str | None = None

    def detail(self, alert: Alert, arrived_ms: int) -> AlertDetail:
        """Return what can be said of an alert, as `riskstream explain` does; what cannot be is said in a note."""
        usual = {reason.feature: reason.usual_value for reason in alert.reasons}
        note = ""
        if not alert.contributions:
            note = "The release that published this alert explained by reasons alone."
        elif alert.entity_kind == "customer":
            by_bundle, note = self._of_customer(alert)
            usual |= by_bundle
        elif alert.entity_kind == "symbol":
            note = "Values within the limits, which are the usual values here, would not have been an alert."
        features = [
            Feature(name, alert.features.get(name), usual.get(name), contribution)
            for name, contribution in sorted(alert.contributions.items(), key=lambda item: -abs(item[1]))
        ]
        return AlertDetail(alert, arrived_ms, features, _sum(alert) if features else None, note)

    def _of_customer(self, alert: Alert) -> tuple[dict[str, float], str]:
        """Return the usual values by the bundle, as far as it is the alert's, and what would not have been an alert."""
        from risk.counterfactual import CounterfactualError, counterfactual
        from stream.explanation_text import counterfactual_text

        unknown = "What would not have been an alert cannot be told"
        bundle = self._read()
        if isinstance(bundle, str):
            return {}, f"{unknown}: {bundle}."
        manifest = bundle.manifest
        if bundle.version != alert.bundle_version:
            own = f"{alert.bundle_name} {alert.bundle_version}"
            return {}, f"{unknown}: the alert came of {own}, and RISKSTREAM_BUNDLE is {manifest.name} {bundle.version}."
        if not set(alert.features) == set(alert.contributions) == set(manifest.features):
            return {}, f"{unknown}: the alert holds other features than its bundle, and is none of a worker's."
        raw = np.array([alert.features[name] for name in manifest.features])
        usual = dict(zip(manifest.features, bundle.usual_rows.of(raw[None]).raw[0].tolist(), strict=True))
        try:
            found = counterfactual(bundle, raw, alert.score)
        except CounterfactualError as error:
            return usual, f"{unknown}: {error}."
        return usual, counterfactual_text(found, manifest.thresholds.review, manifest.currency) + "."

    def _read(self) -> "Bundle | str":
        """Return the bundle, or why there is none."""
        from risk.bundle import BundleError
        from stream.bundle_files import read_bundle

        with self._reading:
            if self._bundle is None:
                try:
                    self._bundle = read_bundle(self._path)
                except (BundleError, OSError) as wrong:
                    self._bundle = f"RISKSTREAM_BUNDLE: {wrong}"
            return self._bundle


def _sum(alert: Alert) -> Sum:
    total = sum(alert.contributions.values())
    missed = alert.score - alert.usual_score - total
    return Sum(alert.usual_score, total, alert.score, missed, abs(missed) <= ADDITIVITY_TOLERANCE)
