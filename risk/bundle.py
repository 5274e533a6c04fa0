"""The bundle: the only contract between training and serving, as named bytes.

Files and folders are the business of `stream/bundle_files.py` and `training/bundle_files.py`; what they must
hold is decided here. A bundle is refused, with the field, its value and the remedy, when a file is not the
one that the manifest names, when its features or state versions are not those of this code, or when its
golden rows do not score as they did when it was made.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt

from risk import customer_profile, merchant_profile, normaliser
from risk.customer_profile import CUSTOMER_FEATURES
from risk.explainer import EXPLANATION_FILE, TREES_FILE, Explainer, explainer_of
from risk.explanation import Explanations
from risk.golden import Golden, read_golden
from risk.graph_explainer import GraphExplainer
from risk.manifest import Manifest, NormaliserStatistics, short_sha256
from risk.merchant_profile import MERCHANT_FEATURES
from risk.normaliser import Normaliser
from risk.reasons import reasons_of
from risk.row_model import ModelError
from risk.scorer import Scorer
from risk.usual_row import UsualRows
from schemas.reason import Reason

FEATURES: tuple[str, ...] = CUSTOMER_FEATURES + MERCHANT_FEATURES
"""The features of a transaction, as the profiles give them; a bundle's model takes some or all, in its own order."""

MANIFEST_FILE = "manifest.json"
MODEL_FILE = "model.onnx"
GOLDEN_FILE = "golden.npz"

# The golden scores come from the machine that trained. Other processors have kernels that round a float32
# network otherwise (up to 5e-7 against its Python original); a wrong model, normaliser or order of features
# is off by far more.
SCORE_TOLERANCE = 2e-6
_NORMALISED_TOLERANCE = 1e-9


class BundleError(ValueError):
    """A bundle that must not be served: its `field`, the `value` found there, and the `remedy`.

    >>> str(BundleError("currency", "EURO", "name an ISO 4217 code"))
    'bundle: currency is EURO; name an ISO 4217 code'
    """

    def __init__(self, field: str, value: object, remedy: str) -> None:
        super().__init__(f"bundle: {field} is {value}; {remedy}")
        self.field = field
        self.value = value
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Bundle:
    """A verified bundle.

    `version` is the first 12 hex digits of the SHA-256 of the manifest, which names the hash of every other
    file.
    """

    manifest: Manifest
    version: str
    scorer: Scorer
    explainer: Explainer
    usual_rows: UsualRows

    def normaliser(self) -> Normaliser:
        """Return a new normaliser at the training statistics; each partition's fold takes one of its own."""
        return normaliser_from(self.manifest.normaliser)

    def explain(
        self,
        raw: npt.NDArray[np.float64],
        normalised: npt.NDArray[np.float64],
        score: npt.NDArray[np.float64],
    ) -> Explanations:
        """Return why rows score as they do, for features float64[n, F] before and after the normaliser, and scores."""
        usual = self.usual_rows.of(raw)
        return Explanations(
            usual=usual,
            score=score,
            usual_score=self.scorer.score(usual.normalised),
            # A negative zero, which is no contribution either, would be written as such.
            contributions=self.explainer.contributions(normalised, usual.normalised) + 0.0,
        )

    def reasons(self, raw: npt.NDArray[np.float64], explanations: Explanations) -> list[tuple[Reason, ...]]:
        """Return the reasons of each explained row, for its features float64[n, F] before the normaliser."""
        return reasons_of(
            self.manifest.features,
            raw,
            explanations,
            reason_codes=self.manifest.reason_codes,
            currency=self.manifest.currency,
        )


def normaliser_from(statistics: NormaliserStatistics) -> Normaliser:
    """Return a new normaliser at the given statistics."""
    return Normaliser(
        statistics.kind,
        np.array(statistics.centre),
        np.array(statistics.scale),
        half_life_days=statistics.half_life_days,
    )


def state_versions() -> dict[str, int]:
    """Return the version of each state step between an event and its score; a bundle is made for them."""
    return {
        "customer_profile": customer_profile.STATE_VERSION,
        "merchant_profile": merchant_profile.STATE_VERSION,
        "normaliser": normaliser.STATE_VERSION,
    }


def open_bundle(files: Mapping[str, bytes]) -> Bundle:
    """Return the bundle that the files hold, by name, after verifying all of it.

    Raises BundleError for a file missing, foreign or of another hash, a manifest that does not decode or does
    not fit this code (features, state versions), a model that is no scorer or depends on the batch, and
    golden rows that come out otherwise than when the bundle was made, or whose contributions do not add up.
    """
    manifest = _read_manifest(files)
    verify_files(manifest.files, files)
    _verify_contract(manifest)
    try:
        scorer = Scorer(files[MODEL_FILE])
        golden = read_golden(files[GOLDEN_FILE])
    except ModelError as error:
        raise BundleError(MODEL_FILE, "unusable", str(error)) from error
    except ValueError as error:
        raise BundleError(GOLDEN_FILE, "unusable", str(error)) from error
    _verify_golden(manifest, scorer, golden)
    try:
        explainer = explainer_of(files, scorer)
    except ValueError as error:
        unusable = EXPLANATION_FILE if EXPLANATION_FILE in files else TREES_FILE
        raise BundleError(unusable, "unusable", str(error)) from error
    bundle = Bundle(
        manifest=manifest,
        version=short_sha256(files[MANIFEST_FILE]),
        scorer=scorer,
        explainer=explainer,
        usual_rows=_usual_rows(manifest),
    )
    _verify_explanations(bundle, golden)
    return bundle


