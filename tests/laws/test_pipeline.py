from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from history_messages import label_messages, transaction_messages
from risk.bundle import FEATURES, Bundle
from risk.chunk import Chunk
from risk.customer_fold import CustomerFold
from risk.event_time import FUTURE_LIMIT_MS, LATE_LIMIT_NS
from risk.fold import Fold, Output
from risk.label_fold import LabelFold
from risk.merchant_events import decode_block
from risk.merchant_fold import MerchantFold
from risk.partitioner import partitions_of
from schemas.alert import Alert
from schemas.score import Score
from stream.bundle_files import read_bundle
from tests.malformed import malformed_transactions
from tests.small_bundle import small_bundle
from training.bundle_files import write_bundle
from training.features import transaction_features
from training.history import History
from training.simulator import simulate_transactions

PARTITIONS = 3
Log = list[tuple[bytes | None, bytes | None, int]]
"""Keys, values and timestamps (milliseconds, -1 for none) of a partition's records."""


def logs_of(history: History, malformed: int, untimely: int) -> dict[tuple[str, int], Log]:
    """Return the source logs of a history, with malformed records among the transactions, and untimely messages."""
    logs: dict[tuple[str, int], Log] = {
        (name, at): [] for name in ("transactions", "labels") for at in range(PARTITIONS)
    }
    timely: dict[str, list[tuple[int, bytes, bytes, int]]] = {"transactions": [], "labels": []}
    for name, messages in (("transactions", transaction_messages(history, "EUR")), ("labels", label_messages(history))):
        sent = list(messages)
        for (key, value), at in zip(sent, partitions_of([key for key, _ in sent], PARTITIONS).tolist(), strict=True):
            logs[name, at].append((key.encode(), value, event_time_ms(value)))
            timely[name].append((at, key.encode(), value, event_time_ms(value)))
    draw = Random(1)
    for bad in malformed_transactions(malformed + 2, seed=2)[2:]:
        log = logs["transactions", draw.randrange(PARTITIONS)]
        log.insert(draw.randrange(len(log) + 1), (bad.key, bad.value, -1))
    for number in range(untimely):
        spoil, name = SPOILS[number % len(SPOILS)]
        place, good_key, good, timestamp_ms = draw.choice(timely[name])
        log = logs[name, place]
        # After the message that it is made of, by which its customer's clock has come far enough.
        after = log.index((good_key, good, timestamp_ms)) + 1
        log.insert(draw.randrange(after, len(log) + 1), (good_key, spoil(good), timestamp_ms))
    return logs


def event_time_ms(value: bytes) -> int:
    """Return the event time of a message, which serves as its record's timestamp."""
    return int(msgspec.json.decode(value)["event_time_ns"]) // 1_000_000


def shifted(field: str, by_ns: int) -> Callable[[bytes], bytes]:
    """Return what makes another message of a good one, whose field is by so much later than its event time."""

    def spoil(value: bytes) -> bytes:
        message = msgspec.json.decode(value)
        changes = {"transaction_id": f"{message['transaction_id']}-untimely", field: message["event_time_ns"] + by_ns}
        return msgspec.json.encode(message | changes)

    return spoil


SPOILS = (
    (shifted("event_time_ns", -LATE_LIMIT_NS - 1), "transactions"),
    (shifted("event_time_ns", (FUTURE_LIMIT_MS + 1) * 1_000_000), "transactions"),
    (shifted("event_time_ns", (FUTURE_LIMIT_MS + 1) * 1_000_000), "labels"),
    (shifted("transaction_time_ns", (FUTURE_LIMIT_MS + 1) * 1_000_000), "labels"),
)
"""What makes a message untimely, and of which stream: it would leave its mark on what follows, were it taken."""


