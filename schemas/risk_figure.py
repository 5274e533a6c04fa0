"""What may be lost over a horizon."""

from typing import Annotated, Literal

import msgspec

RiskMethod = Literal["normal", "fitted_distribution", "filtered_historical", "monte_carlo"]
"""How a loss is forecast: by normal returns, by the distribution that the model was fitted with, by the last
standardised residuals (filtered historical simulation), or by simulating the model (Monte Carlo)."""


class RiskFigure(msgspec.Struct, frozen=True, gc=False):
    """Value at risk and expected shortfall: losses, positive, in percent of the price or of the portfolio's value.

    Over the next `horizon_bars` bars the loss exceeds the value at risk with a probability of 100 less
    `confidence_percent`; the expected shortfall is the mean of the losses that do.
    """

    method: RiskMethod
    confidence_percent: Annotated[float, msgspec.Meta(gt=0.0, lt=100.0)]
    horizon_bars: Annotated[int, msgspec.Meta(ge=1)]
    value_at_risk_percent: float
    expected_shortfall_percent: float
