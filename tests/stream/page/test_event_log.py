import asyncio

import pytest

from stream.page.event_log import EventLog
from stream.page.request_error import RequestError


def log_of(events: int, *, kept: int = 4) -> EventLog:
    """Return a log of events 1 to `events`."""
    log = EventLog(kept=kept, queued=2, most_clients=2)
    for _ in range(events):
        sequence = log.next_sequence()
        log.publish("alert", sequence, b"%d" % sequence)
    return log


@pytest.mark.parametrize(
    ("last", "numbers", "lost"),
    [
        ("9", [10], False),
        ("6", [7, 8, 9, 10], False),
        ("10", [], False),
        ("5", [], True),
        ("11", [], True),
        ("x", [], True),
    ],
)
def test_who_comes_back_gets_what_is_kept_or_is_told_that_some_is_lost(
    last: str, numbers: list[int], lost: bool
) -> None:
    """All events since the last one that was received come again while they are kept; else that is told."""
    log = log_of(10)
    resumed = log.since(f"{log.run}-{last}")
    assert [int(event.split(b"data: ")[1]) for event in resumed.events] == numbers
    assert resumed.lost is lost


@pytest.mark.parametrize("last", ["", "9", "0123-9", "-9", "\u0661-9", "9" * 40])
def test_the_id_of_another_run_is_of_no_use(last: str) -> None:
    """Sequences of a former process, or what never was an id, are answered by telling that events were lost."""
    assert log_of(10).since(last).lost


def test_an_empty_log_has_lost_nothing_since_its_beginning() -> None:
    """Who comes back before anything happened has missed nothing."""
    log = log_of(0)
    assert not log.since(f"{log.run}-0").lost


def test_readers_are_limited_and_make_room_when_they_leave() -> None:
    """One too many is refused with status 503; when another leaves, there is room."""
    log = log_of(0)
    with log.join():
        with log.join(), pytest.raises(RequestError) as refused, log.join():
            pass
        assert refused.value.status == 503
        with log.join():
            assert log.clients == 2
    assert log.clients == 0


def test_a_slow_reader_costs_no_other_anything() -> None:
    """A reader that takes nothing loses the oldest; the one beside it gets everything."""

    async def scenario() -> None:
        log = log_of(0)
        with log.join() as fast, log.join() as slow:
            for at in range(1, 6):
                log.publish("alert", log.next_sequence(), b"%d" % at)
                assert len((await fast.take(100))[1]) == 1
            dropped, events = await slow.take(1_000)
            assert (dropped, len(events), log.dropped) == (3, 2, 3)

    asyncio.run(scenario())
