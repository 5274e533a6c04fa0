"""What may be lost over a horizon."""

from typing import Annotated, Literal

import msgspec

RiskMethod = Literal["normal", "student_t", "model", "historical", "monte_carlo"]
"""How a loss is forecast: normal or Student's t returns, the distribution that the model was fitted with, filtered
historical simulation, or Monte Carlo simulation of the model."""


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
