import asyncio
from pathlib import Path
from uuid import uuid4

from aiokafka.admin import AIOKafkaAdminClient
from crew import until_worked_off
from fault_stream import FaultStream
from live import Published, make_topics, published, running_worker

from stream.broker_process import BrokerProcess, free_port
from stream.settings import Settings

LOST = ("merchant-events", "changelog-customers", "changelog-labels", "changelog-merchants")


def work_off(settings: Settings, log: Path) -> float:
    """Run a worker until nothing is left to do; return how many transactions it scored."""
    with running_worker(settings, log) as worker:
        until_worked_off([worker])
        return worker.metric("riskstream_events_total", job="merchants", event="scored")


def outputs(settings: Settings) -> list[list[Published]]:
    """Return what lies on the topics of outputs."""
    return [published(settings, name) for name in ("scores", "alerts", "deadletter")]


async def remove(settings: Settings) -> None:
    """Remove the topics that hold the state, and what lies between the hops."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.broker)
    await admin.start()
    try:
        await admin.delete_topics([settings.topic(name) for name in LOST])
        while {settings.topic(name) for name in LOST} & set(await admin.list_topics()):
            await asyncio.sleep(0.1)
    finally:
        await admin.close()


def test_a_lost_state_is_made_anew_and_nothing_is_written_twice(kafka: BrokerProcess, tmp_path: Path) -> None:
    """Another id alone scores nothing, for the state has all; without the state, all is scored and no record added."""
    name = f"lost-{uuid4().hex[:8]}"
    settings = Settings(
        broker=kafka.bootstrap,
        application_id=name,
        topic_prefix=f"{name}.",
        bundle=Path(__file__).parents[2] / "bundles" / "demo",
        publish_scores=True,
        partitions=2,
        web_port=free_port(),
    )
    make_topics(settings)
    FaultStream(1_000, seed=5).send(settings)
    log = tmp_path / "worker.log"
    scored = work_off(settings, log)
    before = outputs(settings)
    assert scored == len(before[0]) > 900

    assert work_off(settings.model_copy(update={"application_id": f"{name}-2"}), log) == 0
    asyncio.run(remove(settings))
    assert work_off(settings, log) == scored
    assert outputs(settings) == before
