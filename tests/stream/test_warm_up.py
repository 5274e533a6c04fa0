import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCRIPT = """
import sys

from numba.core.dispatcher import Dispatcher

from history_messages import label_messages, transaction_messages
from risk.chunk import Chunk
from stream.app import job_specs
from stream.bundles import read_bundles
from stream.settings import Settings
from stream.warm_up import warm_up
from training.simulator import simulate_transactions


def compiled():
    modules = [module for name, module in sys.modules.items() if name.startswith("risk.")]
    loops = {id(one): one for module in modules for one in vars(module).values() if isinstance(one, Dispatcher)}
    return {(one.__module__, one.__name__, str(signature)) for one in loops.values() for signature in one.signatures}


settings = Settings(partitions=1, bundle="bundles/demo", market_bundle="bundles/demo-market")
bundles = read_bundles(settings)
warm_up(settings, bundles)
before = compiled()
history = simulate_transactions(customers=100, merchants=12, days=30, seed=3)
specs = {spec.name: spec for spec in job_specs(settings, bundles)}
blocks = []
for job, messages in (("labels", label_messages(history)), ("customers", transaction_messages(history, "EUR"))):
    fold, sent = specs[job].new_fold(0), list(messages)
    # Every second one is sent after its follower, so that many share the time that their source has come to.
    sent = [sent[at] for pair in range(0, len(sent) - 1, 2) for at in (pair + 1, pair)]
    for first in range(0, len(sent), 100):
        keys, values = zip(*sent[first : first + 100], strict=True)
        keys = [key.encode() for key in keys]
        chunk = Chunk.of(job, 0, range(first, first + len(keys)), keys, values, caught_up=True)
        blocks += [one.value for one in fold.advance(chunk).outputs if one.stream == "merchant_events"]
    fold.take_changed()
chunk = Chunk.of("merchant-events", 0, range(len(blocks)), [None] * len(blocks), blocks, caught_up=True)
fold = specs["merchants"].new_fold(0)
emitted = fold.advance(chunk)
fold.take_changed()
assert emitted.counts["alerted"] > 0 and emitted.counts["labelled"] > 0, emitted.counts
print(sorted(compiled() - before))
"""


def test_a_stream_of_transactions_compiles_nothing_after_the_warm_up() -> None:
    """Late transactions, ties, labels and alerts meet no loop that the warm-up has not compiled for their types."""
    ran = subprocess.run([sys.executable, "-c", SCRIPT], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout.strip()) == (0, "[]"), ran.stdout + ran.stderr
