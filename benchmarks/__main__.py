"""The suite and its gate: `python -m benchmarks`, or `make bench`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

import no_telemetry  # noqa: F401  for what it does
from benchmarks import gate
from benchmarks.effort import Effort
from benchmarks.figure import Figure
from benchmarks.machine import load_average, this_machine
from benchmarks.plot import draw
from benchmarks.report import table_of, written
from benchmarks.suite import chosen

app = typer.Typer(add_completion=False, help="What the engine costs, and a gate that it does not come to cost more.")
console = Console(width=130)


@app.callback(invoke_without_command=True)
def run(
    context: typer.Context,
    only: Annotated[str, typer.Option(help="Names of benchmarks, with commas; all if none is given.")] = "",
    quick: Annotated[bool, typer.Option(help="Look for some minutes; such figures are not to be quoted.")] = False,
    rounds: Annotated[int, typer.Option(min=0, help="How often each is measured; 3 by default, 1 when quick.")] = 0,
    out: Annotated[Path, typer.Option(help="Where results.json and performance.png go.")] = Path("build/bench"),
) -> None:
    """Measure, print a table for each benchmark, and write JSON and a picture."""
    if context.invoked_subcommand is not None:
        return
    try:
        benchmarks = chosen(only)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    effort = Effort(quick=quick, rounds=rounds or (1 if quick else 3))
    machine = this_machine()
    found: list[Figure] = []
    loads: dict[str, float] = {}
    console.print(f"{machine.processor}, {machine.cores} cores, load average {load_average()}")
    for benchmark in benchmarks:
        figures = benchmark.figures(effort)
        found += figures
        loads[benchmark.name] = load_average()
        console.print(table_of(f"{benchmark.name}, load average {loads[benchmark.name]}", figures))
        # Kept as it grows: what is found is not lost with what fails after it.
        written(out / "results.json", found, machine, effort, loads)
    draw(out / "performance.png", found)
    console.print(f"{out / 'results.json'}, {out / 'performance.png'}")


app.command("gate")(gate.check)
app.command("renew")(gate.renew)

if __name__ == "__main__":
    app()
