"""A message that cannot be used is a value: which one, and why."""

from dataclasses import dataclass
from typing import Literal

RejectionReason = Literal[
    "empty",
    "too_large",
    "not_utf8",
    "not_json",
    "too_deep",
    "duplicate_key",
    "missing_field",
    "wrong_type",
    "out_of_range",
    "unknown_version",
    "currency_not_supported",
    "bid_above_ask",
    "key_mismatch",
    "instrument_unclear",
    "too_many_instruments",
    "event_time_in_future",
    "event_too_late",
    "processing_failed",
]


@dataclass(frozen=True, slots=True)
class Rejection:
    """Message `index` of a list was refused for `reason`; `detail` names field, value and remedy."""

    index: int
    reason: RejectionReason
    detail: str
