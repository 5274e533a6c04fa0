"""Says why a row scored high: which features, had they been usual, would have lowered its score."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from risk.scorer import Scorer
from schemas.reason import Reason

MAX_REASONS = 3

_AMOUNT = "amount"
_OWN_MEAN = "customer_decayed_mean_30d"


def reason_code(feature: str) -> str:
    """Return the code under which a feature is given as a reason.

    >>> reason_code("amount"), reason_code("merchant_fraud_rate_7d"), reason_code("customer_decayed_count_1d")
    ('AMOUNT_UNUSUAL', 'MERCHANT_FRAUD_RATE_7D', 'CUSTOMER_VELOCITY_1D')
    """
    named = {"amount": "AMOUNT_UNUSUAL", "is_weekend": "WEEKEND", "is_night": "NIGHT_TIME"}
    if feature in named:
        return named[feature]
    for concept, code in _CONCEPTS:
        if feature.startswith(concept):
            return code + feature.removeprefix(concept).upper()
    return feature.upper()


_CONCEPTS = (
    ("customer_count", "CUSTOMER_VELOCITY"),
    ("customer_decayed_count", "CUSTOMER_VELOCITY"),
    ("customer_mean_amount", "CUSTOMER_SPENDING"),
    ("customer_decayed_mean", "CUSTOMER_SPENDING"),
    ("customer_amount_z", "AMOUNT_UNUSUAL_FOR_CUSTOMER"),
    ("merchant_count", "MERCHANT_VELOCITY"),
)


def explain(
    scorer: Scorer,
    features: tuple[str, ...],
    raw: npt.NDArray[np.float64],
    normalised: npt.NDArray[np.float64],
    *,
    usual_values: npt.NDArray[np.float64],
    centre: npt.NDArray[np.float64],
    scale: npt.NDArray[np.float64],
    reason_codes: Mapping[str, str],
) -> list[tuple[Reason, ...]]:
    """Return for each row up to three reasons, by falling contribution and then in the order of features.

    `raw` and `normalised` are the rows' features, float64[n, F]; `usual_values`, `centre` and `scale`
    float64[F] are those of training. A feature's contribution is `score(x) - score(x with the feature at its
    usual value)`, in units of the score: occlusion, one feature at a time (Robnik-Sikonja and Kononenko 2008;
    Zeiler and Fergus 2014, section 4.2). Only positive contributions are reasons, so a row may have none;
    they do not add up to the score.

    The usual value of the amount is the customer's own decayed mean over 30 days, once there is one; that of
    any other feature is its mean in training. It is normalised by the statistics of training, also where the
    row itself was normalised by adapted ones: to be usual then means to lie where the centre of the
    population lies.

    All n * (F + 1) rows are scored in one call. A score does not depend on its batch, hence neither does a
    reason.
    """
    usual = np.tile(usual_values, (len(raw), 1))
    if _AMOUNT in features and _OWN_MEAN in features:
        own_mean = raw[:, features.index(_OWN_MEAN)]
        usual[:, features.index(_AMOUNT)] = np.where(own_mean > 0.0, own_mean, usual[:, features.index(_AMOUNT)])
    usual_normalised = np.divide(usual - centre, scale, out=np.zeros_like(usual), where=scale > 0.0)
    rows, width = normalised.shape
    # [n, F, F]: in the variant i of a row, feature i is usual.
    variants = np.repeat(normalised[:, None, :], width, axis=1)
    diagonal = np.arange(width)
    variants[:, diagonal, diagonal] = usual_normalised
    scores = scorer.score(np.concatenate([normalised, variants.reshape(rows * width, width)]))
    contributions = scores[:rows, None] - scores[rows:].reshape(rows, width)
    order = np.argsort(-contributions, axis=1, kind="stable")[:, :MAX_REASONS]
    return [
        tuple(
            Reason(
                code=reason_codes[features[at]],
                feature=features[at],
                value=float(raw[row, at]),
                usual_value=float(usual[row, at]),
                contribution=float(contributions[row, at]),
            )
            for at in order[row]
            if contributions[row, at] > 0.0
        )
        for row in range(rows)
    ]
