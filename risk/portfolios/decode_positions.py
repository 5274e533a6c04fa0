"""Bytes to positions: those that can be used as columns, the others as rejections."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from risk.decode import decode_messages, key_detail
from risk.rejection import Rejection, RejectionReason
from schemas.position import Position


@dataclass(frozen=True, slots=True)
class PositionColumns:
    """Positions, row by row; `index` int64[n] is each row's place in the list that was decoded.

    `name` is the symbol, or a bond's currency; `maturity_ns` int64, `coupon_percent` float64 and `frequency` float64
    are 0 for a symbol. `quantity` float64 is signed.
    """

    index: NDArray[np.int64]
    portfolio: list[str]
    event_time_ns: NDArray[np.int64]
    is_bond: NDArray[np.bool_]
    name: list[str]
    quantity: NDArray[np.float64]
    maturity_ns: NDArray[np.int64]
    coupon_percent: NDArray[np.float64]
    frequency: NDArray[np.float64]


# Of a position in a symbol; one in a bond, which is rarer, takes the slower way.
_QUOTES = 14
_positions = msgspec.json.Decoder(Position)


def decode_positions(
    keys: Sequence[bytes | None], values: Sequence[bytes | None]
) -> tuple[PositionColumns, list[Rejection]]:
    """Return the positions that are keyed by their portfolio and name one instrument, and the rejections.

    >>> value = (
    ...     b'{"schema_version":1,"portfolio":"p","event_time_ns":1767225600000000000,"quantity":5,"symbol":"X",'
    ...     b'"currency":"EUR"}'
    ... )
    >>> _, (rejection,) = decode_positions([b"p"], [value])
    >>> rejection.reason, rejection.detail
    ('instrument_unclear', "symbol='X': a symbol takes none of currency, maturity_ns, coupon_percent, frequency; leave
     them out, or leave out symbol for a bond")
    """
    good, index, rejections = decode_messages(_positions, _QUOTES, keys, values, _check)
    columns = PositionColumns(
        index=index,
        portfolio=[one.portfolio for one in good],
        event_time_ns=np.array([one.event_time_ns for one in good], dtype=np.int64),
        is_bond=np.array([one.symbol is None for one in good], dtype=np.bool_),
        name=[one.symbol or one.currency or "" for one in good],
        quantity=np.array([one.quantity for one in good], dtype=np.float64),
        maturity_ns=np.array([one.maturity_ns or 0 for one in good], dtype=np.int64),
        coupon_percent=np.array([one.coupon_percent or 0.0 for one in good], dtype=np.float64),
        frequency=np.array([one.frequency or 0 for one in good], dtype=np.float64),
    )
    return columns, rejections


def _check(message: Position, key: bytes | None) -> tuple[RejectionReason, str] | None:
    of_a_bond = {
        "currency": message.currency,
        "maturity_ns": message.maturity_ns,
        "coupon_percent": message.coupon_percent,
        "frequency": message.frequency,
    }
    missing = [name for name, value in of_a_bond.items() if value is None]
    if message.symbol is not None and len(missing) < len(of_a_bond):
        return (
            "instrument_unclear",
            f"symbol={message.symbol!r}: a symbol takes none of {', '.join(of_a_bond)}; leave them out, or leave out"
            " symbol for a bond",
        )
    if message.symbol is None and missing:
        return (
            "instrument_unclear",
            f"symbol=None: without a symbol the position is one in a bond, which lacks {', '.join(missing)}; send them,"
            " or a symbol",
        )
    if message.portfolio.encode() != key:
        return "key_mismatch", key_detail("portfolio", key)
    return None
