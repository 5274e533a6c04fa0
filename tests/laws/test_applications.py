from collections.abc import Iterable
from itertools import pairwise
from random import Random

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from risk.application_fold import ApplicationFold
from risk.chunk import Chunk
from risk.credit_decision import decide_applications
from risk.fold import Output
from risk.table_bundle import TableBundle
from risk.table_columns import Invalid, encode_row
from schemas.application import Application
from schemas.decision import Decision
from stream.bundle_files import read_table_bundle
from tests.malformed import malformed_applications
from tests.small_table_bundle import application_messages, write_small_table_bundle

PARTITION = 2
GOOD, MALFORMED = application_messages(300), malformed_applications(62, seed=3)[2:]


@pytest.fixture(scope="module", params=[True, False], ids=["scorecard", "trees"])
def bundle(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> TableBundle:
    """Give a bundle with a scorecard, or one of trees."""
    return read_table_bundle(write_small_table_bundle(tmp_path_factory.mktemp("bundles"), scorecard=request.param))


def log_of(messages: Iterable[tuple[str, bytes]]) -> Chunk:
    """Return messages with malformed ones among them; offsets have gaps, as logs have."""
    records: list[tuple[bytes | None, bytes | None]] = [(key.encode(), value) for key, value in messages]
    draw = Random(1)
    for bad in MALFORMED:
        records.insert(draw.randrange(len(records) + 1), (bad.key, bad.value))
    keys, values = zip(*records, strict=True)
    return Chunk.of("applications", PARTITION, tuple(range(5, 2 * len(records) + 5, 2)), keys, values, caught_up=True)


LOG = log_of(GOOD)
cuts = st.lists(st.integers(0, len(LOG.offsets)), max_size=8)


def cut_up(log: Chunk, at: Iterable[int]) -> list[Chunk]:
    """Return a log in consecutive chunks."""
    edges = sorted({0, *at, len(log.offsets)})
    return [log.where(range(first, end)) for first, end in pairwise(edges)]


def outputs_of(fold: ApplicationFold, chunks: Iterable[Chunk]) -> list[Output]:
    """Advance by the chunks and return every output, decisions first, as each stream has them."""
    outputs = [output for chunk in chunks for output in fold.advance(chunk).outputs]
    return sorted(outputs, key=lambda output: output.stream)


@settings(max_examples=25)
@given(at=cuts)
def test_cuts_change_no_byte(bundle: TableBundle, at: list[int]) -> None:
    """However the log is cut into chunks, decisions, dead letters and cut are the same byte for byte."""
    whole, parts = (ApplicationFold(PARTITION, bundle=bundle) for _ in range(2))
    assert outputs_of(parts, cut_up(LOG, at)) == outputs_of(whole, [LOG])
    assert parts.cut() == whole.cut()


@pytest.mark.parametrize("size", [1, 7, 64, 999, 1_024, 2_500])
def test_batches_of_any_size_change_no_byte(bundle: TableBundle, size: int) -> None:
    """Thousands of applications give the same decisions and reasons in chunks of 1 to 2,500."""
    log = log_of(application_messages(2_500, seed=9))
    whole, parts = (ApplicationFold(PARTITION, bundle=bundle) for _ in range(2))
    assert outputs_of(parts, cut_up(log, range(0, len(log.offsets), size))) == outputs_of(whole, [log])


@settings(max_examples=25)
@given(stop=st.integers(0, len(LOG.offsets)), at=cuts)
def test_a_restored_fold_goes_on_as_if_nothing_happened(bundle: TableBundle, stop: int, at: list[int]) -> None:
    """A fold restored from a cut alone, and given the whole log again, gives what was still to come."""
    fold, restored = (ApplicationFold(PARTITION, bundle=bundle) for _ in range(2))
    fold.advance(LOG.where(range(stop)))
    restored.restore(fold.cut(), fold.take_changed())
    assert restored.read_on_offset() == fold.read_on_offset() == (LOG.offsets[stop - 1] + 1 if stop else 0)
    expected = outputs_of(fold, [LOG.where(range(stop, len(LOG.offsets)))])
    assert outputs_of(restored, cut_up(LOG, at)) == expected
    assert restored.cut() == fold.cut()


def test_what_is_delivered_again_changes_nothing(bundle: TableBundle) -> None:
    """The same log again gives nothing more, and there are no rows to keep."""
    fold = ApplicationFold(PARTITION, bundle=bundle)
    fold.advance(LOG)
    before = fold.cut()
    assert outputs_of(fold, cut_up(LOG, [100, 101])) == []
    assert (len(fold), fold.take_changed(), fold.cut()) == (0, [], before)


def test_live_is_one_batch(bundle: TableBundle) -> None:
    """Every application gets one decision, bit for bit what one batch of the encoded rows says of it."""
    columns = bundle.manifest.columns
    rows = [encode_row(columns, msgspec.json.decode(value, type=Application).fields) for _, value in GOOD]
    batch = decide_applications(bundle, np.array([row for row in rows if not isinstance(row, Invalid)]))
    outputs = outputs_of(ApplicationFold(PARTITION, bundle=bundle), [LOG])
    decisions = [msgspec.json.decode(one.value, type=Decision) for one in outputs if one.stream == "decisions"]
    # An applicant without an age is malformed to one of the bundles alone.
    found = [one for one in decisions if not one.application_id.startswith("bad")]
    assert [one.application_id for one in found] == [f"a{at:05d}" for at in range(len(GOOD))]
    assert [one.probability for one in found] == batch.probability.tolist()
    assert [one.reasons for one in found] == batch.reasons
    assert [one.points for one in found] == [batch.points_of(at) for at in range(len(found))]
    assert [one.expected_loss for one in found] == [batch.expected_loss_of(at) for at in range(len(found))]
