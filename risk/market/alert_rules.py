"""When a symbol alerts: what each measure is held against, and when it may alert again."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

AlertCode = Literal[
    "VALUE_AT_RISK_99_EXCEEDED",
    "RETURN_SHOCK",
    "VOLATILITY_REGIME",
    "MODEL_REJECTED",
    "SEQUENCE_GAP",
    "STALE_FEED",
]

BAR_CODES: tuple[AlertCode, ...] = (
    "VALUE_AT_RISK_99_EXCEEDED",
    "RETURN_SHOCK",
    "VOLATILITY_REGIME",
    "MODEL_REJECTED",
    "SEQUENCE_GAP",
)
"""What a closed bar may alert for, in the order of the compiled loops; a stale feed closes no bar."""

_Positive = Annotated[float, Meta(gt=0.0, le=1e9)]
_Ratio = Annotated[float, Meta(gt=1.0, le=1e9)]
_Share = Annotated[float, Meta(gt=0.0, le=1.0)]
_LengthNs = Annotated[int, Meta(ge=0, le=2**62)]


class AlertRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The rules of all symbols' alerts. A measure alerts from its threshold on: its score is then 1.

    Having alerted, a measure is armed again once its score falls below `rearm_share`: half of a value at risk is what
    nine bars in ten do not lose. After an alert the same measure stays silent for `cool_down_ns` of event time, a
    quarter of an hour, and alerts then if it is armed and still beyond its threshold. What is `escalation` times as bad
    as what was alerted alerts at once, twice by default, since a fall that goes on must not be hidden by its beginning.

    `shock_deviations`: 4 conditional standard deviations. Of 5,030 returns of the S&P 500, 1999 to 2018, standardised
    by a GJR-GARCH, 7 are beyond: one in three years, where value at risk is exceeded every hundred days.
    `regime_ratio`: a forecast deviation twice the usual one, armed again below `regime_rearm_ratio` 1.25. The usual
    variance is the mean of the forecasts, by `regime_half_life_bars` of 500: on the same returns that makes ten
    alerts, among them Lehman's (2008-09-16), the downgrade of the United States (2011-08-09) and 2018-02-06.
    `missing_sequences`: so many numbers that never came since the bar before. `stale_after_ns`: five minutes without a
    tick while the market is open, which is how far the clocks of producers may differ.

    Raises ValueError where a regime could not be left again.

    >>> AlertRules(regime_ratio=1.2)
    Traceback (most recent call last):
    ...
    ValueError: regime_rearm_ratio 1.25 is above regime_ratio 1.2: a regime must end below where it begins
    """

    rearm_share: _Share = 0.5
    cool_down_ns: _LengthNs = 900_000_000_000
    escalation: _Ratio = 2.0
    shock_deviations: _Positive = 4.0
    regime_ratio: _Ratio = 2.0
    regime_rearm_ratio: _Positive = 1.25
    regime_half_life_bars: _Positive = 500.0
    missing_sequences: Annotated[int, Meta(ge=1, le=2**53)] = 1
    stale_after_ns: Annotated[int, Meta(ge=4, le=2**62)] = 300_000_000_000

    def __post_init__(self) -> None:
        if self.regime_rearm_ratio > self.regime_ratio:
            raise ValueError(
                f"regime_rearm_ratio {self.regime_rearm_ratio} is above regime_ratio {self.regime_ratio}: a regime must"
                " end below where it begins"
            )
