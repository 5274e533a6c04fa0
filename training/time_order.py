"""The order of (time, id), in which a history is kept and reports of fraud are taken up."""

import numpy as np
import numpy.typing as npt
from numba import njit

from risk.byte_slices import TextColumn

_WORD_BYTES = 8


@njit(cache=True)
def _fill_words(
    data: npt.NDArray[np.uint8],
    starts: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
    words: npt.NDArray[np.uint64],
) -> None:
    for row in range(starts.shape[0]):
        for place in range(ends[row] - starts[row]):
            byte = np.uint64(data[starts[row] + place])
            words[place // _WORD_BYTES, row] |= byte << np.uint64(8 * (_WORD_BYTES - 1 - place % _WORD_BYTES))


def time_order(time_ns: npt.NDArray[np.int64], ids: TextColumn) -> npt.NDArray[np.int64]:
    """Return the permutation, int64[n], that sorts by (time, id), where ids go by their characters' numbers.

    It is the order of `risk.event_order.merge_order` among events of one rank.

    >>> time_order(np.array([5, 5, 3]), TextColumn.of(["b", "a", "c"])).tolist()
    [2, 1, 0]
    """
    order = np.argsort(time_ns, kind="stable")
    time = time_ns[order]
    tied = np.zeros(len(order), dtype=np.bool_)
    tied[1:] = time[1:] == time[:-1]
    tied[:-1] |= tied[1:]
    at = np.flatnonzero(tied)
    if len(at):
        # Texts need comparing only where times tie. The bytes of UTF-8 sort as its characters do, and so do words of
        # them, the first byte the highest; zeros fill the last word, and of texts that differ by zeros alone the
        # shorter one comes first.
        rows = order[at]
        texts = ids.take(rows)
        words = np.zeros((-(-int(texts.lengths.max()) // _WORD_BYTES), len(rows)), dtype=np.uint64)
        _fill_words(texts.data, texts.starts, texts.ends, words)
        order[at] = rows[np.lexsort((texts.lengths, *words[::-1], time[at]))]
    return order.astype(np.int64, copy=False)
