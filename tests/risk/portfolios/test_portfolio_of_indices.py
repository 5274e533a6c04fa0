"""A portfolio of four European stock indices, 1991 to 1998, from their closes to its back-test."""

from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from risk.chunk import Chunk
from risk.market.market_columns import bar_columns, position_columns
from risk.market.market_routing import MarketRouting
from risk.portfolios.correlation_model import CorrelationModel
from risk.portfolios.decode_positions import decode_positions
from risk.portfolios.portfolio_fold import PortfolioFold
from risk.portfolios.portfolio_parameters import PortfolioParameters
from risk.volatility.ewma import next_ewma_variance
from schemas.encoding import encode
from schemas.portfolio_risk import MarketRisk, PortfolioRisk
from schemas.position import Position
from training.market.correlation_fit import fit_correlations

DAY_NS = 86_400_000_000_000
START_NS = 946_684_800_000_000_000
INDICES = ("DAX", "SMI", "CAC", "FTSE")
TRAINED_DAYS = 500


def read_closes(shared_data: Path) -> NDArray[np.float64]:
    """Return the closes, float64[days, 4]."""
    columns = np.genfromtxt(shared_data / "ts/datasets_EuStockMarkets.csv", delimiter=",", names=True)
    return np.column_stack([columns[name] for name in INDICES])


def variances_of(returns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return RiskMetrics variances, in force for each return and then the next one, from those of the first 30 days."""
    found = np.empty((len(returns) + 1, returns.shape[1]))
    found[0] = (returns[:30] ** 2).mean(axis=0)
    for at, row in enumerate(returns):
        found[at + 1] = [next_ewma_variance(*pair, 0.94) for pair in zip(found[at].tolist(), row.tolist(), strict=True)]
    return found


def run(closes: NDArray[np.float64], model: CorrelationModel) -> list[MarketRisk]:
    """Return what is told of a portfolio of 100 of each index, day by day."""
    fold = PortfolioFold(
        0,
        partitions=1,
        parameters=PortfolioParameters("m", "0123456789ab", model),
        topics={"ticks": "t", "rates": "r", "positions": "p"},
    )
    returns = 100.0 * np.diff(np.log(closes), axis=0)
    variances = variances_of(returns)
    days, count = returns.shape
    end_ns = START_NS + DAY_NS * np.repeat(np.arange(1, days + 1), count)
    bars = bar_columns(
        np.arange(days * count),
        end_ns,
        list(INDICES) * days,
        end_ns,
        close=closes[1:].ravel(),
        log_return_percent=returns.ravel(),
        variance_percent2=variances[:-1].ravel(),
        next_variance_percent2=variances[1:].ravel(),
        standardised_residual=(returns / np.sqrt(variances[:-1])).ravel(),
    )
    sent = [encode(Position(1, "p", START_NS, 100.0, symbol=symbol)) for symbol in INDICES]
    positions, _ = decode_positions([b"p"] * count, list(sent))
    found = []
    nobody = position_columns(decode_positions([], [])[0])
    for role, rows in (("rates", nobody), ("positions", position_columns(positions)), ("ticks", bars)):
        nothing = (None,) * len(rows)
        source = Chunk.of(role, 0, tuple(range(len(rows))), nothing, nothing, caught_up=True)
        for output in MarketRouting(role, 0, 1).outputs(source, rows):  # type: ignore[arg-type]  # one of the roles
            at = fold.last_offset() + 1
            emitted = fold.advance(Chunk.of("market-events", 0, (at,), (None,), (output.value,), caught_up=True))
            found += [one for one in emitted.outputs if one.stream == "portfolio_risk"]
    markets = [msgspec.json.decode(one.value, type=PortfolioRisk).market for one in found]
    return [market for market in markets if market is not None]


@pytest.mark.parametrize("trained", [False, True], ids=["ewma", "dcc"])
def test_values_at_risk_of_indices_hold(shared_data: Path, trained: bool) -> None:
    """Over five years 5, 2.5 and 1 % of the days lose more than was forecast, within three deviations of chance."""
    closes = read_closes(shared_data)
    returns = 100.0 * np.diff(np.log(closes[:TRAINED_DAYS]), axis=0)
    residuals = returns / np.sqrt(variances_of(returns)[:-1])
    model = fit_correlations(INDICES, residuals).model if trained else CorrelationModel()
    risks = run(closes, model)[TRAINED_DAYS:]
    assert {one.correlation for one in risks} == {"dcc" if trained else "ewma"}
    assert {one.risk_method for one in risks} == {"filtered_historical"}
    days = len(risks) - 1
    assert days > 1_350
    for level in (95.0, 97.5, 99.0):
        expected = 1.0 - level / 100.0
        by_history = sum(level in one.exceeded_percent for one in risks[1:]) / days
        # What was told the day before, of the distribution and the correlations, against what the day lost.
        pairs = [(told.risk, one.loss_percent or 0.0) for told, one in pairwise(risks)]
        allowed = [
            figure.value_at_risk_percent
            for risk, _ in pairs
            for figure in risk
            if (figure.method, figure.confidence_percent, figure.horizon_bars) == ("fitted_distribution", level, 1)
        ]
        by_correlation = np.mean(np.array([loss for _, loss in pairs]) > np.array(allowed))
        for share in (by_history, by_correlation):
            assert abs(share - expected) < 3.0 * np.sqrt(expected * (1.0 - expected) / days)
