"""An alert that a forwarder could not hand on."""

from typing import Literal

import msgspec

from schemas.source import Source

GivenUp = Literal["not_an_alert", "refused", "gave_up"]


class ForwardDeadLetter(msgspec.Struct, frozen=True, gc=False):
    """Where the message lies, which consumer group gave it up and why, and its own key and bytes (as base64 in JSON).

    `reason` is `not_an_alert`, of a message that cannot be read as one; `refused`, by the receiver's answer; or
    `gave_up`, after the last try. `tries` counts the requests that were made, and `status` is the HTTP status of the
    last answer, null where there was none. Letters of one message may be more than one: a forwarder that dies writes
    again.
    """

    schema_version: Literal[1]
    source: Source
    group: str
    reason: GivenUp
    detail: str
    tries: int
    status: int | None
    key: bytes | None
    payload: bytes
