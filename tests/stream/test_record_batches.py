"""What a broker sends, read into columns; aiokafka's own reading, record by record, is the oracle."""

import struct

import numpy as np
import pytest
from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import READ_COMMITTED, PartitionRecords
from aiokafka.errors import CorruptRecordException, UnsupportedCodecError
from aiokafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder
from aiokafka.record.legacy_records import LegacyRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import calc_crc32c
from hypothesis import given
from hypothesis import strategies as st

from stream.record_batches import HEADER_BYTES, read_record_batches

Record = tuple[int, int, bytes | None, bytes | None]

texts = st.none() | st.binary(max_size=300)
headers = st.lists(st.tuples(st.text(max_size=5), st.none() | st.binary(max_size=5)), max_size=2)
records = st.tuples(st.integers(0, 2**41), texts, texts, headers)
batches = st.lists(st.tuples(st.lists(records, min_size=1, max_size=20), st.sampled_from([0, 1]), st.integers(0, 9)))


def _batch_of(rows: list[tuple[int, bytes | None, bytes | None, list[tuple[str, bytes | None]]]], codec: int) -> bytes:
    builder = DefaultRecordBatchBuilder(2, codec, 0, -1, -1, -1, 1 << 24)
    for at, (timestamp_ms, key, value, headers) in enumerate(rows):
        assert builder.append(at, timestamp_ms, key, value, headers) is not None
    return bytes(builder.build())


def _at_offset(batch: bytes, base_offset: int) -> bytes:
    """The checksum does not cover the offset: a broker sets it."""
    return struct.pack(">q", base_offset) + batch[8:]


def _with_attributes(batch: bytes, attributes: int) -> bytes:
    changed = bytearray(batch)
    changed[21:23] = struct.pack(">h", attributes)
    changed[17:21] = struct.pack(">I", calc_crc32c(bytes(changed[21:])))
    return bytes(changed)


def _read_by_aiokafka(data: bytes, first_offset: int) -> list[Record]:
    found, batches = [], MemoryRecords(data)
    while batches.has_next():
        batch = batches.next_batch()
        assert isinstance(batch, DefaultRecordBatch)
        if not batch.is_control_batch:
            found += [(one.offset, one.timestamp, one.key, one.value) for one in batch if one.offset >= first_offset]
    return found


def _read(data: bytes, first_offset: int = 0) -> list[Record]:
    found = read_record_batches(data, first_offset)
    assert found is not None
    return list(zip(found.offsets.tolist(), found.timestamps_ms.tolist(), found.keys, found.values, strict=True))


@given(batches, st.integers(0, 50), st.integers(0, 200))
def test_records_are_those_that_aiokafka_reads(
    drawn: list[tuple[list[tuple[int, bytes | None, bytes | None, list[tuple[str, bytes | None]]]], int, int]],
    first_offset: int,
    cut: int,
) -> None:
    """Whole batches, compressed or not, with gaps between them, give the same records, and a torn last one none."""
    data, base = b"", 0
    for rows, codec, gap in drawn:
        data += _at_offset(_batch_of(rows, codec), base)
        base += len(rows) + gap
    if data:
        data += data[: min(cut, HEADER_BYTES + 10)]
    assert _read(data, first_offset) == _read_by_aiokafka(data, first_offset)


def test_reading_goes_on_after_the_last_batch_also_where_its_records_are_gone() -> None:
    """The next offset is that after the batch, as compaction and markers leave offsets without records."""
    marker = _at_offset(_with_attributes(_batch_of([(5, b"\0\0\0\1", b"\0\0\0\0\0\0", [])], 0), 0x30), 8)
    found = read_record_batches(_at_offset(_batch_of([(5, b"k", b"v", [])], 0), 7) + marker, 7)
    assert found is not None
    assert (found.offsets.tolist(), found.next_offset) == ([7], 9)
    empty = read_record_batches(b"", 3)
    assert empty is not None
    assert (len(empty), empty.next_offset) == (0, 3)


@st.composite
def _transactional_logs(draw: st.DrawFn) -> tuple[bytes, list[tuple[int, int]]]:
    """Draw a log of three producers' batches with markers between them, and its aborted transactions."""
    data, base = b"", 0
    aborted: list[tuple[int, int]] = []
    begun: dict[int, int] = {}
    for _ in range(draw(st.integers(0, 25))):
        producer = draw(st.integers(0, 2))
        if producer in begun and draw(st.booleans()):
            kind = draw(st.integers(0, 1))
            builder = DefaultRecordBatchBuilder(2, 0, 1, producer, 0, -1, 1 << 16)
            builder.append(0, 5, struct.pack(">hh", 0, kind), b"\0" * 6, [])
            data += _at_offset(_with_attributes(bytes(builder.build()), 0x30), base)
            first = begun.pop(producer)
            if kind == 0:
                aborted.append((producer, first))
            base += 1
            continue
        in_transaction = producer in begun or draw(st.booleans())
        if in_transaction:
            begun.setdefault(producer, base)
        count = draw(st.integers(1, 3))
        builder = DefaultRecordBatchBuilder(2, 0, int(in_transaction), producer, 0, 0, 1 << 16)
        for at in range(count):
            builder.append(at, 5, b"%d" % producer, b"%d" % (base + at), [])
        data += _at_offset(bytes(builder.build()), base)
        base += count
    return data, aborted


