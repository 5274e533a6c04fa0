from collections.abc import Iterator
from pathlib import Path

import pytest

from risk.bundle import Bundle
from risk.chunk import Chunk
from risk.customer_fold import CustomerFold
from risk.fold import Fold
from schemas.encoding import encode
from schemas.transaction import Transaction
from stream.bundle_files import read_bundle, read_market_bundle
from stream.bundles import Bundles
from stream.rescore import caught_up_before, scoring_of
from stream.scored_kind import KINDS, KindName
from stream.settings import Settings

DEMO, DEMO_MARKET = (Path(__file__).parents[2] / "bundles" / name for name in ("demo", "demo-market"))
SETTINGS = Settings(partitions=1)
NOT_COMPARED = {"dead_letters", "merchant_events", "market_events"}
FIRST = 40


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    """Give a bundle that scores transactions."""
    return read_bundle(DEMO)


def blocks() -> Iterator[bytes]:
    """Yield what a first hop sends of transactions; of labels there is nothing."""
    hop = CustomerFold(0, partitions=1, currency="EUR")
    for number in range(5):
        value = encode(Transaction(1, f"t{number}", "c", "m", 5.0, "EUR", 1_767_225_600_000_000_000 + number))
        for output in hop.advance(Chunk.of("transactions", 0, (number,), (b"c",), (value,), caught_up=True)).outputs:
            yield output.value


def scored(fold: Fold) -> int:
    """Return how many transactions a fold scores of a log that begins at FIRST."""
    values = tuple(blocks())
    offsets = tuple(range(FIRST, FIRST + len(values)))
    emitted = fold.advance(Chunk.of("merchant-events", 0, offsets, (None,) * len(values), values, caught_up=True))
    return sum(output.stream == "scores" for output in emitted.outputs)


def test_a_silent_source_holds_nothing_up_in_a_log_without_its_beginning(bundle: Bundle) -> None:
    """A source whose last word was removed is taken to have been at its end; else nothing would ever be scored."""
    merchants = scoring_of(SETTINGS, Bundles(bundle), KINDS["transactions"]).spec
    assert scored(merchants.new_fold(0)) == 0
    fold = merchants.new_fold(0)
    lost = caught_up_before("merchant-events", 0, SETTINGS, FIRST)
    assert lost is not None
    assert lost.offsets[-1] == FIRST - 1
    assert fold.advance(lost).outputs == []
    assert scored(fold) == 5


def test_nothing_stands_in_where_nothing_was_lost() -> None:
    """A log that begins at its beginning is read as it is."""
    assert caught_up_before("merchant-events", 0, SETTINGS, 0) is None


@pytest.mark.parametrize(("kind", "job"), [("transactions", "merchants"), ("ticks", "ticks"), ("rates", "rates")])
def test_a_kind_is_scored_by_one_job(bundle: Bundle, kind: KindName, job: str) -> None:
    """The hop that scores runs, and no first hop; all that it publishes is compared, but for refusals and next hops."""
    market = None if kind == "transactions" else read_market_bundle(DEMO_MARKET)
    scoring = scoring_of(SETTINGS, Bundles(bundle, market=market), KINDS[kind])
    assert scoring.spec.name == job
    assert set(KINDS[kind].streams) == set(scoring.spec.output_topics) - NOT_COMPARED
    assert scoring.of_merchants is (kind == "transactions")
