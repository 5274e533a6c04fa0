"""A bundle of markets is served only if all of it is what it says."""

import hashlib
import json
import re
from collections.abc import Callable
from functools import cache

import msgspec
import numpy as np
import pytest

from risk.bundle import GOLDEN_FILE, MANIFEST_FILE, BundleError
from risk.market.golden_bars import golden_bars, golden_bars_bytes
from risk.market.market_bundle import PARAMETERS_FILE, market_manifest_bytes, open_market_bundle
from risk.market.market_parameters import market_parameters_bytes
from tests.closed_bars import bars_of
from tests.small_market_bundle import small_market_bundle
from training.graph import Graph
from training.market.forecast_graph import forecaster_bytes

SMALL = small_market_bundle()


@cache
def _contents() -> dict[str, bytes]:
    golden = golden_bars_bytes(golden_bars(SMALL.parameters, SMALL.graphs, bars_of(["A", "B"], 12)))
    return {PARAMETERS_FILE: market_parameters_bytes(SMALL.parameters), GOLDEN_FILE: golden, **SMALL.graphs}


def files_of(graphs_of_volatility: dict[str, str] | None = None, **more: bytes) -> dict[str, bytes]:
    """Return a bundle's files, with right hashes whatever is in them; `more` by name with _ for the dot."""
    files = {**_contents(), **{name.replace("_", "."): content for name, content in more.items()}}
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    manifest = msgspec.structs.replace(SMALL.manifest, files=hashes, volatility_graphs=graphs_of_volatility or {})
    return {**files, MANIFEST_FILE: market_manifest_bytes(manifest)}


def _without(name: str) -> dict[str, bytes]:
    files = files_of()
    del files[name]
    return files


def _manifest(old: bytes, new: bytes) -> dict[str, bytes]:
    files = files_of()
    assert old in files[MANIFEST_FILE]
    return {**files, MANIFEST_FILE: files[MANIFEST_FILE].replace(old, new)}


def _parameters(old: bytes, new: bytes) -> dict[str, bytes]:
    content = _contents()[PARAMETERS_FILE]
    assert old in content
    return files_of(market_json=content.replace(old, new, 1))


def test_a_whole_bundle_opens() -> None:
    """What was written is what is served, under the hash of its manifest."""
    files = files_of()
    bundle = open_market_bundle(files)
    assert bundle.version == hashlib.sha256(files[MANIFEST_FILE]).hexdigest()[:12]
    assert bundle.parameters == SMALL.parameters
    assert bundle.graphs == SMALL.graphs
    assert msgspec.structs.replace(bundle.manifest, files={}) == SMALL.manifest


def test_graphs_of_volatility_lie_beside_those_of_forecasters() -> None:
    """The manifest tells them by symbol, and those that forecast are the forecasters' alone."""
    bundle = open_market_bundle(files_of({"*": "pooled.onnx", "B": "b.onnx"}, pooled_onnx=b"of all", b_onnx=b"of B"))
    assert bundle.manifest.volatility_graphs == {"*": "pooled.onnx", "B": "b.onnx"}
    assert bundle.graphs == SMALL.graphs


def test_a_bundle_of_before_there_were_graphs_of_volatility_opens() -> None:
    """Its manifest does not name the field."""
    files = files_of()
    manifest = json.loads(files[MANIFEST_FILE])
    del manifest["volatility_graphs"]
    assert open_market_bundle({**files, MANIFEST_FILE: json.dumps(manifest).encode()}).graphs == SMALL.graphs


def _endless() -> bytes:
    """Return a graph of a forecaster whose forecast is no number."""
    graph = Graph()
    nothing = graph.node("Log", graph.node("Sub", "state", graph.node("Add", "state", graph.constant(np.array(1.0)))))
    forecast = graph.node("MatMul", nothing, graph.constant(np.ones((1, 2))))
    state = graph.node("Add", "state", graph.node("Mul", "value", graph.constant(np.array(0.0))))
    return forecaster_bytes(graph, state, forecast, np.ones(2), 1)


