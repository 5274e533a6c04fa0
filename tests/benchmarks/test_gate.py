import json

import pytest
import typer

from benchmarks import call_counts, gate
from benchmarks.call_counts import calls_of
from benchmarks.gate import BASELINE, TOLERANCE_PERCENT, verdicts
from benchmarks.gate_jobs import COUNTED_EVENTS, GATE_JOBS, GateJob


def baseline() -> dict[str, dict[str, float]]:
    """Return the committed baseline."""
    found: dict[str, dict[str, float]] = json.loads(BASELINE.read_text())
    return found


def test_no_more_calls_than_the_baseline() -> None:
    """The engine makes no more calls an event than were committed."""
    assert [one for one in verdicts({"calls": call_counts.call_counts()}, baseline()) if not one.passes] == []


@pytest.mark.parametrize("kind", TOLERANCE_PERCENT)
def test_a_count_that_grew_beyond_its_tolerance_fails(kind: str) -> None:
    """Of two jobs, the one just above what it may have is told, and the one just below it passes."""
    most = 1.0 + TOLERANCE_PERCENT[kind] / 100
    found = {kind: {"grew": 100.0 * most + 0.1, "stayed": 100.0 * most - 0.1}}
    held = verdicts(found, {kind: {"grew": 100.0, "stayed": 100.0}})
    assert [(one.job, one.passes) for one in held] == [("grew", False), ("stayed", True)]


def test_a_slow_path_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that does one more call for each event fails at once."""

    def slower(job: GateJob) -> GateJob:
        def prepared() -> object:
            work = job.prepared()
            return lambda: (work(), [abs(at) for at in range(COUNTED_EVENTS)])

        return GateJob(job.name, prepared)  # type: ignore[arg-type]

    monkeypatch.setattr(call_counts, "GATE_JOBS", tuple(map(slower, GATE_JOBS)))
    held = verdicts({"calls": call_counts.call_counts()}, baseline())
    assert [one.job for one in held if not one.passes] == [job.name for job in GATE_JOBS]


def test_calls_are_counted_exactly() -> None:
    """A call of Python's own and one of C count as one each."""

    def none() -> None:
        return None

    def some() -> None:
        none()
        abs(1)
        abs(2)

    assert calls_of(some) - calls_of(none) == 3


def test_a_job_that_the_baseline_lacks_asks_for_a_new_one() -> None:
    """A baseline of other jobs is not taken for one that passes."""
    with pytest.raises(KeyError, match="renew it"):
        verdicts({"calls": {"new": 1.0}}, {"calls": {"old": 1.0}})


def test_the_gate_fails_when_a_count_grew(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The verb exits with 1 on what costs more, and says loudly what it could not count."""
    committed = baseline()
    monkeypatch.setattr(gate, "call_counts", lambda: committed["calls"])
    monkeypatch.setattr(gate, "least_ratios", lambda: committed["ratios"])
    monkeypatch.setattr(gate, "instruction_counts", lambda: None)
    gate.check()
    assert "INSTRUCTIONS NOT COUNTED" in capsys.readouterr().out
    monkeypatch.setattr(gate, "call_counts", lambda: {job: 1.1 * count for job, count in committed["calls"].items()})
    with pytest.raises(typer.Exit) as left:
        gate.check()
    assert left.value.exit_code == 1
    assert "COSTS MORE" in capsys.readouterr().out
