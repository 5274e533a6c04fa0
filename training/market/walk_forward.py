"""Walk-forward evaluation: forecasts as they would have been made, by graphs that knew the past alone.

A forecaster is fitted to the bars before some bar, runs from there on as it does live, and is fitted anew every so many
bars. What it says as of a bar depends on no later one, bit for bit. Each forecast is compared with the random walk's,
which expects no change, by the Diebold-Mariano test: for prices and rates it is seldom beaten (Meese and Rogoff,
"Empirical exchange rate models of the seventies", Journal of International Economics 14, 1983).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from risk.forecasts.forecast_model import ForecastModel
from risk.forecasts.forecast_skill import Z_90, quantile_loss
from risk.forecasts.running_deviation import running_deviations
from training.market.diebold_mariano import compare_forecasts
from training.market.forecaster_fit import FittedForecaster, future_changes, replay

SIGNIFICANCE = 0.05

Fit = Callable[[NDArray[np.float64]], FittedForecaster]
"""From the levels float64[n] of the past to a forecaster whose start is the state after the last of them."""


@dataclass(frozen=True, slots=True)
class WalkForward:
    """Forecasts made as of bars `first`, `first` + 1, ...: changes over the next 1 ... H bars, float64[m, H]."""

    first: int
    forecast: NDArray[np.float64]
    deviation: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class WalkForwardSkill:
    """How good forecasts so many bars ahead were; see `risk.forecasts.forecast_skill` for the figures.

    `rmse_ratio` is the root mean squared error over the random walk's. `statistic` and `p_value` are those of the
    Diebold-Mariano test on squared errors against the random walk, below 0 where the forecast was better.
    """

    forecasts: int
    mase: float
    rmse: float
    rmse_ratio: float
    hit_rate: float
    coverage_90: float
    quantile_loss: float
    statistic: float
    p_value: float


def walk_forward(
    levels: NDArray[np.float64],
    fit: Fit,
    *,
    first: int,
    refit_every: int,
    window_bars: int | None = None,
    deviation_decay: float | None = None,
) -> WalkForward:
    """Return the forecasts as of every bar from `first` on, by forecasters of the bars before.

    At `first`, and every `refit_every` bars from there, `fit` is given the levels before that bar: all, or the last
    `window_bars`. With `deviation_decay` the forecasters are of changes in running deviations, which start from that of
    the changes before `first`. Raises ValueError unless 2 <= first < len(levels).
    """
    if not 2 <= first < len(levels):
        raise ValueError(f"first is {first} of {len(levels)} levels: give one from 2 to {len(levels) - 1}")
    changes = np.diff(levels, prepend=levels[0])
    scales = np.ones(len(levels))
    if deviation_decay is not None:
        scales[1:] = running_deviations(changes[1:], float(np.std(changes[1:first])), deviation_decay)
    parts = []
    for begin in range(first, len(levels), refit_every):
        bars = slice(begin, begin + refit_every)
        fitted = fit(levels[0 if window_bars is None else max(0, begin - window_bars) : begin])
        values = (levels if fitted.value == "level" else changes)[bars] / scales[bars]
        _, forecast, deviation = replay(ForecastModel(fitted.onnx), fitted.start[None, :], values[None, :])
        parts.append((forecast[0] * scales[bars, None], deviation[0] * scales[bars, None]))
    forecasts, deviations = zip(*parts, strict=True)
    return WalkForward(first, np.concatenate(forecasts), np.concatenate(deviations))


def skill(levels: NDArray[np.float64], made: WalkForward, *, ahead_bars: int = 1) -> WalkForwardSkill:
    """Return how good the forecasts of the change over the next `ahead_bars` bars were, where that is known."""
    ahead = future_changes(np.diff(levels), ahead_bars)[made.first - 1 :, ahead_bars - 1]
    forecast, deviation = (one[: len(ahead), ahead_bars - 1] for one in (made.forecast, made.deviation))
    error = ahead - forecast
    low, high = forecast - Z_90 * deviation, forecast + Z_90 * deviation
    directed = (ahead != 0.0) & (forecast != 0.0)
    right = (ahead > 0.0) == (forecast > 0.0)
    losses = [
        quantile_loss(value, quantile, level)
        for bar in zip(ahead.tolist(), low.tolist(), forecast.tolist(), high.tolist(), strict=True)
        for value, quantile, level in ((bar[0], bar[1], 0.05), (bar[0], bar[2], 0.5), (bar[0], bar[3], 0.95))
    ]
    compared = compare_forecasts(error**2, ahead**2, ahead_bars)
    return WalkForwardSkill(
        forecasts=len(ahead),
        mase=float(np.mean(np.abs(error)) / np.mean(np.abs(ahead))),
        rmse=float(np.sqrt(np.mean(error**2))),
        rmse_ratio=float(np.sqrt(np.mean(error**2) / np.mean(ahead**2))),
        hit_rate=float(np.mean(right[directed])) if directed.any() else 0.5,
        coverage_90=float(np.mean((low <= ahead) & (ahead <= high))),
        quantile_loss=float(np.mean(losses)),
        statistic=compared.statistic,
        p_value=compared.p_value,
    )


def verdict(skills: Mapping[str, WalkForwardSkill]) -> str:
    """Return in words which models beat the random walk, at 5 % shared among them all (Bonferroni).

    >>> one = WalkForwardSkill(250, 0.99, 1.0, 0.99, 0.52, 0.9, 0.2, -1.0, 0.32)
    >>> verdict({"arima": one})
    'Nothing beats the random walk here: the nearest is arima, with 0.990 of its error (p 0.320).'
    """
    better = {name: one for name, one in skills.items() if one.statistic < 0.0}
    found = sorted(name for name, one in better.items() if one.p_value * len(skills) < SIGNIFICANCE)
    if found:
        return (
            "The random walk is beaten by "
            + ", ".join(
                f"{name} ({skills[name].rmse_ratio:.3f} of its error, p {skills[name].p_value:.3g})" for name in found
            )
            + "."
        )
    nearest = min(skills, key=lambda name: skills[name].rmse_ratio)
    one = skills[nearest]
    return (
        f"Nothing beats the random walk here: the nearest is {nearest}, with {one.rmse_ratio:.3f} of its error "
        f"(p {one.p_value:.3f})."
    )