WRONG: dict[str, tuple[Callable[[], dict[str, bytes]], list[str]]] = {
    "no manifest": (lambda: _without(MANIFEST_FILE), ["manifest.json is missing", "copy the whole bundle again"]),
    "no JSON": (lambda: {**files_of(), MANIFEST_FILE: b"{"}, ["manifest.json", "riskstream market train"]),
    "no UTF-8": (lambda: _manifest(b'"small"', b'"sm\xe9ll"'), ["manifest.json", "riskstream market train"]),
    "another kind": (lambda: _manifest(b'"market"', b'"table"'), ["$.kind", "riskstream market train"]),
    "an unknown field": (lambda: _manifest(b'"command"', b'"comand"'), ["comand", "riskstream market train"]),
    "no parameters": (lambda: _without(PARAMETERS_FILE), ["content is", PARAMETERS_FILE]),
    "no golden bars": (lambda: _without(GOLDEN_FILE), ["content is", GOLDEN_FILE]),
    "no graph": (lambda: _without("decay.onnx"), ["content is", "decay.onnx"]),
    "a foreign file": (lambda: {**files_of(), "model.pkl": b""}, ["content is", "model.pkl"]),
    "a changed byte": (
        lambda: {**files_of(), "decay.onnx": _contents()["decay.onnx"] + b"\0"},
        ["sha256 of decay.onnx", "copy it again"],
    ),
    "parameters of another type": (
        lambda: _parameters(b'"bars_per_year": 525600.0', b'"bars_per_year": "many"'),
        ["market.json", "bars_per_year", "make the bundle again"],
    ),
    "parameters that do not fit": (
        lambda: _parameters(b"0.99", b"0.98"),
        ["market.json", "lack 0.99", "make the bundle again"],
    ),
    "parameters that are no JSON": (lambda: files_of(market_json=b"?"), ["market.json", "make the bundle again"]),
    "a graph that the forecasters lack": (
        lambda: _parameters(b'"window.onnx"', b'"elsewhere.onnx"'),
        ["elsewhere.onnx", "make the bundle again"],
    ),
    "a graph that is no forecaster": (
        lambda: files_of(decay_onnx=b"no graph"),
        ["decay", "make the bundle again"],
    ),
    "a graph that gives no number": (
        lambda: files_of(decay_onnx=_endless()),
        ["content is unusable", "lacks a bound", "make the bundle again"],
    ),
    "a graph of nobody": (
        lambda: files_of(stray_onnx=b"whose"),
        ["files", "stray.onnx", "no forecaster and no model of volatility"],
    ),
    "a graph of volatility that is not there": (
        lambda: files_of({"*": "pooled.onnx"}),
        ["volatility_graphs", "pooled.onnx", "missing"],
    ),
    "a graph of volatility for a symbol without a model": (
        lambda: files_of({"Z": "z.onnx"}, z_onnx=b"of Z"),
        ["volatility_graphs", "Z", "no such models"],
    ),
    "a forecaster as a graph of volatility": (
        lambda: files_of({"*": "decay.onnx"}),
        ["volatility_graphs", "decay.onnx", "are forecasters"],
    ),
    "no archive of golden bars": (lambda: files_of(golden_npz=b"PK"), ["golden bars", "make the bundle again"]),
    "another model of volatility": (
        lambda: _parameters(b'"omega": 0.00001', b'"omega": 0.00002'),
        ["golden.npz", "next_variance_percent2", "train again"],
    ),
    "another forecaster": (
        lambda: files_of(window_onnx=_contents()["window.onnx"], decay_onnx=_contents()["own.onnx"]),
        ["golden.npz", "forecast", "train again"],
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_anything_wrong_is_refused(name: str) -> None:
    """The error names what is wrong, and the remedy."""
    make, told = WRONG[name]
    with pytest.raises(BundleError) as refused:
        open_market_bundle(make())
    for one in told:
        assert re.search(re.escape(one), str(refused.value)), str(refused.value)
