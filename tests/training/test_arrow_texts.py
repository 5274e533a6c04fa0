from typing import Any

import pyarrow as pa
import pytest

from training.arrow_texts import text_column


@pytest.mark.parametrize(
    "column",
    [
        pa.chunked_array([["x", "ann", "zoë"], [], ["", "bob"]]).slice(1),
        pa.chunked_array([pa.array(["x", "ann", "zoë", "", "bob"]).slice(1)]),
        pa.chunked_array([pa.array(["ann", "zoë", "", "bob"]).dictionary_encode()]),
        pa.chunked_array([pa.array(["ann", "zoë", "", "bob"], pa.large_string())]),
    ],
    ids=["chunks", "slice", "dictionary", "large"],
)
def test_any_arrow_text_is_read(column: Any) -> None:
    """Texts are those of the column, however Arrow keeps them, whole and by row."""
    found = text_column(column)
    assert list(found) == ["ann", "zoë", "", "bob"]
    assert [found[row] for row in range(4)] == ["ann", "zoë", "", "bob"]


@pytest.mark.parametrize("column", [pa.chunked_array([], pa.string()), pa.chunked_array([["", ""]])])
def test_a_column_may_have_no_bytes(column: Any) -> None:
    """No rows, and rows that are all empty, are columns too."""
    assert list(text_column(column)) == column.to_pylist()
