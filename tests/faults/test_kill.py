import os
import random
import time

from crew import Crew, until_worked_off, until_working
from fault_stream import FaultStream
from truth import assert_equal, durable_states, outcome, truth

from stream.bundles import read_bundles
from stream.settings import Settings

KILLS = int(os.environ.get("RISKSTREAM_FAULT_KILLS") or 6)
SECONDS_A_KILL = 5.0


def kill_while(settings: Settings, crew: Crew, chance: random.Random, doing: str) -> None:
    """Start a worker and kill it while it restores its state, or some time after it has begun to work."""
    before = crew.times_ready()
    worker = crew.start(settings)
    if doing == "restoring":
        worker.wait_until(lambda: crew.times_ready() > before)
    else:
        until_working(worker)
        time.sleep(chance.uniform(0.0, 2.0))
    worker.kill()


def test_a_worker_killed_in_mid_stream_loses_and_doubles_nothing(
    fault_settings: Settings, fault_stream: FaultStream, chance: random.Random, crew: Crew
) -> None:
    """SIGKILLs while a stream comes, in checkpoints and in restores too, leave neither a gap nor a double."""
    settings = fault_settings.model_copy(update={"instance_id": "only"})
    bundles = read_bundles(settings)
    sending = fault_stream.sending(settings, seconds=KILLS * SECONDS_A_KILL)
    cuts = []
    for number in range(KILLS):
        kill_while(settings, crew, chance, "restoring" if number % 3 == 2 else "working")
        cuts.append({at: state.cut.fold_cut for at, state in durable_states(settings, bundles).items() if state.cut})
    sending.join()
    distinct = len({tuple(sorted(cut.items())) for cut in cuts})
    assert distinct >= KILLS / 3, f"the durable cut advanced {distinct} times in {KILLS}"
    worker = crew.start(settings)
    until_worked_off([worker])
    worker.stop()
    assert_equal(outcome(settings, bundles), truth(settings, bundles, in_recorded_order=True))


def test_a_backlog_worked_off_between_kills_is_one_batch(
    fault_settings: Settings, fault_stream: FaultStream, chance: random.Random, crew: Crew
) -> None:
    """A backlog that is worked off between SIGKILLs gives what one undisturbed batch gives, in training's order."""
    settings = fault_settings.model_copy(update={"instance_id": "only"})
    bundles = read_bundles(settings)
    fault_stream.send(settings)
    for _ in range(3):
        kill_while(settings, crew, chance, "working")
    worker = crew.start(settings)
    until_worked_off([worker])
    worker.stop()
    assert_equal(outcome(settings, bundles), truth(settings, bundles, in_recorded_order=False))
