"""What the figures were measured on, without which they mean little."""

import os
import platform
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

LIBRARIES = ("aiokafka", "faust-streaming", "msgspec", "numba", "numpy", "onnxruntime")


@dataclass(frozen=True, slots=True)
class Machine:
    """The processor, how many cores of it this process may use, and versions."""

    processor: str
    cores: int
    memory_gibibytes: float
    system: str
    python: str
    libraries: dict[str, str]


def this_machine() -> Machine:
    """Return what this machine is."""
    return Machine(
        processor=_processor(),
        cores=len(os.sched_getaffinity(0)),
        memory_gibibytes=round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        libraries={name: version(name) for name in LIBRARIES},
    )


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def load_average() -> float:
    """Return how many processes wanted a core in the last minute."""
    return round(os.getloadavg()[0], 2)
