"""Which event times are taken: none from the future, and none from too long ago.

The core reads no clock. What the future is, a record's own timestamp says, which the log holds beside it: the time at
which it was produced, or at which the broker took it. A message that names a time after that was made by a clock that
runs ahead, and taking it would carry its customer's or symbol's clock along, for every later message.
"""

from dataclasses import Field, replace
from typing import Any, ClassVar, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from risk.byte_slices import TextColumn
from risk.chunk import Chunk
from risk.decode import LabelColumns, TransactionColumns
from risk.rejection import Rejection

FUTURE_LIMIT_MS = 5 * 60 * 1000
"""How far clocks may differ: an event time may be this much, five minutes, after its record's timestamp."""

LATE_LIMIT_NS = 7 * 86_400_000_000_000
"""How late a transaction may come, measured by its customer's clock, the greatest event time seen: seven days."""


class TimedColumns(Protocol):
    """Messages as the decoder gives them: a frozen dataclass of columns: arrays, texts or lists, all of one length."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def index(self) -> NDArray[np.int64]:
        """Each message's place in the list that was decoded."""

    @property
    def event_time_ns(self) -> NDArray[np.int64]:
        """Each message's event time."""


Columns = TypeVar("Columns", bound=TimedColumns)


def split_future(columns: Columns, chunk: Chunk) -> tuple[Columns, list[Rejection]]:
    """Return the messages of a chunk that are not from the future, and the rejections of those that are.

    Records without a timestamp, which have -1, and chunks without any, are taken as they are.
    """
    if not len(chunk.timestamps_ms):
        return columns, []
    written_ms = chunk.timestamps_ms[columns.index]
    ahead_ms = np.where(written_ms >= 0, columns.event_time_ns // 1_000_000 - written_ms, 0)
    future = ahead_ms > FUTURE_LIMIT_MS
    if not future.any():
        return columns, []
    rejections = [
        Rejection(
            int(columns.index[at]),
            "event_time_in_future",
            f"event_time_ns={columns.event_time_ns[at]}: {ahead_ms[at] / 1000:,.0f} s after the record's own timestamp;"
            f" at most {FUTURE_LIMIT_MS // 1000} s are allowed: set the producer's clock, or send nanoseconds in UTC",
        )
        for at in np.flatnonzero(future).tolist()
    ]
    return rows_where(columns, np.flatnonzero(~future)), rejections


def split_foretold(columns: LabelColumns) -> tuple[LabelColumns, list[Rejection]]:
    """Return the labels that came after their transactions, and the rejections of those that came before them.

    Nobody knows a fraud before it happened. A report on a time that has yet to come would stay with its merchant until
    then, however far away that is.
    """
    ahead_ms = (columns.transaction_time_ns - columns.event_time_ns) // 1_000_000
    foretold = ahead_ms > FUTURE_LIMIT_MS
    if not foretold.any():
        return columns, []
    rejections = [
        Rejection(
            int(columns.index[at]),
            "event_time_in_future",
            f"transaction_time_ns={columns.transaction_time_ns[at]}: {ahead_ms[at] / 1000:,.0f} s after the label's own"
            f" event_time_ns; at most {FUTURE_LIMIT_MS // 1000} s are allowed: send the event_time_ns of the"
            " transaction, and as the label's the time at which it became known",
        )
        for at in np.flatnonzero(foretold).tolist()
    ]
    return rows_where(columns, np.flatnonzero(~foretold)), rejections


def late_rejection(columns: TransactionColumns, at: int) -> Rejection:
    """Return the rejection of a transaction that came too late to be scored as of its time."""
    return Rejection(
        int(columns.index[at]),
        "event_too_late",
        f"event_time_ns={columns.event_time_ns[at]}: more than {LATE_LIMIT_NS // 86_400_000_000_000} days before what"
        " was seen of its customer; score history under another topic prefix, in order of time",
    )


def rows_where(columns: Columns, chosen: NDArray[np.int64]) -> Columns:
    """Return some of the rows, by their number."""
    changes: dict[str, Any] = {}
    for name in columns.__dataclass_fields__:
        column = getattr(columns, name)
        if isinstance(column, np.ndarray):
            changes[name] = column[chosen]
        elif isinstance(column, TextColumn):
            changes[name] = column.take(chosen)
        else:
            changes[name] = [column[at] for at in chosen.tolist()]
    return replace(columns, **changes)
