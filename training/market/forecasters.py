"""Fits the forecasters of all keys, of each with history enough and of all together, and exports and checks them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from risk.forecasts.forecaster import Forecaster, Forecasters
from risk.forecasts.running_deviation import running_deviations
from risk.market.pooled import POOLED
from training.market.arima_fit import Criterion, choose_arima
from training.market.arima_graph import export_arima
from training.market.forecast_parity import check_forecast_export
from training.market.forecaster_fit import FittedForecaster, ForecastFitError, future_changes
from training.market.gated_recurrent import fit_gated_recurrent
from training.market.lag_regression import Segments, fit_lag_regression
from training.market.temporal_convolution import fit_temporal_convolution

MIN_CHANGES = 250
"""A key with fewer changes has no forecaster of its own."""

MOST_CHANGES = 2_000
"""The orders of ARIMA are searched on so many last changes at most: a few seconds a key."""

POOLED_CHANGES = 3_000
"""The pooled ARIMA is fitted to so many changes of all keys together."""

TOLERANCE = 1e-9
"""How far a graph's forecast may be from its original's, in standard deviations of a change."""

_GAP_BARS = 20


@dataclass(frozen=True, slots=True)
class FittedForecasters:
    """What was fitted: the entries, the graphs by the name of their file, and by how much a graph differed at most.

    `differences` is by (model, key), in standard deviations of a change.
    """

    parameters: Forecasters
    files: dict[str, bytes]
    differences: dict[tuple[str, str], float]


def fit_forecasters(
    levels: Mapping[str, NDArray[np.float64]],
    *,
    horizon_bars: int = 5,
    period: int = 0,
    networks: bool = False,
    deviation_decay: float = 0.97,
    criterion: Criterion = "bic",
    seed: int = 0,
) -> FittedForecasters:
    """Return the forecasters of keys whose levels per bar are given, float64[n] each, in order of time.

    A level is 100 times the log of a price, or a yield. Each key with MIN_CHANGES changes has its own ARIMA and
    regressions, and a seasonal ARIMA where `period` tells the bars of a season; all have them pooled, of changes
    divided by their running deviation, and with `networks` a gated recurrent unit and a temporal convolution, which
    take TensorFlow and about a minute. Raises ForecastFitError where no key has MIN_CHANGES changes that vary,
    ParityError where a graph is not its original.
    """
    changes = {key: np.diff(one) for key, one in sorted(levels.items()) if len(one) > MIN_CHANGES}
    changes = {key: one for key, one in changes.items() if np.std(one) > 0.0}
    if not changes:
        longest = max(map(len, levels.values()), default=0)
        raise ForecastFitError(
            f"no key has {MIN_CHANGES} changes that vary, the longest history has {longest} bars: give more bars"
        )
    spreads = {key: float(np.std(one)) for key, one in changes.items()}
    deviations = {POOLED: float(np.median(list(spreads.values()))), **spreads}
    segments = scaled_segments(changes, spreads, horizon_bars, deviation_decay)
    pooled = fit_pooled(segments, horizon_bars, period=period, networks=networks, criterion=criterion, seed=seed)
    together = np.concatenate([one for one, _ in segments])
    files: dict[str, bytes] = {}
    differences: dict[tuple[str, str], float] = {}
    entries = []
    for fitted in pooled:
        differences[fitted.kind, POOLED] = check_forecast_export(fitted, together, tolerance=TOLERANCE, seed=seed)
        entries.append(_entry(fitted, POOLED, f"forecast-{fitted.kind}-pooled.onnx", "running", fitted.neutral))
        files[entries[-1].file] = fitted.onnx
    for number, key in enumerate(changes):
        for fitted in fit_own(levels[key], horizon_bars, period=period, criterion=criterion):
            values = changes[key] if fitted.value == "change" else levels[key]
            differences[fitted.kind, key] = check_forecast_export(fitted, values, tolerance=TOLERANCE, seed=seed)
            entries.append(_entry(fitted, key, f"forecast-{fitted.kind}-{number}.onnx", "fixed", fitted.start))
            files[entries[-1].file] = fitted.onnx
    parameters = Forecasters(
        horizon_bars=horizon_bars,
        deviations=deviations,
        deviation_decay=deviation_decay,
        forecasters=tuple(entries),
    )
    return FittedForecasters(parameters, files, differences)


def fit_own(
    levels: NDArray[np.float64], horizon_bars: int, *, period: int = 0, criterion: Criterion = "bic"
) -> list[FittedForecaster]:
    """Return one key's forecasters, of levels float64[n]: ARIMA, with a period a seasonal one, and the regressions."""
    changes = np.diff(levels)
    segments = [(changes, future_changes(changes, horizon_bars))]
    recent = levels[-MOST_CHANGES - 1 :]
    made = [export_arima(choose_arima(recent, criterion=criterion), recent, horizon_bars)]
    if period:
        seasonal = choose_arima(recent, period=period, criterion=criterion)
        made.append(export_arima(seasonal, recent, horizon_bars))
    return [*made, *(fit_lag_regression(segments, degree=degree, criterion=criterion) for degree in (1, 2))]


def fit_pooled(
    segments: Segments,
    horizon_bars: int,
    *,
    period: int = 0,
    networks: bool = False,
    criterion: Criterion = "bic",
    seed: int = 0,
) -> list[FittedForecaster]:
    """Return the forecasters of all keys together, of changes in running deviations; see `scaled_segments`."""
    share = max(POOLED_CHANGES // len(segments), _GAP_BARS)
    # Where nothing is known for a while, the filter forgets the key before.
    gap = np.full(_GAP_BARS, np.nan)
    chained = np.concatenate([np.append(np.cumsum(one[-share:]), gap) for one, _ in segments])
    made = [export_arima(choose_arima(chained, differences=1, criterion=criterion), chained, horizon_bars)]
    if period:
        seasonal = choose_arima(chained, period=period, differences=1, criterion=criterion)
        made.append(export_arima(seasonal, chained, horizon_bars))
    made += [fit_lag_regression(segments, degree=degree, criterion=criterion) for degree in (1, 2)]
    if networks:
        made += [fit_gated_recurrent(segments, seed=seed), fit_temporal_convolution(segments, seed=seed)]
    return made


def scaled_segments(
    changes: Mapping[str, NDArray[np.float64]], spreads: Mapping[str, float], horizon_bars: int, decay: float
) -> Segments:
    """Return each key's changes in running deviations, as live, and the changes ahead in the deviation known then.

    >>> one, ahead = scaled_segments({"X": np.ones(60)}, {"X": 1.0}, 2, 0.9)[0]
    >>> len(one), ahead[0].tolist()
    (60, [1.0, 2.0])
    """
    segments = []
    for key, one in changes.items():
        running = running_deviations(one, spreads[key], decay)
        ahead = future_changes(one, horizon_bars)
        segments.append((one / running, ahead / running[: len(ahead), None]))
    return segments


def _entry(
    fitted: FittedForecaster, key: str, file: str, scaling: Literal["fixed", "running"], start: NDArray[np.float64]
) -> Forecaster:
    return Forecaster(
        model=fitted.kind,
        key=key,
        kind=fitted.kind,
        description=fitted.description,
        file=file,
        value=fitted.value,
        scaling=scaling,
        start=tuple(start.tolist()),
    )
