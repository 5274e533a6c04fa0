import signal
import subprocess
import sys
from pathlib import Path

from live import environment, published, running_worker

from stream.broker_process import BrokerProcess, free_port
from stream.settings import Settings


def test_simulates_without_end_until_told_to_stop(kafka: BrokerProcess, tmp_path: Path) -> None:
    """A worker beside it raises alerts and rejects nothing; on SIGTERM it ends well and tells what is on the topics."""
    settings = Settings(
        broker=kafka.bootstrap,
        topic_prefix="simulated.",
        application_id="simulated",
        partitions=2,
        market_bundle="bundles/demo-market",
        web_port=free_port(),
    )
    simulating = subprocess.Popen(
        [sys.executable, "-m", "riskstream", "simulate", "--rate", "500", "--customers", "50"],
        env=environment(settings),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        with running_worker(settings, tmp_path / "worker.log") as worker:
            # More than a lap has: 50 customers pay 66 times each in its 44 days.
            worker.wait_until(lambda: worker.metric("riskstream_events_total", event="scored") > 6_000)
            assert simulating.poll() is None
            simulating.send_signal(signal.SIGTERM)
            told, _ = simulating.communicate(timeout=60)
    finally:
        simulating.kill()
    assert simulating.returncode == 0
    counts = {
        name: len(published(settings, name)) for name in ("labels", "positions", "rates", "ticks", "transactions")
    }
    assert told == f"sent to {settings.broker}: {', '.join(f'{count:,} {name}' for name, count in counts.items())}\n"
    assert all(counts.values())
    assert published(settings, "alerts")
    assert published(settings, "deadletter") == []


def test_a_rate_that_cannot_be_is_refused() -> None:
    """A rate of nothing ends it with status 2, naming the option and its bounds."""
    ran = subprocess.run(
        [sys.executable, "-m", "riskstream", "simulate", "--rate", "0"], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 2
    assert "--rate" in ran.stderr
    assert "0.1" in ran.stderr
