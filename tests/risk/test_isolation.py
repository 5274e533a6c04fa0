from collections.abc import Callable
from typing import Any

import pytest
from counting_fold import CountingFold
from hypothesis import given
from hypothesis import strategies as st

from risk.chunk import Chunk
from risk.fold import Emitted
from risk.isolation import FAILURE_LIMIT, Records, isolate
from schemas.source import Source


class Raising(CountingFold):
    """Counts, and raises on values that start with an exclamation mark, after having counted what came before."""

    def advance(self, chunk: Chunk) -> Emitted:
        """Count a chunk."""
        chunk = chunk.after(self.offset)
        emitted = Emitted()
        for at in range(len(chunk.offsets)):
            if (chunk.values[at] or b"").startswith(b"!"):
                raise ZeroDivisionError("half way")
            emitted.outputs += super().advance(chunk.where([at])).outputs
        return emitted


def chunk(first: int, values: list[bytes]) -> Chunk:
    """Return records of one key."""
    offsets = tuple(range(first, first + len(values)))
    return Chunk.of("t", 0, offsets, tuple(b"k%d" % (at % 2) for at in offsets), tuple(values), caught_up=False)


def fold() -> Raising:
    """Return an empty fold."""
    return Raising(0)


@given(before=st.integers(0, 30), size=st.integers(1, 60), data=st.data())
def test_exactly_the_messages_that_raise_are_left_out(before: int, size: int, data: st.DataObject) -> None:
    """Whichever messages raise, those are found, and the state and outputs are those of a log without them."""
    raising = data.draw(st.sets(st.integers(0, size - 1), max_size=FAILURE_LIMIT))
    since = chunk(0, [b""] * before)
    suspect = chunk(before, [b"!" if at in raising else b"" for at in range(size)])
    isolated = isolate(fold, [since, suspect], Records())
    assert {failure.source.offset - before for failure in isolated.failures} == raising
    assert {failure.error for failure in isolated.failures} <= {"ZeroDivisionError"}
    undisturbed = fold()
    undisturbed.advance(since)
    due = undisturbed.advance(suspect.where([at for at in range(size) if at not in raising]))
    assert isolated.emitted.outputs == due.outputs
    assert isinstance(isolated.fold, Raising)
    assert isolated.fold.counts == undisturbed.counts


def test_a_message_is_found_in_few_trials() -> None:
    """Bisection needs as many trials as the count of messages has binary digits, and three more."""
    made = 0

    def counted() -> Raising:
        nonlocal made
        made += 1
        return Raising(0)

    isolate(counted, [chunk(0, [b""] * 700 + [b"!"] + [b""] * 323)], Records())
    assert made <= 13


def test_what_raises_once_and_never_again_costs_no_message() -> None:
    """When the trial passes with everything in it, nothing is left out."""
    assert isolate(fold, [chunk(0, [b"", b""])], Records()).failures == ()


def test_a_known_failure_is_left_out_and_not_told_again() -> None:
    """What was put aside before the last checkpoint came is not found a second time."""
    log = [chunk(0, [b"", b"!"]), chunk(2, [b"!", b""])]
    isolated = isolate(fold, log, Records(), {Source(topic="t", partition=0, offset=1)})
    assert [failure.source.offset for failure in isolated.failures] == [2]


def broken(_: Chunk) -> Emitted:
    """Raise on everything."""
    raise ZeroDivisionError("always")


@pytest.mark.parametrize("count", [FAILURE_LIMIT + 1, 1000])
def test_a_fault_that_is_in_no_message_is_raised(count: int) -> None:
    """With too many messages that raise, no more are put aside: the fold's exception comes through."""
    with pytest.raises(ZeroDivisionError):
        isolate(fold, [chunk(0, [b"!"] * count)], Records())


def test_a_fold_that_raises_without_any_message_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    """What raises on an empty chunk too is no message's doing."""
    advance: Callable[[Any, Chunk], Emitted] = lambda self, chunk: broken(chunk)  # noqa: E731
    monkeypatch.setattr(Raising, "advance", advance)
    with pytest.raises(ZeroDivisionError, match="always"):
        isolate(fold, [chunk(0, [b""])], Records())
