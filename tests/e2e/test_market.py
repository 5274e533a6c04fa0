"""Real quotes and trades through a real Kafka: what a worker published is what offline computation and arch say."""

import time
import zipfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from crew import Crew, crew_at, until_worked_off, until_working
from live import make_topics, published, run_verb
from numpy.typing import NDArray
from truth import assert_equal, outcome, truth

from risk.bars.bar_builder import BarBuilder
from risk.bars.closed_bars import ClosedBars
from risk.market.golden_bars import golden_bars, golden_bars_bytes
from risk.market.market_bundle import PARAMETERS_FILE, MarketManifest
from risk.market.market_parameters import market_parameters_bytes
from risk.volatility.volatility_models import VolatilityModels
from schemas.volatility import Volatility
from stream.broker_process import BrokerProcess
from stream.bundles import read_bundles
from stream.settings import Settings
from tests.arch_models import arch_variances
from tests.small_market_bundle import small_market_bundle
from training.bundle_files import write_market_bundle
from training.market.bar_selection import bars_where
from training.market.tick_history import read_ticks
from training.market.volatility_fit import ModelOrder, fit_volatility_model

ROOT = Path(__file__).parents[2]
ORDERS = {
    "EURUSD": ModelOrder(kind="garch", o=1, distribution="t"),
    "SPY": ModelOrder(kind="egarch", o=1, distribution="skewt"),
}


def day_ns(path: Path) -> int:
    """Return the midnight of a file's day."""
    return int(np.datetime64(f"{path.name[:4]}-{path.name[4:6]}-{path.name[6:8]}", "ns").astype(np.int64))


def read_day(path: Path) -> NDArray[np.float64]:
    """Return the first three columns of a day's ticks: milliseconds since midnight, and two numbers."""
    with zipfile.ZipFile(path) as archive, archive.open(archive.namelist()[0]) as lines:
        return np.loadtxt(lines, delimiter=",", usecols=(0, 1, 2))


def write_ticks(target: Path, quotes: Sequence[Path], trades: Sequence[Path]) -> int:
    """Write days of EUR/USD quotes and of SPY trades as Parquet; return how many ticks they are."""
    columns: dict[str, list[object]] = {}
    tables = []
    for symbol, files, (one, other), scale in (
        ("EURUSD", quotes, ("bid", "ask"), 1.0),
        ("SPY", trades, ("price", "size"), 1e4),
    ):
        for path in files:
            ticks = read_day(path)
            columns = {
                "symbol": [symbol] * len(ticks),
                "event_time": (day_ns(path) + ticks[:, 0].astype(np.int64) * 1_000_000).tolist(),
                **{name: [None] * len(ticks) for name in ("bid", "ask", "price", "size")},
                one: (ticks[:, 1] / scale).tolist(),
                other: ticks[:, 2].tolist(),
            }
            schema = {"symbol": pa.string(), "event_time": pa.int64()} | dict.fromkeys(
                ("bid", "ask", "price", "size"), pa.float64()
            )
            tables.append(pa.table(columns, schema=pa.schema(list(schema.items()))))
    whole = pa.concat_tables(tables)
    parquet.write_table(whole, target)
    return int(whole.num_rows)


def bars_of(path: Path) -> ClosedBars:
    """Return the bars of a file, made as the stream makes them, in one batch."""
    ticks = read_ticks(path, {})
    builder = BarBuilder(small_market_bundle().parameters.bars)
    columns = (ticks.bid, ticks.ask, ticks.price, ticks.size, ticks.sequence)
    return builder.advance(ticks.symbol, ticks.event_time_ns, *columns)


def returns_of(bars: ClosedBars, symbol: str) -> NDArray[np.float64]:
    """Return the returns of a symbol's bars."""
    return bars.log_return_percent[[at for at, one in enumerate(bars.symbol) if one == symbol]]


