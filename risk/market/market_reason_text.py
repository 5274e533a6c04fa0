"""A reason of a market alert in words, and the name of what it measures."""

from risk.market.alert_rules import AlertCode

REASON_FEATURES: dict[AlertCode, str] = {
    "VALUE_AT_RISK_99_EXCEEDED": "loss_percent",
    "RETURN_SHOCK": "standardised_residual",
    "VOLATILITY_REGIME": "volatility_percent",
    "MODEL_REJECTED": "model_rejected",
    "SEQUENCE_GAP": "missing_sequences",
    "STALE_FEED": "silence_seconds",
}
"""What the value of each reason is."""


def market_reason_text(code: AlertCode, value: float, usual: float) -> str:
    """Return a reason in words: its value, and the usual one, in the units of `REASON_FEATURES`.

    >>> market_reason_text("VALUE_AT_RISK_99_EXCEEDED", 3.12, 2.4)
    'loss 3.12 %, where one bar in a hundred loses more than 2.4 %'
    >>> market_reason_text("RETURN_SHOCK", -5.25, 4.0)
    'return 5.2 deviations below what was expected, where 4 are a shock'
    >>> market_reason_text("VOLATILITY_REGIME", 2.2, 1.0)
    'volatility of 2.2 % a bar, 2.2 times the usual 1 %'
    >>> market_reason_text("MODEL_REJECTED", 1.0, 0.0)
    'the volatility model is rejected: its residuals cluster still, or are not of its size'
    >>> market_reason_text("SEQUENCE_GAP", 1.0, 0.0)
    '1 tick of the feed never came'
    >>> market_reason_text("STALE_FEED", 420.0, 300.0)
    'no tick for 420 s, where 300 s are allowed'
    """
    match code:
        case "VALUE_AT_RISK_99_EXCEEDED":
            return f"loss {value:,.3g} %, where one bar in a hundred loses more than {usual:,.3g} %"
        case "RETURN_SHOCK":
            side = "above" if value >= 0.0 else "below"
            return f"return {abs(value):,.1f} deviations {side} what was expected, where {usual:,.3g} are a shock"
        case "VOLATILITY_REGIME":
            return f"volatility of {value:,.3g} % a bar, {value / usual:,.1f} times the usual {usual:,.3g} %"
        case "MODEL_REJECTED":
            return "the volatility model is rejected: its residuals cluster still, or are not of its size"
        case "SEQUENCE_GAP":
            return f"{value:,.0f} {'tick' if value == 1.0 else 'ticks'} of the feed never came"
        case "STALE_FEED":
            return f"no tick for {value:,.0f} s, where {usual:,.0f} s are allowed"
