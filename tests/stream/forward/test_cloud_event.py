import json
from typing import Any
from urllib.parse import unquote

import jsonschema
import msgspec
from forwarding import some_alerts
from hypothesis import given
from hypothesis import strategies as st

from schemas.encoding import encode
from stream.forward.cloud_event import alert_event, entity_reference, rfc_3339

TEXT = {"type": "string", "minLength": 1}
CLOUD_EVENT: dict[str, Any] = {
    "type": "object",
    "required": ["id", "source", "specversion", "type"],
    "properties": {
        "id": TEXT,
        "source": TEXT | {"format": "uri-reference"},
        "specversion": {"const": "1.0"},
        "type": TEXT,
        "datacontenttype": TEXT,
        "dataschema": TEXT | {"format": "uri", "pattern": "^[a-z][a-z0-9+.-]*:"},
        "subject": TEXT,
        "time": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$"},
    },
    "propertyNames": {"pattern": "^[a-z0-9]+$"},
}
"""What the JSON format of CloudEvents 1.0 demands: these attributes, and names of small letters and digits."""


def test_an_alert_is_an_event_as_cloudevents_demands() -> None:
    """Required attributes are there, and each has the form that the specification gives it."""
    (alert,) = some_alerts(1)
    event = json.loads(alert_event(alert, encode(alert), "/riskstream/alerts"))
    jsonschema.validate(event, CLOUD_EVENT)
    assert event == {
        "specversion": "1.0",
        "id": "a0",
        "source": "/riskstream/alerts",
        "type": "riskstream.alert.v1",
        "subject": "customer/c0",
        "time": "2026-01-01T00:00:00.000000000Z",
        "datacontenttype": "application/json",
        "dataschema": "urn:riskstream:schema:Alert:1",
        "data": msgspec.to_builtins(alert) | {"reasons": [msgspec.to_builtins(one) for one in alert.reasons]},
    }


def test_the_alert_goes_on_byte_for_byte() -> None:
    """Fields that this release does not know are in the event too, and numbers are written as they were."""
    (alert,) = some_alerts(1)
    value = encode(alert)[:-1] + b', "of_a_later_release": 1.50}'
    assert alert_event(alert, value, "/x").endswith(b'"data":' + value + b"}")


@given(st.text(min_size=1, max_size=64))
def test_any_identity_can_be_named(identity: str) -> None:
    """The reference is printable ASCII without a second slash, and the identity can be had from it again."""
    kind, found = entity_reference("customer", identity).split("/")
    assert found.isascii()
    assert found.isprintable()
    assert (kind, unquote(found)) == ("customer", identity)


@given(st.integers(min_value=0, max_value=4_102_444_799_999_999_999))
def test_a_time_is_told_to_the_nanosecond(time_ns: int) -> None:
    """Read by numpy, the text is the same time."""
    import numpy as np

    assert int(np.datetime64(rfc_3339(time_ns).removesuffix("Z"), "ns").astype(np.int64)) == time_ns
