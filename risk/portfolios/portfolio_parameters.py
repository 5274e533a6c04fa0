"""What the risk of portfolios is reckoned with, and when they alert."""

from dataclasses import dataclass, field
from typing import Annotated

import msgspec
from msgspec import Meta

from risk.portfolios.correlation_model import CorrelationModel


class PortfolioLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When portfolios alert.

    `interest_rate_loss_percent` is what the bonds of one currency may lose in the worst of Basel's six shocks, in
    percent of their gross value. Basel's outlier test has 15 % of a bank's Tier 1 capital (d368, 2016, principle 12);
    capital is not in the stream, so the limit is on what is held. A portfolio alerts at most once in `cool_down_ns` of
    event time for its value at risk, and for its bonds of each currency, but at once for what is `escalation` times as
    bad as what it alerted for.
    """

    interest_rate_loss_percent: Annotated[float, Meta(gt=0.0)] = 15.0
    cool_down_ns: Annotated[int, Meta(ge=0, le=2**62)] = 3_600_000_000_000
    escalation: Annotated[float, Meta(gt=1.0)] = 2.0


@dataclass(frozen=True, slots=True)
class PortfolioParameters:
    """What a bundle says of portfolios: their name goes into what is published.

    `levels`, 0.99 among them, and `horizons_bars`, 1 among them, are those of the values at risk; ValueError is raised
    where one is missing.

    >>> PortfolioParameters("m", "0123456789ab", CorrelationModel(), levels=(0.95,))
    Traceback (most recent call last):
    ...
    ValueError: levels (0.95,) lack 0.99, or horizons_bars (1, 10) lack 1: alerts need both, add it
    """

    bundle_name: str
    bundle_version: str
    correlation: CorrelationModel
    levels: tuple[float, ...] = (0.95, 0.975, 0.99)
    horizons_bars: tuple[int, ...] = (1, 10)
    limits: PortfolioLimits = field(default_factory=PortfolioLimits)

    def __post_init__(self) -> None:
        if 0.99 not in self.levels or 1 not in self.horizons_bars:
            raise ValueError(
                f"levels {self.levels} lack 0.99, or horizons_bars {self.horizons_bars} lack 1: alerts need both, add"
                " it"
            )
