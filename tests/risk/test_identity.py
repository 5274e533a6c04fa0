import msgspec
from hypothesis import given
from hypothesis import strategies as st

from risk.chunk import Chunk
from risk.dead_letters import dead_letter_output
from risk.identity import alert_id, bar_event_id
from risk.rejection import Rejection
from schemas.dead_letter import DeadLetter

parts = st.tuples(st.text(max_size=3), st.text(max_size=3), st.text(max_size=3))


@given(parts, parts)
def test_ids_are_equal_only_for_equal_parts(first: tuple[str, str, str], second: tuple[str, str, str]) -> None:
    """Two ids are equal exactly when event, entity and bundle are."""
    assert (alert_id(*first) == alert_id(*second)) == (first == second)


def test_parts_do_not_run_together() -> None:
    """Moving a character from one part to the next gives another id."""
    assert alert_id("ab", "c", "v") != alert_id("a", "bc", "v")


def test_an_id_fits_an_identity_header() -> None:
    """An id is 16 bytes in hex."""
    assert len(bytes.fromhex(alert_id(bar_event_id("EURUSD", 60), "EURUSD", "0123456789ab"))) == 16


@given(st.binary(max_size=40), st.one_of(st.none(), st.binary(max_size=8)))
def test_a_dead_letter_holds_the_original_bytes(value: bytes, key: bytes | None) -> None:
    """A dead letter gives key and payload back byte for byte, with their place in the log."""
    chunk = Chunk.of("ticks", 2, (5, 9), (b"k", key), (b"{}", value), caught_up=True)
    output = dead_letter_output(chunk, Rejection(index=1, reason="not_json", detail="send JSON"))
    letter = msgspec.json.decode(output.value, type=DeadLetter)
    assert (letter.key, letter.payload) == (key, value)
    assert (letter.source.topic, letter.source.partition, letter.source.offset) == ("ticks", 2, 9)
    assert (output.partition, output.identity) == (2, b"ticks/2/9")
    assert (letter.reason, letter.detail) == ("not_json", "send JSON")


def test_a_tombstone_has_an_empty_payload() -> None:
    """A record without a value becomes a dead letter with no bytes."""
    chunk = Chunk.of("ticks", 0, (5,), (b"k",), (None,), caught_up=True)
    output = dead_letter_output(chunk, Rejection(index=0, reason="empty", detail=""))
    assert msgspec.json.decode(output.value, type=DeadLetter).payload == b""
