"""Reads flat JSON objects of a known form straight from bytes into columns, where they are written in the plain way.

Plain is what producers write: every field once, in any order and with any white space, texts without escapes, and
numbers that a float64 holds exactly. A message that is anything else, be it good or bad, is left out: this scanner
never says what is wrong with one, and never takes one that a full decoder would refuse or read differently.

A decimal number is mantissa * 10**exponent. Where the mantissa is at most 2**53 and the exponent within -22..22 both
are float64 numbers without rounding, so that one multiplication or division, which IEEE 754 rounds correctly, is the
nearest float64 to what was written (Clinger 1990, "How to read floating point numbers accurately").
"""

import numpy as np
from numpy.typing import NDArray

from risk.array_loop import array_loop
from risk.byte_words import WORD, is_same, word_at

TEXT, CONSTANT, INTEGER, FLOAT, BOOL = range(5)
"""What a field holds: any text, the one text that is asked for, a number, a decimal number, true or false."""

KIND, SLOT, NAME_START, NAME_END, LEAST, MOST, NULLABLE = range(7)
"""The columns of the table of fields. LEAST and MOST are an integer's range, or that of a text's characters."""

FIELD_WIDTH = 7

# Positions are unsigned, as no place lies before the first: a signed one would be looked at for being negative, which
# counts from an array's end, at every byte.
_U1 = np.uint64(1)
_ZERO, _NINE = np.uint8(ord("0")), np.uint8(ord("9"))
_QUOTE, _ESCAPE, _COLON, _COMMA, _OPEN, _CLOSE = (ord(one) for one in '"\\:,{}')
_POINT, _PLUS, _MINUS, _SMALL_E, _LARGE_E = (ord(one) for one in ".+-eE")
_TEN = np.uint64(10)
_MOST_DIGITS = np.uint64(19)
"""So many digits always fit into a uint64."""
_EXACT_MANTISSA = np.uint64(1 << 53)
_EXACT_EXPONENT = 22
_POWERS_OF_TEN = 10.0 ** np.arange(_EXACT_EXPONENT + 1)

_EACH = np.uint64(0x0101010101010101)
_HIGH_HALVES = _EACH * np.uint64(0xF0)
_EIGHT_THREES = _EACH * np.uint64(0x33)
_TOP_BITS = np.uint64(0x8080808080808080)

# What ends a run of a text's characters: quotation mark, backslash, control characters, and bytes beyond ASCII.
_IS_PLAIN = np.zeros(256, dtype=np.bool_)
_IS_PLAIN[32:128] = True
_IS_PLAIN[[ord('"'), ord("\\")]] = False


@array_loop
def _skip_space(data: NDArray[np.uint8], at: np.uint64, end: np.uint64) -> np.uint64:
    while at < end and (data[at] == 32 or data[at] == 10 or data[at] == 13 or data[at] == 9):
        at += _U1
    return at


@array_loop
def _is_name(
    data: NDArray[np.uint8], at: np.uint64, end: np.uint64, names: NDArray[np.uint8], first: int, to: int
) -> bool:
    """Return whether a field's name, and a quotation mark, are what comes next."""
    size = np.uint64(to - first)
    return bool(end - at > size and data[at + size] == _QUOTE and is_same(data, at, names, np.uint64(first), size))


@array_loop
def _goes_on(data: NDArray[np.uint8], at: np.uint64, end: np.uint64) -> bool:
    return bool(at < end and data[at] & 0xC0 == 0x80)


@array_loop
def _character_bytes(data: NDArray[np.uint8], at: np.uint64, end: np.uint64) -> np.uint64:
    """Return how many bytes the character beyond ASCII has, 0 if it is not UTF-8 as RFC 3629 has it."""
    first = data[at]
    if end - at < np.uint64(2):
        return np.uint64(0)
    second = data[at + _U1]
    if 0xC2 <= first <= 0xDF:
        return np.uint64(2) if second & 0xC0 == 0x80 else np.uint64(0)
    if 0xE0 <= first <= 0xEF:
        least, most = 0xA0 if first == 0xE0 else 0x80, 0x9F if first == 0xED else 0xBF
        good = least <= second <= most and _goes_on(data, at + np.uint64(2), end)
        return np.uint64(3) if good else np.uint64(0)
    if 0xF0 <= first <= 0xF4:
        least, most = 0x90 if first == 0xF0 else 0x80, 0x8F if first == 0xF4 else 0xBF
        good = (
            least <= second <= most
            and _goes_on(data, at + np.uint64(2), end)
            and _goes_on(data, at + np.uint64(3), end)
        )
        return np.uint64(4) if good else np.uint64(0)
    return np.uint64(0)


@array_loop
def _marks(word: np.uint64) -> np.uint64:
    """Return the top bit of the first byte that ends a run of plain characters, maybe of later bytes too; 0 if none."""
    quote = word ^ (_EACH * np.uint64(_QUOTE))
    escape = word ^ (_EACH * np.uint64(_ESCAPE))
    # Where a byte is less than what is taken from it, its top bit is set by borrowing; so it may be in bytes above one.
    marks = (quote - _EACH) | (escape - _EACH) | (word - _EACH * np.uint64(32)) | word
    return marks & _TOP_BITS


