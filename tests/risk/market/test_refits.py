import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.chunk import Chunk
from risk.market.refits import Installation, decode_refit, refit_places
from risk.rejection import Rejection
from risk.volatility.volatility_model import Egarch, Garch
from schemas.encoding import encode
from schemas.refit import Refit
from schemas.tick import Tick

MODEL = Garch(omega=2e-5, alpha=(0.2,), beta=(0.7,), backcast_percent2=2e-4)
FIELDS = msgspec.to_builtins(Refit(1, "EURUSD", 1_704_067_200_000_000_000, "0123456789ab", "rejected", {}))


def refit_of(**changes: object) -> bytes:
    """Return a refit as it lies on the topic."""
    return msgspec.json.encode({**FIELDS, "model": msgspec.to_builtins(MODEL), **changes})


@pytest.mark.parametrize(
    "model", [MODEL, Egarch(omega=-0.2, alpha=(0.1,), gamma=(-0.05,), beta=(0.97,), backcast_percent2=4e-4)]
)
def test_a_refit_is_read_as_it_was_sent(model: Garch | Egarch) -> None:
    """The model is the very one that was estimated, whatever its kind."""
    sent = msgspec.convert(msgspec.json.decode(refit_of(model=msgspec.to_builtins(model))), Refit)
    found = decode_refit(b"EURUSD", encode(sent))
    assert isinstance(found, Installation)
    assert found.model == model
    assert found.refit == sent


@pytest.mark.parametrize(
    ("key", "value", "reason", "told"),
    [
        (b"USDJPY", refit_of(), "key_mismatch", "symbol"),
        (None, refit_of(), "key_mismatch", "symbol"),
        (b"EURUSD", refit_of(cause="whim"), "out_of_range", "cause"),
        (b"EURUSD", refit_of(model={}), "out_of_range", "model"),
        (b"EURUSD", refit_of(model={"kind": "oracle"}), "out_of_range", "riskstream market refit"),
        (b"EURUSD", refit_of(model={**msgspec.to_builtins(MODEL), "omega": -1.0}), "out_of_range", "model"),
        (b"EURUSD", refit_of(event_time_ns=5), "out_of_range", "event_time_ns"),
        (b"EURUSD", refit_of()[:-2], "not_json", ""),
        (b"EURUSD", b'{"cause":"schedule"}', "missing_field", ""),
    ],
)
def test_a_bad_refit_is_a_rejection(key: bytes | None, value: bytes, reason: str, told: str) -> None:
    """It tells what is wrong and never raises."""
    found = decode_refit(key, value)
    assert isinstance(found, Rejection)
    assert (found.reason, told in found.detail) == (reason, True), found


@given(st.binary(max_size=60))
def test_no_bytes_raise(noise: bytes) -> None:
    """Whatever follows the mark, the answer is a value."""
    assert isinstance(decode_refit(b"EURUSD", b'{"cause":' + noise), Rejection)


def test_refits_are_told_from_ticks() -> None:
    """Good or not, a refit is found at its place; a tick and a tombstone are none."""
    tick = encode(Tick(1, "cause", 1_704_067_200_000_000_000, bid=1.0, ask=1.0))
    values = (tick, refit_of(), None, b"?", b'{"cause":', tick)
    chunk = Chunk.of("ticks", 0, tuple(range(6)), (b"EURUSD",) * 6, values, caught_up=True)
    assert refit_places(chunk) == [1, 4]
