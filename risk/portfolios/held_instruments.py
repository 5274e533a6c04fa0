"""Which portfolio holds which instrument, and how many different ones the portfolios of a partition may hold."""

from collections import Counter
from collections.abc import Iterable

import msgspec

MOST_SYMBOLS = 512
"""How many symbols the portfolios of one partition may hold together: every two of them have a correlation."""

MOST_BONDS = 4_096
"""How many bonds the portfolios of one partition may hold, counted in each portfolio."""


class Instrument(msgspec.Struct, frozen=True, array_like=True, order=True):
    """A symbol, or a bond by its currency and terms; a symbol has no maturity."""

    name: str
    maturity_ns: int = 0
    coupon_percent: float = 0.0
    frequency: float = 0.0

    @property
    def is_bond(self) -> bool:
        """Whether it is a bond."""
        return self.maturity_ns != 0


class HeldInstruments:
    """The instruments of each portfolio of a partition, within the limits.

    >>> held = HeldInstruments(most_symbols=1)
    >>> held.take("p", Instrument("A"), 5.0)
    >>> held.take("q", Instrument("B"), 5.0)
    "symbol='B': the portfolios of this partition hold 1 symbols already, the most there may be; remove some with
     quantity 0, or use more partitions"
    """

    def __init__(self, most_symbols: int = MOST_SYMBOLS, most_bonds: int = MOST_BONDS) -> None:
        self._most_symbols, self._most_bonds = most_symbols, most_bonds
        self._held: dict[str, set[Instrument]] = {}
        self._holders: Counter[str] = Counter()
        self._bonds = 0
        self._changed: set[str] = set()

    def __len__(self) -> int:
        return len(self._held)

    def take(self, portfolio: str, instrument: Instrument, quantity: float) -> str | None:
        """Take up a position and return None; or, where a limit forbids it, change nothing and return why."""
        own = self._held.get(portfolio, set())
        if quantity == 0.0:
            if instrument in own:
                own.remove(instrument)
                self._count(instrument, -1)
                self._changed.add(portfolio)
            return None
        if instrument in own:
            return None
        if instrument.is_bond and self._bonds >= self._most_bonds:
            return (
                f"maturity_ns={instrument.maturity_ns}: the portfolios of this partition hold {self._bonds} bonds"
                " already, the most there may be; remove some with quantity 0, or use more partitions"
            )
        if not instrument.is_bond and instrument.name not in self._holders and self._full():
            return (
                f"symbol={instrument.name!r}: the portfolios of this partition hold {len(self._holders)} symbols"
                " already, the most there may be; remove some with quantity 0, or use more partitions"
            )
        self._held.setdefault(portfolio, set()).add(instrument)
        self._count(instrument, 1)
        self._changed.add(portfolio)
        return None

    def _full(self) -> bool:
        return len(self._holders) >= self._most_symbols

    def _count(self, instrument: Instrument, by: int) -> None:
        if instrument.is_bond:
            self._bonds += by
            return
        self._holders[instrument.name] += by
        if not self._holders[instrument.name]:
            del self._holders[instrument.name]

    def take_changed(self) -> list[tuple[bytes, bytes]]:
        """Return (portfolio, packed instruments) of the portfolios changed since the last call."""
        changed = sorted(self._changed)
        self._changed.clear()
        return [(name.encode(), self._packed(name)) for name in changed]

    def dump(self) -> dict[bytes, bytes]:
        """Return every portfolio's packed instruments: equal states give equal dumps."""
        return {name.encode(): self._packed(name) for name in sorted(self._held)}

    def _packed(self, portfolio: str) -> bytes:
        return msgspec.msgpack.encode(sorted(self._held[portfolio]))

    def load(self, rows: Iterable[tuple[bytes, bytes]]) -> None:
        """Take up packed rows; raises msgspec.DecodeError for a row of another form."""
        for key, row in rows:
            portfolio = key.decode()
            for instrument in self._held.get(portfolio, set()):
                self._count(instrument, -1)
            self._held[portfolio] = set(msgspec.msgpack.decode(row, type=list[Instrument]))
            for instrument in self._held[portfolio]:
                self._count(instrument, 1)