@pytest.fixture(scope="module", params=[None, 3.0], ids=["frozen", "adapting"])
def bundle(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """Give a bundle with a real model, whose normaliser is frozen or adapts."""
    small = small_bundle(half_life_days=request.param)
    folder = tmp_path_factory.mktemp("bundles")
    return read_bundle(
        write_bundle(folder, small.manifest, model=small.model, golden=small.golden, explanation=small.explanation)
    )


HISTORY = simulate_transactions(customers=60, merchants=12, days=20, seed=4)
LOGS = logs_of(HISTORY, malformed=40, untimely=60)


def chunks_of(topic: str, partition: int, log: Log, edges: list[int]) -> list[Chunk]:
    """Return a log in consecutive chunks, the last of which says that it is; offsets have gaps, as logs have."""
    if not log:
        return [Chunk.of(topic, partition, (), (), (), caught_up=True)]
    chunks = []
    for first, end in pairwise(sorted({0, *(edge for edge in edges if edge < len(log)), len(log)})):
        offsets = tuple(range(2 * first + 5, 2 * end + 5, 2))
        keys, values, timestamps_ms = zip(*log[first:end], strict=True)
        chunks.append(Chunk.of(topic, partition, offsets, keys, values, end == len(log), timestamps_ms))
    return chunks


@dataclass
class Given:
    """What a run gave: outputs of each partition in their source's order, and how many records became what."""

    outputs: dict[tuple[str, str, int], list[bytes]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    state: dict[tuple[str, int], tuple[tuple[bytes, bytes], ...]] = field(default_factory=dict)

    def take(self, fold: Fold, chunk: Chunk) -> list[Output]:
        """Advance a fold, note what it gave, and return what goes to the second hop."""
        emitted = fold.advance(chunk)
        for output in emitted.outputs:
            if output.stream != "merchant_events":
                self.outputs.setdefault((output.stream, chunk.topic, output.partition), []).append(output.value)
        for name, count in (*emitted.counts.items(), ("rejected", sum(emitted.rejected.values()))):
            self.counts[name] = self.counts.get(name, 0) + count
        if emitted.bin_counts is not None:
            every = emitted.bin_counts.ravel()
            for at in np.flatnonzero(every).tolist():
                self.counts[f"bin {at}"] = self.counts.get(f"bin {at}", 0) + int(every[at])
        return [output for output in emitted.outputs if output.stream == "merchant_events"]


def merchant_fold(bundle: Bundle, partition: int) -> MerchantFold:
    """Return an empty fold of the second hop."""
    return MerchantFold(
        partition, partitions=PARTITIONS, bundle=bundle, transactions_topic="transactions", publish_scores=True
    )


def run(bundle: Bundle, logs: dict[tuple[str, int], Log], sizes: list[int], order: int) -> Given:
    """Run both hops: chunks of the sizes in turn, sources and their blocks interleaved by the seed `order`."""
    draw = Random(order)
    given = Given()
    folds: dict[tuple[str, int], Fold] = {}
    waiting = {}
    for (name, at), log in logs.items():
        folds[name, at] = (
            CustomerFold(at, partitions=PARTITIONS, currency="EUR")
            if name == "transactions"
            else LabelFold(at, partitions=PARTITIONS)
        )
        waiting[name, at] = chunks_of(name, at, log, edges_of(sizes, len(log)))
    events: dict[int, Log] = {at: [] for at in range(PARTITIONS)}
    while waiting:
        source = draw.choice(sorted(waiting))
        for output in given.take(folds[source], waiting[source].pop(0)):
            events[output.partition].append((None, output.value, -1))
        if not waiting[source]:
            del waiting[source]
    for at, log in events.items():
        folds["merchants", at] = merchant_fold(bundle, at)
        for chunk in chunks_of("merchant-events", at, log, edges_of(sizes, len(log))):
            assert given.take(folds["merchants", at], chunk) == []
    given.state = {at: tuple(sorted(fold.take_changed())) for at, fold in folds.items()}
    return given


def edges_of(sizes: list[int], count: int) -> list[int]:
    """Return where chunks of the given sizes, taken in turn, end."""
    edges = [0]
    while edges[-1] < count:
        edges.append(edges[-1] + sizes[len(edges) % len(sizes)])
    return edges


@pytest.fixture(scope="module")
def whole(bundle: Bundle) -> Given:
    """Give what one chunk a partition gives."""
    return run(bundle, LOGS, [1_000_000], order=0)


def test_every_record_is_scored_or_a_dead_letter(whole: Given) -> None:
    """The scores and the dead letters are as many as the records, and not one event is late."""
    scores = [value for (stream, *_), values in whole.outputs.items() if stream == "scores" for value in values]
    names = [msgspec.json.decode(value, type=Score).event_id for value in scores]
    assert sorted(names) == sorted(HISTORY.transaction_id)
    assert whole.counts["scored"] == len(HISTORY)
    assert whole.counts["rejected"] == 40 + 60
    assert whole.counts["alerted"] > 5
    assert whole.counts["late"] == 0


def test_live_is_one_batch_of_the_same_steps(bundle: Bundle, whole: Given) -> None:
    """Features and scores are, bit for bit, those that training's one batch computes."""
    raw = transaction_features(HISTORY)[:, [FEATURES.index(name) for name in bundle.manifest.features]]
    row_of = {name: row for row, name in enumerate(HISTORY.transaction_id)}
    for at in range(PARTITIONS):
        scores = [msgspec.json.decode(value, type=Score) for value in whole.outputs["scores", "merchant-events", at]]
        rows = np.array([row_of[score.event_id] for score in scores])
        assert np.array_equal(np.array([score.features for score in scores]).view("<i8"), raw[rows].view("<i8"))
        expected = bundle.scorer.score(bundle.normaliser().advance(raw[rows], HISTORY.event_time_ns[rows]))
        assert [score.score for score in scores] == expected.tolist()


def test_every_alert_explains_itself(bundle: Bundle, whole: Given) -> None:
    """Score less usual score is the sum of contributions, and the features are those that were scored."""
    values = [value for (stream, *_), values in whole.outputs.items() if stream == "alerts" for value in values]
    scores = {
        score.event_id: score
        for (stream, *_), values in whole.outputs.items()
        if stream == "scores"
        for score in (msgspec.json.decode(value, type=Score) for value in values)
    }
    for value in values:
        alert = msgspec.json.decode(value, type=Alert)
        assert sum(alert.contributions.values()) == pytest.approx(alert.score - alert.usual_score, abs=1e-12)
        assert tuple(alert.features) == tuple(alert.contributions) == bundle.manifest.features
        assert tuple(alert.features.values()) == scores[alert.event_id].features
        for reason in alert.reasons:
            assert reason.contribution == alert.contributions[reason.feature] > 0.0
            assert reason.value == alert.features[reason.feature]
    assert whole.counts["not_additive"] == 0


@settings(max_examples=25)
@given(sizes=st.lists(st.integers(1, 700), min_size=1, max_size=5), order=st.integers(0, 2**32 - 1))
def test_neither_cuts_nor_interleaving_change_a_byte(
    bundle: Bundle, whole: Given, sizes: list[int], order: int
) -> None:
    """Random chunks, read in a random order of sources, give the same outputs and the same state."""
    assert run(bundle, LOGS, sizes, order) == whole


@pytest.mark.parametrize("size", [1, 7, 64, 999, 1_024, 5_000])
def test_batches_of_any_size_change_no_byte(bundle: Bundle, size: int) -> None:
    """Some 6,000 transactions give the same outputs and the same state in chunks of 1 to 5,000."""
    history = simulate_transactions(customers=130, merchants=15, days=30, seed=6)
    assert len(history) > 5_000
    logs = logs_of(history, malformed=20, untimely=40)
    assert run(bundle, logs, [size], order=size) == run(bundle, logs, [1_000_000], order=0)


@settings(max_examples=40)
@given(
    stops=st.lists(st.integers(0, 10_000), min_size=1, max_size=3),
    back=st.integers(0, 5),
    size=st.integers(1, 60),
    order=st.integers(0, 2**32 - 1),
)
def test_a_second_hop_restored_anywhere_goes_on_exactly(
    bundle: Bundle, stops: list[int], back: int, size: int, order: int
) -> None:
    """Restored again and again, also while it still reads again what had waited, it gives each output once."""
    log = merchant_log(order)
    chunks = chunks_of("merchant-events", 0, log, edges_of([size], len(log)))
    undisturbed = merchant_fold(bundle, 0)
    expected = [output for chunk in chunks for output in undisturbed.advance(chunk).outputs]
    rows: dict[bytes, bytes] = {}
    found: list[Output] = []
    fold = merchant_fold(bundle, 0)
    first = 0
    for stop in [*stops, len(chunks)]:
        end = len(chunks) if stop == len(chunks) else first + stop % (len(chunks) - first + 1)
        for chunk in chunks[first:end]:
            found += fold.advance(chunk).outputs
        rows.update(fold.take_changed())
        cut = fold.cut()
        # The log is read from where the cut says or, since offsets are committed after it, from before that.
        read_on = [at for at, chunk in enumerate(chunks) if chunk.offsets[-1] >= fold.read_on_offset()]
        first = max(0, min(read_on, default=len(chunks)) - back)
        fold = merchant_fold(bundle, 0)
        fold.restore(cut, rows.items())
    for chunk in chunks[first:]:
        found += fold.advance(chunk).outputs
    assert found == expected
    assert rows == dict(undisturbed.take_changed())


def merchant_log(order: int) -> Log:
    """Return the second hop's log of partition 0, sources interleaved by the seed `order`."""
    draw = Random(order)
    log: Log = []
    waiting = {}
    for (name, at), records in LOGS.items():
        fold: Fold = (
            CustomerFold(at, partitions=PARTITIONS, currency="EUR")
            if name == "transactions"
            else LabelFold(at, partitions=PARTITIONS)
        )
        outputs = [
            output
            for chunk in chunks_of(name, at, records, edges_of([20], len(records)))
            for output in fold.advance(chunk).outputs
        ]
        waiting[name, at] = [
            output.value for output in outputs if output.stream == "merchant_events" and output.partition == 0
        ]
    while waiting:
        source = draw.choice(sorted(waiting))
        if waiting[source]:
            log.append((None, waiting[source].pop(0), -1))
        else:
            del waiting[source]
    return log


@settings(max_examples=20)
@given(at=st.integers(0, 2_000), size=st.integers(1, 200))
def test_what_is_delivered_again_changes_nothing(bundle: Bundle, at: int, size: int) -> None:
    """A first and a second hop that are given records again give nothing for them, and their state stays."""
    events = merchant_log(at)
    folds: list[tuple[Fold, str, Log]] = [
        (CustomerFold(0, partitions=PARTITIONS, currency="EUR"), "transactions", LOGS["transactions", 0]),
        (LabelFold(0, partitions=PARTITIONS), "labels", LOGS["labels", 0]),
        (merchant_fold(bundle, 0), "merchant-events", events),
    ]
    for fold, topic, log in folds:
        (all_of_it,) = chunks_of(topic, 0, log, [])
        fold.advance(all_of_it)
        fold.take_changed()
        before = fold.cut()
        for chunk in chunks_of(topic, 0, log, edges_of([size], len(log))):
            outputs = fold.advance(chunk).outputs
            assert [output for output in outputs if output.stream != "merchant_events"] == []
            assert rows_in(outputs) == 0
        assert fold.take_changed() == []
        assert fold.cut() == before


def rows_in(outputs: list[Output]) -> int:
    """Return how many rows the blocks among the outputs hold."""
    return sum(len(decode_block(output.value)) for output in outputs if output.stream == "merchant_events")
