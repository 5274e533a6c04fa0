"""The residuals of many symbols in the same bars: their last joint vectors, and the correlations that follow."""

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from risk.portfolios.correlation import add_to_dcc, add_to_ewma
from risk.portfolios.correlation_model import CorrelationModel
from risk.portfolios.held_instruments import MOST_SYMBOLS
from risk.portfolios.joint_vectors import VECTORS, JointVectors

STATE_VERSION = 1
"""Goes up when the packed rows or a formula change."""

_SLOT, _VECTOR = b"c", b"z"


class _SlotRow(msgspec.Struct, frozen=True, array_like=True):
    """A symbol's place: the first vector that it may be in, when it was last held, and its products with those before.

    The products are of this slot with the slots up to it; those of DCC are there for symbols of the model alone.
    """

    symbol: str
    first_vector: int
    last_held: int
    ewma: bytes
    dcc: bytes


@dataclass(slots=True)
class _Slot:
    symbol: str
    first_vector: int
    last_held: int


class JointResiduals:
    """Residuals and correlations of the model's symbols, and of the others that are held.

    Each symbol has a slot: its place in vectors and matrices. Those of the model come first and stay. Another symbol
    gets one when it is taken up, and loses it only if that is needed for another, and it is held by nobody: of those,
    the one that was let go first.

    >>> joint = JointResiduals(CorrelationModel(ewma_lambda=0.75))
    >>> joint.take_up("A"), joint.take_up("B")
    (0, 1)
    >>> joint.add(np.array([2.0, 1.0]))
    >>> joint.ewma[:2, :2].tolist()
    [[1.75, 0.5], [0.5, 1.0]]
    """

    def __init__(self, model: CorrelationModel, most_held: int = MOST_SYMBOLS, vectors: int = VECTORS) -> None:
        self._model = model
        self._target = model.target_matrix()
        self._trained = len(model.symbols)
        self._most = self._trained + most_held
        self._slots = [_Slot(symbol, 0, 0) for symbol in model.symbols]
        self.slot_of = {symbol: at for at, symbol in enumerate(model.symbols)}
        self._held: dict[str, int] = {}
        self.ewma: NDArray[np.float64] = np.eye(max(16, self._trained))
        self.ewma[: self._trained, : self._trained] = self._target
        self.dcc: NDArray[np.float64] = self._target.copy()
        self._vectors = JointVectors(vectors)
        self._changed: set[int] = set()

    def __len__(self) -> int:
        return len(self._slots)

    @property
    def symbols(self) -> list[str]:
        """The symbols in the order of their slots."""
        return [slot.symbol for slot in self._slots]

    def is_trained(self, slots: NDArray[np.int64]) -> bool:
        """Return whether all the symbols are of the model, and so have a dynamic conditional correlation."""
        return bool(np.all(slots < self._trained))

    def take_up(self, symbol: str) -> int:
        """Count a holder more of a symbol and return its slot; raises ValueError where every slot is held."""
        self._held[symbol] = self._held.get(symbol, 0) + 1
        if symbol in self.slot_of:
            return self.slot_of[symbol]
        if len(self._slots) < self._most:
            at = len(self._slots)
            self._slots.append(_Slot(symbol, self._vectors.count, self._vectors.count))
            self._grow(len(self._slots))
        else:
            free = [at for at in range(self._trained, self._most) if self._slots[at].symbol not in self._held]
            if not free:
                raise ValueError(f"symbol={symbol!r}: all {self._most} slots are held; hold fewer symbols")
            at = min(free, key=lambda one: (self._slots[one].last_held, one))
            del self.slot_of[self._slots[at].symbol]
            self._slots[at] = _Slot(symbol, self._vectors.count, self._vectors.count)
            self._changed.update(range(at, len(self._slots)))
        self.ewma[at, :] = self.ewma[:, at] = 0.0
        self.ewma[at, at] = 1.0
        self.slot_of[symbol] = at
        self._changed.add(at)
        return at

    def let_go(self, symbol: str) -> None:
        """Count a holder less of a symbol."""
        self._held[symbol] -= 1
        if not self._held[symbol]:
            del self._held[symbol]
            slot = self.slot_of[symbol]
            self._slots[slot].last_held = self._vectors.count
            self._changed.add(slot)

    def _grow(self, count: int) -> None:
        size = len(self.ewma)
        if count <= size:
            return
        ewma = np.eye(2 * size)
        ewma[:size, :size] = self.ewma
        self.ewma = ewma

    def add(self, residuals: NDArray[np.float64]) -> None:
        """Advance by the residuals of one bar, float64[len(self)], by slot, with NaN for the symbols that have none.

        A bar in which nobody has one tells nothing and is passed over.
        """
        count = len(self._slots)
        if np.isnan(residuals).all():
            return
        add_to_ewma(self.ewma, residuals, count, self._model.ewma_lambda)
        add_to_dcc(self.dcc, self._target, residuals, self._model.news, self._model.decay)
        self._vectors.add(residuals)
        self._changed.update(range(count))

    def scenarios(self, slots: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the joint residuals of some symbols, float64[s, n], oldest first, with 0 where one is missing.

        They are those of the bars since the last of these symbols was taken up in which any of them moved.
        """
        first = max((self._slots[at].first_vector for at in slots.tolist()), default=0)
        return self._vectors.since(first, slots)

    def take_changed(self) -> list[tuple[bytes, bytes]]:
        """Return the packed slots and vectors changed since the last call."""
        slots = [self._packed_slot(at) for at in sorted(self._changed)]
        self._changed.clear()
        return slots + [(_VECTOR + key, row) for key, row in self._vectors.take_changed()]

    def dump(self) -> dict[bytes, bytes]:
        """Return every packed slot and vector: equal states give equal dumps."""
        slots = [self._packed_slot(at) for at in range(len(self._slots))]
        return dict(slots) | {_VECTOR + key: row for key, row in self._vectors.dump().items()}

    def _packed_slot(self, at: int) -> tuple[bytes, bytes]:
        slot = self._slots[at]
        dcc = self.dcc[at, : at + 1].tobytes() if at < self._trained else b""
        row = _SlotRow(slot.symbol, slot.first_vector, slot.last_held, self.ewma[at, : at + 1].tobytes(), dcc)
        return _SLOT + b"%d" % at, msgspec.msgpack.encode(row)

    def load(self, rows: Iterable[tuple[bytes, bytes]]) -> None:
        """Take up packed rows in an empty state; who holds the symbols is to be told by `take_up` after it.

        Raises msgspec.DecodeError for a row of another form.
        """
        packed = dict(rows)
        slots = sorted((int(key[1:]), row) for key, row in packed.items() if key.startswith(_SLOT))
        for at, row in slots:
            found = msgspec.msgpack.decode(row, type=_SlotRow)
            slot = _Slot(found.symbol, found.first_vector, found.last_held)
            if at < len(self._slots):
                self._slots[at] = slot
            else:
                self._slots.append(slot)
                self._grow(len(self._slots))
            self.slot_of[found.symbol] = at
            self.ewma[at, : at + 1] = self.ewma[: at + 1, at] = np.frombuffer(found.ewma, dtype="<f8")
            if found.dcc:
                self.dcc[at, : at + 1] = self.dcc[: at + 1, at] = np.frombuffer(found.dcc, dtype="<f8")
        self._vectors.load((key[1:], row) for key, row in packed.items() if key.startswith(_VECTOR))
