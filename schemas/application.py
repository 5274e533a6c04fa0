"""An application for credit."""

from typing import Literal

import msgspec

from schemas.constraints import EntityId, EventTimeNs


class Application(msgspec.Struct, frozen=True, gc=False):
    """What an applicant states, by the name of the column; on its topic it is keyed by `applicant_id`."""

    schema_version: Literal[1]
    application_id: EntityId
    applicant_id: EntityId
    event_time_ns: EventTimeNs
    fields: dict[str, float | str | bool | None]
