"""The gate against regressions: counts and ratios beside a committed baseline, never seconds.

Seconds tell as much about the machine's other tenants as about the engine. Calls and instructions an event do not
change from run to run, and a ratio to the reference loop of the same minute changes little.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import typer
from rich.console import Console

from benchmarks.call_counts import call_counts
from benchmarks.in_process import (
    BATCH_EVENTS,
    CUSTOMERS,
    MERCHANTS,
    PIPELINE,
    REFERENCE,
    VELOCITY,
    batches_of,
    interleaved_costs,
    simulated_payments,
)
from benchmarks.instruction_counts import instruction_counts

BASELINE = Path(__file__).parent / "baseline.json"
TOLERANCE_PERCENT = {"calls": 2.0, "instructions": 5.0, "ratios": 25.0}
"""How much more than the baseline passes: libraries of another release, rounding of another processor, and noise."""

RATIO_ROUNDS = 12
console = Console(width=110)

Counts = dict[str, dict[str, float]]
"""By kind, of TOLERANCE_PERCENT, and by job."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one job has of one kind, and may have."""

    kind: str
    job: str
    baseline: float
    found: float

    @property
    def limit(self) -> float:
        """The most that passes."""
        return self.baseline * (1.0 + TOLERANCE_PERCENT[self.kind] / 100.0)

    @property
    def passes(self) -> bool:
        """Whether it is not more than that."""
        return self.found <= self.limit


def verdicts(found: Mapping[str, Mapping[str, float]], baseline: Mapping[str, Mapping[str, float]]) -> list[Verdict]:
    """Hold what was found to the baseline, kind by kind, those not found left out.

    Raises KeyError where a job is in only one of both: the baseline is then to be renewed.
    """
    held = []
    for kind, jobs in found.items():
        if jobs.keys() != baseline[kind].keys():
            raise KeyError(f"{kind} of {sorted(jobs)}, but the baseline has {sorted(baseline[kind])}: renew it")
        held += [Verdict(kind, job, baseline[kind][job], value) for job, value in jobs.items()]
    return held


def least_ratios(rounds: int = RATIO_ROUNDS, events: int = 10_000) -> dict[str, float]:
    """Return by job the least cost of many short rounds as a multiple of the reference loop's least."""
    batches = batches_of(simulated_payments(2 * events), BATCH_EVENTS)
    half = len(batches) // 2
    jobs = (REFERENCE, VELOCITY, CUSTOMERS, MERCHANTS, PIPELINE)
    costs = interleaved_costs(jobs, batches[:half], batches[half:], rounds)
    reference = min(costs[REFERENCE.name])
    return {job.name: round(min(costs[job.name]) / reference, 3) for job in jobs if job is not REFERENCE}


def _counted() -> Counts:
    found = {"calls": call_counts(), "ratios": least_ratios()}
    instructions = instruction_counts()
    if instructions is None:
        console.print("[bold red]INSTRUCTIONS NOT COUNTED: there is no valgrind on the PATH[/]")
    else:
        found["instructions"] = instructions
    return found


def check() -> None:
    """Count again and compare with the baseline; exits with 1 if anything costs more than it may."""
    held = verdicts(_counted(), json.loads(BASELINE.read_text()))
    for one in held:
        word = "[green]passes[/]" if one.passes else "[bold red]COSTS MORE[/]"
        change = 100.0 * (one.found / one.baseline - 1.0)
        console.print(
            f"{one.kind:<13} {one.job:<14} {one.found:>10,.3f}  baseline {one.baseline:>10,.3f}  "
            f"{change:>+6.1f} %, at most {TOLERANCE_PERCENT[one.kind]:+.0f} %  {word}"
        )
    if not all(one.passes for one in held):
        raise typer.Exit(1)


def renew() -> None:
    """Count anew and write the baseline; commit it with the change that explains it."""
    found = _counted()
    if "instructions" not in found:
        raise typer.Exit(1)
    BASELINE.write_text(json.dumps(found, indent=2, sort_keys=True) + "\n")
    console.print_json(data=found)
