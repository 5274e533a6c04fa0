import json
import random
import time
from collections import Counter
from pathlib import Path

from crew import Crew, until_worked_off, until_working
from fault_stream import FaultStream
from poisoned_worker import CUSTOMER, MERCHANT
from truth import assert_equal, by_partition, outcome, truth

from schemas.source import Source
from stream.bundles import read_bundles
from stream.settings import Settings

EACH = 4
WORKER = (str(Path(__file__).with_name("poisoned_worker.py")),)


def test_messages_that_the_core_raises_on_are_put_aside_alone(
    fault_settings: Settings, fault_seed: int, chance: random.Random, crew: Crew
) -> None:
    """Whichever hop raises on a message, and after SIGKILLs too, it is dead-lettered once and no other is touched."""
    stream = FaultStream(20_000, fault_seed)
    for number in range(EACH):
        for field, name in (("customer_id", CUSTOMER), ("merchant_id", MERCHANT)):
            stream.add({field: name, "transaction_id": f"{name}-{number}"}, chance)
    settings = fault_settings.model_copy(update={"instance_id": "only"})
    bundles = read_bundles(settings)
    sending = stream.sending(settings, 8.0)
    for _ in range(2):
        worker = crew.start(settings, WORKER)
        until_working(worker)
        time.sleep(chance.uniform(0.5, 2.5))
        worker.kill()
    worker = crew.start(settings, WORKER)
    sending.join()
    until_worked_off([worker])
    failures = worker.metric("riskstream_processing_failures_total")
    worker.stop()

    put_aside = {job: _sources(settings, name) for job, name in (("customers", CUSTOMER), ("merchants", MERCHANT))}
    came = outcome(settings, bundles)
    letters = came.outputs["dead_letters"]
    failed = [(at, value) for at, value in letters.elements() if json.loads(value)["reason"] == "processing_failed"]
    due = put_aside["customers"] | put_aside["merchants"]
    assert len(due) == 2 * EACH
    assert Counter(Source(**json.loads(value)["source"]) for _, value in failed) == Counter(due)
    assert all(json.loads(value)["payload"] for _, value in failed)
    letters.subtract(failed)
    assert_equal(came, truth(settings, bundles, in_recorded_order=True, put_aside=put_aside))
    assert failures > 0 or "message_put_aside" in crew.log.read_text()


def _sources(settings: Settings, name: str) -> set[Source]:
    """Return where the transactions lie that name someone."""
    return {
        Source(topic=settings.topic("transactions"), partition=partition, offset=record.offset)
        for partition, records in by_partition(settings, "transactions").items()
        for record in records
        if f'"{name}"'.encode() in record.value
    }
