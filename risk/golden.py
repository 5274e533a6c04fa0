"""Golden rows: what some events became when a bundle was made, to be compared when it is opened."""

import io
from dataclasses import astuple, dataclass, fields

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Golden:
    """Rows in order of event time, and what they became.

    `raw` float64[n, F] are features before the normaliser, `event_time_ns` int64[n] is nanoseconds since the
    Unix epoch, `normalised` float64[n, F] is what a new normaliser made of them in one batch, and `score`
    float64[n]. Raises ValueError for other shapes or dtypes, and for no rows.
    """

    raw: npt.NDArray[np.float64]
    event_time_ns: npt.NDArray[np.int64]
    normalised: npt.NDArray[np.float64]
    score: npt.NDArray[np.float64]

    def __post_init__(self) -> None:
        rows = len(self.score)
        if not (
            rows > 0
            and self.raw.ndim == 2
            and self.raw.shape == self.normalised.shape
            and len(self.raw) == rows
            and self.score.shape == self.event_time_ns.shape == (rows,)
            and self.event_time_ns.dtype == np.int64
            and all(one.dtype == np.float64 for one in (self.raw, self.normalised, self.score))
        ):
            found = {one.name: getattr(self, one.name) for one in fields(self)}
            shapes = {name: f"{array.dtype}{list(array.shape)}" for name, array in found.items()}
            raise ValueError(f"golden arrays {shapes} do not fit together")


def golden_bytes(golden: Golden) -> bytes:
    """Return an npz archive of the rows; equal rows give equal bytes, as numpy writes no time of day."""
    archive = io.BytesIO()
    np.savez(archive, **dict(zip(_NAMES, astuple(golden), strict=True)))
    return archive.getvalue()


def read_golden(archive: bytes) -> Golden:
    """Return the rows in an npz archive; raises ValueError for anything else. Pickled objects are refused."""
    try:
        with np.load(io.BytesIO(archive), allow_pickle=False) as arrays:
            return Golden(*(arrays[name] for name in _NAMES))
    except Exception as error:  # zipfile, numpy and Golden raise many classes for one meaning: not golden rows
        raise ValueError(f"not an npz archive of golden rows: {error}") from error


_NAMES = tuple(one.name for one in fields(Golden))
