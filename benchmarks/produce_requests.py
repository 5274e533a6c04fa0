"""Produce requests as bytes, made before they are needed, so that sending one is a single write to a socket.

A producer that batches, waits for acknowledgements and wakes tasks would take the core that is being measured.
"""

import struct
from collections.abc import Iterator, Mapping, Sequence

from aiokafka.record.default_records import DefaultRecordBatchBuilder

_PRODUCE, _VERSION = 0, 3
_LEADER_ACKNOWLEDGES = 1
_TIMEOUT_MS = 30_000


def produce_request(
    topic: str, by_partition: Mapping[int, Sequence[tuple[bytes, bytes]]], number: int, timestamp_ms: int
) -> bytes:
    """Return a request that appends (key, value) records to partitions of a topic; `number` names the request."""
    name = topic.encode()
    body = bytearray(struct.pack(">hhihh", _PRODUCE, _VERSION, number, -1, -1))
    body += struct.pack(">hii", _LEADER_ACKNOWLEDGES, _TIMEOUT_MS, 1)
    body += struct.pack(">h", len(name)) + name + struct.pack(">i", len(by_partition))
    for partition, records in by_partition.items():
        builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 1 << 30)
        for at, (key, value) in enumerate(records):
            builder.append(at, timestamp_ms, key, value, [])
        batch = bytes(builder.build())
        body += struct.pack(">ii", partition, len(batch)) + batch
    return struct.pack(">i", len(body)) + bytes(body)


def answers(received: bytes) -> Iterator[tuple[int, list[int]]]:
    """Yield of each whole answer to such requests its number and the error codes of its partitions, 0 for none."""
    at = 0
    while at + 4 <= len(received):
        (size,) = struct.unpack_from(">i", received, at)
        if at + 4 + size > len(received):
            return
        number, _, name_size = struct.unpack_from(">iih", received, at + 4)
        place = at + 14 + name_size
        (partitions,) = struct.unpack_from(">i", received, place)
        # A partition, its error, the offset and the time that its first record was given.
        codes = [struct.unpack_from(">ihqq", received, place + 4 + 22 * one)[1] for one in range(partitions)]
        yield number, codes
        at += 4 + size
