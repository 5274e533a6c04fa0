"""Trees are written as arrays and read again, or refused."""

import io
from dataclasses import fields

import numpy as np
import pytest

from risk.trees import Trees, read_trees, trees_bytes
from tests.random_trees import random_trees

TREES = random_trees(1, features=4, trees=5, depth=5, link="isolation")


def changed(**arrays: object) -> bytes:
    """Return the archive of the trees with other arrays in it."""
    with np.load(io.BytesIO(trees_bytes(TREES))) as given:
        written = {name: given[name] for name in given} | arrays
    archive = io.BytesIO()
    np.savez(archive, **written)
    return archive.getvalue()


def test_trees_are_read_as_they_were_written() -> None:
    """Every field comes back, and equal trees give equal bytes."""
    read = read_trees(trees_bytes(TREES))
    for field in fields(Trees):
        np.testing.assert_array_equal(getattr(read, field.name), getattr(TREES, field.name))
    assert trees_bytes(read) == trees_bytes(TREES)


def with_at(name: str, at: int, value: float) -> dict[str, object]:
    """Return one array of the trees with one element changed."""
    array = getattr(TREES, name).copy()
    array[at] = value
    return {name: array}


INNER = int(np.flatnonzero(TREES.feature >= 0)[3])
WRONG = {
    "no archive": b"trees",
    "a pickled object": changed(left=np.array([object()] * len(TREES.left), dtype=object)),
    "a child before its parent": changed(**with_at("left", INNER, INNER)),
    "a child beyond the nodes": changed(**with_at("right", INNER, len(TREES.right))),
    "a feature too many": changed(**with_at("feature", INNER, 4)),
    "a feature below the leaf's": changed(**with_at("feature", INNER, -2)),
    "a root beyond the nodes": changed(**with_at("roots", 0, len(TREES.right))),
    "a negative root": changed(**with_at("roots", 0, -1)),
    "no trees": changed(roots=np.array([], dtype=np.int64)),
    "arrays of other lengths": changed(value=TREES.value[:-1]),
    "another type": changed(threshold=TREES.threshold.astype(np.float64)),
    "a value that is no number": changed(**with_at("value", 0, np.nan)),
    "an unknown link": changed(link=np.array(3)),
}


@pytest.mark.parametrize("why", list(WRONG))
def test_what_is_no_trees_is_refused(why: str) -> None:
    """A walk over what is read ends, inside the arrays."""
    with pytest.raises(ValueError, match=r"no trees|not an npz archive of trees"):
        read_trees(WRONG[why])
