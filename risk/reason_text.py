"""A reason in words."""

import re

_DAYS = re.compile(r"(?P<concept>.+)_(?P<days>[0-9]+)d")
_PHRASES = {
    "amount": "amount",
    "customer_count": "payments of the customer",
    "customer_decayed_count": "payments of the customer lately",
    "customer_mean_amount": "customer's mean amount",
    "customer_decayed_mean": "customer's mean amount before this payment",
    "customer_amount_z": "amount's distance from the customer's mean, in standard deviations",
    "merchant_count": "payments at the merchant a week before",
    "merchant_fraud_rate": "known frauds at the merchant a week before",
}
_MONEY = ("amount", "customer_mean_amount", "customer_decayed_mean")
_FRACTIONS = ("merchant_fraud_rate",)
_CONDITIONS = {
    "is_weekend": ("on a weekday", "at the weekend"),
    "is_night": ("by day", "at night"),
}


def reason_text(feature: str, value: float, usual: float, *, currency: str, own: bool) -> str:
    """Return what a feature's value is and what is usual, for people; `own` if usual is the customer's own value.

    >>> reason_text("amount", 412.0, 37.2, currency="EUR", own=True)
    'amount 412.00 EUR, usual for this customer 37.20'
    >>> reason_text("merchant_fraud_rate_7d", 0.25, 0.004, currency="EUR", own=False)
    'known frauds at the merchant a week before, 7 days: 25.0 %, usual 0.4 %'
    >>> reason_text("is_night", 1.0, 0.1, currency="EUR", own=False)
    'paid at night, as 10.0 % usually are'
    >>> reason_text("time_of_day", 0.9, 0.55, currency="EUR", own=False)
    'time of day 0.9, usual 0.55'
    """
    if feature in _CONDITIONS and value in (0.0, 1.0):
        alike = usual if value == 1.0 else 1.0 - usual
        return f"paid {_CONDITIONS[feature][int(value)]}, as {alike:.1%} usually are".replace("%", " %")
    windowed = _DAYS.fullmatch(feature)
    concept = windowed["concept"] if windowed else feature
    name = _PHRASES.get(concept, concept.replace("_", " "))
    if windowed:
        name += f", {windowed['days']} day{'' if windowed['days'] == '1' else 's'}:"
    whose = "usual for this customer" if own else "usual"
    if concept in _MONEY:
        return f"{name} {value:,.2f} {currency}, {whose} {usual:,.2f}"
    if concept in _FRACTIONS:
        return f"{name} {value:.1%}, {whose} {usual:.1%}".replace("%", " %")
    return f"{name} {value:,.4g}, {whose} {usual:,.4g}"
