from collections import Counter
from collections.abc import Iterable
from itertools import pairwise

import msgspec
import numpy as np
from aiokafka.partitioner import DefaultPartitioner
from hypothesis import given
from hypothesis import strategies as st

from risk.chunk import Chunk
from risk.fold import Output
from risk.label_fold import LabelFold
from risk.merchant_events import CLEARANCE, FRAUD, decode_block
from schemas.dead_letter import DeadLetter
from schemas.encoding import encode
from schemas.label import Label

PARTITION, PARTITIONS = 1, 3
START_NS = 1_767_225_600_000_000_000
MALFORMED = [None, b"", b"?", b"{}", b"\xff", b'{"fraud":true,"fraud":false}']

Row = tuple[int, int, int, int, int, str, str, str]
"""Offset, order time, event time, the transaction's time, kind, transaction, customer, merchant."""


def log_of(count: int, seed: int) -> Chunk:
    """Return labels under keys of every sort, some of them late, with a malformed record after every tenth."""
    draw = np.random.default_rng(seed)
    records: list[tuple[bytes | None, bytes | None]] = []
    for at in range(count):
        known_ns = START_NS + at * 10**9 - int(draw.integers(0, 3)) * 2 * 10**9
        label = Label(
            schema_version=1,
            transaction_id=f"t{at}",
            customer_id=f"c{draw.integers(5)}",
            merchant_id=f"möbel-{draw.integers(12)}",
            transaction_time_ns=known_ns - int(draw.integers(-3 * 10**11, 10**15)),
            event_time_ns=known_ns,
            fraud=bool(draw.integers(2)),
        )
        records.append((None if at % 3 else b"\xffkey", encode(label)))
        if at % 10 == 9:
            records.append((b"any", MALFORMED[at // 10 % len(MALFORMED)]))
    offsets = tuple(7 + 3 * at for at in range(len(records)))
    keys, values = zip(*records, strict=True)
    return Chunk.of("labels", PARTITION, offsets, keys, values, caught_up=True)


LOG = log_of(120, seed=9)
GOOD = [at for at, value in enumerate(LOG.values) if value not in MALFORMED]

cuts = st.lists(st.integers(0, len(LOG.offsets)), max_size=8)


def between(first: int, end: int) -> Chunk:
    """Return some consecutive records of the log as a chunk."""
    part = slice(first, end)
    return Chunk.of(LOG.topic, LOG.partition, LOG.offsets[part], LOG.keys[part], LOG.values[part], caught_up=False)


def cut_up(at: Iterable[int]) -> list[Chunk]:
    """Return the whole log in consecutive chunks."""
    return [between(first, end) for first, end in pairwise(sorted({0, *at, len(LOG.offsets)}))]


def outputs_of(fold: LabelFold, chunks: Iterable[Chunk]) -> list[Output]:
    """Advance by the chunks and return every output."""
    return [output for chunk in chunks for output in fold.advance(chunk).outputs]


def rows_of(outputs: Iterable[Output]) -> list[list[Row]]:
    """Return the rows sent to each merchant partition, in order: how they were cut into blocks is free."""
    found: list[list[Row]] = [[] for _ in range(PARTITIONS)]
    for output in outputs:
        if output.stream == "merchant_events":
            block = decode_block(output.value)
            assert (block.source, block.features.size) == (("labels", PARTITION), 0)
            numbers = (block.offsets, block.order_time_ns, block.event_time_ns, block.transaction_time_ns)
            columns = [one.tolist() for one in numbers]
            texts = block.transaction_id, block.customer_id, block.merchant_id
            found[output.partition] += zip(*columns, block.kinds.tolist(), *texts, strict=True)
    return found


def letters_of(outputs: Iterable[Output]) -> list[Output]:
    """Return the outputs that are dead letters."""
    return [one for one in outputs if one.stream == "dead_letters"]


def test_every_label_goes_to_its_merchant() -> None:
    """Reports and clearances go where Kafka's client would send their merchant, whatever key they came under."""
    fold, partitions = LabelFold(PARTITION, partitions=PARTITIONS), list(range(PARTITIONS))
    emitted = fold.advance(LOG)
    clock_ns = 0
    expected: list[list[Row]] = [[] for _ in partitions]
    for at in GOOD:
        one = msgspec.json.decode(LOG.values[at] or b"", type=Label)
        clock_ns = max(clock_ns, one.event_time_ns)
        numbers = (
            LOG.offsets[at],
            clock_ns,
            one.event_time_ns,
            one.transaction_time_ns,
            FRAUD if one.fraud else CLEARANCE,
        )
        to = DefaultPartitioner()(one.merchant_id.encode(), partitions, partitions)
        expected[to].append((*numbers, one.transaction_id, one.customer_id, one.merchant_id))
    assert rows_of(emitted.outputs) == expected
    assert all(expected)
    assert emitted.counts == {"forwarded": 120}


def test_every_malformed_label_is_a_dead_letter() -> None:
    """What is no label goes to the dead letters with its bytes and its place, and is counted by its reason."""
    emitted = LabelFold(PARTITION, partitions=PARTITIONS).advance(LOG)
    letters = [msgspec.json.decode(one.value, type=DeadLetter) for one in letters_of(emitted.outputs)]
    assert [one.source.offset for one in letters] == sorted(
        set(LOG.offsets.tolist()) - {LOG.offsets[at] for at in GOOD}
    )
    assert emitted.rejected == Counter(one.reason for one in letters)
    for letter in letters:
        at = LOG.offsets.tolist().index(letter.source.offset)
        assert (letter.payload, letter.key) == (LOG.values[at] or b"", LOG.keys[at])


@given(cuts)
def test_chunks_do_not_matter(at: list[int]) -> None:
    """However the log is cut into chunks, rows, dead letters and cut are the same byte for byte."""
    whole, parts = (LabelFold(PARTITION, partitions=PARTITIONS) for _ in range(2))
    expected, found = outputs_of(whole, [LOG]), outputs_of(parts, cut_up(at))
    assert rows_of(found) == rows_of(expected)
    assert letters_of(found) == letters_of(expected)
    assert parts.cut() == whole.cut()


@given(st.integers(0, len(LOG.offsets)), cuts)
def test_a_restored_fold_goes_on_as_if_nothing_happened(stop: int, at: list[int]) -> None:
    """A fold restored from a cut alone, and given the whole log again, gives what was still to come."""
    fold, restored = (LabelFold(PARTITION, partitions=PARTITIONS) for _ in range(2))
    fold.advance(between(0, stop))
    restored.restore(fold.cut(), fold.take_changed())
    assert restored.read_on_offset() == fold.read_on_offset() == (LOG.offsets[stop - 1] + 1 if stop else 0)
    found, expected = outputs_of(restored, cut_up(at)), outputs_of(fold, [between(stop, len(LOG.offsets))])
    assert rows_of(found) == rows_of(expected)
    assert letters_of(found) == letters_of(expected)
    assert restored.cut() == fold.cut()


def test_labels_leave_no_rows() -> None:
    """The fold keeps no rows, and the same log again gives nothing more."""
    fold = LabelFold(PARTITION, partitions=PARTITIONS)
    fold.advance(LOG)
    before = fold.cut()
    assert (len(fold), fold.take_changed()) == (0, [])
    again = outputs_of(fold, [LOG])
    assert (rows_of(again), letters_of(again), fold.cut()) == ([[]] * PARTITIONS, [], before)
