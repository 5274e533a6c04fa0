import socket
import struct
import threading
import time

from aiokafka.record.memory_records import MemoryRecords

from benchmarks.paced_sender import SLOT_NS, Sending, requests_of, send
from benchmarks.produce_requests import answers
from risk.partitioner import partitions_of

TOPIC = "payments"


def records_in(request: bytes) -> dict[int, list[tuple[bytes, bytes]]]:
    """Read a produce request of version 3 by hand: the records for each partition."""
    assert struct.unpack_from(">i", request)[0] == len(request) - 4
    at = 4 + 8 + 2 + 2 + 2 + 4 + 4 + 2 + len(TOPIC)
    (partitions,) = struct.unpack_from(">i", request, at)
    at += 4
    found = {}
    for _ in range(partitions):
        partition, size = struct.unpack_from(">ii", request, at)
        records = MemoryRecords(request[at + 8 : at + 8 + size])
        batch = records.next_batch()
        assert batch.validate_crc()
        found[partition] = [(record.key, record.value) for record in batch]
        at += 8 + size
    assert at == len(request)
    return found


def test_each_slot_is_a_request_with_its_events() -> None:
    """Every event is in the request of its slot, on the partition of its key, in order."""
    messages = [(f"c{at % 7}".encode(), b"%d" % at, f"t{at}") for at in range(10)]
    requests = requests_of(Sending(messages, events_per_slot=4), TOPIC, partitions=3)
    assert len(requests) == 3
    for number, request in enumerate(requests):
        expected: dict[int, list[tuple[bytes, bytes]]] = {}
        for key, value, _ in messages[4 * number : 4 * number + 4]:
            partition = int(partitions_of([key.decode()], 3)[0])
            expected.setdefault(partition, []).append((key, value))
        assert records_in(request) == expected


def test_requests_leave_in_their_slots_and_a_stall_moves_none() -> None:
    """No request leaves before it is due, nor waits for an answer: none comes before the last has been read."""
    near, far = socket.socketpair()
    requests = [struct.pack(">ihhi", 8, 0, 3, number) for number in range(20)]

    def answer() -> None:
        assert far.recv(12 * len(requests), socket.MSG_WAITALL) == b"".join(requests)
        for number in range(len(requests)):
            body = struct.pack(">iih", number, 1, len(TOPIC)) + TOPIC.encode()
            body += struct.pack(">i", 2) + struct.pack(">ihqq", 0, 0, 1, -1) + struct.pack(">ihqq", 1, 7, -1, -1)
            far.sendall(struct.pack(">i", len(body) + 4) + body + struct.pack(">i", 0))

    answering = threading.Thread(target=answer)
    answering.start()
    first_due_ns = time.monotonic_ns() + 2 * SLOT_NS
    sent_ns, received = send(near, requests, first_due_ns)
    answering.join()
    near.close()
    far.close()
    assert all(left >= first_due_ns + slot * SLOT_NS - 1_000 for slot, left in enumerate(sent_ns))
    assert list(answers(received)) == [(number, [0, 7]) for number in range(len(requests))]
    assert list(answers(received[:-1])) == [(number, [0, 7]) for number in range(len(requests) - 1)]
