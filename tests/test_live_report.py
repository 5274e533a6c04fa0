from pathlib import Path

import msgspec
import numpy as np
import pytest

from history_messages import tick_messages
from market_report_console import report_of
from risk.chunk import Chunk
from risk.market.tick_fold import TickFold
from schemas.forecast import Forecast
from schemas.volatility import Volatility
from tests.small_market_bundle import small_market_bundle
from training.market.report import ReportError
from training.market.report_files import write_report
from training.market.tick_simulator import simulate_ticks

Published = tuple[list[Volatility], list[Forecast]]


@pytest.fixture(scope="module")
def published() -> Published:
    """Give the bars and forecasts that a worker publishes of symbol B, whose model foresees too little variance."""
    ticks = list(tick_messages(simulate_ticks(["B"], 600, 5, ticks_per_bar=2)))
    keys, values = tuple(key.encode() for key, _ in ticks), tuple(value for _, value in ticks)
    fold = TickFold(0, partitions=1, bundle=small_market_bundle())
    emitted = fold.advance(Chunk.of("ticks", 0, tuple(range(len(ticks))), keys, values, caught_up=True))
    bars = [msgspec.json.decode(one.value, type=Volatility) for one in emitted.outputs if one.stream == "volatility"]
    made = [msgspec.json.decode(one.value, type=Forecast) for one in emitted.outputs if one.stream == "forecasts"]
    return bars, made


def test_each_loss_is_held_against_what_was_in_force(published: Published) -> None:
    """Exceedances are those that the worker counted, and follow from the value at risk of the bar before."""
    bars, forecasts = published
    report = report_of(bars, forecasts, "riskstream")
    assert len(report) == len(bars) - 1
    assert [one.level for one in report.levels] == [0.95, 0.975, 0.99]
    assert report.bars_per_year == pytest.approx(525_600.0)
    for one in report.levels:
        np.testing.assert_array_equal(one.exceeded, report.loss_percent > one.value_at_risk_percent)
    assert report.traffic_light.exceeded.any()
    last = {one.confidence_percent: one for one in bars[-1].back_tests}[99.0]
    assert int(report.traffic_light.exceeded[-last.bars :].sum()) == last.exceedances


def test_forecasts_are_scored_against_the_random_walk(published: Published) -> None:
    """One row a model, over all bars of which it had forecast something."""
    bars, forecasts = published
    report = report_of(bars, forecasts, "riskstream")
    assert [one.forecaster for one in report.skills] == list(dict.fromkeys(one.model for one in forecasts))
    for one in report.skills:
        of_it = [f for f in forecasts if f.model == one.forecaster][1:]
        assert one.forecasts == len(of_it)
        walk = sum(abs(f.change) for f in of_it)
        assert one.mase == pytest.approx(sum(abs(f.change - f.previous_value) for f in of_it) / walk)


def test_order_and_repetition_do_not_matter(published: Published, tmp_path: Path) -> None:
    """Bars that a worker published again change nothing; equal topics give equal pages."""
    bars, forecasts = published
    first = write_report(report_of(bars, forecasts, "riskstream"), tmp_path / "a")
    again = report_of([*bars[::-1], *bars[5:9]], [*forecasts, *forecasts[:7]], "riskstream")
    for one, other in zip(first, write_report(again, tmp_path / "b"), strict=True):
        assert one.read_bytes() == other.read_bytes()


def test_too_few_bars_are_told(published: Published) -> None:
    """Those of another bundle do not count."""
    bars, _ = published
    old = [msgspec.structs.replace(one, bundle_version="ffffffffffff") for one in bars[:-2]]
    with pytest.raises(ReportError, match="has 2 bars of bundle 0123456789ab"):
        report_of([*old, *bars[-2:]], [], "riskstream")
