"""A clock for the stages of a fold: the CPU time that named functions take, each without those inside it.

The functions are wrapped while the clock runs, so what is timed is the fold itself, not a copy of its steps; a stage
whose function is gone is an error, not a zero.
"""

import importlib
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any


class StageClock:
    """Nanoseconds of CPU by stage, `spent_ns`; a stage entered within another interrupts it."""

    def __init__(self) -> None:
        self.spent_ns: dict[str, int] = {}
        self._entered: list[list[int]] = []

    def wrapped(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function, timed as a stage."""
        self.spent_ns.setdefault(stage, 0)

        def timed(*arguments: Any, **named: Any) -> Any:
            inner = [0]
            self._entered.append(inner)
            began = time.thread_time_ns()
            try:
                return function(*arguments, **named)
            finally:
                spent = time.thread_time_ns() - began
                self._entered.pop()
                self.spent_ns[stage] += spent - inner[0]
                if self._entered:
                    self._entered[-1][0] += spent

        return timed


@contextmanager
def clocked(stages: Mapping[str, str]) -> Iterator[StageClock]:
    """Time functions while the block lasts; `stages` maps "module:name" or "module:Class.name" to a stage.

    Raises AttributeError for a function that is not there.
    """
    clock = StageClock()
    replaced: list[tuple[Any, str, Any]] = []
    try:
        for place, stage in stages.items():
            module, _, path = place.partition(":")
            owner: Any = importlib.import_module(module)
            *outer, name = path.split(".")
            for one in outer:
                owner = getattr(owner, one)
            function = getattr(owner, name)
            replaced.append((owner, name, function))
            setattr(owner, name, clock.wrapped(stage, function))
        yield clock
    finally:
        for owner, name, function in reversed(replaced):
            setattr(owner, name, function)
