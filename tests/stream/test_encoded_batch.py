"""Batches made from columns, as aiokafka and this project's own reader read them."""

from aiokafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from hypothesis import given
from hypothesis import strategies as st

from risk.byte_slices import BytesColumn
from risk.stored_rows import StoredRows
from stream.encoded_batch import encoded_batches
from stream.record_batches import read_record_batches

Rows = list[tuple[bytes, bytes | None]]
pairs = st.lists(st.tuples(st.binary(max_size=200), st.none() | st.binary(max_size=300)), min_size=1, max_size=300)


def stored(rows: Rows) -> StoredRows:
    """Return rows of which some are to be removed."""
    return StoredRows(BytesColumn.of([key for key, _ in rows]), BytesColumn.of([row for _, row in rows]))


@given(pairs, st.integers(0, 2**41), st.booleans())
def test_a_batch_has_the_bytes_that_aiokafka_would_send(rows: Rows, timestamp_ms: int, transactional: bool) -> None:
    """Record by record or from columns, with a producer's state set before sending, a batch is the same bytes."""
    builder = DefaultRecordBatchBuilder(2, 0, int(transactional), -1, -1, -1, 1 << 24)
    for at, (key, row) in enumerate(rows):
        assert builder.append(at, timestamp_ms, key, row, []) is not None
    builder.set_producer_state(7, 3, 41)
    (batch,) = encoded_batches(stored(rows), timestamp_ms, most_bytes=1 << 24, transactional=transactional)
    batch._set_producer_state(7, 3, 41)
    assert batch._build() == bytes(builder.build())
    assert (batch.record_count(), batch.size()) == (len(rows), len(batch._build()))


@given(pairs, st.integers(100, 2_000))
def test_batches_are_as_small_as_asked_for_and_hold_every_row(rows: Rows, most_bytes: int) -> None:
    """No batch of more than one row is larger than the limit, and together they hold all rows in their order."""
    batches = encoded_batches(stored(rows), 5, most_bytes=most_bytes, transactional=False)
    assert all(batch.size() <= most_bytes or batch.record_count() == 1 for batch in batches)
    found: list[tuple[bytes | None, bytes | None]] = []
    for batch in batches:
        (one,) = _batches(batch._build())
        found += [(record.key, record.value) for record in one]
        again = read_record_batches(batch._build(), 0)
        assert again is not None
        assert list(zip(again.keys, again.values, strict=True)) == found[-batch.record_count() :]
    assert found == rows


def _batches(data: bytes) -> list[DefaultRecordBatch]:
    found, batches = [], MemoryRecords(data)
    while batches.has_next():
        batch = batches.next_batch()
        assert isinstance(batch, DefaultRecordBatch)
        assert batch.validate_crc()
        found.append(batch)
    return found
