"""What every step with a row for each key offers of its state: to a checkpoint, to a restore, and to the laws."""

from collections.abc import Iterable

from risk.keyed_rows import KeyedRows
from risk.stored_rows import StoredRows


class KeyedStep:
    """A step whose state is `_rows`, which its own `__init__` makes; `advance` is its own too.

    >>> import numpy as np
    >>> class Count(KeyedStep):
    ...     def __init__(self) -> None:
    ...         self._rows = KeyedRows(np.dtype([("count", "<i8")]))
    ...     def advance(self, key):
    ...         np.add.at(self._rows.table["count"], self._rows.rows(key), 1)
    >>> first, second = Count(), Count()
    >>> first.advance(["a", "b", "a"])
    >>> second.load(first.take_changed())
    >>> len(second), second.dump() == first.dump(), list(first.take_changed())
    (2, True, [])
    """

    _rows: KeyedRows

    def __len__(self) -> int:
        return len(self._rows)

    def take_changed(self) -> StoredRows:
        """Return (key, packed row) of the keys changed since the last call, which are then unchanged."""
        return self._rows.take_changed()

    def load(self, rows: Iterable[tuple[bytes, bytes]]) -> None:
        """Take up packed rows; raises ValueError for a row of another form."""
        self._rows.load(rows)

    def dump(self) -> dict[bytes, bytes]:
        """Return every key's packed row: equal states give equal dumps."""
        return self._rows.dump()