@given(_transactional_logs())
def test_what_was_aborted_is_left_out_as_aiokafka_leaves_it_out(log: tuple[bytes, list[tuple[int, int]]]) -> None:
    """Of interleaved transactions those that a marker ends by an abort give nothing, and all others everything."""
    data, aborted = log
    expected = PartitionRecords(
        TopicPartition("changelog", 0), MemoryRecords(data), aborted, 0, None, None, True, READ_COMMITTED
    )
    found = read_record_batches(data, 0, aborted)
    assert found is not None
    assert list(zip(found.offsets.tolist(), found.values, strict=True)) == [(one.offset, one.value) for one in expected]
    assert found.next_offset == expected.next_fetch_offset


def test_the_broker_s_time_is_taken_where_it_sets_the_time() -> None:
    """In a topic with log append time every record has its batch's greatest timestamp."""
    batch = _with_attributes(_batch_of([(5, None, b"a", []), (9, None, b"b", [])], 0), 0x08)
    assert [one[1] for one in _read(batch)] == [one[1] for one in _read_by_aiokafka(batch, 0)] == [9, 9]


@given(st.integers(0, 10_000), st.integers(0, 7))
def test_a_bit_that_fell_over_is_seen(place: int, bit: int) -> None:
    """Whatever the checksum covers cannot be changed unnoticed."""
    batch = bytearray(_batch_of([(at, b"key", b"value" * at, []) for at in range(30)], 0))
    place = 21 + place % (len(batch) - 21)
    batch[place] ^= 1 << bit
    with pytest.raises(CorruptRecordException):
        read_record_batches(bytes(batch), 0)


@given(st.binary(max_size=200), st.integers(0, 300), st.sampled_from([0, 1, 5]))
def test_a_batch_of_nonsense_raises_and_nothing_else(payload: bytes, count: int, codec: int) -> None:
    """Bytes with a right checksum that are no records are refused, or are records of that many."""
    header = bytearray(_batch_of([(0, None, b"", [])], 0)[:HEADER_BYTES])
    header[8:12] = struct.pack(">i", HEADER_BYTES - 12 + len(payload))
    header[57:61] = struct.pack(">i", count)
    data = _with_attributes(bytes(header) + payload, codec)
    try:
        found = read_record_batches(data, 0)
    except (CorruptRecordException, UnsupportedCodecError, OSError, EOFError):
        return
    assert found is not None
    assert len(found) == count


def test_batches_of_an_older_format_are_left_to_others() -> None:
    """What was written for brokers before version 0.11 is not read here."""
    builder = LegacyRecordBatchBuilder(1, 0, 1 << 20)
    builder.append(0, timestamp=5, key=b"k", value=b"v")
    assert read_record_batches(bytes(builder.build()) + b"\0" * HEADER_BYTES, 0) is None


def test_a_part_and_the_rest_are_the_whole() -> None:
    """Records are given out by the part, each with the offset that follows it."""
    found = read_record_batches(_at_offset(_batch_of([(0, b"%d" % at, None, []) for at in range(5)], 0), 10), 10)
    assert found is not None
    first, rest = found.split(2)
    assert (list(first.keys), first.next_offset) == ([b"0", b"1"], 12)
    assert (list(rest.keys), rest.next_offset) == ([b"2", b"3", b"4"], 15)
    assert np.concatenate([first.offsets, rest.offsets]).tolist() == found.offsets.tolist()


def test_a_part_has_its_own_bytes_alone() -> None:
    """What is given out first does not bring the bytes of a whole fetch, with keys and values that are there or not."""
    rows: list[tuple[int, bytes | None, bytes | None, list[tuple[str, bytes | None]]]]
    rows = [(0, None if at % 3 else b"k%d" % at, None if at % 2 else b"v" * 50, []) for at in range(200)]
    found = read_record_batches(_batch_of(rows, 0), 0)
    assert found is not None
    first, rest = found.split(20)
    assert len(first.values.data) < len(found.values.data) / 5
    assert [*first.keys, *rest.keys] == list(found.keys)
    assert [*first.values, *rest.values] == list(found.values)
    nothing = read_record_batches(_batch_of([(0, None, None, [])] * 3, 0), 0)
    assert nothing is not None
    assert list(nothing.split(2)[0].values) == [None, None]
