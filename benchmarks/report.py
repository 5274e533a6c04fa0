"""What the suite found, as JSON and as a table."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path

from rich.table import Table
from rich.text import Text

from benchmarks.effort import Effort
from benchmarks.figure import Figure
from benchmarks.machine import Machine


def written(path: Path, figures: Sequence[Figure], machine: Machine, effort: Effort, loads: dict[str, float]) -> None:
    """Write the figures, the machine and its load average after each benchmark to a file, as JSON."""
    document = {
        "machine": asdict(machine),
        "effort": asdict(effort),
        "load_average_after": loads,
        "figures": [
            asdict(one) | {"median": one.median, "least": one.least, "greatest": one.greatest, "met": one.met}
            for one in figures
        ],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=2) + "\n")


def table_of(title: str, figures: Sequence[Figure]) -> Table:
    """Return a table of one benchmark: median, least and greatest of the rounds, the target and whether it is met."""
    table = Table(title=title, title_justify="left")
    for name in ("case", "quantity", "unit"):
        table.add_column(name)
    for name in ("median", "least .. greatest", "target"):
        table.add_column(name, justify="right")
    table.add_column("")
    for case, of_case in groupby(figures, key=lambda one: one.case):
        rows = list(of_case)
        if len(rows) > 1:
            table.add_section()
        for at, one in enumerate(rows):
            name = case if at == 0 else ""
            table.add_row(name, one.quantity, one.unit, number(one.median), _spread(one), _target(one), _verdict(one))
        if len(rows) > 1:
            table.add_section()
    return table


def number(value: float) -> str:
    """Return a number with three digits that count, or all of a large one's.

    >>> number(0.1234), number(12.345), number(1234567.8), number(0.0)
    ('0.123', '12.3', '1,234,568', '0')
    """
    if abs(value) >= 100 or value == 0:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}" if abs(value) >= 1 else f"{value:.3f}"


def _spread(figure: Figure) -> str:
    if len(figure.values) == 1:
        return "one round"
    return f"{number(figure.least)} .. {number(figure.greatest)}"


def _target(figure: Figure) -> str:
    return "" if figure.target is None else f"{figure.target.sense} {number(figure.target.bound)}"


def _verdict(figure: Figure) -> Text:
    if figure.met is None:
        return Text("")
    return Text("met", style="green") if figure.met else Text("missed", style="bold red")
