"""Opens the graphs of forecasters, and says which of them serves which key."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from risk.forecasts.forecast_model import ForecastModel
from risk.forecasts.forecaster import Forecaster, Forecasters
from risk.market.pooled import POOLED
from risk.row_model import ModelError


@dataclass(frozen=True, slots=True)
class OpenForecaster:
    """An entry with its graph, opened, and its state before the first value, float64[S]."""

    spec: Forecaster
    graph: ForecastModel
    start: NDArray[np.float64]


def open_forecasters(parameters: Forecasters, files: Mapping[str, bytes]) -> list[OpenForecaster]:
    """Return the entries in their order, of graphs whose bytes `files` holds by name.

    Raises KeyError for a file that is missing and ModelError for a graph that is not as its entry says.
    """
    opened = {name: _graph(name, files[name]) for name in dict.fromkeys(one.file for one in parameters.forecasters)}
    return [_entry(one, opened[one.file], parameters) for one in parameters.forecasters]


def _graph(name: str, content: bytes) -> ForecastModel:
    try:
        return ForecastModel(content)
    except ModelError as error:
        raise ModelError(f"{name}: {error}") from error


def _entry(spec: Forecaster, graph: ForecastModel, parameters: Forecasters) -> OpenForecaster:
    if (graph.state_size, graph.horizon_bars) != (len(spec.start), parameters.horizon_bars):
        raise ModelError(
            f"{spec.file} has a state of {graph.state_size} and reaches {graph.horizon_bars} bars ahead, but the entry "
            f"{spec.model} of {spec.key} says {len(spec.start)} and {parameters.horizon_bars}: make the bundle again"
        )
    return OpenForecaster(spec, graph, np.array(spec.start))


def entry_numbers(parameters: Forecasters) -> dict[str, tuple[int, ...]]:
    """Return by key the number of each model's entry: its own, or else the pooled one."""
    numbers = {(one.model, one.key): number for number, one in enumerate(parameters.forecasters)}
    return {
        key: tuple(numbers.get((model, key), numbers[model, POOLED]) for model in parameters.models())
        for key in (POOLED, *(one.key for one in parameters.forecasters))
    }


def models_hash(parameters: Forecasters, files: Mapping[str, bytes]) -> int:
    """Return 64 bits of BLAKE2b (RFC 7693) of the entries and their graphs."""
    digest = hashlib.blake2b(msgspec.msgpack.encode(parameters, order="deterministic"), digest_size=8)
    for one in parameters.forecasters:
        digest.update(hashlib.sha256(files[one.file]).digest())
    return int.from_bytes(digest.digest(), "little")
