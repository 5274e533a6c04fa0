"""Whether anything forecasts better than the random walk: `python -m benchmarks.forecasts ../shared/data`.

Walks forward over the daily closes of SPY (1998 to 2021) and EURUSD (to 2018), and the 10-year Treasury yield (1990
to 2022): every model is fitted to the bars before, runs as it does live, and is fitted anew every so many bars.
Prints for each series and model MASE, the ratio of its root mean squared error to the random walk's, hit rate,
coverage of the 90 % interval and the Diebold-Mariano test, one bar and five bars ahead, and says in words which
models beat the random walk.
"""

import argparse
import csv
import io
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from training.market.arima_fit import choose_arima
from training.market.arima_graph import export_arima
from training.market.forecaster_fit import future_changes
from training.market.forecasters import MOST_CHANGES, scaled_segments
from training.market.gated_recurrent import fit_gated_recurrent
from training.market.lag_regression import Segments, fit_lag_regression
from training.market.temporal_convolution import fit_temporal_convolution
from training.market.walk_forward import Fit, WalkForwardSkill, skill, verdict, walk_forward

HORIZON_BARS = 5
WEEK_BARS = 5
FIRST_BAR = 1_500
DECAY = 0.97


def main() -> None:
    """Print a table for every series."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="The folder of market and rates data.")
    parser.add_argument("--networks", action="store_true", help="Fit the networks too, which takes minutes.")
    parser.add_argument("--refit-every", type=int, default=500, help="Bars from one fit to the next.")
    arguments = parser.parse_args()
    console = Console(width=150)
    for name, levels in series(arguments.data):
        fits = own_fits()
        scaled = network_fits() if arguments.networks else {}
        found: dict[int, dict[str, WalkForwardSkill]] = {1: {}, HORIZON_BARS: {}}
        table = Table("model", "ahead", "MASE", "RMSE ratio", "hits", "coverage", "DM", "p", "s", title=name)
        for model, fit in {**fits, **scaled}.items():
            begun = time.perf_counter()
            made = walk_forward(
                levels,
                fit,
                first=FIRST_BAR,
                refit_every=arguments.refit_every * (4 if model in scaled else 1),
                deviation_decay=DECAY if model in scaled else None,
            )
            took = time.perf_counter() - begun
            for ahead, skills in found.items():
                one = skills[model] = skill(levels, made, ahead_bars=ahead)
                figures = (one.mase, one.rmse_ratio, one.hit_rate, one.coverage_90)
                table.add_row(
                    model,
                    str(ahead),
                    *(f"{figure:.4f}" for figure in figures),
                    f"{one.statistic:+.2f}",
                    f"{one.p_value:.3f}",
                    f"{took:.0f}",
                )
        console.print(table)
        for ahead, skills in found.items():
            forecasts = next(iter(skills.values())).forecasts
            console.print(f"{name}, {ahead} ahead, {forecasts} forecasts: {verdict(skills)}")


def own_fits() -> dict[str, Fit]:
    """Return the fits of one key's levels by model."""
    return {
        "arima": lambda past: export_arima(choose_arima(recent(past)), recent(past), HORIZON_BARS),
        "seasonal_arima": lambda past: export_arima(
            choose_arima(recent(past), period=WEEK_BARS, differences=1), recent(past), HORIZON_BARS
        ),
        "linear_regression": lambda past: fit_lag_regression(changes_of(past), degree=1),
        "polynomial_regression": lambda past: fit_lag_regression(changes_of(past), degree=2),
    }


def network_fits() -> dict[str, Fit]:
    """Return the fits of networks to one key's levels, whose changes are divided by their running deviation."""
    return {
        "gru": lambda past: fit_gated_recurrent(scaled_changes_of(past), seed=1),
        "temporal_convolution": lambda past: fit_temporal_convolution(scaled_changes_of(past), seed=1),
    }


def recent(past: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the last levels, as many as training takes."""
    return past[-MOST_CHANGES - 1 :]


def changes_of(past: NDArray[np.float64]) -> Segments:
    """Return changes and what came after each."""
    changes = np.diff(past)
    return [(changes, future_changes(changes, HORIZON_BARS))]


def scaled_changes_of(past: NDArray[np.float64]) -> Segments:
    """Return the same in running deviations."""
    changes = np.diff(past)
    return scaled_segments({"": changes}, {"": float(np.std(changes))}, HORIZON_BARS, DECAY)


def series(data: Path) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Give the name and the levels of each series: 100 times the log of a price, or a yield in percent."""
    yield "SPY daily, stock", 100.0 * np.log(closes(data / "market/lean/equity/usa/daily/spy.zip"))
    yield "EURUSD daily, foreign exchange", 100.0 * np.log(closes(data / "market/lean/forex/oanda/daily/eurusd.zip"))
    yield "10-year Treasury yield, interest rate", yields(data / "rates/ust.csv", "BC_10YEAR")


def closes(path: Path) -> NDArray[np.float64]:
    """Return the closes of a zip of daily bars: of trades, or of bids."""
    with zipfile.ZipFile(path) as archive, archive.open(archive.namelist()[0]) as content:
        return np.array([float(row[4]) for row in csv.reader(io.TextIOWrapper(content))])


def yields(path: Path, tenor: str) -> NDArray[np.float64]:
    """Return a tenor's yields in percent, but for the days that have none, which the Treasury writes as 0."""
    with path.open() as content:
        found = np.array([float(row[tenor] or 0.0) for row in csv.DictReader(content)])
    return found[found > 0.0]


if __name__ == "__main__":
    main()
