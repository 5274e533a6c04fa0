"""Sends messages by a schedule, a slot each millisecond: `python -m benchmarks.paced_sender BROKER TOPIC ... `.

It makes all requests first, says so, and waits for a line on its standard input. From then on every event has a time at
which it is due, and nothing that happens moves it. What it writes at the end is that schedule, and when each event
left.
"""

import gc
import socket
import sys
import time
from pathlib import Path

import msgspec
import numpy as np

from benchmarks.produce_requests import answers, produce_request
from benchmarks.waits import Schedule
from risk.partitioner import partitions_of

SLOT_NS = 1_000_000
LEAD_NS = 50_000_000


class Sending(msgspec.Struct, frozen=True):
    """What is to be sent: (key, value, event id), and how many of them are due in each slot."""

    messages: list[tuple[bytes, bytes, str]]
    events_per_slot: int


class Sent(msgspec.Struct, frozen=True):
    """A schedule as it is written: numbers are little-endian int64 arrays as bytes."""

    event_ids: list[str]
    due_ns: bytes
    sent_ns: bytes

    def schedule(self) -> Schedule:
        """Return it as arrays."""
        due_ns, sent_ns = (np.frombuffer(column, dtype="<i8") for column in (self.due_ns, self.sent_ns))
        return Schedule(self.event_ids, due_ns, sent_ns)


def requests_of(sending: Sending, topic: str, partitions: int) -> list[bytes]:
    """Return the request of each slot."""
    now_ms = int(time.time() * 1000)
    keys = [key.decode() for key, _, _ in sending.messages]
    targets = partitions_of(keys, partitions).tolist()
    requests: list[bytes] = []
    for first in range(0, len(targets), sending.events_per_slot):
        slot: dict[int, list[tuple[bytes, bytes]]] = {}
        for at in range(first, min(first + sending.events_per_slot, len(targets))):
            key, value, _ = sending.messages[at]
            slot.setdefault(targets[at], []).append((key, value))
        requests.append(produce_request(topic, slot, len(requests), now_ms))
    return requests


def send(connection: socket.socket, requests: list[bytes], first_due_ns: int) -> tuple[list[int], bytes]:
    """Send each request in its slot, or as soon after as may be; return when each left, and what was answered."""
    sent_ns: list[int] = []
    received = bytearray()
    # With a timeout Python would wait for an answer even where it is told not to, and so send by the broker's pace.
    connection.settimeout(None)
    for slot, request in enumerate(requests):
        left_ns = first_due_ns + slot * SLOT_NS - time.monotonic_ns()
        if left_ns > 0:
            time.sleep(left_ns / 1e9)
        sent_ns.append(time.monotonic_ns())
        connection.sendall(request)
        try:
            received += connection.recv(1 << 16, socket.MSG_DONTWAIT)
        except BlockingIOError:
            continue
    connection.settimeout(60.0)
    while sum(1 for _ in answers(bytes(received))) < len(requests):
        more = connection.recv(1 << 20)
        if not more:
            raise ConnectionError("the broker closed the connection")
        received += more
    return sent_ns, bytes(received)


def main() -> None:
    """Send what a file holds to a topic of a broker, and write the schedule to another."""
    broker, topic, partitions, source, target = sys.argv[1:]
    sending = msgspec.msgpack.decode(Path(source).read_bytes(), type=Sending)
    requests = requests_of(sending, topic, int(partitions))
    host, _, port = broker.rpartition(":")
    gc.disable()
    with socket.create_connection((host, int(port))) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        print("ready", flush=True)
        sys.stdin.readline()
        first_due_ns = time.monotonic_ns() + LEAD_NS
        sent_ns, received = send(connection, requests, first_due_ns)
    refused = [codes for _, codes in answers(received) if any(codes)]
    if refused:
        raise SystemExit(f"{len(refused)} requests were refused, the first with errors {refused[0]}")
    slots = np.arange(len(sending.messages)) // sending.events_per_slot
    sent = Sent(
        [event_id for _, _, event_id in sending.messages],
        (first_due_ns + slots * SLOT_NS).astype("<i8").tobytes(),
        np.array(sent_ns, dtype="<i8")[slots].tobytes(),
    )
    Path(target).write_bytes(msgspec.msgpack.encode(sent))


if __name__ == "__main__":
    main()
