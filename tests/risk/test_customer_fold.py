from collections import Counter
from collections.abc import Iterable
from itertools import pairwise

import msgspec
import numpy as np
import pytest
from aiokafka.partitioner import DefaultPartitioner
from hypothesis import given
from hypothesis import strategies as st

from risk.chunk import Chunk
from risk.customer_fold import CustomerFold
from risk.customer_profile import CUSTOMER_FEATURES, CustomerProfile
from risk.fold import Output
from risk.merchant_events import TRANSACTION, Block, decode_block
from risk.merchant_routing import MAX_BLOCK_ROWS
from schemas.dead_letter import DeadLetter
from schemas.encoding import encode
from schemas.transaction import Transaction

PARTITION, PARTITIONS = 2, 3
START_NS = 1_767_225_600_000_000_000
MALFORMED = [None, b"", b"?", b"{}", b"\xff", b'{"amount":1,"amount":1}']


def log_of(count: int, seed: int) -> Chunk:
    """Return transactions, some of them late, with a malformed record after every tenth, at offsets with gaps."""
    draw = np.random.default_rng(seed)
    records: list[tuple[bytes | None, bytes | None]] = []
    for at in range(count):
        customer = f"c{draw.integers(9)}"
        transaction = Transaction(
            schema_version=1,
            transaction_id=f"t{at}",
            customer_id=customer,
            merchant_id=f"möbel-{draw.integers(12)}",
            amount=int(draw.integers(1, 9_999)) / 100,
            currency="EUR",
            event_time_ns=START_NS + at * 3_600_000_000_000 - int(draw.integers(0, 3)) * 7_200_000_000_000,
        )
        records.append((customer.encode(), encode(transaction)))
        if at % 10 == 9:
            records.append((b"c1", MALFORMED[at // 10 % len(MALFORMED)]))
    offsets = tuple(50 + 2 * at for at in range(len(records)))
    keys, values = zip(*records, strict=True)
    return Chunk.of("transactions", PARTITION, offsets, keys, values, caught_up=False)


LOG = log_of(200, seed=3)
SENT = [msgspec.json.decode(value, type=Transaction) for value in LOG.values if value not in MALFORMED and value]
GOOD = [at for at, value in enumerate(LOG.values) if value not in MALFORMED]


def new_fold() -> CustomerFold:
    """Return an empty fold."""
    return CustomerFold(PARTITION, partitions=PARTITIONS, currency="EUR")


def between(first: int, end: int, *, caught_up: bool = False) -> Chunk:
    """Return some consecutive records of the log as a chunk."""
    part = slice(first, end)
    return Chunk.of(LOG.topic, LOG.partition, LOG.offsets[part], LOG.keys[part], LOG.values[part], caught_up)


def cut_up(cuts: Iterable[int]) -> list[Chunk]:
    """Return the whole log in consecutive chunks."""
    edges = sorted({0, *cuts, len(LOG.offsets)})
    return [between(first, end) for first, end in pairwise(edges)]


cuts = st.lists(st.integers(0, len(LOG.offsets)), max_size=8)


def outputs_of(fold: CustomerFold, chunks: Iterable[Chunk]) -> list[Output]:
    """Advance by the chunks and return every output."""
    return [output for chunk in chunks for output in fold.advance(chunk).outputs]


def blocks_of(outputs: Iterable[Output]) -> list[tuple[int, Block]]:
    """Return the merchant partition and the block of each output that is one."""
    return [(one.partition, decode_block(one.value)) for one in outputs if one.stream == "merchant_events"]


def rows_of(outputs: Iterable[Output]) -> list[list[tuple[object, ...]]]:
    """Return the rows sent to each merchant partition, in order: how they were cut into blocks is free."""
    found: list[list[tuple[object, ...]]] = [[] for _ in range(PARTITIONS)]
    for partition, block in blocks_of(outputs):
        numbers = (block.offsets, block.order_time_ns, block.event_time_ns, block.transaction_time_ns)
        columns: list[Iterable[object]] = [one.tolist() for one in numbers]
        columns += [block.kinds.tolist(), block.transaction_id, block.customer_id, block.merchant_id]
        columns += [[row.tobytes() for row in block.features]]
        found[partition] += zip(*columns, strict=True)
    return found


def letters_of(outputs: Iterable[Output]) -> list[Output]:
    """Return the outputs that are dead letters."""
    return [one for one in outputs if one.stream == "dead_letters"]


def test_every_transaction_goes_to_its_merchant() -> None:
    """Each transaction is one row for the partition that Kafka's client would choose, with what it said, in order."""
    rows = rows_of(outputs_of(new_fold(), [LOG]))
    partitions = list(range(PARTITIONS))
    clock_ns = 0
    expected: list[list[tuple[object, ...]]] = [[] for _ in partitions]
    for at, one in zip(GOOD, SENT, strict=True):
        clock_ns = max(clock_ns, one.event_time_ns)
        to = DefaultPartitioner()(one.merchant_id.encode(), partitions, partitions)
        numbers = LOG.offsets[at], clock_ns, one.event_time_ns, one.event_time_ns, TRANSACTION
        expected[to].append((*numbers, one.transaction_id, one.customer_id, one.merchant_id))
    assert [[row[:-1] for row in own] for own in rows] == expected
    assert all(len(own) > 20 for own in rows)


def test_rows_carry_the_features_of_the_profile() -> None:
    """The features are those of the customer's profile, bit for bit."""
    features = CustomerProfile().advance(
        [one.customer_id for one in SENT],
        np.array([one.event_time_ns for one in SENT]),
        np.array([one.amount for one in SENT]),
    )
    expected = {one.transaction_id: row.tobytes() for one, row in zip(SENT, features, strict=True)}
    rows = rows_of(outputs_of(new_fold(), [LOG]))
    assert {row[5]: row[-1] for own in rows for row in own} == expected
    assert {len(one) for one in expected.values()} == {8 * len(CUSTOMER_FEATURES)}


def test_every_record_is_answered() -> None:
    """Each record is a row or a dead letter, which has its bytes and its place; the counts tell how many."""
    fold = new_fold()
    emitted = fold.advance(LOG)
    letters = [msgspec.json.decode(one.value, type=DeadLetter) for one in letters_of(emitted.outputs)]
    assert emitted.counts == {"forwarded": 200}
    assert emitted.rejected == Counter(one.reason for one in letters)
    assert len(letters) == 20
    assert {one.source.offset for one in letters} == set(LOG.offsets.tolist()) - {LOG.offsets[at] for at in GOOD}
    for letter in letters:
        at = LOG.offsets.tolist().index(letter.source.offset)
        assert (letter.payload, letter.key) == (LOG.values[at] or b"", LOG.keys[at])
        assert (letter.source.topic, letter.source.partition) == ("transactions", PARTITION)
    assert len(fold) == len({one.customer_id for one in SENT})


@given(cuts)
def test_chunks_do_not_matter(at: list[int]) -> None:
    """However the log is cut into chunks, rows, dead letters, profiles and cut are the same byte for byte."""
    whole, parts = new_fold(), new_fold()
    expected, found = outputs_of(whole, [LOG]), outputs_of(parts, cut_up(at))
    assert rows_of(found) == rows_of(expected)
    assert letters_of(found) == letters_of(expected)
    assert parts.take_changed() == whole.take_changed()
    assert (parts.cut(), len(parts)) == (whole.cut(), len(whole))


@given(st.integers(0, len(LOG.offsets)), cuts)
def test_a_restored_fold_goes_on_as_if_nothing_happened(stop: int, at: list[int]) -> None:
    """A fold restored from cut and rows, and given the whole log again, gives what was still to come."""
    fold, restored = new_fold(), new_fold()
    fold.advance(between(0, stop))
    restored.restore(fold.cut(), fold.take_changed())
    assert restored.read_on_offset() == fold.read_on_offset() == (LOG.offsets[stop - 1] + 1 if stop else 0)
    found, expected = outputs_of(restored, cut_up(at)), outputs_of(fold, [between(stop, len(LOG.offsets))])
    assert rows_of(found) == rows_of(expected)
    assert letters_of(found) == letters_of(expected)
    assert dict(restored.take_changed()) == dict(fold.take_changed())
    assert restored.cut() == fold.cut()


@given(cuts)
def test_a_redelivered_chunk_changes_nothing(at: list[int]) -> None:
    """A chunk that the state contains gives neither row nor letter, and leaves profiles and cut as they were."""
    fold = new_fold()
    fold.advance(LOG)
    fold.take_changed()
    before = fold.cut()
    outputs = outputs_of(fold, cut_up(at))
    assert rows_of(outputs) == [[]] * PARTITIONS
    assert letters_of(outputs) == []
    assert (list(fold.take_changed()), fold.cut()) == ([], before)


@given(cuts)
def test_a_block_tells_how_far_its_source_has_come(at: list[int]) -> None:
    """Every merchant partition learns from each chunk that no later row is ordered before the clock it is told."""
    fold = new_fold()
    told = [-(2**63)] * PARTITIONS
    for chunk in cut_up(at):
        blocks = blocks_of(fold.advance(chunk).outputs)
        assert {partition for partition, _ in blocks} == set(range(PARTITIONS))
        for partition, block in blocks:
            assert (block.role, block.partition, block.caught_up) == ("transactions", PARTITION, False)
            order = [told[partition], *block.order_time_ns.tolist(), block.clock_ns]
            assert order == sorted(order)
            told[partition] = block.clock_ns
    assert told == [max(one.event_time_ns for one in SENT)] * PARTITIONS


def test_a_source_at_its_end_says_so_once() -> None:
    """Having reached its end, a source tells everyone, and from then on sends only to whom it has rows for."""
    fold = new_fold()
    told = []
    for first, end, caught_up in ((0, 5, False), (5, 6, True), (6, 7, True), (7, 7, True), (7, 8, False), (8, 8, True)):
        blocks = blocks_of(fold.advance(between(first, end, caught_up=caught_up)).outputs)
        assert {block.caught_up for _, block in blocks} <= {caught_up}
        told.append(len({partition for partition, _ in blocks}))
    assert told == [3, 3, 1, 0, 3, 3]


def test_large_chunks_are_sent_in_pieces() -> None:
    """No block is longer than its bound, and only the last piece speaks for the whole chunk."""
    log = log_of(4_000, seed=4)
    chunk = Chunk.of(log.topic, log.partition, log.offsets, log.keys, log.values, caught_up=True)
    outputs = new_fold().advance(chunk).outputs
    assert len(blocks_of(outputs)) > PARTITIONS
    for to in range(PARTITIONS):
        pieces = [block for partition, block in blocks_of(outputs) if partition == to]
        assert len(pieces) == -(-sum(len(block) for block in pieces) // MAX_BLOCK_ROWS)
        assert max(len(block) for block in pieces) <= MAX_BLOCK_ROWS
        assert [block.caught_up for block in pieces] == [False] * (len(pieces) - 1) + [True]
        for before, after in pairwise(pieces):
            assert before.clock_ns <= after.order_time_ns[0]
    assert sum(len(own) for own in rows_of(outputs)) == 4_000


@pytest.mark.parametrize("chunk", [between(0, 0), between(10, 11)])
def test_a_chunk_may_hold_nothing_of_use(chunk: Chunk) -> None:
    """An empty chunk, or one of a malformed record alone, makes no profile; offsets count all the same."""
    fold = new_fold()
    emitted = fold.advance(chunk)
    assert (emitted.counts, len(fold), list(fold.take_changed())) == ({"forwarded": 0}, 0, [])
    assert sum(emitted.rejected.values()) == len(chunk.offsets)
    assert fold.read_on_offset() == (chunk.last_offset + 1 if len(chunk) else 0)
