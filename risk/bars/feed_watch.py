"""Which symbols' feeds have gone silent, told by event time alone.

Silence is measured against the partition's clock, the greatest event time of any symbol's ticks in it, so that a feed
that has stopped is found out while the others go on. The clock is looked at where it passes a multiple of a quarter of
the limit: which tick finds a silence out is a function of the log, not of how it is cut into batches, and looking costs
little however many symbols there are. A silence that ends before any other tick shows it is told by the tick that ends
it. Of each silence it is told once. It counts only while the symbol's market is open.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from risk.bars.bar_spec import DAY_NS, BarSpecifications, rules_table
from risk.bars.open_bar import session_of
from risk.keyed_rows import KeyedRows
from risk.keyed_step import KeyedStep
from risk.market.pooled import POOLED

STATE_VERSION = 1
"""Goes up when the packed row or the rule changes."""

_PARTITION = ""
"""The key of the partition's clock: no symbol has it."""

_LOOKS = 4

# The greatest event time, and 1 if the silence since has been told. The symbol's hours go with it, since a silence is
# found out where only the row is at hand.
_ROW = np.dtype(
    [
        ("last_ns", "<i8"),
        ("told", "<i8"),
        ("has_hours", "<i8"),
        ("open_ns", "<i8"),
        ("session_ns", "<i8"),
        ("weekdays", "<i8"),
    ]
)


@dataclass(frozen=True, slots=True)
class StaleFeeds:
    """Feeds found silent, in the order of the ticks that showed it, then by symbol; every column has their length.

    `index` int64 is the place of that tick in its batch, whatever its symbol. `since_ns` int64 is the symbol's last
    tick, or its market's open after it, and `silence_ns` int64 how long it had been silent since then.
    """

    index: NDArray[np.int64]
    symbol: list[str]
    since_ns: NDArray[np.int64]
    silence_ns: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.symbol)


class FeedWatch(KeyedStep):
    """The last tick of every symbol of a partition, and the partition's clock.

    >>> from risk.bars.bar_spec import BarSpecification, BarSpecifications, TimeBars
    >>> watch = FeedWatch(60, BarSpecifications({"*": BarSpecification(closes=TimeBars(10))}))
    >>> stale = watch.advance(["X", "Y", "Y", "Y", "Y"], np.array([1000, 1010, 1050, 1065, 1110]))
    >>> stale.index.tolist(), stale.symbol, stale.silence_ns.tolist()
    ([3], ['X'], [65])
    """

    def __init__(self, stale_after_ns: int, specifications: BarSpecifications) -> None:
        self._stale_after_ns = stale_after_ns
        self._number_of = {symbol: at for at, symbol in enumerate(specifications.symbols)}
        self._rules = rules_table(specifications.symbols.values())
        self._rows = KeyedRows(_ROW)
        # In the order of their rows.
        self._names: dict[str, None] = {}

    def advance(self, symbol: Sequence[str], event_time_ns: NDArray[np.int64]) -> StaleFeeds:
        """Take ticks, each column of length n, in the order of the log; return the feeds that they show to be silent.

        Times are in nanoseconds since the Unix epoch, more than 0.
        """
        count = len(symbol)
        if not count:
            # A chunk that says only how far the log has been read leaves no row.
            return StaleFeeds(np.zeros(0, np.int64), [], np.zeros(0, np.int64), np.zeros(0, np.int64))
        clock = int(self._rows.rows([_PARTITION])[0])
        rows = self._rows.rows(symbol)
        if len(self._rows) > len(self._names):
            self._names.update(dict.fromkeys([_PARTITION, *symbol]))
        if len(self._number_of) == 1:
            numbers = np.zeros(count, dtype=np.int64)
        else:
            number_of, pooled = self._number_of.get, self._number_of[POOLED]
            numbers = np.fromiter((number_of(one, pooled) for one in symbol), dtype=np.int64, count=count)
        # A silence is told once, so there are no more than symbols and ticks.
        found = np.empty((len(self._rows) + count, 4), dtype=np.int64)
        known = self._rows.table[: len(self._rows)]
        found = found[: _advance(known, clock, self._rules, rows, numbers, event_time_ns, self._stale_after_ns, found)]
        names = list(self._names) if len(found) else []
        told = sorted((int(index), names[row], since, silence) for index, row, since, silence in found.tolist())
        # They have changed, though no tick of theirs came.
        self._rows.rows([name for _, name, _, _ in told])
        return StaleFeeds(
            np.array([one[0] for one in told], dtype=np.int64),
            [one[1] for one in told],
            np.array([one[2] for one in told], dtype=np.int64),
            np.array([one[3] for one in told], dtype=np.int64),
        )

    def load(self, rows: Iterable[tuple[bytes, bytes]]) -> None:
        """Take up packed rows; raises ValueError for a row of another form."""
        pairs = list(rows)
        self._rows.load(pairs)
        self._names.update(dict.fromkeys(key.decode() for key, _ in pairs))


@njit(cache=True)
def _silent_since(symbol: np.void, now_ns: int) -> int:
    """Return since when a symbol is silent in its session: its last tick or the session's open; now if it is closed."""
    session = session_of(symbol, now_ns)
    if session < 0:
        return now_ns
    if symbol["has_hours"]:
        return int(max(symbol["last_ns"], session * DAY_NS + symbol["open_ns"]))
    return int(symbol["last_ns"])


@njit(cache=True)
def _advance(
    table: NDArray[np.void],
    partition: int,
    rules: NDArray[np.void],
    rows: NDArray[np.int64],
    numbers: NDArray[np.int64],
    event_time_ns: NDArray[np.int64],
    stale_after_ns: int,
    found: NDArray[np.int64],
) -> int:
    """Advance the table by ticks and fill in (index, row, since, silence) of each silence found; return how many."""
    count, step_ns = 0, max(1, stale_after_ns // _LOOKS)
    for at in range(len(rows)):
        symbol, rule, now_ns = table[rows[at]], rules[numbers[at]], event_time_ns[at]
        symbol["has_hours"], symbol["open_ns"] = rule["has_hours"], rule["open_ns"]
        symbol["session_ns"], symbol["weekdays"] = rule["session_ns"], rule["weekdays"]
        clock_ns = table[partition]["last_ns"]
        if symbol["last_ns"] > 0 and symbol["told"] == 0:
            since_ns = _silent_since(symbol, now_ns)
            if now_ns - since_ns > stale_after_ns:
                found[count, 0], found[count, 1] = at, rows[at]
                found[count, 2], found[count, 3] = since_ns, now_ns - since_ns
                count += 1
        symbol["last_ns"] = max(symbol["last_ns"], now_ns)
        if clock_ns - now_ns <= stale_after_ns:
            # One that lags this far behind is still silent, though it was heard.
            symbol["told"] = 0
        if now_ns <= clock_ns:
            continue
        table[partition]["last_ns"] = now_ns
        if clock_ns // step_ns == now_ns // step_ns:
            continue
        for row in range(len(table)):
            other = table[row]
            if row == partition or other["last_ns"] == 0 or other["told"] != 0:
                continue
            since_ns = _silent_since(other, now_ns)
            if now_ns - since_ns > stale_after_ns:
                other["told"] = 1
                found[count, 0], found[count, 1], found[count, 2], found[count, 3] = (
                    at,
                    row,
                    since_ns,
                    now_ns - since_ns,
                )
                count += 1
    return count
