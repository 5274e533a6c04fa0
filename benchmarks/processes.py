"""What a process has spent, as Linux counts it."""

import os
from pathlib import Path

TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """Return the CPU seconds of a process so far, in user mode and in the kernel, to a hundredth."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_A_SECOND


def memory_bytes(pid: int | str, field: str) -> int:
    """Return a size from a process's status: `VmRSS`, resident now, or `VmHWM`, the most that was.

    >>> memory_bytes("self", "VmRSS") <= memory_bytes("self", "VmHWM")
    True
    """
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return 1024 * int(next(line.split()[1] for line in lines if line.startswith(f"{field}:")))


def available_bytes() -> int:
    """Return how much memory is left, by the system and by the limit of this container."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    left = 1024 * int(next(line.split()[1] for line in lines if line.startswith("MemAvailable:")))
    limit, used = Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")
    if limit.exists() and limit.read_text().strip() != "max":
        left = min(left, int(limit.read_text()) - int(used.read_text()))
    return left
