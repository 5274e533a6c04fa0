from hypothesis import given
from hypothesis import strategies as st

from risk.byte_slices import BytesColumn
from stream.latest_rows import LatestRows

pairs = st.tuples(st.sampled_from([b"a", b"b", b"c", b"dd", b""]), st.none() | st.binary(max_size=4))


@given(st.lists(st.lists(pairs, max_size=6), max_size=12), st.integers(0, 30))
def test_what_is_left_is_what_a_dict_would_hold(parts: list[list[tuple[bytes, bytes | None]]], least: int) -> None:
    """Each key's last row is kept, however often what was replaced is let go of, and what was removed is gone."""
    latest, expected = LatestRows(least), dict[bytes, bytes | None]()
    for part in parts:
        latest.add(BytesColumn.of([key for key, _ in part]), BytesColumn.of([row for _, row in part]))
        expected |= dict(part)
    assert dict(latest.rows()) == {key: row for key, row in expected.items() if row is not None}


def test_memory_does_not_grow_with_the_log() -> None:
    """A key that is written again and again is held a few times, not as often as it was written."""
    latest = LatestRows(least_bytes=1_000)
    for _ in range(500):
        latest.add(BytesColumn.of([b"key"]), BytesColumn.of([b"x" * 100]))
        assert latest._bytes < 1_500
