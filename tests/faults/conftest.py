"""Fixtures of the fault tests: how much is streamed, from which seed, and the bundle that scores."""

import os
import random
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from crew import Crew, crew_at
from fault_stream import FaultStream
from live import make_topics

from stream.broker_process import BrokerProcess
from stream.settings import Settings


@pytest.fixture(scope="session")
def fault_seed() -> int:
    """Give the seed of everything random; RISKSTREAM_FAULT_SEED repeats a run."""
    return int(os.environ.get("RISKSTREAM_FAULT_SEED") or random.SystemRandom().randrange(10**6))


@pytest.fixture
def chance(fault_seed: int) -> random.Random:
    """Give the chance by which faults come, and tell its seed."""
    print(f"seed {fault_seed}: repeat with RISKSTREAM_FAULT_SEED={fault_seed}")
    return random.Random(fault_seed)


@pytest.fixture(scope="session")
def fault_stream(fault_seed: int) -> FaultStream:
    """Give the stream, made once."""
    return FaultStream(int(os.environ.get("RISKSTREAM_FAULT_TRANSACTIONS") or 60_000), fault_seed)


@pytest.fixture
def unplaced_settings() -> Settings:
    """Give settings with topics and a group of the test's own, and short times, so that faults fall into everything.

    The test says at which broker.
    """
    name = f"fault-{uuid4().hex[:8]}"
    return Settings(
        application_id=name,
        topic_prefix=f"{name}.",
        bundle=Path(__file__).parents[2] / "bundles" / "demo",
        market_bundle=str(Path(__file__).parents[2] / "bundles" / "demo-market"),
        publish_scores=True,
        checkpoint_interval_seconds=0.1,
        session_timeout_seconds=6.0,
    )


@pytest.fixture
def fault_settings(unplaced_settings: Settings, kafka: BrokerProcess) -> Settings:
    """Give settings at the broker that the tests share, their topics made."""
    settings = unplaced_settings.model_copy(update={"broker": kafka.bootstrap})
    make_topics(settings)
    return settings


@pytest.fixture
def crew(tmp_path: Path) -> Iterator[Crew]:
    """Give the means to start workers, all of whom are killed when the test is over."""
    with crew_at(tmp_path / "worker.log") as crew:
        yield crew
