"""A figure: what a benchmark found, round by round, and the target that it is held to."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Target:
    """A bound that the median of a figure is held to."""

    sense: Literal["at most", "at least"]
    bound: float

    def met_by(self, value: float) -> bool:
        """Tell whether a value keeps to the bound.

        >>> Target("at most", 4.0).met_by(4.0), Target("at least", 250_000.0).met_by(1.0)
        (True, False)
        """
        return value <= self.bound if self.sense == "at most" else value >= self.bound


@dataclass(frozen=True, slots=True)
class Figure:
    """One quantity of one case: a value for each round, at least one; `unit` is what it counts in.

    >>> figure = Figure("velocity", "riskstream", "CPU", "us/event", (5.0, 3.0, 3.5), Target("at most", 4.0))
    >>> figure.median, figure.least, figure.greatest, figure.met
    (3.5, 3.0, 5.0, True)
    """

    benchmark: str
    case: str
    quantity: str
    unit: str
    values: tuple[float, ...]
    target: Target | None = None

    @property
    def median(self) -> float:
        """The median of the rounds."""
        return statistics.median(self.values)

    @property
    def least(self) -> float:
        """The least of the rounds."""
        return min(self.values)

    @property
    def greatest(self) -> float:
        """The greatest of the rounds."""
        return max(self.values)

    @property
    def met(self) -> bool | None:
        """Whether the median keeps to the target; None where there is none."""
        return None if self.target is None else self.target.met_by(self.median)


def ratios(costs: Sequence[float], references: Sequence[float]) -> tuple[float, ...]:
    """Return each round's cost as a multiple of what the reference cost in that round.

    >>> ratios([6.0, 9.0], [2.0, 3.0])
    (3.0, 3.0)
    """
    return tuple(cost / reference for cost, reference in zip(costs, references, strict=True))