@array_loop
def _first_mark(marks: np.uint64) -> np.uint64:
    """Return which byte has the lowest of the top bits."""
    lowest = (marks & (~marks + _U1)) >> np.uint64(7)
    return (lowest * np.uint64(0x0001020304050607)) >> np.uint64(56)


@array_loop
def _text(data: NDArray[np.uint8], at: np.uint64, end: np.uint64) -> tuple[np.uint64, np.int64]:
    """Return where the text from `at` ends, at its quotation mark, and how many characters it has; -1 if not plain."""
    start = at
    more = np.int64(0)
    while True:
        while at + WORD <= np.uint64(data.shape[0]):
            marks = _marks(word_at(data, at))
            if marks != 0:
                at += _first_mark(marks)
                break
            at += WORD
        while at < end and _IS_PLAIN[data[at]]:
            at += _U1
        if at >= end:
            return at, np.int64(-1)
        if data[at] == _QUOTE:
            return at, np.int64(at - start) - more
        if data[at] < 128:
            return at, np.int64(-1)
        size = _character_bytes(data, at, end)
        if size == 0:
            return at, np.int64(-1)
        at += size
        more += np.int64(size) - np.int64(1)


@array_loop
def _digits(data: NDArray[np.uint8], at: np.uint64, end: np.uint64, value: np.uint64) -> tuple[np.uint64, np.uint64]:
    """Return where the digits from `at` end, and the number that they make behind those of `value`, modulo 2**64."""
    while end - at >= WORD:
        word = word_at(data, at)
        if (word & _HIGH_HALVES) | ((word + _EACH * np.uint64(6)) & _HIGH_HALVES) >> np.uint64(4) != _EIGHT_THREES:
            break
        # Neighbours are put together: digits to pairs, pairs to fours, fours to eight.
        word = (word & (_EACH * np.uint64(15))) * np.uint64(2561) >> np.uint64(8)
        word = (word & np.uint64(0x00FF00FF00FF00FF)) * np.uint64(6553601) >> np.uint64(16)
        word = (word & np.uint64(0x0000FFFF0000FFFF)) * np.uint64(42949672960001) >> np.uint64(32)
        value = value * np.uint64(100_000_000) + word
        at += WORD
    while at < end and data[at] >= _ZERO and data[at] <= _NINE:
        value = value * _TEN + np.uint64(data[at] - _ZERO)
        at += _U1
    return at, value


@array_loop
def _whole(data: NDArray[np.uint8], at: np.uint64, end: np.uint64) -> tuple[np.uint64, np.uint64]:
    """Return where the whole number from `at` ends, which is `at` if there is none of at most 19 digits; and it."""
    to, value = _digits(data, at, end, np.uint64(0))
    if to - at > _MOST_DIGITS or (data[at] == _ZERO and to - at > _U1):
        return at, value
    return to, value


@array_loop
def _decimal(data: NDArray[np.uint8], at: np.uint64, end: np.uint64) -> tuple[np.uint64, float]:
    """Return where the number from `at` ends, which is `at` if there is none that is exact; and the number."""
    point, mantissa = _whole(data, at, end)
    if point == at:
        return at, 0.0
    to = point
    exponent = np.int64(0)
    digits = point - at
    if to < end and data[to] == _POINT:
        to, mantissa = _digits(data, point + _U1, end, mantissa)
        fraction = to - point - _U1
        if fraction == 0 or digits + fraction > _MOST_DIGITS:
            return at, 0.0
        exponent = -np.int64(fraction)
    if to < end and (data[to] == _SMALL_E or data[to] == _LARGE_E):
        to += _U1
        sign = np.int64(1)
        if to < end and (data[to] == _PLUS or data[to] == _MINUS):
            sign = np.int64(1) if data[to] == _PLUS else np.int64(-1)
            to += _U1
        first = to
        to, written = _digits(data, to, end, np.uint64(0))
        if to == first or to - first > np.uint64(4):
            return at, 0.0
        exponent += sign * np.int64(written)
    if mantissa > _EXACT_MANTISSA or exponent < -_EXACT_EXPONENT or exponent > _EXACT_EXPONENT:
        return at, 0.0
    number = np.float64(mantissa)
    return to, number / _POWERS_OF_TEN[-exponent] if exponent < 0 else number * _POWERS_OF_TEN[exponent]


@array_loop
def _is_word(data: NDArray[np.uint8], at: np.uint64, end: np.uint64, word: NDArray[np.uint8]) -> bool:
    size = np.uint64(word.shape[0])
    return bool(end - at >= size and is_same(data, at, word, np.uint64(0), size))


_TRUE, _FALSE, _NULL = (np.frombuffer(word, dtype=np.uint8) for word in (b"true", b"false", b"null"))


