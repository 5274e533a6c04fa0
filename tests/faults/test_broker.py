import os
import random
import time
from pathlib import Path

from crew import Crew, until_worked_off, until_working
from fault_stream import FaultStream
from live import make_topics
from network import network
from truth import assert_equal, outcome, truth

from apache_kafka import Detour, apache_kafka
from stream.broker_process import free_port
from stream.bundles import read_bundles
from stream.settings import Settings

RESTARTS = int(os.environ.get("RISKSTREAM_FAULT_RESTARTS") or 2)
CUTS = int(os.environ.get("RISKSTREAM_FAULT_CUTS") or 2)
SECONDS_A_RESTART = 15.0
LONGEST_CUT_SECONDS = 30.0


def test_a_broker_that_dies_and_returns_costs_nothing(
    unplaced_settings: Settings, fault_stream: FaultStream, chance: random.Random, crew: Crew, tmp_path: Path
) -> None:
    """SIGKILLs and restarts of the broker under a stream leave neither a gap nor a double, and no worker ends."""
    with apache_kafka(tmp_path) as broker:
        settings = unplaced_settings.model_copy(update={"broker": broker.bootstrap})
        make_topics(settings)
        bundles = read_bundles(settings)
        sending = fault_stream.sending(settings, 10.0 + RESTARTS * SECONDS_A_RESTART)
        workers = [crew.start(settings), crew.start(settings)]
        until_working(workers[0])
        for _ in range(RESTARTS):
            time.sleep(chance.uniform(1.0, 4.0))
            broker.kill()
            time.sleep(chance.uniform(0.0, 5.0))
            broker.start()
        sending.join()
        until_worked_off(workers)
        for worker in workers:
            worker.stop()
        assert_equal(outcome(settings, bundles), truth(settings, bundles, in_recorded_order=True))


def test_a_network_that_is_cut_and_heals_costs_nothing(
    unplaced_settings: Settings, fault_stream: FaultStream, chance: random.Random, crew: Crew, tmp_path: Path
) -> None:
    """A worker that cannot reach the broker for 1 to 30 seconds, beside one that can, neither loses nor doubles."""
    detour = Detour(own_port=free_port(), told_port=free_port())
    with apache_kafka(tmp_path, detour) as broker, network(detour.told_port, detour.own_port) as between:
        settings = unplaced_settings.model_copy(update={"broker": broker.bootstrap})
        make_topics(settings)
        bundles = read_bundles(settings)
        lengths = [chance.uniform(1.0, LONGEST_CUT_SECONDS / 2**at) for at in range(CUTS)]
        sending = fault_stream.sending(settings, 15.0 + sum(lengths))
        far = settings.model_copy(update={"broker": f"127.0.0.1:{detour.told_port}"})
        workers = [crew.start(settings), crew.start(far)]
        until_working(workers[1])
        for seconds in lengths:
            time.sleep(chance.uniform(1.0, 4.0))
            between.cut()
            time.sleep(seconds)
            between.heal(drop_connections=chance.random() < 0.5)
        sending.join()
        until_worked_off(workers)
        for worker in workers:
            worker.stop()
        assert_equal(outcome(settings, bundles), truth(settings, bundles, in_recorded_order=True))
