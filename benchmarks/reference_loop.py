"""The yardstick: velocity-v1 as one would write it by hand around a consumer, with nothing of riskstream in it.

`getmany`, a msgspec struct for each message, a dict from key to row, a compiled fold, ONNX Runtime on one thread, and
`send` for an alert. No group, no checkpoint, no state that outlives it, no check of what a message says. It imports
nothing of `risk` and is never made faster: an engine that became faster would otherwise be held to a faster yardstick.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import onnxruntime as ort
from numba import njit
from numpy.typing import NDArray

from benchmarks.velocity_job import FEATURES, network, transactions

DAY_NS = 86_400_000_000_000
FORGOTTEN, NO_SPREAD = 1e-12, 1e-9


class Payment(msgspec.Struct, frozen=True, gc=False):
    """A transaction, its fields plain."""

    schema_version: int
    transaction_id: str
    customer_id: str
    merchant_id: str
    amount: float
    currency: str
    event_time_ns: int


@njit(cache=True)
def _fold(
    rows: NDArray[np.int64],
    time_ns: NDArray[np.int64],
    amount: NDArray[np.float64],
    last_ns: NDArray[np.int64],
    state: NDArray[np.float64],
    features: NDArray[np.float64],
) -> None:
    """Write eleven features of each event and take it up; `state` float64[rows, 3, 3] is weight, mean and spread."""
    for at in range(rows.shape[0]):
        row = rows[at]
        now_ns = max(time_ns[at], last_ns[row])
        days = (now_ns - last_ns[row]) / DAY_NS
        last_ns[row] = now_ns
        for window in range(3):
            decay = np.exp(-days / (1.0 if window == 0 else 7.0 if window == 1 else 30.0))
            weight = state[row, window, 0] * decay
            mean = state[row, window, 1]
            spread = state[row, window, 2] * decay
            if weight < FORGOTTEN:
                weight = mean = spread = 0.0
            variance = spread / weight if weight > 0.0 else 0.0
            away = amount[at] - mean
            features[at, window] = weight
            features[at, 3 + window] = mean
            features[at, 6 + window] = away / np.sqrt(variance) if variance > NO_SPREAD * mean * mean else 0.0
            weight += 1.0
            mean += away / weight
            state[row, window, 0] = weight
            state[row, window, 1] = mean
            state[row, window, 2] = spread + away * (amount[at] - mean)
        features[at, 9] = amount[at]
        features[at, 10] = (time_ns[at] % DAY_NS) / DAY_NS


class ReferenceLoop:
    """What the loop does with a batch, and the state of one partition."""

    def __init__(self, onnx: bytes) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session: Any = ort.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])
        self._decode = msgspec.json.Decoder(Payment).decode
        self._row_of: dict[str, int] = {}
        self._last_ns = np.zeros(64, dtype=np.int64)
        self._state = np.zeros((64, 3, 3))

    def advance(self, values: Sequence[bytes]) -> tuple[list[Payment], NDArray[np.float64]]:
        """Return the payments of a batch and the score of each, float64[n]."""
        payments = [self._decode(value) for value in values]
        row_of = self._row_of
        rows = np.array([row_of.setdefault(one.customer_id, len(row_of)) for one in payments], dtype=np.int64)
        while len(row_of) > len(self._last_ns):
            self._last_ns = np.concatenate([self._last_ns, np.zeros_like(self._last_ns)])
            self._state = np.concatenate([self._state, np.zeros_like(self._state)])
        time_ns = np.array([one.event_time_ns for one in payments], dtype=np.int64)
        amount = np.array([one.amount for one in payments])
        features = np.empty((len(payments), FEATURES))
        _fold(rows, time_ns, amount, self._last_ns, self._state, features)
        scores: NDArray[np.float64] = self._session.run(["score"], {"features": features})[0]
        return payments, scores


def alert_threshold(fraction: float) -> float:
    """Return the score above which about a `fraction` of the events lies, once the profiles have filled."""
    loop = ReferenceLoop(network())
    values = [value for _, value in transactions(100_000, seed=99)]
    scores = np.concatenate([loop.advance(values[at : at + 1_000])[1] for at in range(0, len(values), 1_000)])
    return float(np.quantile(scores[len(scores) // 2 :], 1.0 - fraction))


def consume(broker: str, topic: str, alerts: str, partitions: int, count: int) -> dict[str, float]:
    """Read a topic to its end; return CPU seconds from connecting on and wall seconds from the first batch."""
    from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
    from aiokafka import TopicPartition as KafkaPartition

    threshold = alert_threshold(0.01)

    async def run() -> dict[str, float]:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=broker, auto_offset_reset="earliest", max_partition_fetch_bytes=12 << 20
        )
        producer = AIOKafkaProducer(bootstrap_servers=broker, linger_ms=5)
        cpu = time.process_time()
        await consumer.start()
        await producer.start()
        consumer.assign([KafkaPartition(topic, at) for at in range(partitions)])
        loops = {at: ReferenceLoop(network()) for at in range(partitions)}
        done = 0
        wall = time.perf_counter()
        while done < count:
            for at, records in (await consumer.getmany(timeout_ms=500, max_records=4096)).items():
                payments, scores = loops[at.partition].advance([record.value for record in records])
                for row in np.flatnonzero(scores >= threshold).tolist():
                    value = {"event_id": payments[row].transaction_id, "score": float(scores[row])}
                    await producer.send(alerts, msgspec.json.encode(value), partition=at.partition)
                done += len(records)
        await producer.flush()
        spent = {"wall_seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - cpu}
        await consumer.stop()
        await producer.stop()
        return spent

    return asyncio.run(run())
