"""A reason in words."""

import re
from functools import cache

_WINDOWED = re.compile(r"(?P<concept>.+)_(?P<days>[0-9]+)d")
_PHRASES = {
    "customer_count": "payments in",
    "customer_decayed_count": "earlier payments in about",
    "customer_mean_amount": "mean amount of",
    "customer_decayed_mean": "earlier mean amount of about",
    "merchant_count": "payments at the merchant in",
    "merchant_fraud_rate": "known frauds at the merchant in",
    "customer_outlier_count": "unusually high payments in about",
}
"""What a feature of a window measures, before the number of days."""
_MONEY = ("amount", "customer_mean_amount", "customer_decayed_mean")
_FRACTIONS = ("merchant_fraud_rate",)
_DEVIATION = "customer_amount_z"
_RATIO = "customer_amount_ratio"
_NAMES = {
    "customer_outlier_onset_days": "days since unusually high payments began",
    "merchant_clean_run": "latest payments at the merchant without a known fraud",
    "merchant_clean_days": "days since the merchant's last known fraud",
    "merchant_fraud_run": "payments in a row at the merchant that were known frauds",
    "merchant_fraud_onset_days": "days since known frauds at the merchant began",
}
"""What is measured by features that have no window."""
_CONDITIONS = {
    "is_weekend": ("on a weekday", "at the weekend"),
    "is_night": ("by day", "at night"),
}


def reason_text(feature: str, value: float, usual: float, *, currency: str, own: bool) -> str:
    """Return what a feature's value is and what is usual, for people; `own` if usual is the customer's own value.

    >>> reason_text("amount", 412.0, 37.2, currency="EUR", own=True)
    'amount 412.00 EUR, usual for this customer 37.20'
    >>> reason_text("customer_count_1d", 7.0, 1.93, currency="EUR", own=False)
    'payments in 1 day 7, usual 1.93'
    >>> reason_text("merchant_fraud_rate_7d", 0.25, 0.004, currency="EUR", own=False)
    'known frauds at the merchant in 7 days 25.0 %, usual 0.4 %'
    >>> reason_text("customer_amount_z_30d", 4.43, 0.0, currency="EUR", own=True)
    "amount 4.4 deviations above the customer's mean of about 30 days"
    >>> reason_text("customer_amount_ratio", 5.17, 1.0, currency="EUR", own=True)
    "amount 5.2 times the customer's mean of about 30 days"
    >>> reason_text("is_night", 1.0, 0.1, currency="EUR", own=False)
    'paid at night, as 10.0 % are'
    >>> reason_text("time_of_day", 0.9, 0.55, currency="EUR", own=False)
    'time of day 0.9, usual 0.55'
    """
    if feature == _RATIO:
        return f"amount {value:,.1f} times the customer's mean of about 30 days"
    if feature in _CONDITIONS and value in (0.0, 1.0):
        alike = usual if value == 1.0 else 1.0 - usual
        return f"paid {_CONDITIONS[feature][int(value)]}, as {100.0 * alike:.1f} % are"
    concept, days, name = _named(feature)
    if days and concept == _DEVIATION:
        side = "above" if value >= 0.0 else "below"
        return f"amount {abs(value):,.1f} deviations {side} the customer's mean of about {days}"
    whose = "usual for this customer" if own else "usual"
    if concept in _MONEY:
        return f"{name} {value:,.2f} {currency}, {whose} {usual:,.2f}"
    if concept in _FRACTIONS:
        return f"{name} {100.0 * value:.1f} %, {whose} {100.0 * usual:.1f} %"
    return f"{name} {value:,.4g}, {whose} {usual:,.4g}"


@cache
def _named(feature: str) -> tuple[str, str, str]:
    """Return what a feature measures, over how many days ("" for one without a window), and both in words."""
    windowed = _WINDOWED.fullmatch(feature)
    if not windowed:
        return feature, "", _NAMES.get(feature, feature.replace("_", " "))
    concept = windowed["concept"]
    days = "1 day" if windowed["days"] == "1" else f"{windowed['days']} days"
    return concept, days, f"{_PHRASES.get(concept, concept.replace('_', ' ') + ' of')} {days}"
