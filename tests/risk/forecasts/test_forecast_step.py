import math

import numpy as np
import pytest
from forecast_steps import FILES, FORECASTERS, bars_of, forecast_columns
from hypothesis import given, settings
from hypothesis import strategies as st

from risk.forecasts.forecast_skill import SUMS, Z_90, score_forecast, skill_figures
from risk.forecasts.forecast_step import BarForecasts, Forecasts
from risk.forecasts.running_deviation import START_CHANGES
from risk.row_model import ModelError

KEEP = 0.5 ** (1.0 / FORECASTERS.skill_half_life_bars)
seeds = st.integers(0, 2**32 - 1)


class Twin:
    """One key's forecasts in plain Python: the three graphs by hand, one bar at a time."""

    def __init__(self, key: str) -> None:
        self.own = key == "s1"
        self.start = FORECASTERS.deviations.get(key, 1.0)
        self.weight, self.square = START_CHANGES, START_CHANGES * self.start**2
        self.decay = 0.75 if self.own else 0.0
        self.window = [0.0, 0.0, 0.0]
        self.pending: list[tuple[float, float]] | None = None
        self.sums = np.zeros((2, SUMS))

    def advance(self, level: float, change: float) -> list[float]:
        """Return previous forecasts, forecasts, lows, highs and figures, as the step lays them side by side."""
        for sums, (forecast, deviation) in zip(self.sums, self.pending or [], strict=False):
            score_forecast(sums, change, forecast, deviation, KEEP)
        previous = [forecast for forecast, _ in self.pending] if self.pending else [0.0, 0.0]
        self.weight, self.square = 0.97 * self.weight + 1.0, 0.97 * self.square + change**2
        scale = max(math.sqrt(self.square / self.weight), 1e-6 * self.start)
        scaled = change / scale
        value = level if self.own else scaled
        self.decay = 0.5 * self.decay + min(max(value, -100.0), 100.0)
        self.window = [*self.window[1:], min(max(scaled, -20.0), 20.0)]
        share, spread, unit = (0.5, 2.0, 1.0) if self.own else (0.25, 1.0, scale)
        decays = [share * self.decay * unit, 2.0 * share * self.decay * unit]
        means = [-sum(self.window) / 3.0 * scale] * 2
        forecasts = [*decays, *means]
        deviations = [spread * unit, 2.0 * spread * unit, scale, 1.5 * scale]
        self.pending = [(decays[0], deviations[0]), (means[0], deviations[2])]
        low = [one - Z_90 * wide for one, wide in zip(forecasts, deviations, strict=True)]
        high = [one + Z_90 * wide for one, wide in zip(forecasts, deviations, strict=True)]
        figures = np.stack([skill_figures(one) for one in self.sums]).T
        return [change, *previous, *forecasts, *low, *high, *figures.ravel().tolist()]


def advance(step: Forecasts, seed: int, n: int = 80) -> BarForecasts:
    """Advance by the bars of a seed."""
    return step.advance(**bars_of(np.random.default_rng(seed), n))


@settings(max_examples=25)
@given(seeds)
def test_forecasts_and_skill_are_those_of_a_plain_twin(seed: int) -> None:
    """Every number of every bar equals that of a slow twin in plain Python."""
    events = bars_of(np.random.default_rng(seed), 80)
    twins: dict[str, Twin] = {}
    found = [np.frombuffer(one) for one in forecast_columns(Forecasts(FORECASTERS, FILES).advance(**events))]
    for key, level, change, said in zip(
        events["key"], events["level"].tolist(), events["change"].tolist(), found, strict=True
    ):
        expected = twins.setdefault(key, Twin(key)).advance(level, change)
        np.testing.assert_allclose(said, expected, rtol=1e-9, atol=1e-9)


@settings(max_examples=25)
@given(seeds, st.integers(0, 79), st.floats(-1e4, 1e4))
def test_no_forecast_knows_what_comes_after(seed: int, at: int, other: float) -> None:
    """Another change at one bar leaves all that was said at the bars before the same, bit for bit."""
    events = bars_of(np.random.default_rng(seed), 80)
    before = forecast_columns(Forecasts(FORECASTERS, FILES).advance(**events))
    events["change"] = np.where(np.arange(80) >= at, other, events["change"])
    events["level"] = np.where(np.arange(80) >= at, -other, events["level"])
    assert forecast_columns(Forecasts(FORECASTERS, FILES).advance(**events))[:at] == before[:at]


def test_a_forecast_is_scored_when_its_bar_comes() -> None:
    """What was forecast of a bar is what the bar before said, and the first bar has nothing to score."""
    step = Forecasts(FORECASTERS, FILES)
    bars = step.advance(["A"] * 3, np.array([460.0, 461.0, 459.0]), np.array([0.5, 1.0, -2.0]))
    assert bars.scored_bars[:, 0].round(6).tolist() == [0.0, 1.0, round(1.0 + KEEP, 6)]
    assert bars.previous_forecast[1:].tolist() == bars.forecast[:-1, :, 0].tolist()
    assert bars.rmse[1].tolist() == np.abs(1.0 - bars.forecast[0, :, 0]).tolist()
    assert bars.mase[0].tolist() == [1.0, 1.0]


def test_no_bars_give_no_forecasts() -> None:
    """An empty batch has empty columns, and makes no key."""
    step = Forecasts(FORECASTERS, FILES)
    assert len(step.advance([], np.empty(0), np.empty(0))) == 0
    assert len(step) == 0


def test_rows_of_other_models_are_left_out() -> None:
    """State that other graphs made is of no use: its keys start anew, and rows of no sense are an error."""
    step, other = Forecasts(FORECASTERS, FILES), Forecasts(FORECASTERS, {**FILES, "decay.onnx": FILES["own.onnx"]})
    advance(step, 1)
    other.load(step.dump().items())
    assert len(other) == 0
    fresh = Forecasts(FORECASTERS, FILES)
    assert forecast_columns(advance(other, 2)) != forecast_columns(advance(fresh, 2))
    key, row = next(iter(step.dump().items()))
    with pytest.raises(ValueError, match="written by another version"):
        fresh.load([(key, row[:-8])])


def test_a_graph_that_is_not_as_its_entry_says_is_refused() -> None:
    """A graph with a state of another size is an error that names the file and the entry."""
    with pytest.raises(ModelError, match=r"window.onnx has a state of 1 .* window of \* says 3"):
        Forecasts(FORECASTERS, {**FILES, "window.onnx": FILES["own.onnx"]})


def test_graphs_do_not_depend_on_the_batch() -> None:
    """The check of every graph, made when a bundle is opened, finds nothing."""
    changes = np.random.default_rng(3).normal(0.0, 1.0, 300)
    Forecasts(FORECASTERS, FILES).check_batch_invariance(460.0 + np.cumsum(changes), changes)
