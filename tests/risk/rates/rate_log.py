"""Logs of curve points for tests of the fold."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from types import SimpleNamespace
from typing import cast

from forecast_steps import FILES, FORECASTERS

from risk.chunk import Chunk
from risk.fold import Fold, Output
from risk.market.market_bundle import MarketBundle
from risk.rates.rate_fold import RateFold
from risk.rates.rate_parameters import RateParameters
from schemas.encoding import encode
from schemas.rate import Rate
from training.rates.rate_history import RateHistory

MALFORMED = [None, b"", b"?", b'{"schema_version":1}', b"\xff", b'{"currency":"USD","currency":"USD"}']


def fold_of(parameters: RateParameters | None = None, *, version: str = "0123456789ab") -> RateFold:
    """Return an empty fold; of the bundle it reads only what is given here."""
    bundle = SimpleNamespace(
        manifest=SimpleNamespace(name="demo"),
        version=version,
        parameters=SimpleNamespace(rates=parameters or RateParameters(), forecasters=FORECASTERS),
        graphs=FILES,
    )
    return RateFold(3, partitions=4, bundle=cast(MarketBundle, bundle))


def messages_of(rates: RateHistory) -> list[tuple[bytes | None, bytes | None]]:
    """Return keys and values of the history's messages."""
    columns = rates.tenor_months.tolist(), rates.rate_percent.tolist(), rates.event_time_ns.tolist()
    rows = zip(rates.currency, *columns, strict=True)
    return [
        (
            currency.encode(),
            encode(
                Rate(
                    schema_version=1,
                    currency=currency,  # type: ignore[arg-type]  # tests may name any
                    tenor_months=months,
                    rate_percent=rate,
                    event_time_ns=time_ns,
                )
            ),
        )
        for currency, months, rate, time_ns in rows
    ]


def chunk_of(records: Sequence[tuple[bytes | None, bytes | None]], first_offset: int = 100) -> Chunk:
    """Return records as a chunk, at offsets with gaps."""
    keys, values = zip(*records, strict=True)
    offsets = tuple(first_offset + 2 * at for at in range(len(records)))
    return Chunk.of("rates", 3, offsets, keys, values, caught_up=False)


def between(log: Chunk, first: int, end: int) -> Chunk:
    """Return some consecutive records of a log as a chunk."""
    part = slice(first, end)
    return Chunk.of(log.topic, log.partition, log.offsets[part], log.keys[part], log.values[part], caught_up=False)


def cut_up(log: Chunk, cuts: Iterable[int]) -> list[Chunk]:
    """Return a whole log in consecutive chunks."""
    edges = sorted({0, *cuts, len(log.offsets)})
    return [between(log, first, end) for first, end in pairwise(edges)]


def outputs_of(fold: Fold, chunks: Iterable[Chunk]) -> list[Output]:
    """Advance by the chunks and return every message, stream by stream: how streams interleave is free.

    Blocks of market events are left out: what they hold together depends on the chunk.
    """
    found = [output for chunk in chunks for output in fold.advance(chunk).outputs]
    return sorted((one for one in found if one.stream != "market_events"), key=lambda one: one.stream)
