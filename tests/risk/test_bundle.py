"""A bundle is served only if all of it is what it says."""

import hashlib
from collections.abc import Callable
from dataclasses import replace

import msgspec
import numpy as np
import pytest

from risk.bundle import (
    FEATURES,
    GOLDEN_FILE,
    MANIFEST_FILE,
    MODEL_FILE,
    BundleError,
    open_bundle,
    state_versions,
)
from risk.explainer import EXPLANATION_FILE, TREES_FILE
from risk.golden import golden_bytes
from risk.manifest import Manifest, manifest_bytes
from risk.reference import BinShares, Reference
from tests.small_bundle import SmallBundle, small_bundle
from training.explanation import explanation_files
from training.linear_models import fit_logistic_regression
from training.onnx_export import export_onnx


def files_of(bundle: SmallBundle, **more: bytes) -> dict[str, bytes]:
    """Return a bundle's files, with right hashes whatever is in them; more files by stem and content."""
    files = {MODEL_FILE: bundle.model, GOLDEN_FILE: golden_bytes(bundle.golden), **bundle.explanation, **more}
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    return {**files, MANIFEST_FILE: manifest_bytes(msgspec.structs.replace(bundle.manifest, files=hashes))}


SMALL = small_bundle()


def test_a_whole_bundle_opens() -> None:
    """What training wrote is what serving gets."""
    files = files_of(SMALL)
    bundle = open_bundle(files)
    assert msgspec.structs.replace(bundle.manifest, files={}) == SMALL.manifest
    assert bundle.version == hashlib.sha256(files[MANIFEST_FILE]).hexdigest()[:12]
    normalised = bundle.normaliser().advance(SMALL.golden.raw, SMALL.golden.event_time_ns)
    assert bundle.scorer.score(normalised).tobytes() == SMALL.golden.score.tobytes()


def test_a_model_may_take_some_of_the_features_in_its_own_order() -> None:
    """A bundle of three features, not in the profiles' order, opens and explains."""
    features = (FEATURES[5], FEATURES[0], FEATURES[2])
    small = small_bundle(features)
    bundle = open_bundle(files_of(small))
    explanations = bundle.explain(small.golden.raw, small.golden.normalised, small.golden.score)
    reasons = bundle.reasons(small.golden.raw, explanations)
    assert {one.feature for row in reasons for one in row} <= set(features)
    assert any(reasons)


def test_a_bundle_of_a_former_release_has_no_reference() -> None:
    """A manifest that says nothing of one opens all the same."""
    manifest = msgspec.json.decode(files_of(SMALL)[MANIFEST_FILE])
    del manifest["reference"]
    bundle = open_bundle({**files_of(SMALL), MANIFEST_FILE: msgspec.json.encode(manifest)})
    assert bundle.manifest.reference is None


def test_a_bundle_without_a_file_that_explains_is_explained_by_scoring() -> None:
    """A bundle of a release before there were such files opens, and its contributions are about the same."""
    explained = []
    for small in (SMALL, replace(SMALL, explanation={})):
        bundle = open_bundle(files_of(small))
        explanations = bundle.explain(small.golden.raw, small.golden.normalised, small.golden.score)
        assert len(explanations.not_additive()) == 0
        explained.append(explanations.contributions)
    np.testing.assert_allclose(explained[0], explained[1], rtol=0, atol=1e-9)


def test_each_partition_gets_a_normaliser_of_its_own() -> None:
    """Two folds never share the state of a normaliser."""
    bundle = open_bundle(files_of(SMALL))
    assert bundle.normaliser() is not bundle.normaliser()


def _with(**changes: object) -> dict[str, bytes]:
    manifest: Manifest = msgspec.structs.replace(SMALL.manifest, **changes)
    return files_of(replace(SMALL, manifest=manifest))


def _without(name: str) -> dict[str, bytes]:
    files = files_of(SMALL)
    del files[name]
    return files


def _changed(name: str, change: Callable[[bytes], bytes]) -> dict[str, bytes]:
    files = files_of(SMALL)
    return {**files, name: change(files[name])}


def _other_model() -> bytes:
    return export_onnx(fit_logistic_regression(SMALL.golden.normalised, SMALL.golden.raw[:, 1] > 100.0, seed=0))


def _other_explanation() -> dict[str, bytes]:
    return explanation_files(fit_logistic_regression(SMALL.golden.normalised, SMALL.golden.raw[:, 1] > 100.0, seed=0))


def _other_golden(**changes: object) -> dict[str, bytes]:
    return files_of(replace(SMALL, golden=replace(SMALL.golden, **changes)))  # type: ignore[arg-type]


def _statistics(**changes: object) -> dict[str, bytes]:
    return _with(normaliser=msgspec.structs.replace(SMALL.manifest.normaliser, **changes))


