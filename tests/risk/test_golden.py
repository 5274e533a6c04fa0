"""Golden rows as bytes."""

import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from risk.golden import Golden, golden_bytes, read_golden

GOLDEN = Golden(
    raw=np.array([[1.0, np.nan], [2.0, -0.0]]),
    event_time_ns=np.array([5, 6]),
    normalised=np.array([[0.5, 0.0], [1.5, -0.0]]),
    score=np.array([0.25, 0.75]),
)


def test_golden_rows_are_read_as_they_were_written() -> None:
    """Every array comes back with its bits, NaN and negative zero included."""
    read = read_golden(golden_bytes(GOLDEN))
    for name in ("raw", "event_time_ns", "normalised", "score"):
        written, found = getattr(GOLDEN, name), getattr(read, name)
        assert found.dtype == written.dtype
        assert found.tobytes() == written.tobytes()


def test_equal_rows_give_equal_bytes_at_any_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The archive carries no time of writing."""
    first = golden_bytes(GOLDEN)
    monkeypatch.setattr("time.time", lambda: 2_000_000_000.0)
    monkeypatch.setattr("time.localtime", lambda *_: (2033, 5, 18, 3, 33, 20, 2, 138, 0))
    assert golden_bytes(GOLDEN) == first


def test_pickled_objects_are_refused() -> None:
    """An archive that would run code when read is not read."""
    archive = io.BytesIO()
    np.savez(archive, raw=np.array([object()], dtype=object))
    with pytest.raises(ValueError, match="allow_pickle=False"):
        read_golden(archive.getvalue())


@pytest.mark.parametrize("content", [b"", b"no archive", golden_bytes(GOLDEN)[:-30]])
def test_what_is_no_archive_of_golden_rows_is_refused(content: bytes) -> None:
    """Cut or foreign bytes are one kind of error."""
    with pytest.raises(ValueError, match="not an npz archive of golden rows"):
        read_golden(content)


@pytest.mark.parametrize(
    "change",
    [
        {"score": np.array([0.5])},
        {"score": np.array([0.5, 0.5], dtype=np.float32)},
        {"event_time_ns": np.array([5.0, 6.0])},
        {"normalised": np.zeros((2, 3))},
    ],
)
def test_arrays_that_do_not_fit_together_are_refused(change: dict[str, Any]) -> None:
    """Another number of rows, width or dtype is refused."""
    with pytest.raises(ValueError, match="do not fit together"):
        replace(GOLDEN, **change)
