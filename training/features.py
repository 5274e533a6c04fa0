"""History to features, by the very steps that score the stream. No formula is here."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from risk.customer_profile import CustomerProfile
from risk.event_order import merge_order
from risk.merchant_events import FRAUD, TRANSACTION
from risk.merchant_profile import MerchantProfile
from training.history import History

CHUNK_ROWS = 50_000


def transaction_features(
    history: History, on_progress: Callable[[int], None] = lambda rows: None
) -> npt.NDArray[np.float64]:
    """Return each transaction's features, float64[n, len(risk.bundle.FEATURES)], in the history's order.

    Each fraud enters as a report at its label time; reports come before transactions of the same instant.
    `on_progress` is told after each chunk how many rows it had: `2 n` and the frauds in all.
    """
    customers = _customer_features(history, on_progress)
    return np.hstack([customers, _merchant_features(history, on_progress)])


def _customer_features(history: History, on_progress: Callable[[int], None]) -> npt.NDArray[np.float64]:
    profile = CustomerProfile()
    parts = []
    for first in range(0, max(1, len(history)), CHUNK_ROWS):
        rows = slice(first, first + CHUNK_ROWS)
        parts.append(profile.advance(history.customer_id[rows], history.event_time_ns[rows], history.amount[rows]))
        on_progress(len(parts[-1]))
    return np.concatenate(parts)


def _merchant_features(history: History, on_progress: Callable[[int], None]) -> npt.NDArray[np.float64]:
    count = len(history)
    frauds = np.flatnonzero(history.fraud)
    # Event i < count is transaction i; the others are reports, on the transaction named in `about`.
    about = np.concatenate([np.arange(count), frauds])
    kind = np.full(len(about), TRANSACTION, dtype=np.uint8)
    kind[count:] = FRAUD
    time_ns = np.concatenate([history.event_time_ns, history.label_time_ns[frauds]])
    ids = [history.transaction_id[at] for at in about.tolist()]
    order = merge_order(time_ns, kind == TRANSACTION, ids)
    profile = MerchantProfile()
    features = None
    for first in range(0, max(1, len(order)), CHUNK_ROWS):
        chosen = order[first : first + CHUNK_ROWS]
        subjects = about[chosen]
        found = profile.advance(
            [history.merchant_id[at] for at in subjects.tolist()],
            time_ns[chosen],
            kind[chosen],
            [ids[at] for at in chosen.tolist()],
            history.event_time_ns[subjects],
        )
        if features is None:
            features = np.empty((count, found.shape[1]))
        transactions = kind[chosen] == TRANSACTION
        features[chosen[transactions]] = found[transactions]
        on_progress(len(chosen))
    assert features is not None
    return features
