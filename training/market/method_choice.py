"""Chooses the method whose values at risk have been the best, walking through the bars as the stream would."""

from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from risk.back_tests.quantile_loss import mean_quantile_loss
from risk.bars.closed_bars import ClosedBars
from risk.value_at_risk.loss import loss_percent
from risk.value_at_risk.value_at_risk_step import METHODS, ValueAtRisk
from risk.volatility.conditional_variance import ConditionalVariance
from risk.volatility.volatility_models import VolatilityModels
from schemas.risk_figure import RiskMethod

LEVEL = 0.99


@dataclass(frozen=True, slots=True)
class MethodScore:
    """How a method's one-bar value at risk at 99 % did, over all symbols together.

    `quantile_loss` is the mean quantile loss in standard deviations of each symbol's returns.
    """

    method: RiskMethod
    quantile_loss: float
    bars: int
    exceedances: int


def choose_method(models: VolatilityModels, bars: ClosedBars) -> tuple[MethodScore, ...]:
    """Return every method's score on the last half of the bars, the best first.

    The first half fills the windows of residuals. The models were estimated on these very bars, which flatters all
    methods alike; what is compared is the tail that each puts behind the same variances. The loss is the one that the
    right quantile makes least (Gneiting, "Making and evaluating point forecasts", Journal of the American Statistical
    Association 106, 2011).
    """
    # From the beginning of the bars, not from the end of training.
    walked = {name: msgspec.structs.replace(model, start=None) for name, model in models.symbols.items()}
    variances = ConditionalVariance(VolatilityModels(walked)).advance(
        bars.symbol, bars.log_return_percent, bars.realised_variance_percent2
    )
    step = ValueAtRisk({name: one.distribution for name, one in walked.items()}, levels=(LEVEL,), horizons_bars=(1,))
    forecast = step.advance(
        bars.symbol,
        variances.standardised_residual,
        variances.mean_percent,
        variances.next_variance_percent2[:, None],
        _never_simulated,
    ).value_at_risk_percent[:, :, 0, 0]
    names, number = np.unique(np.array(bars.symbol, dtype=np.str_), return_inverse=True)
    deviations = np.array([np.std(bars.log_return_percent[number == at]) for at in range(len(names))])
    rows = _with_forecast(number)
    rows = rows[len(rows) // 2 :]
    scale = np.maximum(deviations[number[rows[:, 0]]], 1e-12)
    losses = np.array([loss_percent(one) for one in bars.log_return_percent[rows[:, 0]].tolist()]) / scale
    scores = []
    for at, method in enumerate(METHODS):
        expected = np.ascontiguousarray(forecast[rows[:, 1], at]) / scale
        loss = float(mean_quantile_loss(losses, expected, LEVEL))
        scores.append(MethodScore(method, loss, len(rows), int(np.count_nonzero(losses > expected))))
    return tuple(sorted(scores, key=lambda score: score.quantile_loss))


def _with_forecast(number: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return, for each row that is not its symbol's first, the row and that of its symbol before it: int64[m, 2]."""
    order = np.argsort(number, kind="stable")
    same = number[order[1:]] == number[order[:-1]]
    pairs = np.column_stack([order[1:][same], order[:-1][same]])
    return pairs[np.argsort(pairs[:, 0])]


def _never_simulated(symbols: object, innovations: object) -> NDArray[np.float64]:
    raise AssertionError("one bar needs no simulation")
