"""What a statistical back-test finds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BackTestResult:
    """A statistic, and the probability of one as great if the values at risk are right.

    >>> BackTestResult(statistic=3.91, p_value=0.048).p_value < 0.05
    True
    """

    statistic: float
    p_value: float
