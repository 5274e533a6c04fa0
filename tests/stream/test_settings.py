from typing import Any

import pytest
from pydantic import ValidationError

from stream.settings import Settings


def test_each_setting_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable RISKSTREAM_<FIELD> sets the field."""
    monkeypatch.setenv("RISKSTREAM_PARTITIONS", "12")
    monkeypatch.setenv("RISKSTREAM_TOPIC_PREFIX", "eu.")
    settings = Settings()
    assert (settings.partitions, settings.topic("alerts")) == (12, "eu.alerts")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("broker", "kafka"),
        ("broker", "chunks://kafka:9092"),
        ("application_id", "a b"),
        ("topic_prefix", "a/b"),
        ("partitions", 0),
        ("replication_factor", 0),
        ("checkpoint_interval_seconds", 0),
        ("web_port", 70_000),
        ("symbol_label_limit", 0),
        ("log_level", "loud"),
    ],
)
def test_a_value_that_cannot_be_is_refused(field: str, value: Any) -> None:
    """The error names the field."""
    with pytest.raises(ValidationError, match=field):
        Settings(**{field: value})


def test_settings_cannot_change() -> None:
    """A worker's settings are what it was started with."""
    with pytest.raises(ValidationError, match="frozen"):
        Settings().partitions = 3
