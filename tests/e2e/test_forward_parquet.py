import signal
from collections import Counter
from pathlib import Path

import msgspec
import pyarrow.dataset as ds
from forwarding import own_settings, put, some_alerts, start_forwarder
from live import TIMEOUT_SECONDS, published, start_worker

from schemas.alert import Alert
from schemas.encoding import encode
from schemas.forward_dead_letter import ForwardDeadLetter
from stream.broker_process import BrokerProcess

FIELDS = Alert.__struct_fields__


def read_trail(folder: Path) -> list[dict[str, object]]:
    """Return the rows of the trail, with the day of their folder, as any reader of Parquet finds them."""
    rows: list[dict[str, object]] = ds.dataset(folder, format="parquet", partitioning="hive").to_table().to_pylist()
    return rows


def alert_of(row: dict[str, object]) -> Alert:
    """Return the alert that a row was made from."""
    fields = {name: row[name] for name in FIELDS}
    maps = {name: dict(row[name]) for name in ("contributions", "features")}  # type: ignore[call-overload]  # pairs
    return msgspec.convert(fields | maps, Alert)


def test_killed_where_it_hurts_the_trail_holds_each_alert_once(kafka: BrokerProcess, tmp_path: Path) -> None:
    """Rows are the alerts, with all their fields, at their place and day; no half file is there, nothing pending."""
    settings = own_settings(kafka, "trail")
    folder, log = tmp_path / "audit", tmp_path / "log"
    sent = some_alerts(2_000)
    program = str(Path(__file__).with_name("dying_forwarder.py"))
    put(settings, sent[:1_000])
    for where in ("before_commit", "after_commit"):
        dying = start_worker(settings, log, (program, where, str(folder)))
        assert dying.process.wait(TIMEOUT_SECONDS) == -signal.SIGKILL, log.read_text()[-5_000:]
    forwarder = start_forwarder(settings, log, "parquet", str(folder), "--every-seconds", "1")
    for first in range(1_000, 2_000, 100):
        put(settings, sent[first : first + 100])
    forwarder.wait_until(lambda: '"span_written"' in log.read_text())
    forwarder.kill()
    put(settings, [b"no alert"])
    forwarder = start_forwarder(settings, log, "parquet", str(folder), "--every-seconds", "1")
    forwarder.wait_until(lambda: published(settings, "forward-deadletter") != [])
    forwarder.stop()
    rows = read_trail(folder)
    assert Counter(str(row["alert_id"]) for row in rows) == Counter(one.alert_id for one in sent)
    by_id = {one.alert_id: one for one in sent}
    places = {(one.partition, one.offset): one.value for one in published(settings, "alerts")}
    for row in rows:
        alert = alert_of(row)
        assert alert == by_id[alert.alert_id]
        assert places[row["partition"], row["offset"]] == encode(alert)  # type: ignore[index]  # numbers
        assert row["topic"] == settings.topic("alerts")
        assert str(row["date"]) == f"2026-01-0{1 + int(alert.alert_id[1:]) % 3}"
    assert list((folder / "_pending").iterdir()) == []
    (letter,) = (
        msgspec.json.decode(one.value, type=ForwardDeadLetter) for one in published(settings, "forward-deadletter")
    )
    assert (letter.reason, letter.payload) == ("not_an_alert", b"no alert")