WRONG: dict[str, tuple[Callable[[], dict[str, bytes]], str]] = {
    "no manifest": (lambda: _without(MANIFEST_FILE), "manifest.json is missing"),
    "manifest not in UTF-8": (
        lambda: _changed(MANIFEST_FILE, lambda b: b.replace(b'"small"', b'"sm\xe9ll"')),
        "manifest.json is unreadable",
    ),
    "broken manifest": (lambda: _changed(MANIFEST_FILE, lambda b: b[:-9]), "manifest.json is unreadable"),
    "manifest of the future": (lambda: _with(schema_version=2), r"schema_version"),
    "unknown field": (
        lambda: _changed(MANIFEST_FILE, lambda b: b.replace(b'"command"', b'"comand"')),
        "comand",
    ),
    "unsafe name": (lambda: _with(name="../elsewhere"), r"\$\.name"),
    "no model": (lambda: _without(MODEL_FILE), "content is"),
    "foreign file": (lambda: {**files_of(SMALL), "model.pkl": b""}, "content is"),
    "bit flipped": (
        lambda: _changed(MODEL_FILE, lambda b: b[:-1] + bytes([b[-1] ^ 1])),
        "sha256 of model.onnx",
    ),
    "unknown feature": (
        lambda: files_of(
            replace(SMALL, manifest=msgspec.structs.replace(SMALL.manifest, features=("amont", *FEATURES[1:])))
        ),
        "features is",
    ),
    "feature twice": (lambda: _with(features=(FEATURES[1], *FEATURES[1:])), "features is"),
    "no features": (lambda: _with(features=()), "features is"),
    "state version": (lambda: _with(state_versions={**state_versions(), "normaliser": 99}), "'normaliser': 99"),
    "state missing": (lambda: _with(state_versions={}), "state_versions is"),
    "code missing": (lambda: _with(reason_codes={}), "reason_codes is"),
    "usual value missing": (lambda: _with(usual_values={}), "usual_values is"),
    "watched feature missing": (
        lambda: _with(reference=Reference(1, BinShares((), (1.0,)), {})),
        "reference.features is",
    ),
    "not a number": (lambda: _with(metrics={"m": {"auc": float("nan")}}), r"metrics"),
    "thresholds out of order": (
        lambda: _changed(MANIFEST_FILE, lambda b: b.replace(b'"decline": 0.9', b'"decline": 0.1')),
        "review <= decline",
    ),
    "statistics too short": (lambda: _statistics(centre=(1.0,)), "normaliser.centre is 1 numbers"),
    "no currency": (lambda: _with(currency="EURO"), r"\$\.currency"),
    "no half-life": (lambda: _statistics(half_life_days=0.0), "half_life_days"),
    "negative scale": (lambda: _statistics(scale=(-1.0,) * len(FEATURES)), "scale"),
    "other scale": (
        lambda: _statistics(scale=tuple(1.001 * one for one in SMALL.manifest.normaliser.scale)),
        "golden row 0, normalised amount",
    ),
    "other model": (lambda: files_of(replace(SMALL, model=_other_model(), explanation={})), "golden row [0-9]+, score"),
    "other features' model": (
        lambda: files_of(replace(SMALL, model=small_bundle(FEATURES[:4]).model)),
        "model.onnx is 4 columns wide",
    ),
    "no model at all": (lambda: files_of(replace(SMALL, model=b"x")), "model.onnx is unusable"),
    "other scores": (
        lambda: _other_golden(score=SMALL.golden.score + 1e-5),
        "golden row 0, score",
    ),
    "scores not a number": (lambda: _other_golden(score=SMALL.golden.score * np.nan), "golden row 0, score"),
    "no golden rows": (lambda: files_of(SMALL, **{GOLDEN_FILE: b"x"}), "golden.npz is unusable"),
    "another model's explanation": (
        lambda: files_of(replace(SMALL, explanation=_other_explanation())),
        "golden row [0-9]+, sum of contributions",
    ),
    "no explanation at all": (
        lambda: files_of(replace(SMALL, explanation={EXPLANATION_FILE: b"x"})),
        "explanation.onnx is unusable",
    ),
    "an explanation of fewer features": (
        lambda: files_of(replace(SMALL, explanation=small_bundle(FEATURES[:4]).explanation)),
        "explanation.onnx is unusable; made for 4 features",
    ),
    "a scorer for an explanation": (
        lambda: files_of(replace(SMALL, explanation={EXPLANATION_FILE: SMALL.model})),
        "explanation.onnx is unusable.*contributions",
    ),
    "no trees": (lambda: files_of(replace(SMALL, explanation={TREES_FILE: b"x"})), "trees.npz is unusable"),
}


@pytest.mark.parametrize("why", list(WRONG))
def test_a_bundle_that_is_not_what_it_says_is_refused(why: str) -> None:
    """The error names the field, the value found and a remedy."""
    make, message = WRONG[why]
    with pytest.raises(BundleError, match=message) as caught:
        open_bundle(make())
    assert caught.value.remedy


def test_hashes_are_stable() -> None:
    """Equal parts give the same manifest, byte for byte."""
    assert files_of(small_bundle()) == files_of(SMALL)
