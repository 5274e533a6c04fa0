"""How many instructions a piece of work executes, counted by Valgrind, which simulates the processor.

Other programs on the machine do not change the number, nor does the machine much: compiled loops are compiled for a
generic x86-64 here, and Valgrind shows libraries the same processor wherever it runs. Repetitions agree to about one in
a thousand. A performance counter would be quicker; virtual machines and containers seldom have one.
"""

import gc
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.gate_jobs import COUNTED_EVENTS, GATE_JOBS

ROOT = Path(__file__).parents[1]
_COUNT = re.compile(r"I\s+refs:\s+([\d,]+)")
_VALGRIND = ("--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null", "--smc-check=all-non-file")


def instruction_counts() -> dict[str, float] | None:
    """Return the instructions an event by job; None where there is no Valgrind."""
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        return None
    with tempfile.TemporaryDirectory(prefix="instructions-") as directory:
        folder = Path(directory)
        run = [sys.executable, "-m", "benchmarks.instruction_counts"]
        environment = os.environ | {
            "NUMBA_CPU_NAME": "generic",
            "NUMBA_CACHE_DIR": str(folder / "numba"),
            "PYTHONHASHSEED": "0",
            "OPENBLAS_NUM_THREADS": "1",
        }
        # The first run compiles, at the speed of the machine; the second finds what is compiled.
        _run(run, environment)
        counted = _run([valgrind, *_VALGRIND, f"--log-file={folder}/%p.log", *run], environment)
        processes: dict[str, list[int]] = json.loads(counted)
        return {name: _difference(folder, *pids) for name, pids in processes.items()}


def _run(command: list[str], environment: dict[str, str]) -> str:
    run = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} failed:\n{run.stderr[-3000:]}")
    return run.stdout


def _difference(folder: Path, idle: int, working: int) -> float:
    """Return the instructions an event that a working process had beside an idle one."""
    without, with_work = (_refs((folder / f"{pid}.log").read_text()) for pid in (idle, working))
    return round((with_work - without) / COUNTED_EVENTS, 1)


def _refs(log: str) -> int:
    found = _COUNT.search(log)
    if found is None:
        raise RuntimeError(f"Valgrind told no count:\n{log[-2000:]}")
    return int(found[1].replace(",", ""))


def main() -> None:
    """Fork twice for each job, one process that does nothing and one that works, and print their numbers."""
    processes: dict[str, list[int]] = {}
    for job in GATE_JOBS:
        work = job.prepared()
        gc.collect()
        pids = []
        for working in (False, True):
            pid = os.fork()
            if pid == 0:
                if working:
                    work()
                os._exit(0)
            _, status = os.waitpid(pid, 0)
            if status != 0:
                raise SystemExit(f"{job.name} ended with {status}")
            pids.append(pid)
        processes[job.name] = pids
    print(json.dumps(processes))


if __name__ == "__main__":
    main()
