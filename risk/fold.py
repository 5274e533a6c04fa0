"""The fold: what the shell asks of a job's pure core, partition by partition.

A fold holds the state of one partition and is advanced by the chunks of its log. What it emits and what it becomes
are functions of the log alone: never of how the log was cut into chunks, nor of when it was read.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, Protocol

from risk.chunk import Chunk

Stream = Literal[
    "alerts",
    "scores",
    "volatility",
    "forecasts",
    "curves",
    "portfolio_risk",
    "decisions",
    "dead_letters",
    "merchant_events",
    "market_events",
]
"""The output streams, by role; the shell knows their topics."""


@dataclass(frozen=True, slots=True)
class Output:
    """One record to publish: `identity` is the same whenever the same input makes it again."""

    stream: Stream
    partition: int
    key: bytes | None
    value: bytes
    identity: bytes


@dataclass(slots=True)
class Emitted:
    """What one advance gave: outputs in order, and counts for the operator.

    `counts` maps a name such as "scored" to how many; `rejected` maps a reason to how many; `volatility_percent` maps
    a symbol to its annualised volatility after its last bar.
    """

    outputs: list[Output] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    rejected: dict[str, int] = field(default_factory=dict)
    volatility_percent: dict[str, float] = field(default_factory=dict)


class Fold(Protocol):
    """The pure core of one job on one partition."""

    @property
    def state_version(self) -> str:
        """Names the form of rows and cut; a state of another version is refused at restore."""

    def advance(self, chunk: Chunk) -> Emitted:
        """Advance by the records that the state does not contain yet, and return what they give."""

    def take_changed(self) -> list[tuple[bytes, bytes]]:
        """Return the rows (key, packed row) changed since the last call, which are then clean."""

    def cut(self) -> bytes:
        """Return what the state contains, as bytes from which `restore` goes on exactly."""

    def last_offset(self) -> int:
        """Return the greatest source offset that the state contains, -1 for an empty one."""

    def read_on_offset(self) -> int:
        """Return the first source offset that must be read again after a restore of the present cut."""

    def restore(self, cut: bytes, rows: Iterable[tuple[bytes, bytes]]) -> None:
        """Take up a cut and its rows, in place of the empty state."""

    def __len__(self) -> int:
        """Return how many rows the state holds."""
