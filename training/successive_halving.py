"""Successive halving: all candidates are tried on few rows, and the better ones on more.

Jamieson and Talwalkar (2016), "Non-stochastic best arm identification and hyperparameter optimization"; Li, Jamieson,
DeSalvo, Rostamizadeh and Talwalkar (2018), "Hyperband", whose factor of 3 is used here.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Generic, TypeVar

Candidate = TypeVar("Candidate")

FACTOR = 3
MOST_RUNGS = 3


@dataclass(frozen=True, slots=True)
class Trial(Generic[Candidate]):
    """A candidate that was evaluated: its number from 0, the rung from 0, the share of the rows, and the score."""

    number: int
    candidate: Candidate
    rung: int
    share: Fraction
    score: float


def rungs(candidates: int) -> tuple[tuple[Fraction, int], ...]:
    """Return for each rung the share of the rows, and how many candidates are evaluated on it.

    A third of the candidates, rounded up, goes on to three times the rows, and the last rung has all rows. There are
    at most three rungs, and fewer where the last one would have a single candidate; one candidate alone has none.

    >>> [(str(share), count) for share, count in rungs(24)]
    [('1/9', 24), ('1/3', 8), ('1', 3)]
    >>> [(str(share), count) for share, count in rungs(6)], rungs(1)
    ([('1/3', 6), ('1', 2)], ())
    """
    counts = [candidates] if candidates > 1 else []
    while counts and counts[-1] > FACTOR and len(counts) < MOST_RUNGS:
        counts.append(-(-counts[-1] // FACTOR))
    return tuple((Fraction(1, FACTOR ** (len(counts) - 1 - at)), count) for at, count in enumerate(counts))


def successive_halving(
    candidates: Sequence[Candidate],
    evaluate: Callable[[Candidate, Fraction], float],
    before_deadline: Callable[[], bool] = lambda: True,
) -> Iterator[Trial[Candidate]]:
    """Yield each trial once it is finished, rung by rung; `evaluate` gives the score for a share of the rows.

    A greater score is better, and of equal ones the earlier candidate. In each rung the candidates come from the best
    of the rung before to the worst. `before_deadline` is asked before each evaluation: no more are begun once it
    denies.

    >>> trials = list(successive_halving(range(6), lambda one, share: float(one)))
    >>> [trial.candidate for trial in trials], winner(trials).candidate
    ([0, 1, 2, 3, 4, 5, 5, 4], 5)
    """
    going = list(range(len(candidates)))
    for rung, (share, count) in enumerate(rungs(len(candidates))):
        scores: dict[int, float] = {}
        for number in going[:count]:
            if not before_deadline():
                return
            scores[number] = evaluate(candidates[number], share)
            yield Trial(number, candidates[number], rung, share, scores[number])
        going = sorted(scores, key=lambda one: (-scores[one], one))


def winner(trials: Sequence[Trial[Candidate]]) -> Trial[Candidate] | None:
    """Return the best trial of the highest rung that was reached, of equal ones the earlier candidate; None of none."""
    return max(trials, key=lambda one: (one.rung, one.score, -one.number), default=None)
