from collections.abc import Callable
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.chunk import Chunk
from risk.customer_fold import CustomerFold
from risk.decode import decode_labels, decode_transactions
from risk.event_time import FUTURE_LIMIT_MS, LATE_LIMIT_NS, split_foretold, split_future
from risk.fold import Fold, Output
from risk.label_fold import LabelFold
from risk.market.tick_fold import TickFold
from risk.merchant_events import decode_block
from schemas.dead_letter import DeadLetter
from schemas.encoding import encode
from schemas.label import Label
from schemas.tick import Tick
from schemas.transaction import Transaction
from tests.small_market_bundle import small_market_bundle

NOW_MS = 1_767_225_600_000
SEVEN_DAYS_MS = LATE_LIMIT_NS // 1_000_000


def transaction(number: int, time_ms: int, customer: str = "ann") -> bytes:
    """Return a transaction."""
    return encode(
        Transaction(
            schema_version=1,
            transaction_id=f"t{number}",
            customer_id=customer,
            merchant_id="mill",
            amount=5.0,
            currency="EUR",
            event_time_ns=time_ms * 1_000_000,
        )
    )


def chunk_of(times_ms: list[int], timestamps_ms: tuple[int, ...]) -> Chunk:
    """Return transactions of one customer, at these times, with these timestamps of their records."""
    count = len(times_ms)
    values = tuple(transaction(at, time_ms) for at, time_ms in enumerate(times_ms))
    return Chunk.of("transactions", 0, tuple(range(count)), (b"ann",) * count, values, False, timestamps_ms)


@pytest.mark.parametrize(
    ("ahead_ms", "taken"), [(0, True), (-(10**11), True), (FUTURE_LIMIT_MS, True), (FUTURE_LIMIT_MS + 1, False)]
)
def test_five_minutes_are_allowed_between_clocks(ahead_ms: int, taken: bool) -> None:
    """An event time may be five minutes after its record's timestamp, and not a millisecond more."""
    chunk = chunk_of([NOW_MS + ahead_ms, NOW_MS], (NOW_MS, NOW_MS))
    columns, rejections = split_future(decode_transactions(chunk.keys, chunk.values, "EUR")[0], chunk)
    assert columns.transaction_id == (["t0", "t1"] if taken else ["t1"])
    assert columns.index.tolist() == ([0, 1] if taken else [1])
    assert columns.amount.tolist() == [5.0] * len(columns.index)
    assert [(one.index, one.reason) for one in rejections] == ([] if taken else [(0, "event_time_in_future")])


@pytest.mark.parametrize("timestamps_ms", [(), (-1,), (-(2**63),), (2**63 - 1,)])
def test_without_a_timestamp_nothing_is_of_the_future(timestamps_ms: tuple[int, ...]) -> None:
    """A record that has no timestamp, or the greatest, is not refused for its time."""
    chunk = chunk_of([4_000_000_000_000], timestamps_ms)
    columns, rejections = split_future(decode_transactions(chunk.keys, chunk.values, "EUR")[0], chunk)
    assert (len(columns.index), rejections) == (1, [])


def test_a_rejection_names_field_value_and_remedy() -> None:
    """Whoever reads the dead letter knows which clock to set, and what else may be wrong."""
    chunk = chunk_of([NOW_MS + 3_600_000], (NOW_MS,))
    _, (rejection,) = split_future(decode_transactions(chunk.keys, chunk.values, "EUR")[0], chunk)
    assert rejection.detail == (
        "event_time_ns=1767229200000000000: 3,600 s after the record's own timestamp; at most 300 s are allowed:"
        " set the producer's clock, or send nanoseconds in UTC"
    )


def label(time_ms: int, transaction_ms: int = NOW_MS) -> bytes:
    """Return a label on a transaction."""
    return encode(
        Label(
            schema_version=1,
            transaction_id="t",
            customer_id="ann",
            merchant_id="mill",
            transaction_time_ns=transaction_ms * 1_000_000,
            event_time_ns=time_ms * 1_000_000,
            fraud=True,
        )
    )


def tick(time_ms: int) -> bytes:
    """Return a tick."""
    return encode(Tick(schema_version=1, symbol="EURUSD", event_time_ns=time_ms * 1_000_000, bid=1.0, ask=1.1))


@pytest.mark.parametrize(
    ("new_fold", "message", "key"),
    [
        (lambda: CustomerFold(0, partitions=1, currency="EUR"), lambda ms: transaction(1, ms), b"ann"),
        (lambda: LabelFold(0, partitions=1), label, None),
        (lambda: TickFold(0, partitions=1, bundle=small_market_bundle()), tick, b"EURUSD"),
    ],
    ids=["transactions", "labels", "ticks"],
)
def test_every_stream_refuses_the_future(
    new_fold: Callable[[], Fold], message: Callable[[int], bytes], key: bytes | None
) -> None:
    """A message from the future is dead-lettered, and the state is as if it had not come."""
    good, future = message(NOW_MS), message(NOW_MS + FUTURE_LIMIT_MS + 1)
    disturbed, undisturbed = new_fold(), new_fold()
    emitted = disturbed.advance(Chunk.of("t", 0, (0, 1), (key,) * 2, (good, future), False, (NOW_MS,) * 2))
    undisturbed.advance(Chunk.of("t", 0, (0,), (key,), (good,), False, (NOW_MS,)))
    assert emitted.rejected == {"event_time_in_future": 1}
    (letter,) = [
        msgspec.json.decode(one.value, type=DeadLetter) for one in emitted.outputs if one.stream == "dead_letters"
    ]
    assert (letter.source.offset, letter.payload) == (1, future)
    assert disturbed.take_changed() == undisturbed.take_changed()


