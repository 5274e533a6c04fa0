"""Record batches as a broker sends them, to columns: no record becomes an object.

The format is Kafka's record batch, version 2 (KIP-98; "Message format" in the documentation of Apache Kafka). What a
record's headers hold is passed over.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from aiokafka import codec
from aiokafka.errors import CorruptRecordException, UnsupportedCodecError
from aiokafka.record.util import calc_crc32c
from numba import njit
from numpy.typing import NDArray

from risk.byte_slices import ABSENT, BytesColumn
from risk.chunk import Chunk

HEADER_BYTES = 61
_CRC_FROM = 21
_CODEC_MASK, _LOG_APPEND_TIME, _TRANSACTIONAL, _CONTROL = 0x07, 0x08, 0x10, 0x20
_DECOMPRESS = {1: codec.gzip_decode, 2: codec.snappy_decode, 3: codec.lz4_decode, 4: codec.zstd_decode}
_LEAST_RECORD_BYTES = 7
_MARKER_TYPE, _ABORT = 8, 0
"""Where a marker's record, which is of single bytes but for its key, tells its type: the low byte of it."""

_START, _END, _BASE_OFFSET, _NEXT_OFFSET, _ATTRIBUTES, _FIRST_MS, _MAX_MS, _PRODUCER, _COUNT, _CRC, _FIELDS = range(11)


@dataclass(frozen=True, slots=True)
class FetchedRecords:
    """Records of one partition in the order of the log, and the offset from which reading goes on after them.

    `offsets` and `timestamps_ms` are int64[n]; keys and values are slices of what was fetched.
    """

    offsets: NDArray[np.int64]
    timestamps_ms: NDArray[np.int64]
    keys: BytesColumn
    values: BytesColumn
    next_offset: int

    def __len__(self) -> int:
        return len(self.offsets)

    def chunk(self, topic: str, partition: int, *, caught_up: bool) -> Chunk:
        """Return the records as a chunk of their partition."""
        return Chunk(topic, partition, self.offsets, self.keys, self.values, caught_up, self.timestamps_ms)

    def split(self, count: int) -> "tuple[FetchedRecords, FetchedRecords]":
        """Return the first `count` records, fewer than all, and the others.

        The first ones have their own bytes alone: who looks through the bytes of a chunk does not look through a fetch.
        """
        first, rest = slice(None, count), slice(count, None)
        return (
            FetchedRecords(
                self.offsets[first],
                self.timestamps_ms[first],
                self.keys[first].trimmed(),
                self.values[first].trimmed(),
                int(self.offsets[count - 1]) + 1,
            ),
            FetchedRecords(
                self.offsets[rest], self.timestamps_ms[rest], self.keys[rest], self.values[rest], self.next_offset
            ),
        )


def read_record_batches(
    data: bytes, first_offset: int, aborted: Sequence[tuple[int, int]] = ()
) -> FetchedRecords | None:
    """Return the records of whole batches from `first_offset` on; what markers of transactions hold is left out.

    `aborted` are the aborted transactions that the broker named with the data, by producer id and first offset: their
    records are left out too.

    None where a batch has an older format, which brokers have not written since version 0.11. Raises
    CorruptRecordException for bytes whose checksum is wrong, or that are no records, and UnsupportedCodecError.
    """
    buffer = np.frombuffer(data, dtype=np.uint8)
    batches = _batches(buffer)
    if batches is None:
        return None
    view = memoryview(data)
    for start, end, crc in batches[:, (_START, _END, _CRC)].tolist():
        if calc_crc32c(view[start - HEADER_BYTES + _CRC_FROM : end]) != crc:
            raise CorruptRecordException(f"a record batch of {end - start} bytes has a wrong checksum")
    next_offset = max(first_offset, int(batches[-1, _NEXT_OFFSET])) if len(batches) else first_offset
    batches = batches[_committed(buffer, batches, aborted) & (batches[:, _ATTRIBUTES] & _CONTROL == 0)]
    if (batches[:, _ATTRIBUTES] & _CODEC_MASK).any():
        buffer, batches = _decompressed(view, batches)
    if (
        (batches[:, _COUNT] < 0) | (batches[:, _COUNT] * _LEAST_RECORD_BYTES > batches[:, _END] - batches[:, _START])
    ).any():
        raise CorruptRecordException("a record batch announces more records than it has room for")
    count = int(batches[:, _COUNT].sum())
    numbers = np.empty((6, count), dtype=np.int64)
    found = _records(buffer, batches, first_offset, numbers)
    if found < 0:
        raise CorruptRecordException("a record batch holds something else than the records that it announces")
    offsets, timestamps_ms, key_starts, key_ends, value_starts, value_ends = numbers[:, :found]
    return FetchedRecords(
        offsets,
        timestamps_ms,
        BytesColumn(buffer, key_starts, key_ends),
        BytesColumn(buffer, value_starts, value_ends),
        next_offset,
    )


def _committed(
    buffer: NDArray[np.uint8], batches: NDArray[np.int64], aborted: Sequence[tuple[int, int]]
) -> NDArray[np.bool_]:
    """Return which batches are of no aborted transaction, bool[batches]."""
    committed = np.ones(len(batches), dtype=np.bool_)
    if not aborted:
        return committed
    coming = sorted(aborted, key=lambda transaction: transaction[1], reverse=True)
    ending: set[int] = set()
    for at, (start, base_offset, attributes, producer) in enumerate(
        batches[:, (_START, _BASE_OFFSET, _ATTRIBUTES, _PRODUCER)].tolist()
    ):
        while coming and coming[-1][1] <= base_offset:
            ending.add(coming.pop()[0])
        if attributes & _CONTROL and buffer[start + _MARKER_TYPE] == _ABORT:
            ending.discard(producer)
        elif attributes & _TRANSACTIONAL:
            committed[at] = producer not in ending
    return committed


