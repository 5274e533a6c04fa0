"""Compiles what folds need before the first event comes: at install by `python -m stream.warm_up BUNDLE MARKET_BUNDLE`.

The compiled loops are kept beside the sources, so that a later start only loads them.
"""

import sys
from collections.abc import Iterable
from pathlib import Path

from risk.chunk import Chunk
from risk.fold import Fold, Output, Stream
from risk.stored_rows import StoredRows
from schemas.encoding import encode
from schemas.label import Label
from schemas.position import Position
from schemas.rate import Rate
from schemas.tick import Tick
from schemas.transaction import Transaction
from stream.app import job_specs
from stream.bundles import Bundles, read_bundles
from stream.changelog import Cut, checkpoint_batches
from stream.record_batches import read_record_batches
from stream.settings import Settings

_TIME_NS = 1_767_225_600_000_000_000
_DAY_NS = 86_400_000_000_000


def warm_up(settings: Settings, bundles: Bundles) -> None:
    """Take some events of each kind through a fold of each job, all of which are thrown away."""
    # Of one partition each, so that no second hop waits for sources that nothing comes from.
    alone = settings.model_copy(update={"partitions": 1})
    specs = {spec.name: spec for spec in job_specs(alone, bundles)}
    currency = bundles.transactions.manifest.currency
    # Two of one instant, which are ordered by their ids.
    transactions = [Transaction(1, name, "c", "m", 1.0, currency, _TIME_NS) for name in ("u", "t")]
    label = Label(1, "t", "c", "m", _TIME_NS, _TIME_NS, True)
    ticks = [Tick(1, "s", _TIME_NS + at * _DAY_NS, bid=1.0 + at, ask=1.0 + at, price=1.0, size=1.0) for at in range(4)]
    rates = [Rate(1, "USD", months, 4.0, _TIME_NS + at * _DAY_NS) for at in range(3) for months in (3, 24, 120)]
    bond = Position(
        1,
        "p",
        _TIME_NS,
        1.0,
        currency="USD",
        maturity_ns=_TIME_NS + 4000 * _DAY_NS,
        coupon_percent=4.0,
        frequency=2,
    )
    positions = [Position(1, "p", _TIME_NS, 1.0, symbol="s"), bond]
    hops: dict[Stream, list[bytes]] = {"merchant_events": [], "market_events": []}
    for name, key, messages in (
        ("customers", b"c", [encode(one) for one in transactions]),
        ("labels", b"m", [encode(label)]),
        ("positions", b"p", [encode(one) for one in positions]),
        ("rates", b"USD", [encode(one) for one in rates]),
        ("ticks", b"s", [encode(one) for one in ticks]),
    ):
        if name in specs:
            for output in _run(specs[name].new_fold(0), name, key, messages):
                if output.stream in hops:
                    hops[output.stream].append(output.value)
    _run(specs["merchants"].new_fold(0), "merchant-events", None, hops["merchant_events"])
    if "portfolios" in specs:
        _run(specs["portfolios"].new_fold(0), "market-events", None, hops["market_events"])


def _run(fold: Fold, topic: str, key: bytes | None, values: Iterable[bytes]) -> list[Output]:
    messages = tuple(values)
    offsets = tuple(range(len(messages)))
    emitted = fold.advance(Chunk.of(topic, 0, offsets, (key,) * len(messages), messages, caught_up=True))
    rows, cut = StoredRows.of(fold.take_changed()), fold.cut()
    for batch in checkpoint_batches(rows, Cut(fold.state_version, 0, cut, {}), now_ms=0):
        read_record_batches(batch._build(), 0)
    fold.restore(cut, rows)
    return emitted.outputs


if __name__ == "__main__":
    warm_up(settings := Settings(bundle=Path(sys.argv[1]), market_bundle=sys.argv[2]), read_bundles(settings))
