"""The row of a symbol's conditional variance, whose length depends on the models, and its form for other models."""

import numpy as np
from numpy.typing import NDArray

from risk.volatility.model_table import Widths, widths_of
from risk.volatility.packed_model import KIND, unpacked_model

_RINGS = ("residuals", "variances", "realised")
_MOST = 1_000_000


def row_dtype(widths: Widths) -> np.dtype[np.void]:
    """Return the type of a row for models of these widths.

    >>> row_dtype(Widths(lags=1, truncation=1, realised_bars=1, packed=13)).itemsize
    184
    """
    return np.dtype(
        [
            # The widths come first, so that a row tells its own form.
            ("widths", "<i8", (4,)),
            ("seen", "<i8"),
            # 0 in a row that has not begun.
            ("next_variance", "<f8"),
            ("ewma_variance", "<f8"),
            # Rings of the last bars.
            ("residuals", "<f8", (max(widths.lags, widths.truncation),)),
            ("variances", "<f8", (widths.lags,)),
            ("realised", "<f8", (widths.realised_bars,)),
            # A packed model that took the place of the one given, or zeros.
            ("installed", "<f8", (widths.packed,)),
        ]
    )


def width_numbers(widths: Widths) -> tuple[int, int, int, int]:
    """Return the widths as a row holds them."""
    return widths.lags, widths.truncation, widths.realised_bars, widths.packed


def row_for(row: bytes, widths: Widths) -> bytes:
    """Return a packed row as one for models of these widths, with as many of its last bars as both forms hold.

    A model that was installed stays if the new form has room for it. Raises ValueError for bytes that are no row.
    """
    numbers = np.frombuffer(row[:32], dtype="<i8").tolist() if len(row) >= 32 else []
    if len(numbers) != 4 or min(numbers) < 1 or max(numbers) > _MOST:
        raise ValueError(f"a packed row of {len(row)} bytes does not tell its form: it was written by another version")
    written = Widths(*numbers)
    if len(row) != row_dtype(written).itemsize:
        raise ValueError(f"a packed row has {len(row)} bytes, which are not those of its form {written}")
    if written == widths:
        return row
    old, new = np.frombuffer(row, dtype=row_dtype(written))[0], np.zeros(1, dtype=row_dtype(widths))
    # A model that looks further back than a ring goes takes the bars before it as unseen.
    shorter = [len(old[name]) for name in _RINGS if new[name].shape[1] > len(old[name])]
    seen = min([int(old["seen"]), *shorter])
    new["widths"], new["seen"] = width_numbers(widths), seen
    for name in ("next_variance", "ewma_variance"):
        new[name] = old[name]
    for name in _RINGS:
        _put(new[name][0], old[name], seen, int(old["seen"]))
    installed = old["installed"]
    if installed[KIND] > 0.0 and _fits(widths_of(unpacked_model(installed)), widths):
        held = min(len(installed), widths.packed)
        new["installed"][0, :held] = installed[:held]
    return new.tobytes()


def _put(ring: NDArray[np.float64], old: NDArray[np.float64], seen: int, old_seen: int) -> None:
    """Write an old ring's last bars where a ring that has seen so many has them."""
    for lag in range(min(seen, len(ring))):
        ring[(seen - 1 - lag) % len(ring)] = old[(old_seen - 1 - lag) % len(old)]


def _fits(needs: Widths, kept: Widths) -> bool:
    return all(one <= other for one, other in zip(width_numbers(needs), width_numbers(kept), strict=True))
