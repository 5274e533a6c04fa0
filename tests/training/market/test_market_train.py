import json
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from risk.bars.bar_spec import BarSpecification, TimeBars
from risk.market.golden_bars import read_golden_bars
from risk.volatility.volatility_model import VolatilityModel
from risk.volatility.volatility_models import model_name
from stream.bundle_files import read_market_bundle
from training.market import volatility_graph_files
from training.market.forecaster_fit import ForecastFitError
from training.market.market_train import GOLDEN_BARS, MarketPlan, TrainedMarket, train_market
from training.market.tick_history import TickHistory
from training.market.tick_simulator import MINUTE_NS, simulate_ticks
from training.market.volatility_fit import FitError, ModelOrder
from training.market.volatility_graph import recursion_bytes
from training.parity import ParityError

PLAN = MarketPlan("small", BarSpecification(closes=TimeBars(MINUTE_NS)), None, orders=(ModelOrder(kind="garch"),))
COMMAND = "riskstream market train --simulate"


def ticks_of(*bars: int) -> TickHistory:
    """Return ticks of symbols A, B and so on, five in each of so many minutes."""
    parts = [simulate_ticks([chr(65 + at)], 5 * one, at + 1, ticks_per_bar=5) for at, one in enumerate(bars)]
    order = np.argsort(np.concatenate([part.event_time_ns for part in parts]), kind="stable")
    column = {
        name: np.concatenate([getattr(part, name) for part in parts])[order]
        for name in TickHistory.__dataclass_fields__
    }
    return TickHistory(**(column | {"symbol": column["symbol"].tolist()}))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> TrainedMarket:
    """Give what training made of a symbol with bars enough for models of its own, and one with fewer."""
    return train_market(ticks_of(701, 300), PLAN, root=tmp_path_factory.mktemp("bundles"), command=COMMAND)


def test_the_bundle_opens(trained: TrainedMarket) -> None:
    """What training wrote is what a worker serves; its folder is its version."""
    bundle = read_market_bundle(trained.folder)
    assert trained.folder.name == bundle.version
    assert trained.folder.parent.name == bundle.manifest.name == "small"
    assert bundle.parameters == trained.parameters
    assert bundle.manifest.metrics == trained.metrics
    assert bundle.manifest.command == COMMAND


def test_a_symbol_with_few_bars_takes_the_pooled_models(trained: TrainedMarket) -> None:
    """The other has one of its own, and the notes tell both, and how the best method did."""
    symbols = trained.parameters.volatility.symbols
    assert list(symbols) == ["*", "A"]
    assert model_name(symbols["A"]) == "GARCH(1,1)"
    assert trained.metrics["A"]["bars"] == 699
    notes = read_market_bundle(trained.folder).manifest.notes
    assert any("1 of 2 symbols take the pooled models" in note for note in notes)
    assert trained.parameters.value_at_risk.method == trained.methods[0].method
    assert any(trained.methods[0].method.replace("_", " ") in note for note in notes)
    assert trained.parameters.correlation.symbols == ()


def test_every_forecaster_is_there(trained: TrainedMarket) -> None:
    """Each entry's graph lies in the folder, and both symbols have forecasters: 250 bars are enough."""
    entries = trained.parameters.forecasters.forecasters
    assert {one.file for one in entries} == {path.name for path in trained.folder.glob("forecast-*.onnx")}
    assert {one.key for one in entries} == {"*", "A", "B"}
    assert trained.parameters.forecasters.horizon_bars == PLAN.forecast_bars


def test_every_volatility_model_leaves_as_a_graph(trained: TrainedMarket) -> None:
    """The pooled model's file and A's are those of the models in the bundle, and the notes tell what the gate found."""
    bundle = read_market_bundle(trained.folder)
    assert bundle.manifest.volatility_graphs == {"*": "volatility-pooled.onnx", "A": "volatility-0.onnx"}
    for symbol, file in bundle.manifest.volatility_graphs.items():
        assert (trained.folder / file).read_bytes() == recursion_bytes(bundle.parameters.volatility.symbols[symbol])
        assert file not in bundle.graphs
    assert any("10,000 bars each" in note for note in bundle.manifest.notes)


def test_a_graph_that_is_not_its_model_ends_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is written where the parity gate does not let a graph of volatility pass."""

    def wrong(model: VolatilityModel) -> bytes:
        return recursion_bytes(msgspec.structs.replace(model, mean_percent=model.mean_percent + 1e-6))

    monkeypatch.setattr(volatility_graph_files, "recursion_bytes", wrong)
    with pytest.raises(ParityError, match="differs from its recursion"):
        train_market(ticks_of(510), replace(PLAN, name="none"), root=tmp_path, command=COMMAND)
    assert list(tmp_path.iterdir()) == []


def test_bars_of_a_year_are_counted(trained: TrainedMarket) -> None:
    """Of 701 minutes, the median symbol has 500 bars: so many in that time make a year."""
    assert trained.parameters.bars_per_year == pytest.approx(365.25 * 1440 * 499 / 701, rel=0.01)


def test_the_same_ticks_make_the_same_bundle(trained: TrainedMarket, tmp_path: Path) -> None:
    """Two runs give one version, byte for byte; another command is another version."""
    again = train_market(ticks_of(701, 300), PLAN, root=tmp_path, command=COMMAND)
    assert again.folder.name == trained.folder.name
    for path in trained.folder.iterdir():
        assert (again.folder / path.name).read_bytes() == path.read_bytes()


def test_golden_bars_are_the_last_of_each_symbol(trained: TrainedMarket) -> None:
    """So many of each are computed again when the bundle is opened."""
    golden = read_golden_bars((trained.folder / "golden.npz").read_bytes())
    assert [golden.bars.symbol.count(name) for name in "AB"] == [GOLDEN_BARS] * 2
    assert json.loads((trained.folder / "manifest.json").read_bytes())["kind"] == "market"


@pytest.mark.parametrize(("bars", "error"), [((1,), FitError), ((200,), (FitError, ForecastFitError))])
def test_too_few_bars_are_refused(tmp_path: Path, bars: tuple[int, ...], error: type[Exception]) -> None:
    """The error tells what is lacking, and nothing is written."""
    with pytest.raises(error, match=r"bar|return"):
        train_market(ticks_of(*bars), replace(PLAN, name="none"), root=tmp_path, command=COMMAND)
    assert list(tmp_path.iterdir()) == []
