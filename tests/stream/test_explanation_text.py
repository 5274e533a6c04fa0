import hashlib
import io

import msgspec
import numpy as np
import pytest
from rich.console import Console

from risk.bundle import GOLDEN_FILE, MANIFEST_FILE, MODEL_FILE, Bundle, open_bundle
from risk.golden import golden_bytes
from risk.manifest import manifest_bytes
from schemas.alert import Alert
from schemas.source import Source
from stream.explanation_text import explained_by, explanation_text
from tests.small_bundle import small_bundle


def opened(half_life_days: float | None = None) -> Bundle:
    """Return the small bundle, opened."""
    small = small_bundle(half_life_days=half_life_days)
    files = {MODEL_FILE: small.model, GOLDEN_FILE: golden_bytes(small.golden), **small.explanation}
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    manifest = msgspec.structs.replace(small.manifest, files=hashes)
    return open_bundle({**files, MANIFEST_FILE: manifest_bytes(manifest)})


def alert_of(bundle: Bundle) -> Alert:
    """Return the alert of an amount of 300, all else as usual, of a customer whose amounts have no spread."""
    manifest = bundle.manifest
    usual = manifest.usual_values | {name: 0.0 for name in manifest.features if name.startswith("customer_amount_z")}
    features = usual | {"amount": 300.0}
    raw = np.array([[features[name] for name in manifest.features]])
    normalised = (raw - np.array(manifest.normaliser.centre)) / np.array(manifest.normaliser.scale)
    explanations = bundle.explain(raw, normalised, bundle.scorer.score(normalised))
    return Alert(
        schema_version=1,
        alert_id="a1",
        event_id="t1",
        entity_kind="customer",
        entity_id="c1",
        event_time_ns=1_767_225_600_000_000_000,
        source=Source("transactions", 0, 7),
        score=float(explanations.score[0]),
        threshold=0.5,
        outcome="review",
        severity="medium",
        reasons=bundle.reasons(raw, explanations)[0],
        bundle_name=manifest.name,
        bundle_version=bundle.version,
        usual_score=float(explanations.usual_score[0]),
        contributions=dict(zip(manifest.features, explanations.contributions[0].tolist(), strict=True)),
        features={name: features[name] for name in manifest.features},
    )


def shown(bundle: Bundle, alert: Alert) -> str:
    """Return what a terminal of 160 columns shows."""
    console = Console(file=io.StringIO(), width=160)
    console.print(explained_by(bundle, alert), highlight=False)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_an_explanation_shows_every_feature_the_sum_and_a_lower_amount() -> None:
    """The greatest contribution comes first with the longest bar, and the last line says what would be no alert."""
    bundle = opened()
    alert = alert_of(bundle)
    text = shown(bundle, alert)
    rows = [line.split() for line in text.splitlines() if line.split() and line.split()[0] in alert.features]
    assert [row[0] for row in rows] == sorted(alert.features, key=lambda name: -abs(alert.contributions[name]))
    assert rows[0][0] == "amount"
    assert [len(row[-1]) for row in rows if "\N{FULL BLOCK}" in row[-1]] == sorted(
        (len(row[-1]) for row in rows if "\N{FULL BLOCK}" in row[-1]), reverse=True
    )
    assert len(rows[0][-1]) == 12
    assert f"usual score {alert.usual_score:.4f} +{alert.score - alert.usual_score:.4f} of contributions" in text
    assert "EUR lower, at " in text.splitlines()[-1]


def test_an_alert_that_does_not_add_up_is_told_to_be_so() -> None:
    """A consumer's eye is not needed to see it."""
    bundle = opened()
    alert = alert_of(bundle)
    forged = msgspec.structs.replace(alert, contributions=alert.contributions | {"amount": 0.0})
    assert "does not hold: +" in shown(bundle, forged)


@pytest.mark.parametrize("off", [0.0, 1e-3])
def test_an_adapting_normaliser_is_named(off: float) -> None:
    """What is said of other amounts is said by the statistics of training, or not at all if the score is another."""
    bundle = opened(half_life_days=3.0)
    alert = alert_of(bundle)
    text = shown(bundle, msgspec.structs.replace(alert, score=alert.score - off))
    assert "The bundle's normaliser adapts" in text
    assert ("cannot be told: the alert scored" in text) == (off > 0.0)
    assert ("EUR lower, at" in text) == (off == 0.0)


def test_a_feature_without_a_usual_value_shows_none() -> None:
    """A portfolio's alert has contributions of all its symbols, and usual values of those alone that are reasons."""
    alert = msgspec.structs.replace(
        alert_of(opened()),
        entity_kind="portfolio",
        score=1.5,
        usual_score=1.0,
        contributions={"A": 0.7, "B": -0.2},
        features={"A": 2.0, "B": -0.5},
    )
    console = Console(file=io.StringIO(), width=160)
    console.print(explanation_text(alert, {"A": 1.25}, ()), highlight=False)
    assert isinstance(console.file, io.StringIO)
    lines = [line.split() for line in console.file.getvalue().splitlines()]
    assert ["A", "2", "1.25", "+0.7000"] in [line[:4] for line in lines]
    assert ["B", "-0.5", "-0.2000"] in [line[:3] for line in lines]
