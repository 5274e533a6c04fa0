"""The verb `market train` of the command line."""

import shlex
import sys
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from risk.manifest import Name
from training.console_output import errors, fail, output

if TYPE_CHECKING:
    from training.market.market_train import TrainedMarket
    from training.market.tick_history import TickHistory

SIMULATED_SYMBOLS = ("EURUSD", "USDJPY", "GBPUSD", "AUDUSD")
SIMULATED_TICKS = 100_000


class Year(StrEnum):
    """How much of a year trades."""

    US_EXCHANGE = "us_exchange"
    FOREIGN_EXCHANGE = "foreign_exchange"
    ALWAYS_OPEN = "always_open"


def train(
    ticks: Annotated[
        Path | None, typer.Option(help="Parquet or CSV of ticks: symbol, event_time, and bid, ask or price, size.")
    ] = None,
    simulate: Annotated[bool, typer.Option("--simulate", help="Learn from simulated quotes.")] = False,
    mapping: Annotated[
        list[str] | None, typer.Option("--map", help="FIELD=COLUMN of the file; repeat for each field.")
    ] = None,
    bar: Annotated[str, typer.Option(help="What closes a bar: 30s, 1m, 1d, 500t (ticks), 10000v (volume).")] = "1m",
    prices: Annotated[str, typer.Option(help="Which ticks make prices: quotes, trades, or both.")] = "both",
    pause: Annotated[
        str | None, typer.Option(help="A silence that ends a session, as 2h: no bar spans it. None if not given.")
    ] = None,
    outliers: Annotated[
        bool, typer.Option("--outliers", help="Hold a far-off price until the next confirms it.")
    ] = False,
    sample: Annotated[
        str | None, typer.Option(help="How far apart the prices are that realised variance is made of, as 5m.")
    ] = None,
    year: Annotated[
        Year, typer.Option(help="What a year has of bars, by which volatility is annualised.")
    ] = Year.ALWAYS_OPEN,
    horizons: Annotated[str, typer.Option(help="Horizons of risk in bars, with commas; 1 is always there.")] = "1,10",
    forecast_bars: Annotated[int, typer.Option(min=1, max=250, help="How many bars ahead is forecast.")] = 5,
    period: Annotated[int, typer.Option(min=0, help="Bars of a season, for a seasonal ARIMA; 0 for none.")] = 0,
    all_models: Annotated[bool, typer.Option("--all-models", help="Try every volatility model, not five.")] = False,
    networks: Annotated[bool, typer.Option("--networks", help="Train a GRU and a temporal convolution too.")] = False,
    rates: Annotated[
        Path | None,
        typer.Option(help="Table of par yields whose factors get forecasters of their own: date, 3M, 10Y ..."),
    ] = None,
    currency: Annotated[str, typer.Option(help="ISO 4217 code of the --rates.")] = "USD",
    name: Annotated[str, typer.Option(help="The bundle's name.")] = "market",
    out: Annotated[Path, typer.Option(help="Directory that holds bundles.")] = Path("bundles"),
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 0,
) -> None:
    """Learn the models of markets from ticks, and write a bundle: volatility, risk, forecasts, correlations.

    The ticks become the very bars that the stream makes. Each symbol with 500 bars has a volatility model of its own,
    the one of best BIC, and each with 250 its own forecasters; the others share pooled ones. Every forecaster leaves as
    ONNX through a parity gate.

    Example: riskstream market train --simulate --name demo-market

    Example: riskstream market train --ticks spy.parquet --bar 1m --prices trades --pause 2h --year us_exchange
    """
    if find_spec("arch") is None or find_spec("onnx") is None:
        raise fail("training needs arch and onnx; pip install 'riskstream[train]'")
    if networks and find_spec("tensorflow") is None:
        raise fail("--networks: needs TensorFlow; pip install 'riskstream[network]'")
    if (ticks is not None) == simulate:
        raise fail("--ticks, --simulate: give one of the two")
    from risk.bars.bar_spec import BarSpecification, OutlierRule, TimeBars
    from risk.bundle import BundleError
    from risk.volatility.trading_year import bars_per_year
    from training.history import HistoryError
    from training.market.bar_text import parse_bars, parse_length_ns
    from training.market.forecaster_fit import ForecastFitError
    from training.market.market_train import QUICK_ORDERS, MarketPlan, train_market
    from training.market.volatility_choice import ORDERS
    from training.market.volatility_fit import FitError
    from training.parity import ParityError
    from training.rates.treasury import read_par_curves

    try:
        msgspec.convert(name, Name)
    except msgspec.ValidationError as wrong:
        raise fail(f"--name {name}: {wrong}; give small letters, digits, - and _") from None
    if prices not in ("both", "quotes", "trades"):
        raise fail(f"--prices {prices}: is none of both, quotes and trades")
    try:
        closes = parse_bars(bar)
        specification = BarSpecification(
            closes=closes,
            prices=prices,  # type: ignore[arg-type]  # one of the three, see above
            pause_ns=None if pause is None else parse_length_ns(pause),
            sample_ns=None if sample is None else parse_length_ns(sample),
            outliers=OutlierRule() if outliers else None,
        )
    except ValueError as wrong:
        raise fail(f"--bar {bar}, --pause {pause}, --sample {sample}: {wrong}") from None
    try:
        loaded = _ticks(ticks, mapping or [], seed)
        curves = None if rates is None else read_par_curves(rates, currency)
        if curves is not None and not len(curves):
            raise HistoryError(f"{rates}: has no yields from 2000 on, and no event can be older; give later ones")
        plan = MarketPlan(
            name=name,
            bars=specification,
            # Bars that no clock closes are counted: so many of them came in the time that the history spans.
            bars_per_year=bars_per_year(closes.length_ns, year.value) if isinstance(closes, TimeBars) else None,
            orders=ORDERS if all_models else QUICK_ORDERS,
            horizons_bars=_horizons(horizons),
            forecast_bars=forecast_bars,
            period=period,
            networks=networks,
            seed=seed,
        )
        output.print(f"[bold]ticks[/] {len(loaded.symbol):,} of {len(set(loaded.symbol)):,} symbols")
        with Progress(
            SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(),
            console=errors, transient=True, disable=not errors.is_terminal,
        ) as progress:  # fmt: skip
            task = progress.add_task("bars", total=None)
            trained = train_market(
                loaded,
                plan,
                root=out,
                rates=curves,
                command=shlex.join(["riskstream", *sys.argv[1:]]),
                on_stage=lambda stage: progress.update(task, description=stage),
            )
    except (HistoryError, FitError, ForecastFitError, ParityError, BundleError, OSError) as wrong:
        raise fail(str(wrong)) from None
    show_trained_market(trained)


