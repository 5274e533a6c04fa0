"""Messages made of histories, as `riskstream send` and the demonstration put them on their topics."""

import math
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from schemas.position import Position
    from training.applications import Applications
    from training.history import History
    from training.market.tick_history import TickHistory
    from training.rates.rate_history import RateHistory

Message = tuple[str, bytes]
"""A record's key and value."""


def transaction_messages(history: "History", currency: str) -> Iterator[Message]:
    """Yield (customer, JSON) for each transaction, in the history's order."""
    from schemas.encoding import encode
    from schemas.transaction import Transaction

    for transaction_id, customer_id, merchant_id, amount, time_ns in zip(
        history.transaction_id,
        history.customer_id,
        history.merchant_id,
        history.amount.tolist(),
        history.event_time_ns.tolist(),
        strict=True,
    ):
        yield (
            customer_id,
            encode(
                Transaction(
                    schema_version=1,
                    transaction_id=transaction_id,
                    customer_id=customer_id,
                    merchant_id=merchant_id,
                    amount=amount,
                    currency=currency,  # type: ignore[arg-type]  # the worker refuses a code that is none
                    event_time_ns=time_ns,
                )
            ),
        )


def label_messages(history: "History", cleared: "NDArray[np.bool_] | None" = None) -> Iterator[Message]:
    """Yield (merchant, JSON) of a fraud report for each fraud, in the order of label times.

    `cleared`, bool[n], adds a clearance for each genuine transaction that it is true of.
    """
    import numpy as np

    from schemas.encoding import encode
    from schemas.label import Label

    known = np.flatnonzero(history.fraud if cleared is None else history.fraud | cleared)
    for at in known[np.argsort(history.label_time_ns[known], kind="stable")].tolist():
        yield (
            history.merchant_id[at],
            encode(
                Label(
                    schema_version=1,
                    transaction_id=history.transaction_id[at],
                    customer_id=history.customer_id[at],
                    merchant_id=history.merchant_id[at],
                    transaction_time_ns=int(history.event_time_ns[at]),
                    event_time_ns=int(history.label_time_ns[at]),
                    fraud=bool(history.fraud[at]),
                )
            ),
        )


def tick_messages(ticks: "TickHistory") -> Iterator[Message]:
    """Yield (symbol, JSON) for each quote or trade, in order of time."""
    from msgspec import UNSET

    from schemas.encoding import encode
    from schemas.tick import Tick

    columns = (ticks.event_time_ns, ticks.bid, ticks.ask, ticks.price, ticks.size, ticks.sequence)
    rows: Iterable[tuple[str, int, float, float, float, float, int]] = zip(
        ticks.symbol, *(column.tolist() for column in columns), strict=True
    )
    for symbol, time_ns, bid, ask, price, size, sequence in rows:
        quoted, traded = not math.isnan(bid), not math.isnan(price)
        tick = Tick(
            schema_version=1,
            symbol=symbol,
            event_time_ns=time_ns,
            bid=bid if quoted else UNSET,
            ask=ask if quoted else UNSET,
            price=price if traded else UNSET,
            size=size if traded else UNSET,
            sequence=None if sequence < 0 else sequence,
        )
        yield symbol, encode(tick)


def application_messages(applications: "Applications") -> Iterator[Message]:
    """Yield (applicant, JSON) for each application, in the file's order."""
    from schemas.application import Application
    from schemas.encoding import encode

    for application_id, applicant_id, time_ns, fields in zip(
        applications.application_id,
        applications.applicant_id,
        applications.event_time_ns.tolist(),
        applications.fields,
        strict=True,
    ):
        yield applicant_id, encode(Application(1, application_id, applicant_id, time_ns, fields))


def rate_messages(rates: "RateHistory") -> Iterator[Message]:
    """Yield (currency, JSON) for each curve point, in the history's order."""
    from schemas.encoding import encode
    from schemas.rate import Rate

    for currency, tenor_months, rate_percent, time_ns in zip(
        rates.currency,
        rates.tenor_months.tolist(),
        rates.rate_percent.tolist(),
        rates.event_time_ns.tolist(),
        strict=True,
    ):
        yield (
            currency,
            encode(
                Rate(
                    schema_version=1,
                    currency=currency,  # type: ignore[arg-type]  # the worker refuses a code that is none
                    tenor_months=tenor_months,
                    rate_percent=rate_percent,
                    event_time_ns=time_ns,
                )
            ),
        )


def position_messages(positions: "Iterable[Position]") -> Iterator[Message]:
    """Yield (portfolio, JSON) for each position, in order."""
    from schemas.encoding import encode

    for position in positions:
        yield position.portfolio, encode(position)
