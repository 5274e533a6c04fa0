import asyncio

from stream.forward.delivery import Delivery, Limits, deliver
from stream.forward.tries import Answer


def delivered(
    answers: list[Answer], limits: Limits, *, interrupted_at: int = 0, request_seconds: float = 0.0
) -> tuple[Delivery, list[float]]:
    """Deliver to a receiver that answers thus, on a clock of its own; return how it ended, and the waits."""
    waits: list[float] = []
    now = [0.0]
    left = list(answers)

    async def request() -> Answer:
        now[0] += request_seconds
        return left.pop(0)

    async def wait(seconds: float, tries: int, answer: Answer) -> bool:
        waits.append(seconds)
        now[0] += seconds
        return len(waits) == interrupted_at

    done = asyncio.run(deliver(request, limits, fraction=lambda: 1.0, clock=lambda: now[0], wait=wait))
    return done, waits


def test_tries_go_on_until_one_is_good() -> None:
    """Waits double, and what the receiver asks for is heeded."""
    answers = [Answer(503), Answer(None, failure="TimeoutError"), Answer(429, 30.0), Answer(204)]
    assert delivered(answers, Limits(9, 3600.0)) == (Delivery("delivered", 4, Answer(204)), [1.0, 2.0, 30.0])


def test_a_refusal_is_final() -> None:
    """It is not tried again."""
    assert delivered([Answer(410)], Limits(9, 3600.0)) == (Delivery("refused", 1, Answer(410)), [])


def test_the_last_try_gives_up() -> None:
    """There are as many as the limit says, and none is waited for behind the last."""
    done, waits = delivered([Answer(500)] * 3, Limits(3, 3600.0))
    assert (done, waits) == (Delivery("gave_up", 3, Answer(500)), [1.0, 2.0])


def test_a_try_that_would_come_too_late_is_not_waited_for() -> None:
    """Time runs from the first request, that of requests included; a receiver may ask for more than there is."""
    done, waits = delivered([Answer(500)] * 9, Limits(9, 10.0), request_seconds=2.0)
    assert (done, waits) == (Delivery("gave_up", 3, Answer(500)), [1.0, 2.0])
    done, waits = delivered([Answer(503, 86_400.0)], Limits(9, 3600.0))
    assert (done.end, waits) == ("gave_up", [])


def test_an_interruption_leaves_it_undecided() -> None:
    """A wait that is interrupted ends the delivery: neither delivered nor given up."""
    done, _ = delivered([Answer(500)] * 9, Limits(9, 3600.0), interrupted_at=2)
    assert done == Delivery("interrupted", 2, Answer(500))
