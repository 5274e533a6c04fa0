"""Why a curve alerts, in codes, figures and words.

A move alerts from the score 1 on; an inversion scores 1, and one more for each percentage point that it is deep.
"""

import numpy as np
from numpy.typing import NDArray

from risk.market.market_alert import ALERT_THRESHOLD
from risk.rates.closed_curves import ClosedCurves
from risk.rates.curve_factors import FACTORS
from risk.rates.curve_shocks import CurveShocks
from risk.rates.rate_parameters import RateParameters
from schemas.reason import Reason


def curve_reasons(
    curves: ClosedCurves, at: int, shocks: CurveShocks, parameters: RateParameters, *, shocked: bool, inverted: bool
) -> tuple[float, tuple[Reason, ...]]:
    """Return the score of an alert on curve `at` and its reasons, the strongest first, of what is told to alert.

    The score is that of the strongest reason; contributions share out what it is beyond 1.
    """
    found: list[tuple[float, Reason]] = []
    if shocked:
        for number, name in enumerate(FACTORS):
            score, move = float(shocks.factor[at, number]), float(curves.factor_move_bp[at, number])
            if score >= ALERT_THRESHOLD:
                volatility = float(curves.factor_volatility_bp[at, number])
                found.append((score, _move_reason(f"CURVE_SHOCK_{name.upper()}", name, move, volatility, parameters)))
        if shocks.tenor[at] >= ALERT_THRESHOLD:
            place = int(shocks.worst_tenor[at])
            named = f"{tenor_name(int(curves.tenor_months[at, place]))} yield"
            move, volatility = float(curves.tenor_move_bp[at, place]), float(curves.tenor_volatility_bp[at, place])
            found.append((float(shocks.tenor[at]), _move_reason("TENOR_SHOCK", named, move, volatility, parameters)))
    if inverted:
        slope = float(curves.factors_percent[at, 1])
        text = f"the 10-year rate is {-slope:,.2f} percentage points below the 3-month rate"
        reason = Reason("CURVE_INVERTED", "slope_percent", slope, 0.0, 0.0, text)
        found.append((ALERT_THRESHOLD - slope, reason))
    found.sort(key=lambda one: -one[0])
    score = found[0][0]
    shares = _shares(np.array([one - ALERT_THRESHOLD for one, _ in found]), score - ALERT_THRESHOLD)
    reasons = tuple(
        Reason(one.code, one.feature, one.value, one.usual_value, share, one.text)
        for (_, one), share in zip(found, shares.tolist(), strict=True)
    )
    return score, reasons


def tenor_name(tenor_months: int) -> str:
    """Return a tenor as people say it.

    >>> tenor_name(3), tenor_name(18), tenor_name(120)
    ('3-month', '18-month', '10-year')
    """
    return f"{tenor_months}-month" if tenor_months % 12 else f"{tenor_months // 12}-year"


def _move_reason(code: str, named: str, move_bp: float, volatility_bp: float, parameters: RateParameters) -> Reason:
    """Return the reason of a move, whose contribution is not known yet."""
    feature = "tenor_move_bp" if code == "TENOR_SHOCK" else f"{named}_move_bp"
    moved = f"{named} {'rose' if move_bp > 0.0 else 'fell'} {abs(move_bp):,.3g} bp"
    abnormal = volatility_bp > 0.0 and abs(move_bp) >= max(
        parameters.least_move_bp, parameters.shock_deviations * volatility_bp
    )
    if abnormal:
        deviations = abs(move_bp) / volatility_bp
        text = f"{moved}, {deviations:,.3g} times the {volatility_bp:,.3g} bp that it usually moves"
        return Reason(code, feature, move_bp, volatility_bp, 0.0, text)
    text = f"{moved}, where {parameters.breach_bp:,.3g} bp is the limit"
    return Reason(code, feature, move_bp, parameters.breach_bp, 0.0, text)


def _shares(excess: NDArray[np.float64], whole: float) -> NDArray[np.float64]:
    total = float(np.sum(excess))
    return excess * (whole / total) if total > 0.0 else np.zeros_like(excess)
