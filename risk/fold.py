"""The fold: what the shell asks of a job's pure core, partition by partition.

A fold holds the state of one partition and is advanced by the chunks of its log. What it emits and what it becomes
are functions of the log alone: never of how the log was cut into chunks, nor of when it was read.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

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


class Output(msgspec.Struct, frozen=True, gc=False):
    """One record to publish: `identity` is the same whenever the same input makes it again."""

    stream: Stream
    partition: int
    key: bytes | None
    value: bytes
    identity: bytes


@dataclass(frozen=True, slots=True)
class SymbolFigures:
    """What an operator sees of a symbol after its last bar.

    `value_at_risk_99_percent` is of the next bar; `exceedances_99` of the last `back_test_bars` bars lost more than
    theirs; `kupiec_99_p` is the p-value of that many, `zone_99` the Basel zone: 0 green, 1 yellow, 2 red. `mase` maps a
    forecaster to its mean absolute scaled error: below 1 it beats the random walk.
    """

    annualised_volatility_percent: float
    value_at_risk_99_percent: float
    back_test_bars: int
    exceedances_99: int
    kupiec_99_p: float
    zone_99: int
    mase: Mapping[str, float]


@dataclass(slots=True)
class Emitted:
    """What one advance gave: outputs in order, and counts for the operator.

    `counts` maps a name such as "scored" to how many; `rejected` maps a reason to how many; `symbols` maps each symbol
    of which a bar closed to its figures. `bin_counts` is what `risk.drift_bins` counted, None where nothing was scored
    or the bundle has no reference.
    """

    outputs: list[Output] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    rejected: dict[str, int] = field(default_factory=dict)
    symbols: dict[str, SymbolFigures] = field(default_factory=dict)
    bin_counts: NDArray[np.int64] | None = None


class Fold(Protocol):
    """The pure core of one job on one partition."""

    @property
    def state_version(self) -> str:
        """Names the form of rows and cut; a state of another version is refused at restore."""

    def advance(self, chunk: Chunk) -> Emitted:
        """Advance by the records that the state does not contain yet, and return what they give."""

    def take_changed(self) -> Sequence[tuple[bytes, bytes]]:
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