def _decompressed(view: memoryview, batches: NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the payloads of all batches one after another, decompressed, and the batches with their places there."""
    payloads = []
    for start, end, attributes in batches[:, (_START, _END, _ATTRIBUTES)].tolist():
        payload = view[start:end].tobytes()
        compression = attributes & _CODEC_MASK
        if compression:
            if compression not in _DECOMPRESS or (compression > 1 and not codec.has_zstd()):
                raise UnsupportedCodecError(
                    f"compression {compression}: install aiokafka[all], or let producers use gzip"
                )
            payload = _DECOMPRESS[compression](payload)
        payloads.append(payload)
    batches = batches.copy()
    batches[:, _END] = np.cumsum([len(payload) for payload in payloads])
    batches[:, _START] = batches[:, _END] - [len(payload) for payload in payloads]
    return np.frombuffer(b"".join(payloads), dtype=np.uint8), batches


@njit(cache=True, nogil=True)
def _big_endian(data: NDArray[np.uint8], at: int | np.int64, size: int) -> np.int64:
    value = np.int64(np.int8(data[at]))
    for place in range(at + 1, at + size):
        value = (value << 8) | np.int64(data[place])
    return value


@njit(cache=True, nogil=True)
def _batches(data: NDArray[np.uint8]) -> NDArray[np.int64] | None:
    """Return the whole batches, int64[batches, fields]; None where one has an older format."""
    count = 0
    at = np.int64(0)
    while at + HEADER_BYTES <= data.shape[0]:
        end = at + 12 + _big_endian(data, at + 8, 4)
        if data[at + 16] < 2:
            return None
        if end < at + HEADER_BYTES or end > data.shape[0]:
            break
        count += 1
        at = end
    batches = np.empty((count, _FIELDS), dtype=np.int64)
    at = np.int64(0)
    for batch in range(count):
        end = at + 12 + _big_endian(data, at + 8, 4)
        base = _big_endian(data, at, 8)
        batches[batch, _START] = at + HEADER_BYTES
        batches[batch, _END] = end
        batches[batch, _BASE_OFFSET] = base
        batches[batch, _NEXT_OFFSET] = base + _big_endian(data, at + 23, 4) + 1
        batches[batch, _ATTRIBUTES] = _big_endian(data, at + 21, 2)
        batches[batch, _FIRST_MS] = _big_endian(data, at + 27, 8)
        batches[batch, _MAX_MS] = _big_endian(data, at + 35, 8)
        batches[batch, _PRODUCER] = _big_endian(data, at + 43, 8)
        batches[batch, _COUNT] = _big_endian(data, at + 57, 4)
        batches[batch, _CRC] = _big_endian(data, at + 17, 4) & 0xFFFFFFFF
        at = end
    return batches


@njit(cache=True, nogil=True)
def _varint(data: NDArray[np.uint8], at: np.int64, end: np.int64) -> tuple[np.int64, np.int64]:
    """Return a zigzag varint and the place after it, which is beyond `end` where the bytes hold none."""
    value = np.int64(0)
    for shift in range(0, 70, 7):
        if at >= end:
            break
        byte = np.int64(data[at])
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return ((value >> 1) & 0x7FFFFFFFFFFFFFFF) ^ -(value & 1), at
    return np.int64(0), end + 1


@njit(cache=True, nogil=True)
def _records(data: NDArray[np.uint8], batches: NDArray[np.int64], first_offset: int, numbers: NDArray[np.int64]) -> int:
    """Write the records' offsets, timestamps and places of keys and values; return how many, -1 for broken ones."""
    found = 0
    for batch in range(batches.shape[0]):
        at, end = batches[batch, _START], batches[batch, _END]
        log_append_time = batches[batch, _ATTRIBUTES] & _LOG_APPEND_TIME
        for _ in range(batches[batch, _COUNT]):
            length, at = _varint(data, at, end)
            record_end = at + length
            if length < 1 or record_end > end:
                return -1
            delta_ms, at = _varint(data, at + 1, record_end)
            delta, at = _varint(data, at, record_end)
            key_length, at = _varint(data, at, record_end)
            key_start = at
            if key_length > 0:
                at += key_length
            value_length, at = _varint(data, at, record_end)
            value_start = at
            if at > record_end or value_length > record_end - at:
                return -1
            at = record_end
            offset = batches[batch, _BASE_OFFSET] + delta
            if offset < first_offset:
                continue
            numbers[0, found] = offset
            numbers[1, found] = batches[batch, _MAX_MS] if log_append_time else batches[batch, _FIRST_MS] + delta_ms
            numbers[2, found] = key_start if key_length >= 0 else ABSENT
            numbers[3, found] = key_start + key_length if key_length >= 0 else ABSENT
            numbers[4, found] = value_start if value_length >= 0 else ABSENT
            numbers[5, found] = value_start + value_length if value_length >= 0 else ABSENT
            found += 1
        if at != end:
            return -1
    return found
