import json
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from benchmarks import __main__ as command
from benchmarks.effort import Effort
from benchmarks.figure import Figure, Target
from benchmarks.machine import this_machine
from benchmarks.plot import draw
from benchmarks.report import table_of, written
from benchmarks.suite import SUITE, Benchmark, chosen

FIGURES = [
    Figure("velocity", "riskstream", "CPU", "us/event", (4.5, 3.5, 3.9), Target("at most", 4.0)),
    Figure("velocity", "riskstream", "scored, one core", "events/s", (1_000.0,), Target("at least", 250_000.0)),
    Figure("latency", "velocity, 1,000/s", "p50", "ms", (2.0,)),
    Figure("batch sizes", "velocity, 1,000", "CPU", "us/event", (2.0, 2.1)),
    Figure("hot key", "velocity, all alike", "CPU", "us/event", (2.0, 2.1)),
]


def test_a_table_tells_spread_target_and_verdict() -> None:
    """A row has median, least and greatest, and whether the target is met, by the median."""
    console = Console(width=130, record=True)
    console.print(table_of("velocity", FIGURES[:2]))
    lines = [line for line in console.export_text().splitlines() if "at " in line]
    assert [("3.90" in line, "3.50 .. 4.50" in line, "met" in line) for line in lines[:1]] == [(True, True, True)]
    assert "one round" in lines[1]
    assert "missed" in lines[1]


def test_json_holds_every_round_and_the_machine(tmp_path: Path) -> None:
    """What is written can be read, with the rounds, their median, and what they were measured on."""
    written(tmp_path / "new" / "results.json", FIGURES, this_machine(), Effort(True, 1), {"velocity": 0.5})
    document = json.loads((tmp_path / "new" / "results.json").read_text())
    assert document["figures"][0]["values"] == [4.5, 3.5, 3.9]
    assert (document["figures"][0]["median"], document["figures"][0]["met"]) == (3.9, True)
    assert document["machine"]["cores"] >= 1


@pytest.mark.parametrize("figures", [[], FIGURES], ids=["nothing", "some"])
def test_a_picture_is_drawn_of_whatever_was_measured(tmp_path: Path, figures: list[Figure]) -> None:
    """A panel without figures stays empty, and the picture is a PNG."""
    draw(tmp_path / "performance.png", figures)
    assert (tmp_path / "performance.png").read_bytes().startswith(b"\x89PNG")


def test_benchmarks_are_chosen_by_name() -> None:
    """They come in the suite's order, and a name that none has is told."""
    assert [one.name for one in chosen("stages, velocity")] == ["velocity", "stages"]
    assert chosen("") == SUITE
    with pytest.raises(ValueError, match="no such benchmark: speed"):
        chosen("speed")


def test_the_command_measures_prints_and_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run of one benchmark leaves its table, JSON and picture, and another name than there are is refused."""
    monkeypatch.setattr(command, "chosen", lambda names: (Benchmark("velocity", lambda effort: FIGURES),))
    ran = CliRunner().invoke(command.app, ["--quick", "--out", str(tmp_path)])
    assert ran.exit_code == 0, ran.output
    assert json.loads((tmp_path / "results.json").read_text())["effort"] == {"quick": True, "rounds": 1}
    assert (tmp_path / "performance.png").exists()
    monkeypatch.undo()
    assert CliRunner().invoke(command.app, ["--only", "speed"]).exit_code == 2
