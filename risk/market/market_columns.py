"""Rows for the second hop of markets, before they are cut into blocks."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from risk.market.market_events import BAR, BAR_NUMBERS, BOND_POSITION, CURVE, SYMBOL_POSITION
from risk.portfolios.decode_positions import PositionColumns


@dataclass(frozen=True, slots=True)
class MarketColumns:
    """Rows of one source, n of them, in its order.

    `index` int64[n] is the record in the chunk that each came from; `event_time_ns` int64[n]
    the event time of that record. The others are as in `risk.market.market_events.Block`, as arrays and lists.
    """

    index: NDArray[np.int64]
    event_time_ns: NDArray[np.int64]
    kinds: NDArray[np.uint8]
    end_ns: NDArray[np.int64]
    counts: NDArray[np.int64]
    numbers: NDArray[np.float64]
    key: list[str]
    name: list[str]

    def __len__(self) -> int:
        return len(self.key)


def bar_columns(
    index: NDArray[np.int64],
    event_time_ns: NDArray[np.int64],
    symbol: list[str],
    bar_end_ns: NDArray[np.int64],
    *,
    close: NDArray[np.float64],
    log_return_percent: NDArray[np.float64],
    variance_percent2: NDArray[np.float64],
    next_variance_percent2: NDArray[np.float64],
    standardised_residual: NDArray[np.float64],
) -> MarketColumns:
    """Return the rows of closed bars; `index` and `event_time_ns` are those of the ticks that closed them.

    >>> ones = np.ones(1)
    >>> bar_columns(
    ...     np.array([0]), np.array([70]), ["X"], np.array([60]), close=ones, log_return_percent=ones,
    ...     variance_percent2=ones, next_variance_percent2=2 * ones, standardised_residual=ones,
    ... ).numbers.tolist()
    [1.0, 1.0, 1.0, 2.0, 1.0]
    """
    numbers = (close, log_return_percent, variance_percent2, next_variance_percent2, standardised_residual)
    count = len(symbol)
    return MarketColumns(
        index=index,
        event_time_ns=event_time_ns,
        kinds=np.full(count, BAR, dtype=np.uint8),
        end_ns=bar_end_ns,
        counts=np.full(count, BAR_NUMBERS, dtype=np.int64),
        numbers=np.column_stack(numbers).ravel(),
        key=symbol,
        name=[""] * count,
    )


def curve_columns(
    index: NDArray[np.int64],
    event_time_ns: NDArray[np.int64],
    currency: list[str],
    curve_ns: NDArray[np.int64],
    *,
    tenors_years: Sequence[NDArray[np.float64]],
    zero_percent: Sequence[NDArray[np.float64]],
) -> MarketColumns:
    """Return the rows of closed curves, each with its nodes as `risk.rates.discount` has them.

    `curve_ns` int64[n] is the time that a curve stands for; `index` and `event_time_ns` are those of the rates that
    closed them.

    >>> nodes = [np.array([1.0, 2.0])]
    >>> curve_columns(np.array([3]), np.array([70]), ["EUR"], np.array([60]), tenors_years=nodes, zero_percent=nodes)
    MarketColumns(index=array([3]), event_time_ns=array([70]), kinds=array([2], dtype=uint8), end_ns=array([60]),
        counts=array([4]), numbers=array([1., 2., 1., 2.]), key=['EUR'], name=[''])
    """
    pieces = [piece for pair in zip(tenors_years, zero_percent, strict=True) for piece in pair]
    count = len(currency)
    return MarketColumns(
        index=index,
        event_time_ns=event_time_ns,
        kinds=np.full(count, CURVE, dtype=np.uint8),
        end_ns=curve_ns,
        counts=np.array([2 * len(one) for one in tenors_years], dtype=np.int64),
        numbers=np.concatenate([np.empty(0), *pieces]),
        key=currency,
        name=[""] * count,
    )


def position_columns(positions: PositionColumns) -> MarketColumns:
    """Return the rows of positions."""
    count = len(positions.portfolio)
    numbers = np.column_stack((positions.quantity, positions.coupon_percent, positions.frequency))
    return MarketColumns(
        index=positions.index,
        event_time_ns=positions.event_time_ns,
        kinds=np.where(positions.is_bond, np.uint8(BOND_POSITION), np.uint8(SYMBOL_POSITION)),
        end_ns=positions.maturity_ns,
        counts=np.full(count, 3, dtype=np.int64),
        numbers=numbers.ravel(),
        key=positions.portfolio,
        name=positions.name,
    )
