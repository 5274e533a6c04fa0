"""How loops are compiled that only read and write the arrays they are given."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from numba import njit

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def array_loop(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Compile a function that makes no array, and keeps none: whoever calls it from Python owns them all meanwhile.

    So no reference to an array has to be counted, which numba otherwise does at each call and each return of a function
    with array arguments, with an atomic instruction: most of the time of loops that call one another for every few
    bytes. A view, such as a row of a matrix, is no array of its own.

    >>> import numpy as np
    >>> from risk.byte_words import word_at
    >>> hex(word_at(np.arange(8, dtype=np.uint8), np.uint64(0)))
    '0x706050403020100'
    """
    compiled: Callable[Arguments, Result] = njit(cache=True, _nrt=False)(function)  # type: ignore[call-overload]
    return compiled
