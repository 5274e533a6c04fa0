from dataclasses import replace

import msgspec
import pytest
from rich.console import Console

from risk.bars.bar_spec import BarSpecification, BarSpecifications, TickBars, TimeBars, VolumeBars
from risk.market.market_bundle import MarketBundle
from risk.portfolios.correlation_model import CorrelationModel
from risk.volatility.volatility_models import VolatilityModels
from stream.market_bundle_tables import SHOWN_SYMBOLS, market_bundle_tables
from tests.small_market_bundle import small_market_bundle

SMALL = small_market_bundle()


def shown(bundle: MarketBundle) -> str:
    """Return the tables as a terminal shows them."""
    console = Console(width=200, record=True, file=None, force_terminal=False, quiet=False)
    with console.capture() as captured:
        for table in market_bundle_tables(bundle):
            console.print(table)
    return captured.get()


def with_parameters(**changes: object) -> MarketBundle:
    """Return the small bundle with other parameters."""
    return replace(SMALL, parameters=msgspec.structs.replace(SMALL.parameters, **changes))


def test_a_bundle_is_told() -> None:
    """Its name and version, the bars, the rules of risk, each model, and the forecasters of how many symbols."""
    metrics = {"B": {"bars": 900.0, "log_likelihood": 1.0, "bic": -1234.56}}
    manifest = msgspec.structs.replace(
        SMALL.manifest, metrics=metrics, notes=("a [note]",), library_versions={"arch": "7"}
    )
    text = shown(replace(SMALL, manifest=manifest))
    for one in (
        *("small 0123456789ab", "1970-01-01 to 1970-01-01", "of 60 s", "525,600", "a [note]", "arch 7"),
        *("filtered historical; 95 %, 97.5 %, 99 %; over 1, 3 bars", "all others", "GARCH(1,1)", "EGARCH", "-1,234.6"),
        *("half of it stays", "the last three", "riskstream market train", "EWMA 0.9"),
    ):
        assert one in text, text


@pytest.mark.parametrize(
    ("closes", "told"),
    [
        (TimeBars(1_800_000_000), "of 1.8 s"),
        (TickBars(2_500), "of 2,500 ticks"),
        (VolumeBars(1e4), "of a volume of 10,000"),
    ],
)
def test_what_closes_a_bar_is_told(closes: TimeBars | TickBars | VolumeBars, told: str) -> None:
    """A symbol with bars of its own has a line of its own."""
    symbols = {"*": BarSpecification(closes=TimeBars(60_000_000_000)), "A": BarSpecification(closes=closes)}
    text = shown(with_parameters(bars=BarSpecifications(symbols)))
    assert "bars of A" in text
    assert told in text


def test_a_market_of_many_symbols_does_not_fill_the_screen() -> None:
    """After so many, the rest is counted; a name that looks like markup is shown as it is."""
    models = SMALL.parameters.volatility.symbols
    many = {f"S{at:03d}": models["B"] for at in range(SHOWN_SYMBOLS + 2)} | {"*": models["*"], "[red]": models["B"]}
    text = shown(with_parameters(volatility=VolatilityModels(many)))
    assert "and 3 more" in text
    assert f"S{SHOWN_SYMBOLS - 1:03d}" in text
    assert f"S{SHOWN_SYMBOLS:03d}" not in text
    assert "[red]" in shown(with_parameters(volatility=VolatilityModels(models | {"[red]": models["B"]})))


def test_graphs_of_volatility_are_told() -> None:
    """A model's file stands beside it; a bundle of before there were any has no column for them."""
    manifest = msgspec.structs.replace(SMALL.manifest, volatility_graphs={"B": "volatility-0.onnx"})
    text = shown(replace(SMALL, manifest=manifest))
    assert any("volatility-0.onnx" in line and "B" in line for line in text.splitlines()), text
    assert "graph" not in shown(SMALL)


def test_correlations_are_told() -> None:
    """Untrained ones are of an EWMA alone."""
    assert "DCC" not in shown(with_parameters(correlation=CorrelationModel()))
