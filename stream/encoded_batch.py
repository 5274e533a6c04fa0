"""Record batches made from columns, in place of aiokafka's builder, which takes record by record.

The format is that of `stream.record_batches`. aiokafka sends what it is given: `EncodedBatch` answers what its sender
asks of a batch (`aiokafka.producer.message_accumulator.BatchBuilder`).
"""

import struct

import numpy as np
from aiokafka.record.util import calc_crc32c
from numba import njit
from numpy.typing import NDArray

from risk.byte_slices import ABSENT, read_only
from risk.stored_rows import StoredRows
from stream.record_batches import HEADER_BYTES

_AFTER_LENGTH, _AFTER_CRC = 12, 21
_BEFORE_CRC = struct.Struct(">qiib")
_AFTER = struct.Struct(">hiqqqhii")
_TRANSACTIONAL = 0x10
_MOST_OVERHEAD_BYTES = 21


class EncodedBatch:
    """A batch of records that is complete but for who sends it."""

    def __init__(self, records: NDArray[np.uint8], count: int, timestamp_ms: int, *, transactional: bool) -> None:
        self._records = records
        self._count = count
        self._timestamp_ms = timestamp_ms
        self._attributes = _TRANSACTIONAL if transactional else 0
        self._producer = (-1, -1, -1)
        self._built: bytes | None = None

    def record_count(self) -> int:
        """Return how many records the batch has."""
        return self._count

    def size(self) -> int:
        """Return how many bytes the batch has."""
        return HEADER_BYTES + len(self._records)

    def closed(self) -> bool:
        """Return True: nothing can be appended."""
        return True

    def close(self) -> None:
        """Do nothing: the batch is closed."""

    def _set_producer_state(self, producer_id: int, producer_epoch: int, base_sequence: int) -> None:
        self._producer = (producer_id, producer_epoch, base_sequence)

    def _build(self) -> bytes:
        if self._built is None:
            checked = (
                _AFTER.pack(
                    self._attributes,
                    self._count - 1,
                    self._timestamp_ms,
                    self._timestamp_ms,
                    *self._producer,
                    self._count,
                )
                + self._records.tobytes()
            )
            self._built = b"".join(
                (
                    _BEFORE_CRC.pack(0, self.size() - _AFTER_LENGTH, -1, 2),
                    struct.pack(">I", calc_crc32c(checked)),
                    checked,
                )
            )
        return self._built


def encoded_batches(rows: StoredRows, timestamp_ms: int, *, most_bytes: int, transactional: bool) -> list[EncodedBatch]:
    """Return the rows as batches of at most `most_bytes`, or of one record that is larger, in their order."""
    sizes = rows.key.lengths + rows.row.lengths + _MOST_OVERHEAD_BYTES
    ends = np.concatenate([[0], np.cumsum(sizes)])
    batches = []
    first = 0
    while first < len(rows):
        last = int(np.searchsorted(ends, ends[first] + most_bytes - HEADER_BYTES, side="right")) - 1
        part = rows[first : max(last, first + 1)]
        records = np.empty(int(ends[first + len(part)] - ends[first]), dtype=np.uint8)
        used = _encode(
            read_only(part.key.data),
            part.key.starts,
            part.key.ends,
            read_only(part.row.data),
            part.row.starts,
            part.row.ends,
            records,
        )
        batches.append(EncodedBatch(records[:used], len(part), timestamp_ms, transactional=transactional))
        first += len(part)
    return batches


@njit(cache=True, nogil=True)
def _varint_bytes(value: int) -> int:
    zigzag = (value << 1) ^ (value >> 63)
    count = 1
    while zigzag >= 0x80:
        zigzag >>= 7
        count += 1
    return count


@njit(cache=True, nogil=True)
def _put_varint(records: NDArray[np.uint8], at: int, value: int) -> int:
    zigzag = (value << 1) ^ (value >> 63)
    while zigzag >= 0x80:
        records[at] = (zigzag & 0x7F) | 0x80
        zigzag >>= 7
        at += 1
    records[at] = zigzag
    return at + 1


@njit(cache=True, nogil=True)
def _put_bytes(records: NDArray[np.uint8], at: int, data: NDArray[np.uint8], start: int, end: int) -> int:
    if start == ABSENT:
        return _put_varint(records, at, -1)
    at = _put_varint(records, at, end - start)
    for place in range(start, end):
        records[at] = data[place]
        at += 1
    return at


@njit(cache=True, nogil=True)
def _encode(
    key_data: NDArray[np.uint8],
    key_starts: NDArray[np.int64],
    key_ends: NDArray[np.int64],
    row_data: NDArray[np.uint8],
    row_starts: NDArray[np.int64],
    row_ends: NDArray[np.int64],
    records: NDArray[np.uint8],
) -> int:
    """Write the records; return how many bytes they take."""
    at = 0
    for row in range(key_starts.shape[0]):
        key_length = -1 if key_starts[row] == ABSENT else key_ends[row] - key_starts[row]
        row_length = -1 if row_starts[row] == ABSENT else row_ends[row] - row_starts[row]
        # Attributes, timestamp and number of headers are one byte each, all zero.
        length = 3 + _varint_bytes(row) + _varint_bytes(key_length) + _varint_bytes(row_length)
        length += max(key_length, 0) + max(row_length, 0)
        at = _put_varint(records, at, length)
        records[at] = 0
        records[at + 1] = 0
        at = _put_varint(records, at + 2, row)
        at = _put_bytes(records, at, key_data, key_starts[row], key_ends[row])
        at = _put_bytes(records, at, row_data, row_starts[row], row_ends[row])
        records[at] = 0
        at += 1
    return at
