"""An alert as an event of CloudEvents 1.0, in structured mode: one JSON object that holds context and data.

The specification: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md, and its JSON format beside it.
"""

from datetime import UTC, datetime
from urllib.parse import quote

import msgspec

from schemas.alert import Alert

CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
ALERT_TYPE = "riskstream.alert.v1"
ALERT_SCHEMA = "urn:riskstream:schema:Alert:1"
"""Names schemas/json/Alert.schema.json at `schema_version` 1; nothing lies there to be fetched."""

_NS = 1_000_000_000
_encoder = msgspec.json.Encoder()


class _Envelope(msgspec.Struct, frozen=True):
    specversion: str
    id: str
    source: str
    type: str
    subject: str
    time: str
    datacontenttype: str
    dataschema: str
    data: msgspec.Raw


def alert_event(alert: Alert, value: bytes, source: str) -> bytes:
    """Return the event's bytes; `value` is the alert as it lies on the topic, and goes into `data` byte for byte.

    So fields that this release does not know go on too. `source`, a URI reference, says where alerts with these
    identities come from.
    """
    return _encoder.encode(
        _Envelope(
            specversion="1.0",
            id=alert.alert_id,
            source=source,
            type=ALERT_TYPE,
            subject=entity_reference(alert.entity_kind, alert.entity_id),
            time=rfc_3339(alert.event_time_ns),
            datacontenttype="application/json",
            dataschema=ALERT_SCHEMA,
            data=msgspec.Raw(value),
        )
    )


def entity_reference(kind: str, identity: str) -> str:
    """Return the kind and the percent-encoded identity of who or what an alert is about (RFC 3986).

    >>> entity_reference("customer", "c 1/2")
    'customer/c%201%2F2'
    """
    return f"{kind}/{quote(identity, safe='')}"


def rfc_3339(time_ns: int) -> str:
    """Return a time, in nanoseconds since the Unix epoch, as RFC 3339 writes it, to the nanosecond.

    >>> rfc_3339(1_767_225_600_000_000_001)
    '2026-01-01T00:00:00.000000001Z'
    """
    seconds, rest_ns = divmod(time_ns, _NS)
    return f"{datetime.fromtimestamp(seconds, tz=UTC):%Y-%m-%dT%H:%M:%S}.{rest_ns:09d}Z"
