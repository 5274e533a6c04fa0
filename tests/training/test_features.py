from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.bundle import FEATURES
from training import features as features_module
from training import key_order
from training.features import transaction_features
from training.history import DAY_NS
from training.simulator import simulate_transactions

HISTORY = simulate_transactions(customers=40, merchants=12, days=50, seed=8)
WHOLE = transaction_features(HISTORY)


def bits(features: np.ndarray) -> np.ndarray:
    """Return the bits of each value."""
    return features.view(np.int64)


@given(st.integers(1, len(HISTORY)))
def test_nothing_later_changes_a_feature(count: int) -> None:
    """The features of a history's beginning are the beginning of the whole history's, bit for bit."""
    beginning = transaction_features(HISTORY.where(np.arange(count)))
    assert np.array_equal(bits(beginning), bits(WHOLE[:count]))


def test_labels_count_from_the_moment_they_are_known() -> None:
    """Frauds that become known later change no feature of the transactions before that moment, and some after it."""
    late = replace(HISTORY, label_time_ns=HISTORY.label_time_ns + 5 * DAY_NS)
    changed = np.flatnonzero((bits(transaction_features(late)) != bits(WHOLE)).any(axis=1))
    assert len(changed) > 0
    first_known = HISTORY.label_time_ns[HISTORY.fraud].min()
    assert HISTORY.event_time_ns[changed[0]] >= first_known
    columns = np.flatnonzero((bits(transaction_features(late)) != bits(WHOLE)).any(axis=0))
    assert all(FEATURES[at].startswith(("merchant_fraud", "merchant_clean")) for at in columns)


def test_features_are_what_a_scan_of_the_whole_history_finds() -> None:
    """Windows of customers and merchants equal a plain scan: (t - w, t] of the customer, (t - 7 - w, t - 7] else."""
    times, amount = HISTORY.event_time_ns, HISTORY.amount
    customers, merchants = np.array(HISTORY.customer_id), np.array(HISTORY.merchant_id)
    before = np.arange(len(HISTORY))
    for row in range(0, len(HISTORY), 37):
        for days in (1, 7, 30):
            mine = (customers == customers[row]) & (before <= row) & (times > times[row] - days * DAY_NS)
            assert WHOLE[row, FEATURES.index(f"customer_count_{days}d")] == mine.sum()
            mean = WHOLE[row, FEATURES.index(f"customer_mean_amount_{days}d")]
            np.testing.assert_allclose(mean, amount[mine].mean(), rtol=1e-12)
            until = times[row] - 7 * DAY_NS
            theirs = (merchants == merchants[row]) & (times <= until) & (times > until - days * DAY_NS)
            assert WHOLE[row, FEATURES.index(f"merchant_count_{days}d")] == theirs.sum()
            known = theirs & HISTORY.fraud & (HISTORY.label_time_ns <= times[row])
            rate = known.sum() / theirs.sum() if theirs.any() else 0.0
            assert WHOLE[row, FEATURES.index(f"merchant_fraud_rate_{days}d")] == rate


def test_progress_adds_up() -> None:
    """What is told adds up to two rows a transaction and one a fraud."""
    told: list[int] = []
    transaction_features(HISTORY, told.append)
    assert sum(told) == 2 * len(HISTORY) + HISTORY.fraud.sum()


def test_neither_groups_of_keys_nor_chunks_change_a_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Features are the same in the order of time, every key among the others, and in chunks of any size."""
    for groups, chunk_rows in ((1, 40_000), (1, 7), (3, 1_000), (key_order.GROUPS, 1)):
        monkeypatch.setattr(key_order, "GROUPS", groups)
        monkeypatch.setattr(features_module, "CHUNK_ROWS", chunk_rows)
        assert np.array_equal(bits(transaction_features(HISTORY)), bits(WHOLE))
