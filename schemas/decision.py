"""The decision on an application."""

from typing import Literal

import msgspec

from schemas.decision_reason import DecisionReason
from schemas.outcome import Outcome
from schemas.source import Source


class Decision(msgspec.Struct, frozen=True, gc=False):
    """A decision on an application, one for each; keyed by applicant. The same input makes the same id and bytes.

    `probability` is that of the event that the bundle was trained on, such as a default, and `threshold` the least
    one of this outcome, so 0 of an approval. `points` are those of the scorecard, if there is one. `expected_loss` is
    in the currency of the exposure.
    """

    schema_version: Literal[1]
    decision_id: str
    application_id: str
    applicant_id: str
    event_time_ns: int
    source: Source
    probability: float
    points: int | None
    outcome: Outcome
    expected_loss: float | None
    threshold: float
    reasons: tuple[DecisionReason, ...]
    bundle_name: str
    bundle_version: str
