"""How much memory an entity takes, at 1, 5 and 10 million customers: `python -m benchmarks.memory JOB COUNT...`.

A process of its own gives one payment of each customer to the fold, in chunks as the transport makes them, takes the
changed rows as checkpoints do, and looks at its resident memory when so many customers are there. What it had before
the first is not counted; all else is: keys, rows, rings, and what the allocator keeps.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from rich.console import Console

from benchmarks.effort import Effort
from benchmarks.figure import Figure, Target
from benchmarks.processes import available_bytes, memory_bytes
from risk.chunk import Chunk

TARGET = Target("at most", 300.0)
NEEDED_BYTES_AN_ENTITY = 1_200
"""What must be free for each entity before a size is tried: rings that grow are there twice for a moment."""

CHUNK_EVENTS = 4_096
CHECKPOINT_EVENTS = 25 * CHUNK_EVENTS
START_NS = 1_767_225_600_000_000_000
REFERENCE = "reference loop"
JOBS = (REFERENCE, "velocity", "customers")
note = Console(stderr=True).print


@dataclass(frozen=True, slots=True)
class Occupied:
    """Resident bytes at a number of entities, those from before the first taken off; `peak` is the most so far."""

    entities: int
    resident_bytes: int
    peak_bytes: int


def figures(effort: Effort) -> list[Figure]:
    """Return bytes an entity by job and number of customers, and their ratio to what the reference loop occupies.

    One run each, since they repeat to the byte or so.
    """
    wanted = (200_000, 1_000_000) if effort.quick else (1_000_000, 5_000_000, 10_000_000)
    room = available_bytes() // NEEDED_BYTES_AN_ENTITY
    sizes = [size for size in wanted if size <= room]
    for size in sorted(set(wanted) - set(sizes)):
        note(f"[bold red]MEMORY NOT MEASURED at {size:,} entities: there is room for {room:,}[/]")
    measured = {job: measure(job, sizes) for job in JOBS}
    found = []
    for job in JOBS:
        for one, reference in zip(measured[job], measured[REFERENCE], strict=True):
            case = f"{job}, {one.entities / 1e6:g} million"
            target = None if job == REFERENCE else TARGET
            resident, peak = one.resident_bytes / one.entities, one.peak_bytes / one.entities
            found += [
                Figure("memory", case, "resident", "B/entity", (resident,), target),
                Figure("memory", case, "peak", "B/entity", (peak,)),
            ]
            if job != REFERENCE:
                ratio = one.resident_bytes / reference.resident_bytes
                found.append(Figure("memory", case, "ratio to the reference loop", "x", (ratio,)))
    return found


def measure(job: str, sizes: Sequence[int]) -> list[Occupied]:
    """Return what a fold occupies at each of the sizes, which grow, in a process of its own."""
    if not sizes:
        return []
    command = [sys.executable, "-m", "benchmarks.memory", job, *map(str, sizes)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        raise RuntimeError(f"{job} failed:\n{ran.stderr[-3000:]}")
    return [Occupied(**one) for one in json.loads(ran.stdout)]


def grow(job: str, sizes: Sequence[int]) -> Iterator[Occupied]:
    """Give a fold one payment of each new customer; yield what it occupies at each of the sizes."""
    from benchmarks.reference_loop import ReferenceLoop
    from benchmarks.velocity_fold import VelocityFold
    from benchmarks.velocity_job import network
    from risk.customer_fold import CustomerFold
    from risk.scorer import Scorer

    def new_fold() -> ReferenceLoop | VelocityFold | CustomerFold:
        if job == REFERENCE:
            return ReferenceLoop(network())
        if job == "velocity":
            return VelocityFold(0, Scorer(network()), threshold=1.1)
        return CustomerFold(0, partitions=4, currency="EUR")

    def advance(fold: ReferenceLoop | VelocityFold | CustomerFold, payments: Chunk) -> None:
        if isinstance(fold, ReferenceLoop):
            fold.advance([value for value in payments.values if value is not None])
        else:
            fold.advance(payments)

    # A first one is made for what is loaded, compiled and cached only once.
    advance(new_fold(), _payments(0, CHUNK_EVENTS))
    fold = new_fold()
    before = memory_bytes("self", "VmRSS")
    done = checkpointed = 0
    for size in sizes:
        while done < size:
            count = min(CHUNK_EVENTS, size - done)
            advance(fold, _payments(done, count))
            done += count
            if done - checkpointed >= CHECKPOINT_EVENTS and not isinstance(fold, ReferenceLoop):
                fold.take_changed()
                checkpointed = done
        assert isinstance(fold, ReferenceLoop) or len(fold) == size
        yield Occupied(size, memory_bytes("self", "VmRSS") - before, memory_bytes("self", "VmHWM") - before)


def _payments(first: int, count: int) -> Chunk:
    numbers = range(first, first + count)
    values = [
        b'{"schema_version":1,"transaction_id":"t%09d","customer_id":"c%09d","merchant_id":"m%05d",'
        b'"amount":%d.5,"currency":"EUR","event_time_ns":%d}'
        % (at, at, at % 1_000, at % 200, START_NS + at * 1_000_000)
        for at in numbers
    ]
    keys = [b"c%09d" % at for at in numbers]
    return Chunk.of("transactions", 0, numbers, keys, values, caught_up=True)


def main() -> None:
    """Grow the job named on the command line, and print what it occupies."""
    job, *sizes = sys.argv[1:]
    print(json.dumps([asdict(one) for one in grow(job, [int(size) for size in sizes])]))


if __name__ == "__main__":
    main()