def _read_manifest(files: Mapping[str, bytes]) -> Manifest:
    if MANIFEST_FILE not in files:
        raise BundleError("files", sorted(files), f"{MANIFEST_FILE} is missing: copy the whole bundle again")
    try:
        return msgspec.json.decode(files[MANIFEST_FILE], type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BundleError(MANIFEST_FILE, "unreadable", f"{error}: make the bundle again with this version") from error


def _usual_rows(manifest: Manifest) -> UsualRows:
    return UsualRows(
        manifest.features,
        np.array([manifest.usual_values[name] for name in manifest.features]),
        np.array(manifest.normaliser.centre),
        np.array(manifest.normaliser.scale),
    )


def verify_files(
    named: Mapping[str, str], files: Mapping[str, bytes], needed: Sequence[str] = (MODEL_FILE, GOLDEN_FILE)
) -> None:
    """Raise BundleError unless the files are those that a manifest names, each with the SHA-256 that it says.

    Those that are `needed` must be among them.
    """
    for name in needed:
        if name not in named:
            raise BundleError("files", sorted(named), f"make it again with {name}")
    present = set(files) - {MANIFEST_FILE}
    if present != set(named):
        raise BundleError("content", sorted(present), f"copy it again: the manifest names {sorted(named)}")
    for name, expected in named.items():
        found = hashlib.sha256(files[name]).hexdigest()
        if found != expected:
            raise BundleError(f"sha256 of {name}", found, f"copy it again: the manifest says {expected}")


def _verify_contract(manifest: Manifest) -> None:
    features = manifest.features
    unknown = [name for name in features if name not in FEATURES]
    if not features or unknown or len(set(features)) != len(features):
        raise BundleError("features", list(features), f"train again on features among {list(FEATURES)}, each once")
    if manifest.state_versions != state_versions():
        raise BundleError(
            "state_versions", manifest.state_versions, f"train again: this version computes {state_versions()}"
        )
    by_features: list[tuple[str, Mapping[str, object]]] = [
        ("reason_codes", manifest.reason_codes),
        ("usual_values", manifest.usual_values),
    ]
    if manifest.reference is not None:
        by_features.append(("reference.features", manifest.reference.features))
    for field, by_feature in by_features:
        if set(by_feature) != set(features):
            raise BundleError(field, sorted(by_feature), f"give one for each of {sorted(features)}, and no other")
    for field, values in (
        ("normaliser.centre", manifest.normaliser.centre),
        ("normaliser.scale", manifest.normaliser.scale),
    ):
        if len(values) != len(features):
            raise BundleError(field, f"{len(values)} numbers", f"give one for each of the {len(features)} features")


def _verify_golden(manifest: Manifest, scorer: Scorer, golden: Golden) -> None:
    features = manifest.features
    for field, width in ((MODEL_FILE, scorer.feature_count), (GOLDEN_FILE, golden.raw.shape[1])):
        if width != len(features):
            raise BundleError(field, f"{width} columns wide", f"make it again for the {len(features)} features")
    normalised = normaliser_from(manifest.normaliser).advance(golden.raw, golden.event_time_ns)
    distance = np.abs(normalised - golden.normalised) / np.maximum(1.0, np.abs(golden.normalised))
    # Written so that NaN fails too, here and below.
    differ = np.argwhere(~(distance <= _NORMALISED_TOLERANCE))
    if len(differ):
        row, column = differ[0].tolist()
        raise BundleError(
            f"golden row {row}, normalised {features[column]}",
            normalised[row, column],
            f"train again: it was {golden.normalised[row, column]} when the bundle was made",
        )
    scores = scorer.score(golden.normalised)
    differ = np.argwhere(~(np.abs(scores - golden.score) <= SCORE_TOLERANCE))
    if len(differ):
        row = differ[0].item()
        raise BundleError(
            f"golden row {row}, score",
            scores[row],
            f"train again: it was {golden.score[row]} when the bundle was made",
        )
    try:
        scorer.check_batch_invariance(golden.normalised)
    except ModelError as error:
        raise BundleError(MODEL_FILE, "dependent on the batch", str(error)) from error


def _verify_explanations(bundle: Bundle, golden: Golden) -> None:
    explanations = bundle.explain(golden.raw, golden.normalised, bundle.scorer.score(golden.normalised))
    if isinstance(bundle.explainer, GraphExplainer):
        try:
            bundle.explainer.check_batch_invariance(golden.normalised, explanations.usual.normalised)
        except ModelError as error:
            raise BundleError(EXPLANATION_FILE, "dependent on the batch", str(error)) from error
    wrong = explanations.not_additive()
    if len(wrong):
        row = wrong[0].item()
        raise BundleError(
            f"golden row {row}, sum of contributions",
            explanations.contributions[row].sum(),
            f"train again: the score is {explanations.score[row] - explanations.usual_score[row]} from the usual one",
        )
