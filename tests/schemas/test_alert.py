"""The wire form of an alert."""

import msgspec

from schemas.alert import Alert
from schemas.encoding import encode
from schemas.reason import Reason
from schemas.source import Source

ALERT = Alert(
    schema_version=1,
    alert_id="a1",
    event_id="t1",
    entity_kind="customer",
    entity_id="c1",
    event_time_ns=1,
    source=Source("transactions", 0, 1),
    score=0.9,
    threshold=0.5,
    outcome="review",
    severity="medium",
    reasons=(Reason("AMOUNT_UNUSUAL", "amount", 90.0, 40.0, 0.5, "amount 90.00 EUR, usual 40.00"),),
    bundle_name="demo",
    bundle_version="0123456789ab",
    usual_score=0.4,
    contributions={"amount": 0.5},
    features={"amount": 90.0},
)


def test_an_alert_comes_back_as_it_was_written() -> None:
    """Fields, and the order of features, survive the wire."""
    assert encode(msgspec.json.decode(encode(ALERT), type=Alert)) == encode(ALERT)


def test_an_alert_of_an_older_release_is_read() -> None:
    """Without contributions, features and words it is an alert with none of them."""
    old = msgspec.to_builtins(ALERT)
    for name in ("usual_score", "contributions", "features"):
        del old[name]
    del old["reasons"][0]["text"]
    read = msgspec.json.decode(msgspec.json.encode(old), type=Alert)
    assert (read.alert_id, read.contributions, read.features, read.reasons[0].text) == ("a1", {}, {}, "")
