"""Eight bytes at a time: what compiled loops over bytes are made fast with.

A word is eight bytes as a uint64, the first byte lowest. All positions are unsigned: a signed one would be looked at
for being negative, which counts from an array's end, at every byte.
"""

import numpy as np
from numpy.typing import NDArray

from risk.array_loop import array_loop

WORD = np.uint64(8)


@array_loop
def word_at(data: NDArray[np.uint8], at: np.uint64) -> np.uint64:
    """Return the word at a place; its eight bytes must be there. It compiles to one load.

    >>> hex(word_at(np.arange(9, dtype=np.uint8), np.uint64(1)))
    '0x807060504030201'
    """
    return (
        np.uint64(data[at])
        | np.uint64(data[at + np.uint64(1)]) << np.uint64(8)
        | np.uint64(data[at + np.uint64(2)]) << np.uint64(16)
        | np.uint64(data[at + np.uint64(3)]) << np.uint64(24)
        | np.uint64(data[at + np.uint64(4)]) << np.uint64(32)
        | np.uint64(data[at + np.uint64(5)]) << np.uint64(40)
        | np.uint64(data[at + np.uint64(6)]) << np.uint64(48)
        | np.uint64(data[at + np.uint64(7)]) << np.uint64(56)
    )


@array_loop
def put_word(data: NDArray[np.uint8], at: np.uint64, word: np.uint64) -> None:
    """Write a word to a place; there must be room for its eight bytes.

    >>> data = np.zeros(9, dtype=np.uint8)
    >>> put_word(data, np.uint64(1), np.uint64(0x0102))
    >>> data.tolist()
    [0, 2, 1, 0, 0, 0, 0, 0, 0]
    """
    data[at] = np.uint8(word)
    data[at + np.uint64(1)] = np.uint8(word >> np.uint64(8))
    data[at + np.uint64(2)] = np.uint8(word >> np.uint64(16))
    data[at + np.uint64(3)] = np.uint8(word >> np.uint64(24))
    data[at + np.uint64(4)] = np.uint8(word >> np.uint64(32))
    data[at + np.uint64(5)] = np.uint8(word >> np.uint64(40))
    data[at + np.uint64(6)] = np.uint8(word >> np.uint64(48))
    data[at + np.uint64(7)] = np.uint8(word >> np.uint64(56))


@array_loop
def is_same(
    data: NDArray[np.uint8], at: np.uint64, other: NDArray[np.uint8], start: np.uint64, size: np.uint64
) -> bool:
    """Return whether so many bytes, which both arrays have, are the same.

    >>> text = np.frombuffer(b"abcabd", dtype=np.uint8)
    >>> [is_same(text, np.uint64(0), text, np.uint64(3), np.uint64(size)) for size in (2, 3)]
    [True, False]
    """
    while size >= WORD:
        if word_at(data, at) != word_at(other, start):
            return False
        at += WORD
        start += WORD
        size -= WORD
    if size == 0:
        return True
    if at + WORD <= np.uint64(data.shape[0]) and start + WORD <= np.uint64(other.shape[0]):
        # What differs beyond the bytes asked for is shifted out.
        differing = word_at(data, at) ^ word_at(other, start)
        return bool(differing << (np.uint64(64) - (size << np.uint64(3))) == 0)
    same = True
    for i in range(size):
        same &= data[at + np.uint64(i)] == other[start + np.uint64(i)]
    return bool(same)
