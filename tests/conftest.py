"""Fixtures for every test: the two brokers, the shared data, and how hypothesis runs."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

import no_telemetry  # noqa: F401  for what it does
from apache_kafka import apache_kafka
from stream.broker_process import BrokerProcess
from stream.embedded_broker import embedded_broker

# numba compiles within the first example, and machines are busy: time tells nothing, hence no deadline.
settings.register_profile("dev", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("dev"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "dev")


# A job in the background ignores SIGINT, and so would the processes that tests interrupt: children inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerProcess]:
    """Give a running Apache Kafka that the whole session shares: name topics and groups after the test."""
    with apache_kafka(tmp_path_factory.mktemp("kafka")) as broker:
        yield broker


@pytest.fixture(scope="session")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerProcess]:
    """Give a running embedded broker that the whole session shares: name topics and groups after the test."""
    with embedded_broker(tmp_path_factory.mktemp("embedded")) as broker:
        yield broker


@pytest.fixture(params=["kafka", "embedded"])
def broker(request: pytest.FixtureRequest) -> BrokerProcess:
    """Give each of the two brokers in turn."""
    chosen: BrokerProcess = request.getfixturevalue(request.param)
    return chosen


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Give the folder of real data beside the repository, or skip where it is absent."""
    folder = Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"REAL DATA NOT TESTED: {folder} is absent")
    return folder
