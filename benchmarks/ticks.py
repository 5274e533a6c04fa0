"""What a tick costs: `python -m benchmarks.ticks`.

Starts one worker with a market bundle on a real Apache Kafka, streams quotes of many symbols to it at a steady rate,
and counts the CPU seconds of the worker from the first tick to the last output: bars, volatility, values at risk,
back-tests and forecasts of each bar, and a checkpoint every second. What the worker spends whether or not ticks come,
on fetches, heartbeats and metrics, is measured before and shown apart.

Each round has two runs, each with a broker of its own: in the second, event time goes faster, so that more bars close
over as many ticks, and the difference is what they cost. Prints JSON, the median, least and greatest of the rounds: CPU
microseconds a tick without what an idle worker spends and with it, and of the difference microseconds a bar; how many
bars closed, how many ticks a chunk had and how many blocks went to the portfolios; how far behind the worker was when
the last tick had been sent, and its most resident memory.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "kafka"))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "e2e"))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "faults"))

from crew import crew_at
from live import Worker, make_topics

from apache_kafka import apache_kafka
from benchmarks.effort import Effort
from benchmarks.figure import Figure, ratios
from benchmarks.in_process import reference_microseconds
from benchmarks.processes import cpu_seconds
from benchmarks.scale import note, peak_memory_mebibytes, spread, wait_for, worked_off
from risk.bars.bar_spec import TimeBars
from stream.bundle_files import read_market_bundle
from stream.outbox import Outbox
from stream.publisher import publish
from stream.settings import Settings

ROOT = Path(__file__).parents[1]
BUNDLE = ROOT / "bundles" / "demo-market"
START_NS = 1_735_689_600_000_000_000
SECOND_NS = 1_000_000_000


def main() -> None:
    """Run the benchmark and print its figures as JSON."""
    parse = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parse.add_argument("--bundle", type=Path, default=BUNDLE)
    parse.add_argument("--symbols", type=int, default=1_000)
    parse.add_argument("--rate", type=int, default=50_000, help="ticks a second, of all symbols together")
    parse.add_argument("--seconds", type=float, default=30.0)
    parse.add_argument(
        "--time-factors", type=float, nargs=2, default=(1.0, 20.0), help="seconds of event time a second: few, many"
    )
    parse.add_argument("--rounds", type=int, default=3)
    chosen = parse.parse_args()
    few, many = chosen.time_factors
    found: dict[float, list[dict[str, float]]] = {few: [], many: []}
    for number in range(chosen.rounds):
        for time_factor, rounds in found.items():
            rounds.append(measure(chosen.bundle, chosen.symbols, chosen.rate, chosen.seconds, time_factor))
            note(f"round {number + 1}, time factor {time_factor}: {rounds[-1]}")
    parameters = read_market_bundle(chosen.bundle).parameters
    closes = parameters.bars.symbols["*"].closes
    assert isinstance(closes, TimeBars)
    figures: dict[str, object] = {
        "symbols": chosen.symbols,
        "ticks_per_second": chosen.rate,
        "seconds": chosen.seconds,
        "bar_seconds": closes.length_ns / SECOND_NS,
        "horizons_bars": parameters.value_at_risk.horizons_bars,
        "rounds": chosen.rounds,
    }
    for time_factor, rounds in found.items():
        figures[f"time factor {time_factor:g}"] = {name: spread([one[name] for one in rounds]) for name in rounds[0]}
    costs = [_bar_cost(*pair) for pair in zip(found[few], found[many], strict=True)]
    print(json.dumps(figures | {"cpu_microseconds_per_bar": spread(costs)}, indent=2))


def figures(effort: Effort) -> list[Figure]:
    """Return CPU a tick of 1,000 symbols' 50,000 quotes a second, and how many lay unread when the last was sent."""
    references, rounds = [], []
    for _ in range(effort.rounds):
        references.append(reference_microseconds())
        rounds.append(measure(BUNDLE, 1_000, 50_000, 4.0 if effort.quick else 12.0, 1.0))
    costs = [one["cpu_microseconds_per_tick"] for one in rounds]
    return [
        Figure("ticks", "1,000 symbols, 50,000/s", "CPU", "us/event", tuple(costs)),
        Figure("ticks", "1,000 symbols, 50,000/s", "ratio to the reference loop", "x", ratios(costs, references)),
        Figure(
            "ticks",
            "1,000 symbols, 50,000/s",
            "behind when all are sent",
            "ticks",
            tuple(one["records_behind_when_sent"] for one in rounds),
        ),
    ]


