"""How a value at risk has stood the test of what came."""

from typing import Annotated, Literal

import msgspec

Zone = Literal["green", "yellow", "red"]


class BackTestFigure(msgspec.Struct, frozen=True, gc=False):
    """The exceedances of a one-bar value at risk among the last bars, at most 250, and what tests say of them.

    A small p-value says that there are too many or too few (Kupiec), that they cluster as well (Christoffersen's
    conditional coverage), or that they follow from what was known before (the dynamic quantile test). `shortfall_z2`
    is the second statistic of Acerbi and Szekely, near 0 where the expected shortfall is right and negative where
    losses are worse; `quantile_loss_percent` is the mean of the loss that a right value at risk makes least. At 99 %,
    once there are 250 bars, `zone` is that of the Basel traffic light, and `plus_factor` what it adds to the multiplier
    of capital.
    """

    confidence_percent: float
    bars: Annotated[int, msgspec.Meta(ge=0)]
    exceedances: Annotated[int, msgspec.Meta(ge=0)]
    kupiec_p: float
    christoffersen_p: float
    dynamic_quantile_p: float
    shortfall_z2: float
    quantile_loss_percent: float
    zone: Zone | None
    plus_factor: float | None
