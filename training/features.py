"""History to features, by the very steps that score the stream. No formula is here."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from risk.bundle import FEATURES
from risk.customer_profile import CUSTOMER_FEATURES, CustomerProfile
from risk.event_order import merge_order
from risk.merchant_events import FRAUD, TRANSACTION
from risk.merchant_profile import MerchantProfile
from training.history import History
from training.key_order import KeyOrder

CHUNK_ROWS = 40_000
"""Rows that are taken up at once, of which progress is told."""


def transaction_features(
    history: History, on_progress: Callable[[int], None] = lambda rows: None
) -> npt.NDArray[np.float64]:
    """Return each transaction's features, float64[n, len(risk.bundle.FEATURES)], in the history's order.

    Each fraud enters as a report at its label time; reports come before transactions of the same instant.
    `on_progress` is told after each chunk how many rows it had: `2 n` and the frauds in all.
    """
    features = np.empty((len(history), len(FEATURES)))
    _add_customer_features(history, features[:, : len(CUSTOMER_FEATURES)], on_progress)
    _add_merchant_features(history, features[:, len(CUSTOMER_FEATURES) :], on_progress)
    return features


def named_features(
    history: History, names: tuple[str, ...], on_progress: Callable[[int], None] = lambda rows: None
) -> npt.NDArray[np.float64]:
    """Return some of each transaction's features, by name, float64[n, len(names)]; see `transaction_features`."""
    features = transaction_features(history, on_progress)
    # A million rows are a third of a gigabyte, which is not copied for nothing.
    return features if names == FEATURES else features.take([FEATURES.index(name) for name in names], axis=1)


def _add_customer_features(
    history: History, features: npt.NDArray[np.float64], on_progress: Callable[[int], None]
) -> None:
    order = KeyOrder.of(history.customer_id)
    row = order.arrange(np.arange(len(history)))
    customer_id = order.arrange_texts(history.customer_id)
    event_time_ns, amount = order.arrange(history.event_time_ns), order.arrange(history.amount)
    profile = CustomerProfile()
    for chunk in _chunks(len(row)):
        features[row[chunk]] = profile.advance(customer_id[chunk], event_time_ns[chunk], amount[chunk])
        on_progress(len(row[chunk]))


def _add_merchant_features(
    history: History, features: npt.NDArray[np.float64], on_progress: Callable[[int], None]
) -> None:
    frauds = np.flatnonzero(history.fraud)
    one_rank = np.zeros(len(frauds), dtype=np.bool_)
    in_order = merge_order(history.label_time_ns[frauds], one_rank, history.transaction_id.take(frauds))
    reported = frauds[in_order]
    # Reports before transactions, and each in their order: a stable sort by time makes of them the order of the stream.
    time_ns = np.concatenate([history.label_time_ns[reported], history.event_time_ns])
    in_time = np.argsort(time_ns, kind="stable")
    # The transaction that an event is, or that a report is on.
    about = np.concatenate([reported, np.arange(len(history))])[in_time]
    order = KeyOrder.of(history.merchant_id.take(about))
    merchant_id = order.arrange_texts(history.merchant_id.take(about))
    transaction_id = order.arrange_texts(history.transaction_id.take(about))
    transaction_time_ns = order.arrange(history.event_time_ns[about])
    time_ns = order.arrange(time_ns[in_time])
    kind = order.arrange(np.where(in_time < len(reported), FRAUD, TRANSACTION).astype(np.uint8))
    about = order.arrange(about)
    profile = MerchantProfile()
    for chunk in _chunks(len(about)):
        found = profile.advance(
            merchant_id[chunk], time_ns[chunk], kind[chunk], transaction_id[chunk], transaction_time_ns[chunk]
        )
        transactions = kind[chunk] == TRANSACTION
        features[about[chunk][transactions]] = found[transactions]
        on_progress(len(found))


def _chunks(rows: int) -> list[slice]:
    return [slice(first, first + CHUNK_ROWS) for first in range(0, rows, CHUNK_ROWS)]