def _bar_cost(few: dict[str, float], many: dict[str, float]) -> float:
    """Return the CPU microseconds of a bar: by what two runs over as many ticks differ."""
    more = many["cpu_microseconds_per_tick"] - few["cpu_microseconds_per_tick"]
    return more * few["ticks"] / (many["bars"] - few["bars"])


def quotes(symbols: int, rate: int, seconds: float, time_factor: float) -> Iterator[tuple[str, bytes]]:
    """Yield quotes of all symbols in turn, each a random walk, encoded by hand: the sender shares the machine."""
    random = np.random.default_rng(1)
    count = int(rate * seconds)
    middles = np.full(symbols, 100.0)
    step_ns = int(time_factor * SECOND_NS / rate)
    for first in range(0, count, symbols):
        middles *= np.exp(1e-4 * random.standard_normal(symbols))
        for at, middle in enumerate(middles.tolist()[: count - first]):
            time_ns = START_NS + (first + at) * step_ns
            yield (
                f"S{at:04}",
                b'{"schema_version":1,"symbol":"S%04d","event_time_ns":%d,"bid":%.5f,"ask":%.5f}'
                % (at, time_ns, middle - 0.005, middle + 0.005),
            )


def measure(bundle: Path, symbols: int, rate: int, seconds: float, time_factor: float) -> dict[str, float]:
    """Run one worker over the stream, on a broker of its own."""
    messages = list(quotes(symbols, rate, seconds, time_factor))
    with tempfile.TemporaryDirectory(prefix="ticks-") as directory, apache_kafka(Path(directory)) as broker:
        settings = Settings(
            broker=broker.bootstrap,
            application_id=f"ticks-{uuid4().hex[:8]}",
            bundle=ROOT / "bundles" / "demo",
            market_bundle=str(bundle),
            partitions=4,
        )
        make_topics(settings)
        with crew_at(Path(directory) / "worker.log") as crew:
            worker = crew.start(settings)
            wait_for([worker], Worker.ready)
            idle, idle_since = cpu_seconds(worker.process.pid), time.perf_counter()
            time.sleep(5.0)
            idle_rate = (cpu_seconds(worker.process.pid) - idle) / (time.perf_counter() - idle_since)
            before, began = cpu_seconds(worker.process.pid), time.perf_counter()
            asyncio.run(_send(settings, messages, rate))
            sent_seconds = time.perf_counter() - began
            behind = worker.metric("riskstream_consumer_lag_records")
            wait_for([worker], lambda one: taken(one) == len(messages) and worked_off(one))
            gross = cpu_seconds(worker.process.pid) - before
            net = gross - idle_rate * (time.perf_counter() - began)
            bars = worker.metric("riskstream_events_total", job="ticks", event="bars")
            chunks = worker.metric("riskstream_chunk_records_count", job="ticks")
            blocks = worker.metric("riskstream_records_consumed_total", job="portfolios")
            peak = peak_memory_mebibytes(worker)
    return {
        "ticks": len(messages),
        "cpu_microseconds_per_tick": 1e6 * net / len(messages),
        "gross_cpu_microseconds_per_tick": 1e6 * gross / len(messages),
        "sent_per_second": len(messages) / sent_seconds,
        "bars": bars,
        "ticks_per_chunk": len(messages) / chunks,
        "blocks": blocks,
        "records_behind_when_sent": behind,
        "idle_cpu_percent": 100 * idle_rate,
        "peak_memory_mebibytes": peak,
    }


def taken(worker: Worker) -> float:
    """Return how many ticks a worker has taken."""
    return worker.metric("riskstream_records_consumed_total", job="ticks")


async def _send(settings: Settings, messages: list[tuple[str, bytes]], rate: int) -> None:
    outbox = Outbox(settings.broker, client_id="ticks")
    await outbox.start()
    try:
        await publish(outbox, settings.topic("ticks"), settings.partitions, messages, rate_per_second=rate)
    finally:
        await outbox.stop()


if __name__ == "__main__":
    main()
