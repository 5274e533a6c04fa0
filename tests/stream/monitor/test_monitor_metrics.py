import re
from typing import get_args

import msgspec
from prometheus_client import generate_latest

from schemas.alert import Alert
from schemas.outcome import Outcome
from schemas.reason import Reason
from schemas.severity import Severity
from schemas.source import Source
from stream.group_lag import GroupLag
from stream.metric_facts import metric_facts
from stream.monitor.monitor_metrics import CODE_LIMIT, ENTITY_KINDS, OUTCOMES, SEVERITIES, MonitorMetrics

LABELS = {"entity_kind", "outcome", "severity", "code", "group", "topic", "partition", "fraud", "alerted", "bin"} | {
    "source"
}


def alert(*codes: str) -> Alert:
    """Return an alert with reasons of some codes."""
    return Alert(
        *(1, "a", "t", "customer", "secret", 1, Source("transactions", 0, 0), 0.9, 0.5, "decline", "high"),
        tuple(Reason(code, "amount", 1.0, 1.0, 0.1) for code in codes),
        *("b", "v"),
    )


def test_every_metric_says_what_it_is() -> None:
    """Every metric has the project's prefix and a help text, and no label of a person."""
    facts = list(metric_facts(MonitorMetrics().registry))
    assert len(facts) > 10
    for one in facts:
        assert re.fullmatch(r"riskstream_[a-z_]+", one.name)
        assert one.name.endswith("_total") == (one.type == "counter")
        assert one.help.endswith("."), one.name
        assert set(one.labels) <= LABELS


def test_every_kind_of_alert_is_counted_from_zero_on() -> None:
    """What a message may say is what is shown, so that a first alert shows in a rate."""
    kinds = next(field.type for field in msgspec.structs.fields(Alert) if field.name == "entity_kind")
    assert get_args(kinds) == ENTITY_KINDS
    assert {*OUTCOMES, "approve"} == set(get_args(Outcome))
    assert get_args(Severity) == SEVERITIES
    text = generate_latest(MonitorMetrics().registry).decode()
    assert text.count("riskstream_alerts_total{") == 4 * 2 * 4


def test_codes_are_bounded_and_nothing_else_gets_into_them() -> None:
    """Of more codes than may be, and of texts that are none, only how many there were is shown."""
    metrics = MonitorMetrics()
    metrics.count_alerts([alert("AMOUNT_UNUSUAL", "secret", "Secret 4111")])
    metrics.count_alerts([alert(f"CODE_{number}") for number in range(CODE_LIMIT + 9)])
    metrics.count_alerts([alert("AMOUNT_UNUSUAL")])
    value = metrics.registry.get_sample_value
    name = "riskstream_alert_reasons_total"
    assert value(name, {"entity_kind": "customer", "code": "AMOUNT_UNUSUAL"}) == 2
    assert value(name, {"entity_kind": "customer", "code": "other"}) == 2 + 10
    text = generate_latest(metrics.registry).decode()
    assert text.count(f"{name}{{") == CODE_LIMIT + 1
    assert "ecret" not in text


def test_alerts_of_the_past_show_their_codes_at_zero() -> None:
    """A code that was seen before the start raises nothing, and its next one shows in a rate."""
    metrics = MonitorMetrics()
    metrics.show_codes([alert("AMOUNT_UNUSUAL")])
    labels = {"entity_kind": "customer", "code": "AMOUNT_UNUSUAL"}
    assert metrics.registry.get_sample_value("riskstream_alert_reasons_total", labels) == 0
    labels = {"entity_kind": "customer", "outcome": "decline", "severity": "high"}
    assert metrics.registry.get_sample_value("riskstream_alerts_total", labels) == 0


def test_a_group_that_is_gone_is_no_longer_shown() -> None:
    """Only what the broker knew when it was last asked is shown."""
    metrics = MonitorMetrics()
    metrics.show_lags([GroupLag("a", "alerts", 0, 1, 3, 2), GroupLag("b", "alerts", 0, 1, 3, 2)])
    metrics.show_lags([GroupLag("b", "alerts", 0, 3, 3, 0)])
    text = generate_latest(metrics.registry).decode()
    assert 'riskstream_group_lag_records{group="b",partition="0",topic="alerts"} 0.0' in text
    assert 'group="a"' not in text
