import msgspec
import numpy as np
import pytest

from history_messages import label_messages, transaction_messages
from schemas.label import Label
from schemas.transaction import Transaction
from training.history import DAY_NS
from training.simulator import START_NS, simulate_transactions

DAYS = 60
HISTORY = simulate_transactions(customers=500, merchants=80, days=DAYS, seed=3)


def test_the_same_seed_gives_the_same_payments() -> None:
    """Equal arguments give equal messages, another seed others."""
    again = simulate_transactions(customers=500, merchants=80, days=DAYS, seed=3)
    other = simulate_transactions(customers=500, merchants=80, days=DAYS, seed=4)
    first = list(transaction_messages(HISTORY, "EUR"))
    assert list(transaction_messages(again, "EUR")) == first
    assert list(transaction_messages(other, "EUR")) != first


def test_payments_lie_in_their_days_in_order_and_fit_the_schema() -> None:
    """Times rise and stay within the days asked for, ids are unique, amounts have cents, messages decode."""
    assert (np.diff(HISTORY.event_time_ns) >= 0).all()
    assert HISTORY.event_time_ns[0] >= START_NS
    assert HISTORY.event_time_ns[-1] < START_NS + DAYS * DAY_NS
    assert len(set(HISTORY.transaction_id)) == len(HISTORY)
    np.testing.assert_allclose(HISTORY.amount * 100, np.round(HISTORY.amount * 100), atol=1e-6)
    for _, value in transaction_messages(HISTORY, "EUR"):
        msgspec.json.decode(value, type=Transaction)


def test_frauds_are_few_and_become_known_within_a_week() -> None:
    """Between 0.2 and 3 % are fraud, on every day about as often, and each is reported up to seven days later."""
    assert 0.002 < HISTORY.fraud.mean() < 0.03
    delay = (HISTORY.label_time_ns - HISTORY.event_time_ns)[HISTORY.fraud]
    assert (delay >= 0).all()
    assert (delay <= 7 * DAY_NS).all()
    day = (HISTORY.event_time_ns - START_NS) // DAY_NS
    daily = np.bincount(day, weights=HISTORY.fraud) / np.bincount(day)
    assert daily.max() < 0.1
    labels = [msgspec.json.decode(value, type=Label) for _, value in label_messages(HISTORY)]
    assert len(labels) == HISTORY.fraud.sum()
    assert [one.event_time_ns for one in labels] == sorted(one.event_time_ns for one in labels)


def test_each_kind_of_fraud_occurs() -> None:
    """There are frauds far above the owner's level, bursts within an hour, and frauds of usual amounts."""
    customers = np.array(HISTORY.customer_id)
    ratios, burst = [], 0
    for customer in np.unique(customers[HISTORY.fraud]):
        mine = customers == customer
        level = np.median(HISTORY.amount[mine & ~HISTORY.fraud])
        ratios += (HISTORY.amount[mine & HISTORY.fraud] / level).tolist()
        times = np.sort(HISTORY.event_time_ns[mine & HISTORY.fraud])
        burst = max(burst, max(int(((times >= t) & (times < t + DAY_NS // 24)).sum()) for t in times))
    found = np.array(ratios)
    assert (found > 3.0).mean() > 0.2
    assert ((found > 0.4) & (found < 2.5)).mean() > 0.1
    assert burst >= 4


def test_too_little_to_simulate_is_refused() -> None:
    """At least one customer, ten merchants and a day."""
    with pytest.raises(ValueError, match="give at least 1, 10 and 1"):
        simulate_transactions(customers=5, merchants=9, days=3, seed=1)
