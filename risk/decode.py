"""Bytes to columns: what can be used as arrays, what cannot as rejections. Nothing here raises, for any bytes.

Transactions, labels and ticks that are written in the plain way are scanned from bytes into columns by a compiled loop
(`risk.json_scan`). What the loop leaves out, and messages of the other kinds, the full decoder decides on: it takes one
call and a few comparisons each. Only a message that fails there takes the slow path, which finds out why.
"""

import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar, get_args

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import UNSET

from risk.byte_slices import BytesColumn, TextColumn
from risk.message_form import MessageForm, Scanned
from risk.rejection import Rejection, RejectionReason
from schemas.application import Application
from schemas.currency import CurrencyCode
from schemas.label import Label
from schemas.tick import Tick
from schemas.transaction import Transaction

MAX_BYTES = 1 << 20
_SHOWN_CHARACTERS = 60

Message = TypeVar("Message", bound=msgspec.Struct)
Check = Callable[[Message, bytes | None], tuple[RejectionReason, str] | None]


@dataclass(frozen=True, slots=True)
class TransactionColumns:
    """Transactions, row by row; `index` int64[n] is each row's place in the list that was decoded.

    `amount` float64[n] is in currency units, `event_time_ns` int64[n].
    """

    index: npt.NDArray[np.int64]
    transaction_id: TextColumn
    customer_id: TextColumn
    merchant_id: TextColumn
    amount: npt.NDArray[np.float64]
    event_time_ns: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class LabelColumns:
    """Labels, row by row; `fraud` bool[n] is True for a report and False for a clearance."""

    index: npt.NDArray[np.int64]
    transaction_id: TextColumn
    customer_id: TextColumn
    merchant_id: TextColumn
    transaction_time_ns: npt.NDArray[np.int64]
    event_time_ns: npt.NDArray[np.int64]
    fraud: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class TickColumns:
    """Quotes and trades, row by row.

    `bid` and `ask` float64[n] are NaN where nothing was quoted, `price` and `size` float64[n] where nothing was traded;
    `sequence` int64[n] is -1 where none was sent.
    """

    index: npt.NDArray[np.int64]
    symbol: TextColumn
    event_time_ns: npt.NDArray[np.int64]
    bid: npt.NDArray[np.float64]
    ask: npt.NDArray[np.float64]
    price: npt.NDArray[np.float64]
    size: npt.NDArray[np.float64]
    sequence: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ApplicationColumns:
    """Applications, row by row; `fields` are each one's own, not compared with any bundle yet."""

    index: npt.NDArray[np.int64]
    application_id: list[str]
    applicant_id: list[str]
    event_time_ns: npt.NDArray[np.int64]
    fields: list[dict[str, float | str | bool | None]]


# A message with just these quotation marks has each field once: every field's name takes two, every text two more, and
# a field that came twice, an escape or a field unknown to us would add to them. A tick has these as a quote and as a
# trade; one of either has no room for a field twice, since it would lack another.
_TRANSACTION_QUOTES, _LABEL_QUOTES, _TICK_QUOTES, _APPLICATION_QUOTES = 22, 20, 12, 14
# The one optional field: its name accounts for two more.
_SEQUENCE = b'"sequence":'
_CURRENCIES = frozenset(get_args(CurrencyCode))


class _Reader(Generic[Message]):
    """Reads one kind of message: the plain ones by a scan, the others by the decoder, whose word is final."""

    def __init__(self, message: type[Message], quotes: int, owner: str | None = None) -> None:
        self._decoder = msgspec.json.Decoder(message)
        self._quotes = quotes
        self._form = MessageForm(message, owner)

    def scan(self, keys: BytesColumn, values: BytesColumn, constant: bytes = b"") -> Scanned:
        """Return what the plain messages hold; a text that the schema gives a choice of must be `constant`."""
        return self._form.scan(keys, values, MAX_BYTES, constant)

    def read(
        self, keys: BytesColumn, values: BytesColumn, scanned: Scanned, check: Check[Message]
    ) -> tuple["_Read", list[Rejection]]:
        """Return all messages that can be used, and the rejections; what was not scanned as good is decoded."""
        data = values.data
        index = np.arange(len(values))
        if np.count_nonzero(scanned.good) == len(index):
            return _Read(self._form, data, index, scanned), []
        left = np.flatnonzero(~scanned.good)
        messages, found, rejections = decode_messages(
            self._decoder, self._quotes, keys.take(left), values.take(left), check
        )
        if messages:
            rows = left[found]
            data = self._put(messages, rows, data, scanned)
            scanned.good[rows] = True
        rejections = [replace(one, index=int(left[one.index])) for one in rejections]
        return _Read(self._form, data, np.flatnonzero(scanned.good), scanned), rejections

    def _put(
        self, messages: list[Message], rows: npt.NDArray[np.int64], data: npt.NDArray[np.uint8], scanned: Scanned
    ) -> npt.NDArray[np.uint8]:
        """Put decoded messages into the rows that the scan left; return the bytes, with their texts behind them."""
        parts = [data]
        behind = len(data)
        for slot, name in enumerate(self._form.texts):
            more = TextColumn.of([getattr(one, name) for one in messages])
            scanned.texts[0, slot, rows] = more.starts + behind
            scanned.texts[1, slot, rows] = more.ends + behind
            parts.append(more.data)
            behind += len(more.data)
        for slot, name in enumerate(self._form.integers):
            found = [getattr(one, name) for one in messages]
            scanned.integers[slot, rows] = [-1 if one is None else one for one in found]
        for slot, name in enumerate(self._form.floats):
            numbers = [getattr(one, name) for one in messages]
            scanned.floats[slot, rows] = [np.nan if one is UNSET else one for one in numbers]
        return np.concatenate(parts)


