from pathlib import Path
from uuid import uuid4

import msgspec
import numpy as np
import pytest
from live import make_topics, published, run_verb, running_worker
from real_input import HANDBOOK_COLUMNS, mapping_options, write_handbook

from risk.bundle import FEATURES, Bundle
from risk.decision import APPROVE, OUTCOMES, decide
from schemas.alert import Alert
from schemas.score import Score
from stream.broker_process import BrokerProcess, free_port
from stream.bundle_files import read_bundle
from stream.settings import Settings
from training.console import parse_mapping
from training.features import transaction_features
from training.history import History, read_history


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder for this module's files."""
    return tmp_path_factory.mktemp("real-input")


@pytest.fixture(scope="module")
def bundle_path(shared_data: Path, folder: Path) -> Path:
    """Give a bundle learnt by `riskstream train` from the Handbook's training window."""
    history = folder / "handbook.parquet"
    write_handbook(
        shared_data / "fraud/handbook_20180401_20180814.parquet", history, first_day="2018-06-15", last_day="2018-08-14"
    )
    run_verb(
        Settings(),
        *("train", "--history", str(history), *mapping_options()),
        *("--name", "handbook", "--out", str(folder / "bundles"), "--model", "logistic_regression"),
        *("--train-from", "2018-07-25", "--train-to", "2018-07-31"),
        *("--test-from", "2018-08-08", "--test-to", "2018-08-14"),
    )
    return folder / "bundles" / "handbook"


@pytest.fixture(scope="module")
def weeks_path(shared_data: Path, folder: Path) -> Path:
    """Give the two weeks after the training window."""
    path = folder / "two-weeks.parquet"
    count = write_handbook(
        shared_data / "fraud/handbook_20180401_20180814.parquet", path, first_day="2018-08-01", last_day="2018-08-14"
    )
    assert count > 130_000
    return path


def settings_for(broker: BrokerProcess, bundle: Path) -> Settings:
    """Return settings with topics and a group of this run's own."""
    name = f"real-{uuid4().hex[:8]}"
    return Settings(
        broker=broker.bootstrap,
        application_id=name,
        topic_prefix=f"{name}.",
        bundle=bundle,
        publish_scores=True,
        web_port=free_port(),
    )


def test_the_handbook_live_is_the_handbook_in_training(
    broker: BrokerProcess, bundle_path: Path, weeks_path: Path, tmp_path: Path
) -> None:
    """Two weeks sent through Kafka are all scored, from features that are training's bit for bit."""
    settings = settings_for(broker, bundle_path)
    make_topics(settings)
    run_verb(settings, "send", "labels", str(weeks_path), *mapping_options())
    run_verb(settings, "send", "transactions", str(weeks_path), *mapping_options())
    history = read_history(weeks_path, parse_mapping(list(HANDBOOK_COLUMNS)))
    with running_worker(settings, tmp_path / "worker.log") as worker:
        worker.wait_until(
            lambda: worker.metric("riskstream_events_total", job="merchants", event="scored") >= len(history)
        )
        assert worker.metric("riskstream_events_total", job="merchants", event="late") == 0
        assert worker.metric("riskstream_records_rejected_total") == 0
        worker.wait_until(lambda: worker.metric("riskstream_consumer_lag_records") == 0)
    bundle = read_bundle(bundle_path)
    assert_scores(settings, bundle, history)
    assert published(settings, "deadletter") == []


def assert_scores(settings: Settings, bundle: Bundle, history: History) -> None:
    """Hold what was published against one giant batch of the same steps."""
    raw = transaction_features(history)[:, [FEATURES.index(name) for name in bundle.manifest.features]]
    expected = bundle.scorer.score(bundle.normaliser().advance(raw, history.event_time_ns))
    outcomes = decide(expected, bundle.manifest.thresholds)
    row_of = {name: row for row, name in enumerate(history.transaction_id)}

    scores = [msgspec.json.decode(record.value, type=Score) for record in published(settings, "scores")]
    rows = np.array([row_of[score.event_id] for score in scores])
    assert sorted(rows.tolist()) == list(range(len(history)))
    live = np.array([score.features for score in scores])
    assert np.array_equal(live.view(np.int64), raw[rows].view(np.int64))
    assert np.array_equal(np.array([score.score for score in scores]), expected[rows])

    alerts = [msgspec.json.decode(record.value, type=Alert) for record in published(settings, "alerts")]
    alerted = np.flatnonzero(outcomes != APPROVE)
    assert len(alerted) > 100
    assert len({alert.alert_id for alert in alerts}) == len(alerts) == len(alerted)
    assert {alert.event_id: (alert.score, alert.outcome) for alert in alerts} == {
        history.transaction_id[row]: (expected[row], OUTCOMES[outcomes[row]]) for row in alerted.tolist()
    }
    assert all(alert.reasons for alert in alerts if alert.outcome == "decline")