def _ticks(path: Path | None, mapping: list[str], seed: int) -> "TickHistory":
    from training.console import parse_mapping
    from training.market.tick_history import read_ticks
    from training.market.tick_simulator import simulate_ticks

    if path is None:
        return simulate_ticks(SIMULATED_SYMBOLS, SIMULATED_TICKS, seed)
    return read_ticks(path, parse_mapping(mapping))


def _horizons(given: str) -> tuple[int, ...]:
    try:
        chosen = {int(one) for one in given.split(",")} | {1}
    except ValueError:
        chosen = {0}
    if min(chosen) < 1 or max(chosen) > 100_000:
        raise fail(f"--horizons {given}: are no numbers of bars from 1 to 100000; write, for example, 1,10")
    return tuple(sorted(chosen))


def show_trained_market(trained: "TrainedMarket") -> None:
    """Print each symbol's model, how the methods of value at risk did, and where the bundle is."""
    from risk.market.pooled import POOLED
    from risk.volatility.volatility_models import model_name

    symbols = trained.parameters.volatility.symbols
    table = Table(title="volatility: the model of best BIC")
    table.add_column("symbol")
    table.add_column("model")
    table.add_column("residuals")
    for heading in ("bars", "log-likelihood", "BIC"):
        table.add_column(heading, justify="right")
    for symbol, figures in trained.metrics.items():
        model = symbols[symbol]
        table.add_row(
            symbol,
            model_name(model),
            model.distribution.kind,
            f"{figures['bars']:,.0f}",
            f"{figures['log_likelihood']:,.2f}",
            f"{figures['bic']:,.2f}",
        )
    table.add_row("all others", model_name(symbols[POOLED]), symbols[POOLED].distribution.kind, "", "", "", style="dim")
    output.print(table)
    methods = Table(title="value at risk at 99 %, one bar ahead, on the last half of the bars")
    methods.add_column("method")
    for heading in ("mean quantile loss", "exceedances", "expected"):
        methods.add_column(heading, justify="right")
    for at, score in enumerate(trained.methods):
        methods.add_row(
            score.method.replace("_", " "),
            f"{score.quantile_loss:.5f}",
            f"{score.exceedances:,} of {score.bars:,}",
            f"{0.01 * score.bars:,.1f}",
            style="green" if at == 0 else "",
        )
    output.print(methods)
    output.print(f"[bold]bundle[/] {trained.folder}")