@dataclass(frozen=True, slots=True)
class _Read:
    """Messages that can be used, and each one's place, `index` int64[n], in the list that was read."""

    form: MessageForm
    data: npt.NDArray[np.uint8]
    index: npt.NDArray[np.int64]
    scanned: Scanned

    def _rows(self, column: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return column if len(self.index) == len(column) else column[self.index]

    def texts(self, name: str) -> TextColumn:
        """Return the texts of a field."""
        starts, ends = self.scanned.texts[:, self.form.texts.index(name)]
        return TextColumn(self.data, self._rows(starts), self._rows(ends))

    def integers(self, name: str) -> npt.NDArray[np.int64]:
        """Return the integers of a field, int64[n]."""
        return self._rows(self.scanned.integers[self.form.integers.index(name)])

    def floats(self, name: str) -> npt.NDArray[np.float64]:
        """Return the numbers of a field, float64[n]."""
        return self._rows(self.scanned.floats[self.form.floats.index(name)])


_transactions = _Reader(Transaction, _TRANSACTION_QUOTES, owner="customer_id")
_labels = _Reader(Label, _LABEL_QUOTES)
_ticks = _Reader(Tick, _TICK_QUOTES, owner="symbol")
_applications = msgspec.json.Decoder(Application)


def decode_transactions(
    keys: Sequence[bytes | None], values: Sequence[bytes | None], currency: str
) -> tuple[TransactionColumns, list[Rejection]]:
    """Return the transactions in `currency` that are keyed by their customer, and the rejections.

    >>> value = (
    ...     b'{"schema_version":1,"transaction_id":"t","customer_id":"c","merchant_id":"m","amount":-1,'
    ...     b'"currency":"EUR","event_time_ns":1767225600000000000}'
    ... )
    >>> columns, rejections = decode_transactions([b"c"], [value], "EUR")
    >>> rejections[0].reason, rejections[0].detail
    ('out_of_range', 'amount=-1: Expected `float` >= 0.0; send a value in the range that the schema states')
    """

    def check(message: Transaction, key: bytes | None) -> tuple[RejectionReason, str] | None:
        if message.currency != currency:
            return (
                "currency_not_supported",
                f"currency={message.currency!r}: the bundle was trained in {currency}; convert the amount first",
            )
        if message.customer_id.encode() != key:
            return "key_mismatch", key_detail("customer_id", key)
        return None

    keys, values = BytesColumn.of(keys), BytesColumn.of(values)
    # A currency that no message may have must not be found in one: no text of one is empty.
    scanned = _transactions.scan(keys, values, currency.encode() if currency in _CURRENCIES else b"")
    read, rejections = _transactions.read(keys, values, scanned, check)
    columns = TransactionColumns(
        index=read.index,
        transaction_id=read.texts("transaction_id"),
        customer_id=read.texts("customer_id"),
        merchant_id=read.texts("merchant_id"),
        amount=read.floats("amount"),
        event_time_ns=read.integers("event_time_ns"),
    )
    return columns, rejections


def decode_labels(values: Sequence[bytes | None]) -> tuple[LabelColumns, list[Rejection]]:
    """Return the labels and the rejections; labels may be keyed by anything."""
    values = BytesColumn.of(values)
    read, rejections = _labels.read(values, values, _labels.scan(values, values), _accept)
    columns = LabelColumns(
        index=read.index,
        transaction_id=read.texts("transaction_id"),
        customer_id=read.texts("customer_id"),
        merchant_id=read.texts("merchant_id"),
        transaction_time_ns=read.integers("transaction_time_ns"),
        event_time_ns=read.integers("event_time_ns"),
        fraud=read.integers("fraud") == 1,
    )
    return columns, rejections


def decode_ticks(keys: Sequence[bytes | None], values: Sequence[bytes | None]) -> tuple[TickColumns, list[Rejection]]:
    """Return the ticks that are keyed by their symbol, whole and not crossed, and the rejections.

    >>> trade = (
    ...     b'{"schema_version":1,"symbol":"SPY","event_time_ns":1767225600000000000,"price":684.5,"size":100,'
    ...     b'"sequence":7}'
    ... )
    >>> columns, _ = decode_ticks([b"SPY"], [trade])
    >>> columns.bid.tolist(), columns.price.tolist(), columns.size.tolist(), columns.sequence.tolist()
    ([nan], [684.5], [100.0], [7])
    """
    keys, values = BytesColumn.of(keys), BytesColumn.of(values)
    scanned = _ticks.scan(keys, values)
    bid, ask, price, size = scanned.floats
    no_quote, no_trade = np.isnan(bid), np.isnan(price)
    half = (no_quote != np.isnan(ask)) | (no_trade != np.isnan(size)) | (no_quote & no_trade)
    scanned.good[half | (bid > ask)] = False
    read, rejections = _ticks.read(keys, values, scanned, _check_tick)
    columns = TickColumns(
        index=read.index,
        symbol=read.texts("symbol"),
        event_time_ns=read.integers("event_time_ns"),
        bid=read.floats("bid"),
        ask=read.floats("ask"),
        price=read.floats("price"),
        size=read.floats("size"),
        sequence=read.integers("sequence"),
    )
    return columns, rejections


def decode_applications(
    keys: Sequence[bytes | None], values: Sequence[bytes | None]
) -> tuple[ApplicationColumns, list[Rejection]]:
    """Return the applications that are keyed by their applicant, and the rejections."""
    good, index, rejections = decode_messages(
        _applications, _APPLICATION_QUOTES, keys, values, _check_application, lambda message: message.fields
    )
    columns = ApplicationColumns(
        index=index,
        application_id=[one.application_id for one in good],
        applicant_id=[one.applicant_id for one in good],
        event_time_ns=np.array([one.event_time_ns for one in good], dtype=np.int64),
        fields=[one.fields for one in good],
    )
    return columns, rejections


def _accept(message: Label, key: bytes | None) -> None:
    return None


def _check_tick(message: Tick, key: bytes | None) -> tuple[RejectionReason, str] | None:
    bid, ask = message.bid, message.ask
    if bid is UNSET or ask is UNSET:
        problem = _unpaired(message)
        if problem is not None:
            return problem
    elif bid > ask:
        return "bid_above_ask", f"bid={bid!r}: greater than ask={ask!r}; send bid <= ask"
    elif (message.price is UNSET) is not (message.size is UNSET):
        return _unpaired(message)
    if message.symbol.encode() != key:
        return "key_mismatch", key_detail("symbol", key)
    return None


def _unpaired(message: Tick) -> tuple[RejectionReason, str] | None:
    """Return the problem of a tick that lacks one of a pair, or both pairs."""
    if message.price is UNSET and message.size is UNSET and message.bid is UNSET and message.ask is UNSET:
        return "missing_field", "bid, ask, price and size are missing; send bid and ask of a quote or both of a trade"
    for one, other in (("bid", "ask"), ("price", "size")):
        found, wanted = getattr(message, one), getattr(message, other)
        if (found is UNSET) is not (wanted is UNSET):
            return "missing_field", f"{one if found is UNSET else other} is missing; send it"
    return None


def _check_application(message: Application, key: bytes | None) -> tuple[RejectionReason, str] | None:
    if message.applicant_id.encode() != key:
        return "key_mismatch", key_detail("applicant_id", key)
    return None


def decode_messages(
    decoder: msgspec.json.Decoder[Message],
    quotes: int,
    keys: Sequence[bytes | None],
    values: Sequence[bytes | None],
    check: Check[Message],
    fields: Callable[[Message], Mapping[str, object]] | None = None,
) -> tuple[list[Message], npt.NDArray[np.int64], list[Rejection]]:
    """Return the messages that can be used, each one's place in the list, int64[n], and the rejections of the others.

    `quotes` is how many quotation marks a message without its optional fields has; `check` tells what is wrong with one
    that decoded; `fields` gives the mapping that a message holds beside its own fields, if it does.
    """
    good: list[Message] = []
    index: list[int] = []
    rejections: list[Rejection] = []
    decode = decoder.decode
    for at, (key, value) in enumerate(zip(keys, values, strict=True)):
        problem: tuple[RejectionReason, str] | None
        if not value:
            problem = "empty", "the message is empty; send a JSON object"
        elif len(value) > MAX_BYTES:
            problem = "too_large", f"the message has {len(value)} bytes; send at most {MAX_BYTES}"
        else:
            try:
                message = decode(value)
                more = value.count(b'"') - quotes
                if fields is not None:
                    # They are a mapping, in which each name and each text takes two more.
                    names_and_texts = len(fields(message)) + sum(type(one) is str for one in fields(message).values())
                    usual = more == 2 * names_and_texts
                else:
                    usual = more == 0 or (more == 2 and _SEQUENCE in value)
                problem = None if usual else _find_duplicate(value, within=fields is not None)
                if problem is None:
                    problem = check(message, key)
            except Exception as error:  # whatever a message provokes is that message's rejection
                problem = _explain(value, error)
        if problem is None:
            good.append(message)
            index.append(at)
        else:
            rejections.append(Rejection(at, *problem))
    return good, np.array(index, dtype=np.int64), rejections


def _explain(value: bytes, error: Exception) -> tuple[RejectionReason, str]:
    """Return the reason of a message that did not decode, and what to do."""
    too_deep: tuple[RejectionReason, str] = "too_deep", "the message is nested too deeply; send a flat JSON object"
    if isinstance(error, RecursionError):
        return too_deep
    try:
        value.decode()
    except UnicodeDecodeError as undecodable:
        return "not_utf8", f"byte {undecodable.start} is not UTF-8; send JSON as UTF-8"
    if not isinstance(error, msgspec.ValidationError):
        return "not_json", f"{error}; send a JSON object"
    text = str(error)
    missing = re.match(r"Object missing required field `(\w+)`", text)
    if missing:
        return "missing_field", f"{missing[1]} is missing; send it"
    path = re.search(r" - at `\$\.?([^`]*)`$", text)
    field = path[1] if path else ""
    # The decoder repeats a value that is none of a field's choices in full, be it a megabyte.
    what = (text[: path.start()] if path else text)[: 2 * _SHOWN_CHARACTERS]
    try:
        shown = _shown(value, field) if field else "the message"
    except RecursionError:
        return too_deep
    except ValueError as malformed:
        # The decoder stops at the first field that is wrong; what follows it may be no JSON at all.
        return "not_json", f"{malformed}; send a JSON object"
    if field == "schema_version":
        return "unknown_version", f"{shown}: this release reads version 1; send that, or upgrade"
    if re.match(r"Expected `\w+( \| \w+)*`, got", what) or "Expected `object`" in what:
        return "wrong_type", f"{shown}: {what}; send the type that the schema states"
    return "out_of_range", f"{shown}: {what}; send a value in the range that the schema states"


def _find_duplicate(value: bytes, *, within: bool) -> tuple[RejectionReason, str] | None:
    """Return the problem of a message with a field twice; which value is meant cannot be known.

    `within` looks into the message's `fields` too.
    """
    outermost: list[tuple[str, Any]] = []

    def keep(pairs: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
        # The outermost object is the last to be completed.
        outermost[:] = pairs
        return pairs

    # No number is converted: Python refuses to make an int of more than 4,300 digits, which JSON allows.
    json.loads(value.decode(), object_pairs_hook=keep, parse_int=str)
    for pairs in (outermost, dict(outermost)["fields"] if within else []):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                return "duplicate_key", f"{name[:_SHOWN_CHARACTERS]} is there twice; send each field once"
            seen.add(name)
    return None


def _shown(value: bytes, path: str) -> str:
    """Return the field at a path and its value, as people write them; `fields[...]` is a value in that mapping."""
    # The standard library reads numbers of any size, which is what the message may be refused for.
    message = json.loads(value.decode())
    field, in_mapping, _ = path.partition("[")
    found = message.get(field)
    if in_mapping:
        # The decoder does not tell the key.
        for name, one in found.items():
            if isinstance(one, list | dict) or (isinstance(one, int | float) and not abs(one) <= sys.float_info.max):
                field, found = f"{field}.{name[:_SHOWN_CHARACTERS]}", one
                break
    return f"{field}={repr(found)[:_SHOWN_CHARACTERS]}"


def key_detail(field: str, key: bytes | None) -> str:
    """Return what is wrong with a record whose key is not the field that it must be, and what to do."""
    shown = repr(key)[:_SHOWN_CHARACTERS]
    return f"key={shown}: is not the message's {field}; produce with {field} as the record's key"
