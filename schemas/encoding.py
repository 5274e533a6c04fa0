"""How messages are written: compact JSON, fields in the order of their struct."""

import msgspec

_encoder = msgspec.json.Encoder()


def encode(message: msgspec.Struct) -> bytes:
    """Return a message as JSON; equal messages give equal bytes."""
    return _encoder.encode(message)
