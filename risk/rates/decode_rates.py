"""Bytes to columns of curve points; what cannot be used becomes a rejection."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from risk.decode import decode_messages, key_detail
from risk.rejection import Rejection, RejectionReason
from schemas.rate import Rate

# As in risk.decode: two for each field's name, and two for the currency.
_QUOTES = 12
_rates = msgspec.json.Decoder(Rate)


@dataclass(frozen=True, slots=True)
class RateColumns:
    """Curve points, row by row; `index` int64[n] is each row's place in the list that was decoded.

    `tenor_months` int64[n], `rate_percent` float64[n] par yields in percent a year, `event_time_ns` int64[n].
    """

    index: NDArray[np.int64]
    currency: list[str]
    tenor_months: NDArray[np.int64]
    rate_percent: NDArray[np.float64]
    event_time_ns: NDArray[np.int64]


def decode_rates(keys: Sequence[bytes | None], values: Sequence[bytes | None]) -> tuple[RateColumns, list[Rejection]]:
    """Return the curve points that are keyed by their currency, and the rejections.

    >>> value = (
    ...     b'{"schema_version":1,"currency":"USD","tenor_months":120,"rate_percent":4.25,'
    ...     b'"event_time_ns":1767225600000000000}'
    ... )
    >>> columns, rejections = decode_rates([b"USD", b"EUR"], [value, value])
    >>> columns.rate_percent.tolist(), [one.reason for one in rejections]
    ([4.25], ['key_mismatch'])
    """
    good, index, rejections = decode_messages(_rates, _QUOTES, keys, values, _check)
    columns = RateColumns(
        index=index,
        currency=[one.currency for one in good],
        tenor_months=np.array([one.tenor_months for one in good], dtype=np.int64),
        rate_percent=np.array([one.rate_percent for one in good], dtype=np.float64),
        event_time_ns=np.array([one.event_time_ns for one in good], dtype=np.int64),
    )
    return columns, rejections


def _check(message: Rate, key: bytes | None) -> tuple[RejectionReason, str] | None:
    if message.currency.encode() != key:
        return "key_mismatch", key_detail("currency", key)
    return None
