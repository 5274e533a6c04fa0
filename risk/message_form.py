"""The form of a message as its schema has it, to be scanned for: names, types, ranges, and what must be there."""

import math
from dataclasses import dataclass

import msgspec
import numpy as np
from msgspec import inspect
from numpy.typing import NDArray

from risk import json_scan
from risk.byte_slices import BytesColumn, read_only

_MOST_INTEGER = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Scanned:
    """What was read of n messages, by slot and row; a row that is not `good` bool[n] holds nothing to be used.

    Texts lie at `texts[0, slot, row]` to `texts[1, slot, row]`, int64, of the messages' bytes. `integers`
    int64[slot, n] are -1 where a field is not there or null, and 1 and 0 for true and false; `floats` float64[slot, n]
    are NaN where a field is not there.
    """

    good: NDArray[np.bool_]
    texts: NDArray[np.int64]
    integers: NDArray[np.int64]
    floats: NDArray[np.float64]


class MessageForm:
    """The form of a message that a schema describes; `owner` names the text that must be the record's key, if any.

    `texts`, `integers` and `floats` name what is in each slot, in the schema's order; true and false count as integers.
    A choice between texts has no slot, since `scan` takes only one of them.

    >>> from schemas.tick import Tick
    >>> form = MessageForm(Tick, owner="symbol")
    >>> good = b'{"schema_version":1,"symbol":"A","event_time_ns":1767225600000000000,"price":684.5,"size":100}'
    >>> values = BytesColumn.of([good, good.replace(b"684.5", b"-684.5")])
    >>> scanned = form.scan(BytesColumn.of([b"A", b"A"]), values, most_bytes=200)
    >>> scanned.good.tolist(), form.floats, scanned.floats[:, 0].tolist()
    ([True, False], ['bid', 'ask', 'price', 'size'], [nan, nan, 684.5, 100.0])
    """

    def __init__(self, message: type[msgspec.Struct], owner: str | None = None) -> None:
        info = inspect.type_info(message)
        assert isinstance(info, inspect.StructType)
        count = len(info.fields)
        assert count < 63, "a bit stands for each field"
        names = [one.encode_name.encode() for one in info.fields]
        ends = np.cumsum([len(one) for one in names])
        self.texts: list[str] = []
        self.integers: list[str] = []
        self.floats: list[str] = []
        # Room for a word behind the last, so that names are compared by words.
        self._names = np.frombuffer(b"".join(names) + bytes(8), dtype=np.uint8)
        self._fields = np.zeros((count, json_scan.FIELD_WIDTH), dtype=np.int64)
        self._fields[1:, json_scan.NAME_START] = ends[:-1]
        self._fields[:, json_scan.NAME_END] = ends
        self._ranges = np.zeros((count, 2))
        self._required = sum(one.required << at for at, one in enumerate(info.fields))
        for at, one in enumerate(info.fields):
            self._describe(at, one.encode_name, one.type)
        self._owner = -1 if owner is None else self.texts.index(owner)

    def _describe(self, at: int, name: str, kind: inspect.Type) -> None:
        """Note what a field may hold; raises TypeError where that is more than the scanner can check."""
        match kind:
            case inspect.Metadata(type=kind):
                self._describe(at, name, kind)
            case inspect.UnionType(types=(one, inspect.NoneType())):
                self._describe(at, name, one)
                if self._fields[at, json_scan.KIND] != json_scan.INTEGER:
                    raise TypeError(f"{name}: only an integer may be null")
                self._fields[at, json_scan.NULLABLE] = 1
            case inspect.StrType(min_length=int() as least, max_length=int() as most, pattern=None):
                self._put(at, json_scan.TEXT, self.texts, name, (least, most))
            case inspect.LiteralType(values=(str(), *_)):
                self._put(at, json_scan.CONSTANT, [], name, (1, _MOST_INTEGER))
            case inspect.LiteralType(values=(int() as value,)):
                self._put(at, json_scan.INTEGER, self.integers, name, (value, value))
            case inspect.IntType(gt=None, ge=int() as least, lt=int() as end, le=None, multiple_of=None) if least >= 0:
                self._put(at, json_scan.INTEGER, self.integers, name, (least, min(end - 1, _MOST_INTEGER)))
            case inspect.FloatType(gt=above, ge=low, lt=None, le=float() as high, multiple_of=None):
                self._put(at, json_scan.FLOAT, self.floats, name, (0, 0))
                least_float = -math.inf if low is None else low
                if above is not None:
                    least_float = max(least_float, math.nextafter(above, math.inf))
                self._ranges[at] = least_float, high
            case inspect.BoolType():
                self._put(at, json_scan.BOOL, self.integers, name, (0, 1))
            case _:
                raise TypeError(f"{name}: the scanner cannot check {kind}")

    def _put(self, at: int, kind: int, slots: list[str], name: str, limits: tuple[int, int]) -> None:
        self._fields[at, [json_scan.KIND, json_scan.SLOT]] = kind, len(slots)
        self._fields[at, [json_scan.LEAST, json_scan.MOST]] = limits
        slots.append(name)

    def scan(self, keys: BytesColumn, values: BytesColumn, most_bytes: int, constant: bytes = b"") -> Scanned:
        """Read the messages that are plain, of at most `most_bytes` bytes, keyed by their owner, and hold `constant`.

        `constant` is the one text to take where the schema has a choice; it is for the caller to give one of those.
        """
        count = len(values)
        scanned = Scanned(
            np.empty(count, dtype=np.bool_),
            np.empty((2, len(self.texts), count), dtype=np.int64),
            np.empty((len(self.integers), count), dtype=np.int64),
            np.empty((len(self.floats), count)),
        )
        json_scan.scan(
            read_only(values.data),
            values.starts,
            values.ends,
            read_only(keys.data),
            keys.starts,
            keys.ends,
            most_bytes,
            self._names,
            self._fields,
            self._ranges,
            np.frombuffer(constant, dtype=np.uint8),
            self._required,
            self._owner,
            scanned.texts,
            scanned.integers,
            scanned.floats,
            scanned.good,
        )
        return scanned
