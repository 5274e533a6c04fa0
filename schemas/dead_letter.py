"""A message that could not be used."""

from typing import Literal

import msgspec

from schemas.source import Source


class DeadLetter(msgspec.Struct, frozen=True, gc=False):
    """Where the message lies, why it was refused, and its own key and bytes (as base64 in JSON)."""

    schema_version: Literal[1]
    source: Source
    reason: str
    detail: str
    key: bytes | None
    payload: bytes
