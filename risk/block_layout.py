"""The bytes of a block of merchant events: columns back to back, read where they lie.

Numbers are little-endian, and all but the last part are whole words of 8 bytes, so that blocks that are joined keep
their columns aligned. n is how many rows there are, F how many features a transaction has; labels have 0.

    "ME" uint8[2], version uint8, flags uint8 (1 labels, 2 caught up), partition of the source uint32
    clock_ns int64
    n uint32, F uint32
    bytes of the texts uint32, 0 uint32
    offsets int64[n], order_time_ns int64[n], event_time_ns int64[n]
    of transactions features float64[n, F], of labels transaction_time_ns int64[n]
    ends uint32[3, n]: where in the texts each transaction id, each customer id and each merchant id ends
    of labels kinds uint8[n]
    texts uint8[...] in UTF-8, and zeros up to a whole word

What a role implies is not written: the kind of a transaction, and its time, which is the event's.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

VERSION = 1
HEADER_WORDS = 4
LABELS, CAUGHT_UP = 1, 2
"""Flags."""

MALFORMED, ASCII, UNICODE = 0, 1, 2
"""What `read_headers` says of a value: it is no block, or one whose texts are ASCII, or have yet to prove UTF-8."""

_M, _E = 0x4D, 0x45

Texts = tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]
"""A column of texts: bytes, and where in them each begins and ends."""


@njit(cache=True)
def _role_words(labels: bool, count: int, width: int) -> int:
    """Return how long the column is that a role has of its own: transaction times of labels, features of others."""
    return count if labels else count * width


@njit(cache=True)
def _before_texts(labels: bool, count: int) -> int:
    """Return how many bytes lie between that column and the texts: their ends, and the kinds of labels."""
    return 12 * count + (count if labels else 0)


@njit(cache=True)
def _text_start(halves: NDArray[np.uint32], ends: int, number: int) -> np.int64:
    """Return where a text begins among all texts of a block, whose ends lie from `ends` on: where the last one ends."""
    return np.int64(halves[ends + number - 1]) if number > 0 else np.int64(0)


@njit(cache=True)
def _size_words(labels: bool, count: int, width: int, text_bytes: int) -> int:
    tail_bytes = _before_texts(labels, count) + text_bytes
    return HEADER_WORDS + 3 * count + _role_words(labels, count, width) + (tail_bytes + 7) // 8


@njit(cache=True)
def _number(data: NDArray[np.uint8], at: int, size: int) -> int:
    number = np.int64(0)
    for place in range(size):
        number |= np.int64(data[at + place]) << np.int64(8 * place)
    return int(number)


@njit(cache=True)
def _read_header(data: NDArray[np.uint8], start: int, end: int, header: NDArray[np.int64]) -> int:
    size = end - start
    if size < 8 * HEADER_WORDS or size % 8 != 0:
        return MALFORMED
    flags = np.int64(data[start + 3])
    if data[start] != _M or data[start + 1] != _E or data[start + 2] != VERSION or flags > (LABELS | CAUGHT_UP):
        return MALFORMED
    labels = flags & LABELS != 0
    count, width, text_bytes = _number(data, start + 16, 4), _number(data, start + 20, 4), _number(data, start + 24, 4)
    # Bounds first, so that no product below can overflow.
    if count > size or width > size or (labels and width > 0) or _number(data, start + 28, 4) != 0:
        return MALFORMED
    if 8 * _size_words(labels, count, width, text_bytes) != size:
        return MALFORMED
    at = start + 8 * (HEADER_WORDS + 3 * count + _role_words(labels, count, width))
    before = 0
    for number in range(3 * count):
        text_end = _number(data, at + 4 * number, 4)
        if text_end < before:
            return MALFORMED
        before = text_end
    texts = at + _before_texts(labels, count)
    if before != text_bytes:
        return MALFORMED
    for place in range(texts + text_bytes, end):
        if data[place] != 0:
            return MALFORMED
    header[0], header[1], header[2] = flags, _number(data, start + 4, 4), _number(data, start + 8, 8)
    header[3], header[4], header[5], header[6] = count, width, -1, -1
    if count > 0:
        offsets = start + 8 * HEADER_WORDS
        header[5], header[6] = _number(data, offsets, 8), _number(data, offsets + 8 * (count - 1), 8)
    highest = np.uint8(0)
    for place in range(texts, texts + text_bytes):
        highest |= data[place]
    return UNICODE if highest >= 0x80 else ASCII


@njit(cache=True)
def read_headers(
    data: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return of each value, a slice of `data`, what it is, int64[values], and its header, int64[values, 7].

    The header is flags, partition, clock_ns, n, F, and the first and last offset, -1 where there is none. What is a
    block has the size that this implies, and texts that end one after the other within it.
    """
    found = np.empty(starts.shape[0], dtype=np.int64)
    headers = np.zeros((starts.shape[0], 7), dtype=np.int64)
    for at in range(starts.shape[0]):
        found[at] = _read_header(data, starts[at], ends[at], headers[at])
    return found, headers


