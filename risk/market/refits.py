"""Finds re-estimated parameters among the ticks that they lie between.

They come on the topic of ticks, so that they have an exact place among them: a replay installs them where the live
stream did.
"""

from dataclasses import dataclass

import msgspec

from risk.chunk import Chunk
from risk.decode import decode_messages, key_detail
from risk.rejection import Rejection, RejectionReason
from risk.volatility.volatility_model import VolatilityModel
from schemas.refit import Refit

_MARK = b'"cause":'
"""No tick has this field; one that had would be read as a refit, and refused as one."""

_decoder = msgspec.json.Decoder(Refit)


@dataclass(frozen=True, slots=True)
class Installation:
    """A model to install, and the message that brought it."""

    refit: Refit
    model: VolatilityModel


def refit_places(chunk: Chunk) -> list[int]:
    """Return which records of a chunk of ticks are refits, good or not, by their index.

    >>> refit_places(Chunk.of("ticks", 0, (1, 2), (b"X", b"X"), (b'{"cause":"schedule"}', b"{}"), caught_up=True))
    [0]
    """
    if _MARK not in chunk.values.joined():
        return []
    return [at for at, value in enumerate(chunk.values) if value is not None and _MARK in value]


def decode_refit(key: bytes | None, value: bytes) -> Installation | Rejection:
    """Return the model that a record brings, or why it cannot be used."""
    found: list[VolatilityModel] = []

    def check(message: Refit, key: bytes | None) -> tuple[RejectionReason, str] | None:
        if message.symbol.encode() != key:
            return "key_mismatch", key_detail("symbol", key)
        try:
            found.append(msgspec.convert(message.model, VolatilityModel))
        except msgspec.ValidationError as error:
            return "out_of_range", f"model: {error}; send a model as riskstream market refit makes it"
        return None

    good, _, rejections = decode_messages(_decoder, value.count(b'"'), [key], [value], check)
    return Installation(good[0], found[0]) if good else rejections[0]
