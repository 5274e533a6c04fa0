"""What decides when a curve is closed, and which of its moves are told."""

from typing import Annotated

import msgspec
from msgspec import Meta

_DAY_NS = 86_400_000_000_000

_Positive = Annotated[float, Meta(gt=0.0, le=1e6)]


class RateParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The parameters of `RateFold`; the defaults are for curves once a day.

    Raises ValueError for a single complete month, which would let one point close two curves, or for one named twice.

    `curve_ns` is the length of a curve in event time: its points are those stamped within it, counted from the Unix
    epoch. `complete_months`, if not empty, are the tenors that close a curve as soon as all of them have come; else a
    point of a later curve closes it. A tenor that does not come is carried from the curve before for `carried_curves`
    curves at most.

    `ewma_lambda` is the decay of the variance of moves (RiskMetrics, 1996: 0.94 for days); no move is compared with
    it before `warm_up_moves`, and the volatility counts as `least_volatility_bp` at least, since yields are quoted in
    whole basis points. A move is abnormal from `shock_deviations` of that volatility on if it has `least_move_bp`, and
    a breach at `breach_bp` whatever its volatility. After an alert no other follows until no move was as much as
    `quiet_share` of what alerts for `cool_down_ns`, but for a move `escalation` times the alerted one. A slope below 0
    alerts once, and once more after it had reached `inversion_rearm_percent`.

    >>> RateParameters(ewma_lambda=0.97).breach_bp
    50.0
    """

    curve_ns: Annotated[int, Meta(gt=0, le=2**62)] = _DAY_NS
    complete_months: tuple[Annotated[int, Meta(ge=1, le=1200)], ...] = ()
    carried_curves: Annotated[int, Meta(ge=0, le=1_000_000)] = 5
    ewma_lambda: Annotated[float, Meta(gt=0.0, lt=1.0)] = 0.94
    warm_up_moves: Annotated[int, Meta(ge=1, le=1_000_000)] = 20
    least_volatility_bp: _Positive = 1.0
    shock_deviations: _Positive = 5.0
    least_move_bp: Annotated[float, Meta(ge=0.0, le=1e6)] = 10.0
    breach_bp: _Positive = 50.0
    quiet_share: Annotated[float, Meta(gt=0.0, le=1.0)] = 0.5
    escalation: Annotated[float, Meta(ge=1.0, le=1e6)] = 2.0
    cool_down_ns: Annotated[int, Meta(ge=0, le=2**62)] = 10 * _DAY_NS
    inversion_rearm_percent: Annotated[float, Meta(ge=0.0, le=100.0)] = 0.25

    def __post_init__(self) -> None:
        months = self.complete_months
        if len(months) == 1 or len(set(months)) < len(months):
            raise ValueError(f"complete_months={months}: name two or more different tenors, or none")