@njit(cache=True)
def _write_texts(texts: Texts, rows: NDArray[np.int64], data: NDArray[np.uint8], at: int) -> int:
    source, starts, ends = texts
    for row in rows:
        for place in range(starts[row], ends[row]):
            data[at] = source[place]
            at += 1
    return at


@njit(cache=True)
def _write_ends(texts: Texts, rows: NDArray[np.int64], halves: NDArray[np.uint32], at: int, end: int) -> int:
    _, starts, ends = texts
    for row in rows:
        end += ends[row] - starts[row]
        halves[at] = end
        at += 1
    return end


@njit(cache=True)
def _text_bytes(texts: Texts, rows: NDArray[np.int64]) -> int:
    _, starts, ends = texts
    size = 0
    for row in rows:
        size += ends[row] - starts[row]
    return size


@njit(cache=True)
def write_blocks(
    rows: NDArray[np.int64],
    piece_ends: NDArray[np.int64],
    flags: NDArray[np.int64],
    clock_ns: NDArray[np.int64],
    partition: int,
    offsets: NDArray[np.int64],
    order_time_ns: NDArray[np.int64],
    event_time_ns: NDArray[np.int64],
    transaction_time_ns: NDArray[np.int64],
    kinds: NDArray[np.uint8],
    features: NDArray[np.float64],
    transaction_id: Texts,
    customer_id: Texts,
    merchant_id: Texts,
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return blocks one after another, uint8[...], and where each ends, int64[pieces].

    Block i has `flags[i]`, `clock_ns[i]` and of the columns the rows `rows[piece_ends[i - 1]:piece_ends[i]]`.
    """
    width = features.shape[1]
    ends = np.empty(piece_ends.shape[0], dtype=np.int64)
    sizes = np.empty(piece_ends.shape[0], dtype=np.int64)
    total = first = 0
    for piece in range(piece_ends.shape[0]):
        own = rows[first : piece_ends[piece]]
        first = piece_ends[piece]
        sizes[piece] = _text_bytes(transaction_id, own) + _text_bytes(customer_id, own) + _text_bytes(merchant_id, own)
        total += _size_words(flags[piece] & LABELS != 0, own.shape[0], width, sizes[piece])
        ends[piece] = total
    words = np.zeros(total, dtype=np.int64)
    floats, halves, data = words.view(np.float64), words.view(np.uint32), words.view(np.uint8)
    first = at = 0
    for piece in range(piece_ends.shape[0]):
        own = rows[first : piece_ends[piece]]
        count = own.shape[0]
        first = piece_ends[piece]
        labels = flags[piece] & LABELS != 0
        data[8 * at], data[8 * at + 1], data[8 * at + 2], data[8 * at + 3] = _M, _E, VERSION, flags[piece]
        halves[2 * at + 1] = partition
        words[at + 1] = clock_ns[piece]
        halves[2 * at + 4], halves[2 * at + 5], halves[2 * at + 6] = count, width, sizes[piece]
        body = at + HEADER_WORDS
        for place in range(count):
            row = own[place]
            words[body + place] = offsets[row]
            words[body + count + place] = order_time_ns[row]
            words[body + 2 * count + place] = event_time_ns[row]
            if labels:
                words[body + 3 * count + place] = transaction_time_ns[row]
            else:
                for column in range(width):
                    floats[body + 3 * count + width * place + column] = features[row, column]
        body += 3 * count + _role_words(labels, count, width)
        text_end = _write_ends(transaction_id, own, halves, 2 * body, 0)
        text_end = _write_ends(customer_id, own, halves, 2 * body + count, text_end)
        _write_ends(merchant_id, own, halves, 2 * body + 2 * count, text_end)
        place = 8 * body + 12 * count
        if labels:
            for row in own:
                data[place] = kinds[row]
                place += 1
        place = _write_texts(transaction_id, own, data, place)
        place = _write_texts(customer_id, own, data, place)
        _write_texts(merchant_id, own, data, place)
        at = ends[piece]
    return data, 8 * ends


@njit(cache=True)
def gather_order(
    words: NDArray[np.int64],
    block_words: NDArray[np.int64],
    headers: NDArray[np.int64],
    block: NDArray[np.int64],
    row: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Return what orders rows: the order time, int64[n], and 1 for transactions, 0 for labels, uint8[n].

    The blocks are given as `gather_rows` takes them.
    """
    order_time_ns = np.empty(block.shape[0], dtype=np.int64)
    rank = np.empty(block.shape[0], dtype=np.uint8)
    for at in range(block.shape[0]):
        own = block[at]
        order_time_ns[at] = words[block_words[own] + HEADER_WORDS + headers[own, 1] + row[at]]
        rank[at] = 0 if headers[own, 0] & LABELS != 0 else 1
    return order_time_ns, rank


@njit(cache=True)
def gather_ids(
    words: NDArray[np.int64],
    block_words: NDArray[np.int64],
    headers: NDArray[np.int64],
    block: NDArray[np.int64],
    row: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where in the bytes of `words` the transaction ids of rows begin and end, int64[n] each."""
    halves = words.view(np.uint32)
    starts = np.empty(block.shape[0], dtype=np.int64)
    ends = np.empty(block.shape[0], dtype=np.int64)
    for at in range(block.shape[0]):
        own, count, width = row[at], headers[block[at], 1], headers[block[at], 2]
        labels = headers[block[at], 0] & LABELS != 0
        body = block_words[block[at]] + HEADER_WORDS + 3 * count + _role_words(labels, count, width)
        texts = 8 * body + _before_texts(labels, count)
        starts[at] = texts + _text_start(halves, 2 * body, own)
        ends[at] = texts + np.int64(halves[2 * body + own])
    return starts, ends


@njit(cache=True)
def gather_rows(
    words: NDArray[np.int64],
    block_words: NDArray[np.int64],
    headers: NDArray[np.int64],
    block: NDArray[np.int64],
    row: NDArray[np.int64],
    width: int,
) -> tuple[
    NDArray[np.uint8],
    NDArray[np.int64],
    NDArray[np.int64],
    NDArray[np.int64],
    NDArray[np.float64],
    NDArray[np.int64],
    NDArray[np.int64],
]:
    """Return columns of the rows `row[i]` of the blocks `block[i]`, which lie joined in `words`.

    Block b begins at the word `block_words[b]`; `headers[b]` are its flags, n and F. The columns are kinds uint8[n];
    event time, transaction time and offset, int64[n] each; features float64[n, width], of labels zeros; and where in
    the bytes of `words` the transaction ids, the customer ids and the merchant ids begin and end, int64[3, n] each.
    """
    total = block.shape[0]
    floats, halves, data = words.view(np.float64), words.view(np.uint32), words.view(np.uint8)
    kinds = np.zeros(total, dtype=np.uint8)
    event_time_ns = np.empty(total, dtype=np.int64)
    transaction_time_ns = np.empty(total, dtype=np.int64)
    offsets = np.empty(total, dtype=np.int64)
    features = np.zeros((total, width))
    text_starts = np.empty((3, total), dtype=np.int64)
    text_ends = np.empty((3, total), dtype=np.int64)
    for at in range(total):
        own, count = row[at], headers[block[at], 1]
        labels = headers[block[at], 0] & LABELS != 0
        body = block_words[block[at]] + HEADER_WORDS
        offsets[at] = words[body + own]
        event_time_ns[at] = words[body + 2 * count + own]
        body += 3 * count
        if labels:
            transaction_time_ns[at] = words[body + own]
            body += count
        else:
            transaction_time_ns[at] = event_time_ns[at]
            for column in range(width):
                features[at, column] = floats[body + width * own + column]
            body += width * count
        texts = 8 * body + 12 * count
        if labels:
            kinds[at] = data[texts + own]
            texts += count
        for column in range(3):
            number = column * count + own
            text_starts[column, at] = texts + _text_start(halves, 2 * body, number)
            text_ends[column, at] = texts + np.int64(halves[2 * body + number])
    return kinds, event_time_ns, transaction_time_ns, offsets, features, text_starts, text_ends
