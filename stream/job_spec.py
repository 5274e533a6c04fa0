"""What a job is: a fold, and the topics around it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from risk.fold import Fold, Stream
from risk.isolation import Parts, Records


@dataclass(frozen=True, slots=True)
class JobSpec:
    """A job: where it reads, where its outputs go, where its state is kept, and how an empty fold is made.

    `parts` tells what its chunks consist of, should one of them have to be left out.
    """

    name: str
    source_topic: str
    changelog_topic: str
    output_topics: Mapping[Stream, str]
    new_fold: Callable[[int], Fold]
    parts: Parts = field(default_factory=Records)
