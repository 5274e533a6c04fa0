from itertools import islice
from typing import Any

import msgspec

from simulated_lap import TICKS_PER_MINUTE, Lap, simulate_lap, simulate_market

END_NS = 1_790_000_000_000_000_000
HOUR_NS = 3_600_000_000_000


def test_a_lap_ends_at_its_time_and_every_hour_holds_what_happened_in_it() -> None:
    """All transactions are before the end; hours hold their own payments, and labels when they became known."""
    lap = simulate_lap(40, 3, "lap", END_NS)
    first_ns = END_NS - 14 * 24 * HOUR_NS
    assert len(lap.hours) == 14 * 24
    assert all(one["event_time_ns"] < first_ns for one in _read(lap.past_transactions + lap.past_labels))
    for number, hour in enumerate(lap.hours):
        for one in _read(hour.transactions + hour.labels):
            assert 0 <= one["event_time_ns"] - first_ns - number * HOUR_NS < HOUR_NS
    assert sum(len(hour.transactions) for hour in lap.hours) > 100
    labels = _read(lap.past_labels + [label for hour in lap.hours for label in hour.labels])
    assert {label["fraud"] for label in labels} == {True, False}


def test_laps_are_repeatable_and_share_no_identifier() -> None:
    """The same arguments give the same lap; under another name no transaction, customer or merchant is the same."""
    one, again, other = (simulate_lap(20, 3, name, END_NS) for name in ("one", "one", "other"))
    assert one == again
    for field in ("transaction_id", "customer_id", "merchant_id"):
        assert not _values(one, field) & _values(other, field)


def test_quotes_go_on_from_where_they_were() -> None:
    """Stretches follow one another without a gap in time or a leap in price."""
    first, second = islice(simulate_market(("A", "B"), 5, 7, END_NS), 2)
    assert len(first) == len(second) == 2 * 5 * TICKS_PER_MINUTE
    ticks = _read([*first, *second])
    times = [tick["event_time_ns"] for tick in ticks]
    assert times == sorted(times)
    assert END_NS <= times[0] < times[-1] < END_NS + 10 * 60_000_000_000
    before = [tick for tick in _read(first) if tick["symbol"] == "A"][-1]
    after = next(tick for tick in _read(second) if tick["symbol"] == "A")
    assert abs(after["bid"] / before["bid"] - 1.0) < 0.001


def _read(messages: list[tuple[str, bytes]]) -> list[dict[str, Any]]:
    return [msgspec.json.decode(value) for _, value in messages]


def _values(lap: Lap, field: str) -> set[object]:
    live = [message for hour in lap.hours for message in hour.transactions]
    return {one[field] for one in _read(lap.past_transactions + live)}
