"""Arrays that grow, by half at a time, in place where nobody else looks at them."""

from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

Item = TypeVar("Item", bound=np.generic)
_LEAST = 64


class GrowingArray(Generic[Item]):
    """An `array` of a dtype, one-dimensional, that has room for as much as was asked for; zero where new.

    Growing in place, the operating system moves pages rather than bytes, and there are never two copies. It is done
    only while nothing else refers to the array, be it a view of a part; otherwise whoever does keeps the old one.

    >>> numbers = GrowingArray(np.dtype(np.int64))
    >>> numbers.array[0] = 7
    >>> numbers.reserve(100)
    >>> len(numbers.array), numbers.array[:2].tolist()
    (100, [7, 0])
    """

    def __init__(self, dtype: np.dtype[Item], count: int = _LEAST) -> None:
        self.array: NDArray[Item] = np.zeros(count, dtype=dtype)

    def reserve(self, count: int) -> None:
        """Have room for `count` items."""
        size = len(self.array)
        if count <= size:
            return
        size = max(count, size + size // 2)
        try:
            self.array.resize(size)
        except ValueError:  # something refers to it
            grown = np.zeros(size, dtype=self.array.dtype)
            grown[: len(self.array)] = self.array
            self.array = grown
