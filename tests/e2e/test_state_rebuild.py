import asyncio
from pathlib import Path
from uuid import uuid4

import pytest
from crew import until_worked_off
from fault_stream import FaultStream
from live import make_topics, run_verb, running_worker, start_worker
from truth import assert_equal, durable_states, outcome, truth
from typer.testing import CliRunner

from riskstream import main
from stream.app import job_specs
from stream.broker_process import BrokerProcess, free_port
from stream.bundles import read_bundles
from stream.changelog import Changelog, Cut, any_checkpoint
from stream.settings import Settings


def settled(settings: Settings, log: Path) -> None:
    """Run a worker until nothing is left to do, and stop it."""
    with running_worker(settings, log) as worker:
        until_worked_off([worker])


async def make_foreign(settings: Settings) -> None:
    """Give every state another version, other rows and a cut that nobody can read."""
    for spec in job_specs(settings, read_bundles(settings)):
        for partition in range(settings.partitions):
            former = await any_checkpoint(settings.broker, spec.changelog_topic, partition)
            assert former.cut is not None
            changelog = Changelog(
                settings.broker,
                transactional_id=f"{settings.application_id}-{spec.name}-{partition}",
                topic=spec.changelog_topic,
                partition=partition,
            )
            await changelog.start([])
            cut = Cut(f"{spec.name}-0", former.cut.source_offset, b"?", former.cut.output_ends)
            await changelog.write([(b"foreign", b"?")], cut, gone=[key for key, _ in former.rows[::2]])
            await changelog.stop()


def test_a_state_of_another_version_is_made_anew_from_the_source(kafka: BrokerProcess, tmp_path: Path) -> None:
    """A worker refuses a foreign state; the rebuilt one is that of before, row by row, and the stream goes on."""
    name = f"rebuild-{uuid4().hex[:8]}"
    settings = Settings(
        broker=kafka.bootstrap,
        application_id=name,
        topic_prefix=f"{name}.",
        bundle=Path(__file__).parents[2] / "bundles" / "demo",
        market_bundle=str(Path(__file__).parents[2] / "bundles" / "demo-market"),
        publish_scores=True,
        session_timeout_seconds=6.0,
        web_port=free_port(),
    )
    make_topics(settings)
    bundles = read_bundles(settings)
    stream = FaultStream(4_000, seed=5)
    stream.send(settings)
    log = tmp_path / "worker.log"
    settled(settings, log)
    before = {at: (sorted(one.rows), one.cut) for at, one in durable_states(settings, bundles).items()}

    asyncio.run(make_foreign(settings))
    FaultStream(2_000, seed=6).send(settings)
    refusing = start_worker(settings, log)
    assert refusing.process.wait(60) == 1
    assert "riskstream state rebuild" in log.read_text()

    told = run_verb(settings, "state", "rebuild")
    assert "customers-0" in told
    after = {at: (sorted(one.rows), one.cut) for at, one in durable_states(settings, bundles).items()}
    assert after == before

    settled(settings, log)
    assert_equal(outcome(settings, bundles), truth(settings, bundles, in_recorded_order=True))


def test_a_rebuild_waits_for_nobody_who_still_works(
    kafka: BrokerProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a worker runs, its state is left alone, and the message says what to do."""
    name = f"rebuild-{uuid4().hex[:8]}"
    settings = Settings(
        broker=kafka.bootstrap, application_id=name, topic_prefix=f"{name}.", web_port=free_port(), partitions=1
    )
    settings = settings.model_copy(update={"bundle": Path(__file__).parents[2] / "bundles" / "demo"})
    make_topics(settings)
    with running_worker(settings, tmp_path / "worker.log") as worker:
        worker.wait_until(worker.ready)
        for field, value in settings.model_dump().items():
            monkeypatch.setenv(f"RISKSTREAM_{field.upper()}", str(value))
        ran = CliRunner().invoke(main, ["state", "rebuild"])
    assert ran.exit_code == 2
    assert "stop the workers first" in ran.stderr