@array_loop
def _scan_one(
    data: NDArray[np.uint8],
    at: np.uint64,
    end: np.uint64,
    names: NDArray[np.uint8],
    fields: NDArray[np.int64],
    ranges: NDArray[np.float64],
    constant: NDArray[np.uint8],
    required: int,
    row: int,
    texts: NDArray[np.int64],
    integers: NDArray[np.int64],
    floats: NDArray[np.float64],
) -> bool:
    at = _skip_space(data, at, end)
    if at >= end or data[at] != _OPEN:
        return False
    seen = 0
    expected = 0
    count = fields.shape[0]
    while True:
        at = _skip_space(data, at + _U1, end)
        if at >= end or data[at] != _QUOTE:
            return False
        at += _U1
        # Producers write the fields in the schema's order, mostly.
        field = expected
        if field == count or not _is_name(data, at, end, names, fields[field, NAME_START], fields[field, NAME_END]):
            field = 0
            while not _is_name(data, at, end, names, fields[field, NAME_START], fields[field, NAME_END]):
                field += 1
                if field == count:
                    return False
        expected = field + 1
        if seen >> field & 1:
            return False
        seen |= 1 << field
        at += np.uint64(fields[field, NAME_END] - fields[field, NAME_START]) + _U1
        at = _skip_space(data, at, end)
        if at >= end or data[at] != _COLON:
            return False
        at = _skip_space(data, at + _U1, end)
        if at >= end:
            return False
        kind = fields[field, KIND]
        slot = fields[field, SLOT]
        if kind in (TEXT, CONSTANT):
            if data[at] != _QUOTE:
                return False
            start = at + _U1
            at, characters = _text(data, start, end)
            if characters < fields[field, LEAST] or characters > fields[field, MOST]:
                return False
            if kind == TEXT:
                texts[0, slot, row] = start
                texts[1, slot, row] = at
            elif at - start != np.uint64(constant.shape[0]) or not _is_word(data, start, end, constant):
                return False
            at += _U1
        elif kind == FLOAT:
            to, number = _decimal(data, at, end)
            if to == at or not (number >= ranges[field, 0] and number <= ranges[field, 1]):
                return False
            floats[slot, row] = number
            at = to
        elif kind == INTEGER:
            if fields[field, NULLABLE] and _is_word(data, at, end, _NULL):
                at += np.uint64(4)
            else:
                to, whole = _whole(data, at, end)
                if to == at or whole < np.uint64(fields[field, LEAST]) or whole > np.uint64(fields[field, MOST]):
                    return False
                integers[slot, row] = np.int64(whole)
                at = to
        elif _is_word(data, at, end, _TRUE):
            integers[slot, row] = 1
            at += np.uint64(4)
        elif _is_word(data, at, end, _FALSE):
            integers[slot, row] = 0
            at += np.uint64(5)
        else:
            return False
        at = _skip_space(data, at, end)
        if at >= end:
            return False
        if data[at] == _CLOSE:
            break
        if data[at] != _COMMA:
            return False
    return bool(seen & required == required and _skip_space(data, at + _U1, end) == end)


@array_loop
def scan(
    data: NDArray[np.uint8],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    key_data: NDArray[np.uint8],
    key_starts: NDArray[np.int64],
    key_ends: NDArray[np.int64],
    most_bytes: int,
    names: NDArray[np.uint8],
    fields: NDArray[np.int64],
    ranges: NDArray[np.float64],
    constant: NDArray[np.uint8],
    required: int,
    owner: int,
    texts: NDArray[np.int64],
    integers: NDArray[np.int64],
    floats: NDArray[np.float64],
    good: NDArray[np.bool_],
) -> None:
    """Read each message into its row: `good[row]` tells whether it is plain, and its key its owner.

    `fields` int64[f, FIELD_WIDTH] and `ranges` float64[f, 2] are the form, and `required` the bits of the fields that
    must be there; `constant` is what a CONSTANT must be. `owner` is the slot of the text that must be the record's key,
    -1 if none. What is written where, `risk.message_form.Scanned` tells.
    """
    for row in range(starts.shape[0]):
        good[row] = False
        for slot in range(integers.shape[0]):
            integers[slot, row] = -1
        for slot in range(floats.shape[0]):
            floats[slot, row] = np.nan
        if starts[row] < 0 or ends[row] - starts[row] > most_bytes:
            continue
        if not _scan_one(
            data,
            np.uint64(starts[row]),
            np.uint64(ends[row]),
            names,
            fields,
            ranges,
            constant,
            required,
            row,
            texts,
            integers,
            floats,
        ):
            continue
        if owner >= 0:
            first, size = np.uint64(texts[0, owner, row]), np.uint64(texts[1, owner, row] - texts[0, owner, row])
            key = np.uint64(key_starts[row])
            if key_starts[row] < 0 or np.uint64(key_ends[row]) - key != size:
                continue
            if not is_same(data, first, key_data, key, size):
                continue
        good[row] = True
