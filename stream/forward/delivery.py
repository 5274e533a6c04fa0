"""Delivers one message: requests, and waits between them, until it is there or given up."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from stream.forward.tries import Answer, verdict, wait_seconds


@dataclass(frozen=True, slots=True)
class Limits:
    """When a message is given up: after so many tries, or when the next would come later than this after the first."""

    tries: int
    max_elapsed_seconds: float


@dataclass(frozen=True, slots=True)
class Delivery:
    """How it ended, after how many tries, with the last answer; `interrupted` leaves it for another time."""

    end: Literal["delivered", "refused", "gave_up", "interrupted"]
    tries: int
    answer: Answer


async def deliver(
    request: Callable[[], Awaitable[Answer]],
    limits: Limits,
    *,
    fraction: Callable[[], float],
    clock: Callable[[], float],
    wait: Callable[[float, int, Answer], Awaitable[bool]],
) -> Delivery:
    """Make requests until one is answered for good, or the limits are reached.

    `clock` gives seconds that never go back, `fraction` a number from 0 to 1 for the jitter, and `wait` waits that many
    seconds after so many tries and this answer; it returns whether it was interrupted.
    """
    began = clock()
    tries = 0
    while True:
        answer = await request()
        tries += 1
        meaning = verdict(answer.status)
        if meaning != "again":
            return Delivery(meaning, tries, answer)
        seconds = wait_seconds(tries, fraction(), answer.retry_after_seconds)
        if tries >= limits.tries or clock() - began + seconds > limits.max_elapsed_seconds:
            return Delivery("gave_up", tries, answer)
        if await wait(seconds, tries, answer):
            return Delivery("interrupted", tries, answer)
