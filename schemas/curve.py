"""A currency's yield curve, and how it moved."""

from typing import Literal

import msgspec

from schemas.currency import CurrencyCode
from schemas.source import Source


class CurveFactor(msgspec.Struct, frozen=True, gc=False):
    """Level, slope or curvature: its value, its move from the curve before, and that in units of its volatility."""

    value_percent: float
    move_bp: float
    volatility_bp: float
    deviations: float


class Svensson(msgspec.Struct, frozen=True, gc=False):
    """Svensson's curve through the zero rates: four coefficients, two decays, and the root mean square error."""

    coefficients_percent: tuple[float, float, float, float]
    decays_years: tuple[float, float]
    fit_error_bp: float


class Curve(msgspec.Struct, frozen=True, gc=False):
    """A curve that closed; keyed by currency. The tuples by tenor are equally long and in the order of `tenor_months`.

    Par yields are per year, compounded twice from a year on; zero rates are continuously compounded. `age_curves` is 0
    for a yield that came with this curve, k for one carried from k curves before. `prices_par` is false where no
    positive discount factors explain the par yields. `has_move` is false for a currency's first curve. Moves and
    deviations of tenors are of the par yields; a volatility of 0 says that it is not known yet.
    """

    schema_version: Literal[1]
    curve_id: str
    currency: CurrencyCode
    event_time_ns: int
    tenor_months: tuple[int, ...]
    par_percent: tuple[float, ...]
    zero_percent: tuple[float, ...]
    discount_factor: tuple[float, ...]
    age_curves: tuple[int, ...]
    move_bp: tuple[float, ...]
    volatility_bp: tuple[float, ...]
    deviations: tuple[float, ...]
    prices_par: bool
    has_move: bool
    svensson: Svensson
    level: CurveFactor
    slope: CurveFactor
    curvature: CurveFactor
    source: Source
    bundle_name: str
    bundle_version: str
