"""What a market bundle holds, as tables for people: its bars and rules, the models of each symbol, the forecasters."""

from collections.abc import Iterator
from datetime import UTC, datetime

from rich.markup import escape
from rich.table import Table

from risk.bars.bar_spec import TickBars, TimeBars, VolumeBars
from risk.market.market_bundle import MarketBundle
from risk.market.pooled import POOLED
from risk.volatility.volatility_models import model_name

SHOWN_SYMBOLS = 40
"""A market of a thousand symbols would fill the screen."""


def market_bundle_tables(bundle: MarketBundle) -> Iterator[Table]:
    """Yield the tables in the order to show them."""
    yield _summary(bundle)
    symbols, graphs = bundle.parameters.volatility.symbols, bundle.manifest.volatility_graphs
    models = Table("symbol", "volatility", "residuals", title="volatility models")
    models.add_column("BIC", justify="right")
    if graphs:
        models.add_column("graph")
    for symbol in [POOLED, *sorted(set(symbols) - {POOLED})][: SHOWN_SYMBOLS + 1]:
        model = symbols[symbol]
        figures = bundle.manifest.metrics.get(symbol)
        models.add_row(
            "all others" if symbol == POOLED else escape(symbol),
            model_name(model),
            model.distribution.kind,
            "" if figures is None else f"{figures['bic']:,.1f}",
            *([escape(graphs.get(symbol, ""))] if graphs else []),
        )
    if len(symbols) > SHOWN_SYMBOLS + 1:
        models.add_row(f"and {len(symbols) - SHOWN_SYMBOLS - 1:,} more", style="dim")
    yield models
    forecasters = Table("forecaster", "symbols", "pooled", title="forecasters")
    entries = bundle.parameters.forecasters.forecasters
    for model_of in bundle.parameters.forecasters.models():
        own = [one for one in entries if one.model == model_of and one.key != POOLED]
        pooled = next(one for one in entries if one.model == model_of and one.key == POOLED)
        forecasters.add_row(escape(model_of), f"{len(own):,}", escape(pooled.description))
    yield forecasters


def _summary(bundle: MarketBundle) -> Table:
    manifest, parameters = bundle.manifest, bundle.parameters
    table = Table(title=f"{escape(manifest.name)} {bundle.version}", show_header=False)
    table.add_column(style="dim")
    table.add_column()
    table.add_row("trained on", f"{_day(manifest.first_ns)} to {_day(manifest.end_ns - 1)}")
    for symbol, specification in parameters.bars.symbols.items():
        table.add_row("bars" if symbol == POOLED else f"bars of {escape(symbol)}", _bars(specification.closes))
    table.add_row("bars a year", f"{parameters.bars_per_year:,.0f}")
    rules = parameters.value_at_risk
    levels = ", ".join(f"{100 * level:g} %" for level in rules.levels)
    horizons = ", ".join(f"{bars:,}" for bars in rules.horizons_bars)
    table.add_row("value at risk", f"{rules.method.replace('_', ' ')}; {levels}; over {horizons} bars")
    correlation = parameters.correlation
    trained = f"DCC of {len(correlation.symbols)} symbols, " if correlation.symbols else ""
    table.add_row("correlations", f"{trained}EWMA {correlation.ewma_lambda:g} of all")
    for note in manifest.notes:
        table.add_row("note", escape(note))
    table.add_row("command", escape(manifest.command))
    table.add_row("libraries", ", ".join(f"{name} {number}" for name, number in manifest.library_versions.items()))
    return table


def _bars(closes: TimeBars | TickBars | VolumeBars) -> str:
    match closes:
        case TimeBars():
            return f"of {closes.length_ns / 1e9:,g} s"
        case TickBars():
            return f"of {closes.ticks:,} ticks"
        case VolumeBars():
            return f"of a volume of {closes.volume:,g}"


def _day(at_ns: int) -> str:
    return datetime.fromtimestamp(at_ns / 1e9, tz=UTC).date().isoformat()
