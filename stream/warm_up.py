"""Compiles what folds need before the first event comes: at install by `python -m stream.warm_up BUNDLE MARKET_BUNDLE`.

The compiled loops are kept beside the sources, so that a later start only loads them.
"""

import sys
from collections.abc import Iterable
from pathlib import Path

from risk.chunk import Chunk
from risk.fold import Fold, Stream
from schemas.encoding import encode
from schemas.label import Label
from schemas.tick import Tick
from schemas.transaction import Transaction
from stream.app import job_specs
from stream.bundles import Bundles, read_bundles
from stream.settings import Settings

_TIME_NS = 1_767_225_600_000_000_000
_MINUTE_NS = 60_000_000_000


def warm_up(settings: Settings, bundles: Bundles) -> None:
    """Take one event of each kind through a fold of each job, all of which are thrown away."""
    specs = {spec.name: spec for spec in job_specs(settings, bundles)}
    blocks: list[bytes] = []
    currency = bundles.transactions.manifest.currency
    transaction = Transaction(1, "t", "c", "m", 1.0, currency, _TIME_NS)
    label = Label(1, "t", "c", "m", _TIME_NS, _TIME_NS, True)
    ticks = [Tick(1, "s", _TIME_NS + at * _MINUTE_NS, 1.0, 1.0 + at) for at in range(3)]
    for name, key, messages in (
        ("customers", b"c", [encode(transaction)]),
        ("labels", b"m", [encode(label)]),
        ("ticks", b"s", [encode(tick) for tick in ticks]),
    ):
        if name in specs:
            blocks += _run(specs[name].new_fold(0), name, key, messages, "merchant_events")
    _run(specs["merchants"].new_fold(0), "merchant-events", None, blocks, "alerts")


def _run(fold: Fold, topic: str, key: bytes | None, values: Iterable[bytes], wanted: Stream) -> list[bytes]:
    messages = tuple(values)
    offsets = tuple(range(len(messages)))
    emitted = fold.advance(Chunk(topic, 0, offsets, (key,) * len(messages), messages, caught_up=True))
    fold.restore(fold.cut(), fold.take_changed())
    return [output.value for output in emitted.outputs if output.stream == wanted]


if __name__ == "__main__":
    warm_up(settings := Settings(bundle=Path(sys.argv[1]), market_bundle=sys.argv[2]), read_bundles(settings))