@pytest.fixture(scope="module")
def days(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Give the ticks to learn from, and two parts of those that are streamed."""
    folder = tmp_path_factory.mktemp("market")
    quotes = sorted((shared_data / "market/lean/forex/oanda/tick/eurusd").glob("*_quote.zip"))
    trades = sorted((shared_data / "market/lean/equity/usa/tick/spy").glob("*_trade.zip"))
    parts = {
        "learnt": (quotes[:3], trades[:1]),
        "first": (quotes[3:5], trades[1:2]),
        "second": (quotes[5:7], trades[2:3]),
    }
    for name, (eurusd, spy) in parts.items():
        assert write_ticks(folder / f"{name}.parquet", eurusd, spy) > 100_000
    return {name: folder / f"{name}.parquet" for name in parts}


@pytest.fixture(scope="module")
def learnt(days: dict[str, Path]) -> ClosedBars:
    """Give the bars of the days to learn from."""
    return bars_of(days["learnt"])


@pytest.fixture(scope="module")
def market_bundle(learnt: ClosedBars, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a bundle with models fitted to the first days."""
    small = small_market_bundle()
    models = {symbol: fit_volatility_model(returns_of(learnt, symbol), order).model for symbol, order in ORDERS.items()}
    pooled = small.parameters.volatility.symbols["*"]
    parameters = msgspec.structs.replace(small.parameters, volatility=VolatilityModels({"*": pooled, **models}))
    golden = golden_bars(parameters, small.graphs, bars_where(learnt, np.arange(40)))
    manifest = MarketManifest(
        name="days", first_ns=0, end_ns=1, metrics={}, library_versions={}, command="riskstream market train", files={}
    )
    files = {PARAMETERS_FILE: market_parameters_bytes(parameters), **small.graphs}
    return write_market_bundle(tmp_path_factory.mktemp("bundles"), manifest, files, golden_bars_bytes(golden))


def worked_off(settings: Settings, crew: Crew) -> None:
    """Run one more worker until nothing is left to do, and stop it."""
    worker = crew.start(settings)
    until_worked_off([worker])
    worker.stop()


def test_real_markets_survive_kills_rebalances_and_refits(
    kafka: BrokerProcess, days: dict[str, Path], learnt: ClosedBars, market_bundle: Path, tmp_path: Path
) -> None:
    """EUR/USD and SPY give the bytes of one offline batch, arch's variances, and the same again in a replay."""
    name = f"market-{uuid4().hex[:8]}"
    settings = Settings(
        broker=kafka.bootstrap,
        application_id=name,
        topic_prefix=f"{name}.",
        bundle=ROOT / "bundles" / "demo",
        market_bundle=str(market_bundle),
        partitions=2,
        checkpoint_interval_seconds=0.2,
        session_timeout_seconds=6.0,
    )
    make_topics(settings)
    with crew_at(tmp_path / "worker.log") as crew:
        run_verb(settings, "send", "ticks", str(days["first"]))
        for _ in range(2):
            worker = crew.start(settings)
            until_working(worker)
            worker.kill()
        worked_off(settings, crew)
        told = run_verb(settings, "market", "refit", "--once", "--every", "500")
        assert "EURUSD refitted" in told
        first, second = crew.start(settings), crew.start(settings)
        run_verb(settings, "send", "ticks", str(days["second"]))
        time.sleep(1.0)
        first.kill()
        second.wait_until(second.ready)
        second.kill()
        worked_off(settings, crew)
    bundles = read_bundles(settings)
    came = outcome(settings, bundles)
    assert_equal(came, truth(settings, bundles, in_recorded_order=True))
    bars = [msgspec.json.decode(record.value, type=Volatility) for record in published(settings, "volatility")]
    assert Counter(one.symbol for one in bars)["EURUSD"] > 4_000
    assert_as_arch(bars, learnt, bundles.market.parameters.volatility if bundles.market else None)
    replayed = run_verb(settings, "replay", "ticks", "--compare")
    assert f"{len(bars):,}" in replayed


def assert_as_arch(bars: list[Volatility], learnt: ClosedBars, models: VolatilityModels | None) -> None:
    """Hold what was published before a refit against arch over the joined series: learnt and streamed."""
    assert models is not None
    for symbol in ORDERS:
        mine = sorted((one for one in bars if one.symbol == symbol), key=lambda one: one.bar_end_ns)
        until = next((at for at, one in enumerate(mine) if one.parameters_from_ns), len(mine))
        before = mine[:until]
        assert len(before) > 500
        streamed = np.array([one.log_return_percent for one in before])
        joined = np.concatenate([returns_of(learnt, symbol), streamed])
        # Its last is the forecast after the last return.
        expected = arch_variances(models.symbols[symbol], joined)[-len(before) - 1 : -1]
        np.testing.assert_allclose([one.variance_percent2 for one in before], expected, rtol=0, atol=1e-10)
        assert any(one.parameters_from_ns for one in mine) == (until < len(mine))
