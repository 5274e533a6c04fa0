"""Says why a row scored high: which features, had they been usual, would have lowered its score."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from risk.scorer import Scorer
from schemas.reason import Reason

MAX_REASONS = 3

_AMOUNT = "amount"
_OWN_MEAN = "customer_decayed_mean_30d"

_CODES = {
    "amount": "AMOUNT_UNUSUAL",
    "is_weekend": "WEEKEND",
    "is_night": "NIGHT_TIME",
    "customer_count": "CUSTOMER_VELOCITY",
    "customer_decayed_count": "CUSTOMER_VELOCITY",
    "customer_mean_amount": "CUSTOMER_SPENDING",
    "customer_decayed_mean": "CUSTOMER_SPENDING",
    "customer_amount_z": "CUSTOMER_AMOUNT_UNUSUAL",
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


def explain(
    scorer: Scorer,
    features: Sequence[str],
    raw: npt.NDArray[np.float64],
    normalised: npt.NDArray[np.float64],
    *,
    usual_values: npt.NDArray[np.float64],
    centre: npt.NDArray[np.float64],
    scale: npt.NDArray[np.float64],
    reason_codes: Mapping[str, str],
) -> list[tuple[Reason, ...]]:
    """Return for each row up to three reasons, by falling contribution and then in the order of features.

    `raw` and `normalised` are the rows' features, float64[n, F]; `usual_values`, `centre` and `scale` float64[F] are
    those of training. A feature's contribution is `score(x) - score(x with the feature at its usual value)`, in units
    of the score: occlusion, one feature at a time (Robnik-Sikonja and Kononenko 2008; Zeiler and Fergus 2014, section
    4.2). Only positive contributions are reasons, so a row may have none, and of the features that share a code only
    the first is given. Contributions do not add up to the score.

    The usual value of the amount is the customer's own decayed mean over 30 days, if the model takes that feature and
    the customer has a past; that of any other feature is its mean in training. It is normalised by the statistics of
    training even where the row itself was normalised by adapted ones: being usual then means lying where the centre
    of the population lies.

    All n * (F + 1) rows are scored in one call. A score does not depend on its batch, hence neither does a reason.
    """
    usual = np.tile(usual_values, (len(raw), 1))
    if _AMOUNT in features and _OWN_MEAN in features:
        own_mean = raw[:, features.index(_OWN_MEAN)]
        amount = features.index(_AMOUNT)
        usual[:, amount] = np.where(own_mean > 0.0, own_mean, usual[:, amount])
    usual_normalised = np.divide(usual - centre, scale, out=np.zeros_like(usual), where=scale > 0.0)
    rows, width = normalised.shape
    # [n, F, F]: in variant i of a row, feature i is usual.
    variants = np.repeat(normalised[:, None, :], width, axis=1)
    diagonal = np.arange(width)
    variants[:, diagonal, diagonal] = usual_normalised
    scores = scorer.score(np.concatenate([normalised, variants.reshape(rows * width, width)]))
    contributions = scores[:rows, None] - scores[rows:].reshape(rows, width)
    order = np.argsort(-contributions, axis=1, kind="stable")
    explained = []
    for row in range(rows):
        by_code: dict[str, Reason] = {}
        for at in order[row].tolist():
            if contributions[row, at] <= 0.0 or len(by_code) == MAX_REASONS:
                break
            feature = features[at]
            code = reason_codes[feature]
            if code not in by_code:
                by_code[code] = Reason(
                    code=code,
                    feature=feature,
                    value=float(raw[row, at]),
                    usual_value=float(usual[row, at]),
                    contribution=float(contributions[row, at]),
                )
        explained.append(tuple(by_code.values()))
    return explained
