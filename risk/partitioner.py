"""Which partition a key belongs to: Kafka's default partitioner.

The hash is MurmurHash2 (Austin Appleby, 2008) with Kafka's seed; the partition is its low 31 bits modulo the number of
partitions, as in `org.apache.kafka.clients.producer.internals.BuiltInPartitioner`.
"""

from collections.abc import Sequence

import numpy as np
from numba import njit
from numpy.typing import NDArray

from risk.byte_slices import TextColumn, read_only

_SEED = np.uint32(0x9747B28C)
_M = np.uint32(0x5BD1E995)


@njit(cache=True)
def _murmur2(data: NDArray[np.uint8], start: int, end: int) -> np.uint32:
    length = end - start
    h = np.uint32(_SEED ^ np.uint32(length))
    words = length // 4
    for word in range(words):
        i = start + 4 * word
        k = np.uint32(
            np.uint32(data[i])
            | (np.uint32(data[i + 1]) << np.uint32(8))
            | (np.uint32(data[i + 2]) << np.uint32(16))
            | (np.uint32(data[i + 3]) << np.uint32(24))
        )
        k = np.uint32(k * _M)
        k = np.uint32(k ^ (k >> np.uint32(24)))
        k = np.uint32(k * _M)
        h = np.uint32(h * _M)
        h = np.uint32(h ^ k)
    rest = start + 4 * words
    left = length - 4 * words
    if left == 3:
        h = np.uint32(h ^ (np.uint32(data[rest + 2]) << np.uint32(16)))
    if left >= 2:
        h = np.uint32(h ^ (np.uint32(data[rest + 1]) << np.uint32(8)))
    if left >= 1:
        h = np.uint32(h ^ np.uint32(data[rest]))
        h = np.uint32(h * _M)
    h = np.uint32(h ^ (h >> np.uint32(13)))
    h = np.uint32(h * _M)
    return np.uint32(h ^ (h >> np.uint32(15)))


@njit(cache=True)
def _partitions(
    data: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64], count: int
) -> NDArray[np.int64]:
    found = np.empty(ends.shape[0], dtype=np.int64)
    for row in range(ends.shape[0]):
        found[row] = np.int64(_murmur2(data, starts[row], ends[row]) & np.uint32(0x7FFFFFFF)) % count
    return found


def partitions_of(keys: Sequence[str], count: int) -> NDArray[np.int64]:
    """Return the partition in 0..count-1 of each key (its UTF-8 bytes), int64[n].

    >>> partitions_of(["merchant-1", "merchant-2"], 4).tolist()
    [3, 2]
    """
    texts = TextColumn.of(keys)
    found: NDArray[np.int64] = _partitions(read_only(texts.data), texts.starts, texts.ends, count)
    return found
