"""Columns of text as Arrow holds them, seen as the columns of text that the steps take: no text becomes an object."""

from typing import Any

import numpy as np

from risk.byte_slices import TextColumn


def text_column(column: Any) -> TextColumn:
    """Return a pyarrow column of strings, none of them missing; the bytes are Arrow's own.

    >>> import pyarrow as pa
    >>> list(text_column(pa.chunked_array([["ann", "bob"], ["", "zoë"]])))
    ['ann', 'bob', '', 'zoë']
    """
    import pyarrow as pa

    # Offsets of 64 bits: joined chunks can have more than 2 GiB of text.
    array = column.cast(pa.large_string()).combine_chunks()
    _, offsets, data = array.buffers()
    if len(array) == 0 or data is None:
        return TextColumn.of([""] * len(array))
    bounds = np.frombuffer(offsets, dtype=np.int64, count=len(array) + 1, offset=8 * array.offset)
    return TextColumn(np.frombuffer(data, dtype=np.uint8), bounds[:-1], bounds[1:])


def numbered_rows(count: int) -> TextColumn:
    """Return the names of rows, of one width so that their order is that of their numbers.

    >>> list(numbered_rows(2))
    ['row-0000000000', 'row-0000000001']
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    text = pa.large_string()
    digits = pc.utf8_lpad(pa.array(np.arange(count)).cast(text), 10, "0")
    names = pc.binary_join_element_wise(pa.scalar("row-", text), digits, pa.scalar("", text))
    return text_column(pa.chunked_array([names], text))
