"""The bundle of markets: how bars are made, and the models of volatility, risk, forecasts and curves.

It is apart from the bundle of transactions, since who trains the one seldom trains the other, and it changes more
often. Like those it is verified before it serves: by hash, by state version and by golden bars.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import msgspec
import numpy as np

from risk.bundle import GOLDEN_FILE, MANIFEST_FILE, BundleError, verify_files
from risk.forecasts.forecast_step import Forecasts
from risk.manifest import Name, short_sha256
from risk.market.golden_bars import first_difference, golden_bars, read_golden_bars
from risk.market.market_parameters import MarketParameters, read_market_parameters

PARAMETERS_FILE = "market.json"


class MarketManifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The contents of a market bundle's `manifest.json`.

    `metrics` maps each symbol to what was found of it in training; `first_ns` and `end_ns` bound the events trained on,
    in nanoseconds since the Unix epoch. `volatility_graphs` maps symbols, and "*", to the file that holds their
    volatility model as an ONNX graph, for programs other than this. `files` maps the name of every other file to its
    SHA-256 in hex.
    """

    schema_version: Literal[1] = 1
    kind: Literal["market"] = "market"
    name: Name
    first_ns: int
    end_ns: int
    metrics: dict[str, dict[str, float]]
    volatility_graphs: dict[str, str] = {}
    notes: tuple[str, ...] = ()
    library_versions: dict[str, str]
    command: str
    files: dict[str, str]


def market_manifest_bytes(manifest: MarketManifest) -> bytes:
    """Return the manifest as indented JSON with sorted keys: equal manifests give equal bytes."""
    encoded = msgspec.json.encode(manifest, order="deterministic")
    return msgspec.json.format(encoded, indent=2) + b"\n"


@dataclass(frozen=True, slots=True)
class MarketBundle:
    """A verified bundle of markets; `version` is the first 12 hex digits of the SHA-256 of the manifest.

    `graphs` holds the forecasters' ONNX files by name.
    """

    manifest: MarketManifest
    version: str
    parameters: MarketParameters
    graphs: Mapping[str, bytes]


def open_market_bundle(files: Mapping[str, bytes]) -> MarketBundle:
    """Return the bundle that the files hold, by name, after verifying all of it.

    Raises BundleError for a file missing, foreign or of another hash, for parameters that do not decode or fit
    together, graphs that are no forecasters or depend on the batch, graphs of volatility that are missing or of no
    model, graphs that are neither, and golden bars that lead to something else than when the bundle was made.
    """
    if MANIFEST_FILE not in files:
        raise BundleError("files", sorted(files), f"{MANIFEST_FILE} is missing: copy the whole bundle again")
    try:
        manifest = msgspec.json.decode(files[MANIFEST_FILE], type=MarketManifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BundleError(
            MANIFEST_FILE, "not that of markets", f"{error}: make it by riskstream market train"
        ) from error
    verify_files(manifest.files, files, [PARAMETERS_FILE, GOLDEN_FILE])
    try:
        parameters = read_market_parameters(files[PARAMETERS_FILE])
    except (KeyError, ValueError) as error:
        raise BundleError(PARAMETERS_FILE, "unusable", f"{error}: make the bundle again with this version") from error
    graphs = {one.file: files[one.file] for one in parameters.forecasters.forecasters if one.file in files}
    try:
        golden = read_golden_bars(files[GOLDEN_FILE])
        forecasts = Forecasts(parameters.forecasters, graphs)
        forecasts.check_batch_invariance(100.0 * np.log(golden.bars.close), golden.bars.log_return_percent)
        difference = first_difference(golden, golden_bars(parameters, graphs, golden.bars))
    except (KeyError, ValueError, FloatingPointError) as error:
        raise BundleError("content", "unusable", f"{error}: make the bundle again with this version") from error
    _verify_graph_names(manifest, parameters)
    if difference is not None:
        raise BundleError(GOLDEN_FILE, "not what this version computes", f"{difference}: train again")
    return MarketBundle(manifest, short_sha256(files[MANIFEST_FILE]), parameters, graphs)


def _verify_graph_names(manifest: MarketManifest, parameters: MarketParameters) -> None:
    """Raise BundleError unless the graphs of volatility are there, of models, and all others are forecasters'."""
    unknown = sorted(set(manifest.volatility_graphs) - set(parameters.volatility.symbols))
    if unknown:
        raise BundleError("volatility_graphs", unknown, f"{PARAMETERS_FILE} has no such models: train again")
    present = {name for name in manifest.files if name.endswith(".onnx")}
    of_volatility = set(manifest.volatility_graphs.values())
    if not of_volatility <= present:
        raise BundleError("volatility_graphs", sorted(of_volatility - present), "the files are missing: train again")
    of_forecasters = {one.file for one in parameters.forecasters.forecasters}
    if of_volatility & of_forecasters:
        raise BundleError("volatility_graphs", sorted(of_volatility & of_forecasters), "are forecasters: train again")
    foreign = sorted(present - of_volatility - of_forecasters)
    if foreign:
        raise BundleError("files", foreign, "are graphs of no forecaster and no model of volatility: train again")
