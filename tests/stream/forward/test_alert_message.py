import pytest
from forwarding import some_alerts

from schemas.alert import Alert
from schemas.encoding import encode
from stream.forward.alert_message import NotAnAlert, read_alert

(ALERT,) = some_alerts(1)


def test_an_alert_of_a_later_release_is_read() -> None:
    """Fields that are not known are passed over."""
    found = read_alert(encode(ALERT)[:-1] + b',"new":[1]}')
    assert isinstance(found, Alert)
    assert found == ALERT


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (None, "no value"),
        (b"", "truncated"),
        (b"{", "truncated"),
        (b"[]", "Expected `object`"),
        (encode(ALERT).replace(b'"schema_version":1', b'"schema_version":9'), "schema_version"),
        (encode(ALERT)[:-1] + b',"new":"\xff"}', "utf-8"),
        (encode(ALERT).replace(b'"a0"', b'"a\\r\\nX: y"'), "alert_id"),
        (encode(ALERT).replace(b'"a0"', b'""'), "alert_id"),
        (encode(ALERT).replace(b'"event_time_ns":1', b'"event_time_ns":-1'), "event_time_ns"),
        (encode(ALERT).replace(b'"event_time_ns":1', b'"event_time_ns":9999'), "event_time_ns"),
    ],
)
def test_what_is_no_alert_is_a_value_that_says_why(value: bytes | None, told: str) -> None:
    """Nothing is raised, whatever lies on the topic."""
    found = read_alert(value)
    assert isinstance(found, NotAnAlert)
    assert told in found.detail
