"""What it costs to make features of a history: `python -m benchmarks.offline`.

Makes up a history like the Fraud Detection Handbook's (5,000 customers, 10,000 merchants, half a year, 0.8 % frauds,
known a week late), writes it to a Parquet file, and measures the processor time of reading it, of sorting it where its
rows come in no order, and of making features, customers and then merchants with the reports of fraud. Code is compiled
before. Each round is a process of its own; prints the median, least and greatest of the rounds as JSON.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet

from training.features import transaction_features
from training.history import DAY_NS, History, in_order, read_history

CUSTOMERS, MERCHANTS, DAYS = 5_000, 10_000, 183
FRAUD_SHARE = 0.008
START_NS = 1_767_225_600_000_000_000
SEED = 0
_KIB = 1024


def main() -> None:
    """Run the rounds and print their figures."""
    parse = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parse.add_argument("--rows", type=int, default=1_300_000)
    parse.add_argument("--rounds", type=int, default=3)
    parse.add_argument("--once", action="store_true", help="measure in this process, and print one figure each")
    chosen = parse.parse_args()
    if chosen.once:
        print(json.dumps(measure(chosen.rows)))
        return
    command = [sys.executable, "-m", "benchmarks.offline", "--once", "--rows", str(chosen.rows)]
    rounds = [
        json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        for _ in range(chosen.rounds)
    ]
    shown = {}
    for name in rounds[0]:
        figures = np.array([one[name] for one in rounds])
        shown[name] = {"median": float(np.median(figures)), "least": figures.min(), "greatest": figures.max()}
    print(json.dumps({"rows": chosen.rows, "rounds": chosen.rounds, **shown}, indent=2))


def measure(rows: int) -> dict[str, float]:
    """Return rows per second of processor time by stage, and the most memory that the process held, in MiB.

    `features` are both hops together; `rows` is at least 1,000. The memory is that of the process up to now,
    the making of the file included: measure in a fresh one.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "history.parquet"
        _write(path, rows)
        # Compiles what is not compiled yet.
        transaction_features(read_history(path, {}).where(np.arange(1_000)))
        reading_s, history = _processor_s(lambda: read_history(path, {}))
    sorting_s = _sorting_s(history)
    customers_s, merchants_s = _features_s(history)
    return {
        "read_rows_per_cpu_second": rows / reading_s,
        "sort_rows_per_cpu_second": rows / sorting_s,
        "customer_rows_per_cpu_second": rows / customers_s,
        "merchant_rows_per_cpu_second": rows / merchants_s,
        "features_rows_per_cpu_second": rows / (customers_s + merchants_s),
        "peak_memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _KIB,
    }


def _sorting_s(history: History) -> float:
    shuffled = history.where(np.random.default_rng(SEED).permutation(len(history)))
    return _processor_s(lambda: in_order(shuffled))[0]


def _features_s(history: History) -> tuple[float, float]:
    """Return the processor seconds of customers and of merchants: the one is done once every row was told of."""
    told = 0
    customers_done_s = 0.0

    def on_progress(rows: int) -> None:
        nonlocal told, customers_done_s
        told += rows
        if told == len(history):
            customers_done_s = time.process_time()

    began_s = time.process_time()
    transaction_features(history, on_progress)
    return customers_done_s - began_s, time.process_time() - customers_done_s


def _processor_s(work: Callable[[], History]) -> tuple[float, History]:
    began_s = time.process_time()
    done = work()
    return time.process_time() - began_s, done


def _write(path: Path, rows: int) -> None:
    draw = np.random.default_rng(SEED)
    time_ns = np.sort(draw.integers(0, DAYS * DAY_NS // 1_000_000_000, rows)) * 1_000_000_000
    columns = {
        "transaction_id": [f"t{at:09d}" for at in range(rows)],
        "customer_id": [f"customer-{at}" for at in draw.integers(0, CUSTOMERS, rows).tolist()],
        "merchant_id": [f"merchant-{at}" for at in draw.integers(0, MERCHANTS, rows).tolist()],
        "amount": draw.lognormal(3.5, 1.0, rows).round(2),
        "event_time": pa.array(START_NS + time_ns, pa.timestamp("ns", "UTC")),
        "fraud": (draw.random(rows) < FRAUD_SHARE).astype(np.int8),
    }
    pyarrow.parquet.write_table(pa.table(columns), path)


if __name__ == "__main__":
    main()
