"""A closed curve as the message that is published."""

from risk.rates.closed_curves import ClosedCurves
from schemas.curve import Curve, CurveFactor, Svensson
from schemas.source import Source


def curve_message(
    curves: ClosedCurves, at: int, *, curve_id: str, source: Source, bundle_name: str, bundle_version: str
) -> Curve:
    """Return the message of curve `at`; its tuples by tenor hold as many tenors as the curve has."""
    tenors = slice(int(curves.tenors[at]))
    level, slope, curvature = (_factor(curves, at, number) for number in range(3))
    first, second, third, fourth = curves.coefficients_percent[at].tolist()
    first_decay, second_decay = curves.decays_years[at].tolist()
    return Curve(
        schema_version=1,
        curve_id=curve_id,
        currency=curves.currency[at],  # type: ignore[arg-type]  # it was decoded as a currency code
        event_time_ns=int(curves.event_time_ns[at]),
        tenor_months=tuple(curves.tenor_months[at, tenors].tolist()),
        par_percent=tuple(curves.par_percent[at, tenors].tolist()),
        zero_percent=tuple(curves.zero_percent[at, tenors].tolist()),
        discount_factor=tuple(curves.discount_factor[at, tenors].tolist()),
        age_curves=tuple(curves.age_curves[at, tenors].tolist()),
        move_bp=tuple(curves.tenor_move_bp[at, tenors].tolist()),
        volatility_bp=tuple(curves.tenor_volatility_bp[at, tenors].tolist()),
        deviations=tuple(curves.tenor_deviations[at, tenors].tolist()),
        prices_par=bool(curves.prices_par[at]),
        has_move=bool(curves.has_move[at]),
        svensson=Svensson(
            coefficients_percent=(first, second, third, fourth),
            decays_years=(first_decay, second_decay),
            fit_error_bp=float(curves.fit_error_bp[at]),
        ),
        level=level,
        slope=slope,
        curvature=curvature,
        source=source,
        bundle_name=bundle_name,
        bundle_version=bundle_version,
    )


def _factor(curves: ClosedCurves, at: int, number: int) -> CurveFactor:
    return CurveFactor(
        value_percent=float(curves.factors_percent[at, number]),
        move_bp=float(curves.factor_move_bp[at, number]),
        volatility_bp=float(curves.factor_volatility_bp[at, number]),
        deviations=float(curves.factor_deviations[at, number]),
    )
