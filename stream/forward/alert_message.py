"""Reads a record of the topic of alerts: an alert, or why it is none."""

import re
from dataclasses import dataclass

import msgspec

from schemas.alert import Alert

_DECODER = msgspec.json.Decoder(Alert)
_END_NS = 253_402_300_800_000_000_000  # the end of the year 9999, beyond which RFC 3339 and dates do not go
_IDENTITY = re.compile(r"[A-Za-z0-9._-]{1,128}")


@dataclass(frozen=True, slots=True)
class NotAnAlert:
    """A message that cannot be read as an alert; `detail` says why."""

    detail: str


def read_alert(value: bytes | None) -> Alert | NotAnAlert:
    """Return the alert in a record's value, or why there is none; fields that are not known are passed over.

    An identity must be fit for the header of a request, and an event time for a date.

    >>> read_alert(b"[]").detail
    'Expected `object`, got `array`'
    """
    if value is None:
        return NotAnAlert("the record has no value")
    try:
        # The decoder passes over unknown fields unseen, and what is handed on must be text as a whole.
        value.decode()
        alert = _DECODER.decode(value)
    except (UnicodeDecodeError, msgspec.DecodeError) as wrong:
        return NotAnAlert(str(wrong))
    if not _IDENTITY.fullmatch(alert.alert_id):
        return NotAnAlert("`alert_id` is not 1 to 128 letters, digits, dots, hyphens and underscores")
    if not 0 <= alert.event_time_ns < _END_NS:
        return NotAnAlert(f"`event_time_ns` is {alert.event_time_ns}, not in the years 1970 to 9999")
    return alert
