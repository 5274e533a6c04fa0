"""An ensemble of trees as arrays, from which it is exported and explained."""

import io
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

LEAF = -1
Link = Literal["identity", "logistic", "isolation"]
"""How a sum over trees becomes a score: as it is, by the logistic function, or as 2 to the power of minus itself."""


@dataclass(frozen=True, slots=True)
class Trees:
    """Nodes of all trees, one after the other, each tree beginning with its root.

    Node i of `feature` int64[N] is a leaf where `feature` is LEAF, and adds `value` float64[N] there; otherwise
    `left` int64[N] follows where `x[feature] <= threshold` float32[N], and `right` where not. `roots` int64[T]. The
    margin is `offset` and the sum over trees; `link` makes the score of it.
    """

    roots: npt.NDArray[np.int64]
    feature: npt.NDArray[np.int64]
    threshold: npt.NDArray[np.float32]
    left: npt.NDArray[np.int64]
    right: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]
    offset: float
    link: Link
    feature_count: int


_ARRAYS = {
    "roots": np.int64,
    "feature": np.int64,
    "threshold": np.float32,
    "left": np.int64,
    "right": np.int64,
    "value": np.float64,
}
_LINKS: tuple[Link, ...] = get_args(Link)


def trees_bytes(trees: Trees) -> bytes:
    """Return an npz archive of the trees; equal trees give equal bytes, as numpy writes no time of day."""
    archive = io.BytesIO()
    np.savez(
        archive,
        offset=np.array(trees.offset),
        link=np.array(_LINKS.index(trees.link)),
        feature_count=np.array(trees.feature_count),
        **{name: getattr(trees, name) for name in _ARRAYS},
    )
    return archive.getvalue()


def read_trees(archive: bytes) -> Trees:
    """Return the trees in an npz archive. Pickled objects are refused.

    Raises ValueError for anything else, and for trees in which a walk would leave the arrays or never end: children
    lie behind their parent.
    """
    try:
        with np.load(io.BytesIO(archive), allow_pickle=False) as given:
            arrays = {name: given[name] for name in _ARRAYS}
            offset, link, width = float(given["offset"]), int(given["link"]), int(given["feature_count"])
    except Exception as error:  # zipfile and numpy raise many classes for one meaning: not trees
        raise ValueError(f"not an npz archive of trees: {error}") from error
    roots, feature, left, right = (arrays[name] for name in ("roots", "feature", "left", "right"))
    nodes = len(feature)
    number = np.arange(nodes)
    inner = feature != LEAF
    if not (
        all(array.dtype == _ARRAYS[name] and array.ndim == 1 for name, array in arrays.items())
        and all(len(array) == nodes for name, array in arrays.items() if name != "roots")
        and len(roots) > 0
        and ((roots >= 0) & (roots < nodes)).all()
        and ((feature >= LEAF) & (feature < width)).all()
        and all(((child > number) & (child < nodes))[inner].all() for child in (left, right))
        and np.isfinite(arrays["value"]).all()
        and np.isfinite(offset)
        and 0 <= link < len(_LINKS)
    ):
        raise ValueError(f"arrays of {nodes} nodes, {len(roots)} roots and {width} features are no trees: train again")
    return Trees(**arrays, offset=offset, link=_LINKS[link], feature_count=width)
