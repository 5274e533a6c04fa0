"""How long a run of the suite may take: which sizes and how many rounds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Effort:
    """`quick` is a look of some minutes, whose figures show an order of magnitude; otherwise they can be quoted."""

    quick: bool
    rounds: int
