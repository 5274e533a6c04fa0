import subprocess
import sys

import numpy as np

from benchmarks.reference_loop import ReferenceLoop
from benchmarks.velocity_job import assemble, network, transactions
from risk.decayed_moments import DecayedMoments
from risk.decode import decode_transactions
from risk.scorer import Scorer


def test_the_yardstick_does_the_same_job_as_the_engine() -> None:
    """Its scores are the engine's, so that a ratio compares two ways to one result."""
    messages = list(transactions(8_000, seed=3))
    loop, moments, scorer = ReferenceLoop(network()), DecayedMoments(), Scorer(network())
    for first in range(0, len(messages), 700):
        keys = [key.encode() for key, _ in messages[first : first + 700]]
        values = [value for _, value in messages[first : first + 700]]
        columns, rejections = decode_transactions(keys, values, "EUR")
        features = assemble(
            moments.advance(columns.customer_id, columns.event_time_ns, columns.amount),
            columns.amount,
            columns.event_time_ns,
        )
        payments, scores = loop.advance(values)
        assert rejections == []
        assert [one.transaction_id for one in payments] == list(columns.transaction_id)
        assert np.abs(scores - scorer.score(features)).max() < 1e-9


def test_the_yardstick_has_nothing_of_the_engine() -> None:
    """It imports no module of risk or stream: the engine's gains must not be its own."""
    program = (
        "import sys, benchmarks.reference_loop\n"
        "print([name for name in sys.modules if name.partition('.')[0] in ('risk', 'stream')])"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