@pytest.mark.parametrize(
    ("ahead_ms", "taken"), [(0, True), (-(10**11), True), (FUTURE_LIMIT_MS, True), (FUTURE_LIMIT_MS + 1, False)]
)
def test_a_label_cannot_come_before_its_transaction(ahead_ms: int, taken: bool) -> None:
    """A transaction may be five minutes after what is known of it, as clocks differ, and not a millisecond more."""
    values = [label(NOW_MS, NOW_MS + ahead_ms), label(NOW_MS)]
    columns, rejections = split_foretold(decode_labels(values)[0])
    assert columns.index.tolist() == ([0, 1] if taken else [1])
    assert [(one.index, one.reason) for one in rejections] == ([] if taken else [(0, "event_time_in_future")])


def test_a_label_that_foretells_is_a_dead_letter_and_moves_no_clock() -> None:
    """A fold refuses such a label with its field, value and remedy, whether or not its record has a timestamp."""
    fold, undisturbed = LabelFold(0, partitions=1), LabelFold(0, partitions=1)
    values = label(NOW_MS), label(NOW_MS + 60_000, NOW_MS + 3_660_000)
    emitted = fold.advance(Chunk.of("labels", 0, (0, 1), (None, None), values, False))
    expected = undisturbed.advance(Chunk.of("labels", 0, (0,), (None,), values[:1], False))
    (letter,) = [one for one in emitted.outputs if one.stream == "dead_letters"]
    assert msgspec.json.decode(letter.value, type=DeadLetter).detail == (
        "transaction_time_ns=1767229260000000000: 3,600 s after the label's own event_time_ns; at most 300 s are"
        " allowed: send the event_time_ns of the transaction, and as the label's the time at which it became known"
    )
    assert [one for one in emitted.outputs if one.stream == "merchant_events"] == expected.outputs
    assert (emitted.rejected, emitted.counts) == ({"event_time_in_future": 1}, {"forwarded": 1})


times_ms = st.lists(
    st.sampled_from(
        [0, 60_000, SEVEN_DAYS_MS, SEVEN_DAYS_MS + 1, 3 * SEVEN_DAYS_MS, -SEVEN_DAYS_MS, 20 * SEVEN_DAYS_MS]
    ),
    min_size=1,
    max_size=12,
)


@given(times_ms, st.sets(st.integers(1, 11)))
def test_what_is_refused_does_not_depend_on_how_the_log_is_cut(times: list[int], cuts: set[int]) -> None:
    """Late and future transactions are refused in the log's order, the same ones in one chunk and in many."""
    chunk = chunk_of([NOW_MS + one for one in times], (NOW_MS + 4 * SEVEN_DAYS_MS,) * len(times))
    edges = sorted({0, len(times), *(cut for cut in cuts if cut < len(times))})
    whole = answers(CustomerFold(0, partitions=1, currency="EUR"), [chunk])
    pieces = [chunk.where(range(first, end)) for first, end in pairwise(edges)]
    assert answers(CustomerFold(0, partitions=1, currency="EUR"), pieces) == whole
    taken: list[int] = []
    for time, outcome in zip(times, whole, strict=True):
        if time > 4 * SEVEN_DAYS_MS + FUTURE_LIMIT_MS:
            assert outcome == "event_time_in_future"
        elif taken and time < max(taken) - SEVEN_DAYS_MS:
            assert outcome == "event_too_late"
        else:
            assert outcome == "taken"
            taken.append(time)


def answers(fold: CustomerFold, chunks: list[Chunk]) -> list[str]:
    """Return what became of each record, in the order of the log; dead letters must come in that order."""
    outputs: list[Output] = [output for chunk in chunks for output in fold.advance(chunk).outputs]
    letters = [msgspec.json.decode(one.value, type=DeadLetter) for one in outputs if one.stream == "dead_letters"]
    assert [one.source.offset for one in letters] == sorted(one.source.offset for one in letters)
    found = {one.source.offset: one.reason for one in letters}
    for one in outputs:
        if one.stream == "merchant_events":
            offsets = decode_block(one.value).offsets.tolist()
            found |= dict.fromkeys(offsets, "taken")
    return [found[offset] for offset in sorted(found)]


def test_a_chunk_keeps_its_timestamps() -> None:
    """Records that are chosen from a chunk keep their timestamps."""
    chunk = chunk_of([NOW_MS] * 3, (1, 2, 3))
    assert chunk.where([0, 2]).timestamps_ms.tolist() == chunk.after(-1).where([0, 2]).timestamps_ms.tolist() == [1, 3]
    assert chunk.after(1).timestamps_ms.tolist() == [3]
