"""Alerts as a table of Arrow: a row an alert, a column a field, and where the alert lies on its topic."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import pyarrow as pa

from schemas.alert import Alert

_SOURCE = pa.struct([("topic", pa.string()), ("partition", pa.int32()), ("offset", pa.int64())])
_REASON = pa.struct(
    [
        ("code", pa.string()),
        ("feature", pa.string()),
        ("value", pa.float64()),
        ("usual_value", pa.float64()),
        ("contribution", pa.float64()),
        ("text", pa.string()),
    ]
)
_BY_FEATURE = pa.map_(pa.string(), pa.float64())
SCHEMA = pa.schema(
    [
        ("schema_version", pa.int32()),
        ("alert_id", pa.string()),
        ("event_id", pa.string()),
        ("entity_kind", pa.string()),
        ("entity_id", pa.string()),
        ("event_time_ns", pa.int64()),
        ("source", _SOURCE),
        ("score", pa.float64()),
        ("threshold", pa.float64()),
        ("outcome", pa.string()),
        ("severity", pa.string()),
        ("reasons", pa.list_(_REASON)),
        ("bundle_name", pa.string()),
        ("bundle_version", pa.string()),
        ("usual_score", pa.float64()),
        ("contributions", _BY_FEATURE),
        ("features", _BY_FEATURE),
        ("topic", pa.string()),
        ("partition", pa.int32()),
        ("offset", pa.int64()),
    ]
)
"""The fields of an alert in their order, then topic, partition and offset of the alert itself."""


@dataclass(frozen=True, slots=True)
class AlertRow:
    """An alert, and where it lies."""

    alert: Alert
    topic: str
    partition: int
    offset: int


def alert_table(rows: Sequence[AlertRow]) -> pa.Table:
    """Return the table of some alerts, in their order."""
    return pa.Table.from_pylist([_columns(row) for row in rows], schema=SCHEMA)


def _columns(row: AlertRow) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(row.alert)
    for name in ("contributions", "features"):
        fields[name] = list(fields[name].items())
    return fields | {"topic": row.topic, "partition": row.partition, "offset": row.offset}
