import json
import subprocess
import sys

PROGRAM = """
import logging, structlog
from stream.logs import configure_logs
configure_logs("info")
structlog.get_logger("stream.jobs").info("partition_ready", job="customers", rows=3)
logging.getLogger("library").warning("%d things", 4)
logging.getLogger("aiokafka.consumer").info("not wanted")
structlog.get_logger("quiet").debug("not wanted")
try:
    1 / 0
except ZeroDivisionError:
    structlog.get_logger("stream.jobs").exception("worker_failed")
"""


def test_every_line_is_json() -> None:
    """Our logs, the libraries' and a traceback are each one JSON object, with time, level and logger."""
    ran = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert ran.stdout == ""
    ready, library, failed = (json.loads(line) for line in ran.stderr.splitlines())
    assert (ready["event"], ready["job"], ready["rows"], ready["level"]) == ("partition_ready", "customers", 3, "info")
    assert (library["event"], library["level"], library["logger"]) == ("4 things", "warning", "library")
    assert "ZeroDivisionError" in failed["exception"]
    assert all(line["timestamp"].endswith("Z") for line in (ready, library, failed))
