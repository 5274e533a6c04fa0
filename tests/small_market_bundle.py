"""A small market bundle in memory, for tests: models made up here, forecasters of three small graphs."""

from pathlib import Path

from forecast_steps import FILES, FORECASTERS

from risk.bars.bar_spec import BarSpecification, BarSpecifications, TimeBars
from risk.distributions.standardised_distribution import StandardisedDistribution
from risk.market.alert_rules import AlertRules
from risk.market.golden_bars import golden_bars, golden_bars_bytes
from risk.market.market_bundle import PARAMETERS_FILE, MarketBundle, MarketManifest
from risk.market.market_parameters import MarketParameters, ValueAtRiskRules, market_parameters_bytes
from risk.portfolios.correlation_model import CorrelationModel
from risk.portfolios.portfolio_parameters import PortfolioLimits
from risk.rates.rate_parameters import RateParameters
from risk.volatility.volatility_model import Egarch, Garch
from risk.volatility.volatility_models import VolatilityModels
from tests.closed_bars import bars_of
from training.bundle_files import write_market_bundle

MINUTE_NS = 60_000_000_000


def small_market_bundle(version: str = "0123456789ab", *, stale_after_ns: int = 10 * MINUTE_NS) -> MarketBundle:
    """Return a bundle of bars of a minute; symbol B foresees too little variance, so that some of its bars exceed."""
    parameters = MarketParameters(
        bars=BarSpecifications({"*": BarSpecification(closes=TimeBars(MINUTE_NS))}),
        bars_per_year=525_600.0,
        volatility=VolatilityModels(
            {
                "*": Garch(
                    omega=8e-6,
                    alpha=(0.08,),
                    beta=(0.9,),
                    backcast_percent2=4e-4,
                    distribution=StandardisedDistribution("t", 6.0),
                ),
                "B": Garch(omega=1e-5, alpha=(0.05,), beta=(0.5,), backcast_percent2=1e-5),
                "C": Egarch(omega=-0.2, alpha=(0.1,), gamma=(-0.05,), beta=(0.97,), backcast_percent2=4e-4),
            }
        ),
        value_at_risk=ValueAtRiskRules(horizons_bars=(1, 3)),
        forecasters=FORECASTERS,
        alerts=AlertRules(stale_after_ns=stale_after_ns),
        correlation=CorrelationModel(),
        portfolios=PortfolioLimits(),
        rates=RateParameters(),
    )
    manifest = MarketManifest(
        name="small", first_ns=0, end_ns=1, metrics={}, library_versions={}, command="riskstream market train", files={}
    )
    return MarketBundle(manifest, version, parameters, FILES)


def write_small_market_bundle(root: Path) -> Path:
    """Write the small bundle under a root; return the folder of its version."""
    small = small_market_bundle()
    golden = golden_bars_bytes(golden_bars(small.parameters, small.graphs, bars_of(["A", "B"], 12)))
    files = {PARAMETERS_FILE: market_parameters_bytes(small.parameters), **small.graphs}
    return write_market_bundle(root, small.manifest, files, golden)
