import numpy as np

from risk.growing_array import GrowingArray


def test_who_looks_at_the_array_keeps_what_he_saw() -> None:
    """A view taken before growing still shows the old numbers, and what is new is zero."""
    growing = GrowingArray(np.dtype(np.int64), 4)
    growing.array[:] = 5
    view = growing.array[1:3]
    growing.reserve(1_000_000)
    growing.array[:4] = 6
    assert view.tolist() == [5, 5]
    assert growing.array[:5].tolist() == [6, 6, 6, 6, 0]
    assert not growing.array[4:].any()


def test_it_grows_by_half_at_least() -> None:
    """So that many small steps cost no more than few large ones; what fits already changes nothing."""
    growing = GrowingArray(np.dtype(np.uint8), 100)
    for count, size in ((100, 100), (101, 150), (300, 300), (301, 450), (2, 450)):
        growing.reserve(count)
        assert len(growing.array) == size


def test_in_place_it_keeps_its_items() -> None:
    """Where nobody looks, items are there after growing, and new ones are zero, at any size."""
    growing = GrowingArray(np.dtype([("a", "<i8"), ("b", "<f8", (3,))]), 10)
    for count in range(10, 200_000, 7_001):
        growing.reserve(count)
        growing.array["a"][count - 1] = count
        growing.array["b"][count - 1] = (1.0, 2.0, count)
    filled = np.flatnonzero(growing.array["a"])
    assert filled.tolist() == [count - 1 for count in range(10, 200_000, 7_001)]
    assert growing.array["b"].sum() == sum(3.0 + count for count in range(10, 200_000, 7_001))
