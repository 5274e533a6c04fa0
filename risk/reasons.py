"""Says why a row scored high, in codes and in words: the features that raised its score most."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from risk.explanation import Explanations
from risk.reason_text import reason_text
from schemas.reason import Reason

MAX_REASONS = 3

_CODES = {
    "amount": "AMOUNT_UNUSUAL",
    "is_weekend": "WEEKEND",
    "is_night": "NIGHT_TIME",
    "customer_count": "CUSTOMER_VELOCITY",
    "customer_decayed_count": "CUSTOMER_VELOCITY",
    "customer_mean_amount": "CUSTOMER_SPENDING",
    "customer_decayed_mean": "CUSTOMER_SPENDING",
    "customer_amount_z": "CUSTOMER_AMOUNT_UNUSUAL",
    "customer_amount_ratio": "CUSTOMER_AMOUNT_UNUSUAL",
    "merchant_count": "MERCHANT_VELOCITY",
}


def reason_code(feature: str) -> str:
    """Return the code under which a feature is given as a reason; features that measure one thing share a code.

    >>> reason_code("amount"), reason_code("merchant_fraud_rate_7d"), reason_code("customer_decayed_count_1d")
    ('AMOUNT_UNUSUAL', 'MERCHANT_FRAUD_RATE_7D', 'CUSTOMER_VELOCITY_1D')
    """
    for concept, code in _CODES.items():
        if feature.startswith(concept):
            return code + feature.removeprefix(concept).upper()
    return feature.upper()


def reasons_of(
    features: Sequence[str],
    raw: npt.NDArray[np.float64],
    explanations: Explanations,
    *,
    reason_codes: Mapping[str, str],
    currency: str,
) -> list[tuple[Reason, ...]]:
    """Return for each row up to three reasons, by falling contribution and then in the order of features.

    `raw` float64[n, F] are the rows that `explanations` explain. Only what raised the score is a reason, so a row may
    have none, and of the features that share a code only the first is given.
    """
    order = np.argsort(-explanations.contributions, axis=1, kind="stable")
    usual, own = explanations.usual.raw.tolist(), explanations.usual.own.tolist()
    explained = []
    for row in range(len(raw)):
        by_code: dict[str, Reason] = {}
        for at in order[row].tolist():
            contribution = float(explanations.contributions[row, at])
            if contribution <= 0.0 or len(by_code) == MAX_REASONS:
                break
            feature = features[at]
            code = reason_codes[feature]
            if code not in by_code:
                value = float(raw[row, at])
                text = reason_text(feature, value, usual[row][at], currency=currency, own=own[row][at])
                by_code[code] = Reason(code, feature, value, usual[row][at], contribution, text)
        explained.append(tuple(by_code.values()))
    return explained
