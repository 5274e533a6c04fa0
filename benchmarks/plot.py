"""One picture of what the suite found: a panel a question, targets as dashed lines, rounds as whiskers."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from benchmarks.figure import Figure
from benchmarks.report import number

INK, PALE, TARGET = "#22303c", "#c9d3dc", "#c0392b"
COLOURS = ("#1f6fb2", "#e08a1e", "#3a9a5c", "#8b5fbf", "#7d8a96")
JOBS = ("velocity", "customers", "merchants", "full pipeline", "reference loop")
PERCENTILES = ("p50", "p90", "p99", "p99.9", "max")


def draw(path: Path, figures: Sequence[Figure]) -> None:
    """Draw the figures into a PNG file; a benchmark that was not run leaves its panel empty."""
    style: dict[Any, Any] = {
        "font.size": 9,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.edgecolor": PALE,
    }
    with plt.rc_context(style | {"text.color": INK, "axes.labelcolor": INK, "axes.titleweight": "bold"}):
        board, panels = plt.subplots(2, 3, figsize=(16, 9), constrained_layout=True)
        for panel, (drawing, title) in zip(panels.flat, _PANELS, strict=True):
            panel.set_title(title, loc="left", color=INK)
            panel.tick_params(colors=INK, length=0)
            panel.set_axisbelow(True)
            if not drawing(panel, figures):
                panel.text(0.5, 0.5, "not measured", ha="center", va="center", transform=panel.transAxes, color=PALE)
                panel.set_xticks([])
                panel.set_yticks([])
        path.parent.mkdir(parents=True, exist_ok=True)
        board.savefig(path, dpi=120)
        plt.close(board)


_PLAIN = FuncFormatter(lambda value, place: f"{value:,g}")
"""Numbers of a logarithmic scale as people write them."""


def _chosen(figures: Sequence[Figure], benchmark: str, quantity: str) -> list[Figure]:
    return [one for one in figures if one.benchmark == benchmark and one.quantity == quantity]


def _bars(panel: Axes, figures: Sequence[Figure], labels: Sequence[str], unit: str) -> None:
    """Draw a bar for each figure from top to bottom: median, whiskers to least and greatest, and the target."""
    places = np.arange(len(figures))
    medians = np.array([one.median for one in figures])
    whiskers = [medians - [one.least for one in figures], np.array([one.greatest for one in figures]) - medians]
    panel.barh(places, medians, xerr=whiskers, color=COLOURS[0], height=0.6, error_kw={"ecolor": INK, "lw": 1})
    for place, one in zip(places, figures, strict=True):
        panel.annotate(
            number(one.median),
            (one.greatest, place),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
        )
        if one.target is not None:
            panel.plot([one.target.bound] * 2, [place - 0.42, place + 0.42], color=TARGET, lw=2, ls=(0, (2, 1)))
    panel.set_yticks(places, labels)
    panel.invert_yaxis()
    panel.set_xlabel(unit)
    panel.grid(axis="x", color=PALE, lw=0.5)
    panel.margins(x=0.15)


def _costs(panel: Axes, figures: Sequence[Figure]) -> bool:
    found = [
        one
        for benchmark in ("velocity", "full pipeline", "ticks")
        for one in _chosen(figures, benchmark, "CPU")
        if one.case != "idiomatic faust"
    ]
    names = {"one worker": "full pipeline", "riskstream": "velocity-v1"}
    labels = [names.get(one.case, "ticks" if one.benchmark == "ticks" else one.case) for one in found]
    if found:
        _bars(panel, found, labels, "CPU, us an event")
    return bool(found)


_WAIT_STYLES = {
    "velocity": ("-", "o", "velocity"),
    "full pipeline": ("--", "s", "both hops"),
    "reference loop": ("-.", "x", "reference loop"),
    "through the broker alone": (":", "^", "broker alone"),
}


def _waits(panel: Axes, figures: Sequence[Figure]) -> bool:
    found = [one for one in figures if one.benchmark == "latency" and one.quantity in PERCENTILES]
    cases = list(dict.fromkeys(one.case for one in found))
    for case in cases:
        job, _, rate = case.rpartition(", ")
        of_case = [one for one in found if one.case == case]
        style, marker, name = _WAIT_STYLES[job]
        at = [PERCENTILES.index(one.quantity) for one in of_case]
        rates = list(dict.fromkeys(other.rpartition(", ")[2] for other in cases))
        colour = COLOURS[rates.index(rate) % len(COLOURS)]
        panel.plot(
            at,
            [one.median for one in of_case],
            color=colour,
            ls=style,
            marker=marker,
            ms=4,
            label=f"{name}, {rate}",
        )
        for place, one in zip(at, of_case, strict=True):
            if one.target is not None and job == "velocity":
                panel.plot([place - 0.25, place + 0.25], [one.target.bound] * 2, color=TARGET, lw=2)
    if cases:
        panel.set_yscale("log")
        panel.yaxis.set_major_formatter(_PLAIN)
        panel.set_xticks(range(len(PERCENTILES)), PERCENTILES)
        panel.set_ylabel("ms from due to alert received")
        panel.grid(axis="y", color=PALE, lw=0.5)
        panel.legend(fontsize=7, frameon=False, ncol=2, loc="upper left")
        panel.margins(y=0.6)
    return bool(cases)


def _sizes(panel: Axes, figures: Sequence[Figure]) -> bool:
    found = _chosen(figures, "batch sizes", "CPU")
    for job, colour in zip(JOBS, COLOURS, strict=True):
        of_job = [one for one in found if one.case.startswith(f"{job}, ")]
        if not of_job:
            continue
        sizes = [int(one.case.partition(", ")[2].replace(",", "")) for one in of_job]
        panel.plot(sizes, [one.median for one in of_job], color=colour, marker="o", ms=3, label=job)
        panel.fill_between(
            sizes, [one.least for one in of_job], [one.greatest for one in of_job], color=colour, alpha=0.15, lw=0
        )
    if found:
        panel.set_xscale("log")
        panel.set_yscale("log")
        panel.xaxis.set_major_formatter(_PLAIN)
        panel.yaxis.set_major_formatter(_PLAIN)
        panel.set_xlabel("events in a batch")
        panel.set_ylabel("CPU, us an event")
        panel.grid(color=PALE, lw=0.5)
        panel.legend(fontsize=8, frameon=False)
    return bool(found)


def _stages(panel: Axes, figures: Sequence[Figure]) -> bool:
    found = [
        one
        for one in _chosen(figures, "stages", "CPU")
        if one.case.startswith("full pipeline") and not one.case.endswith(": sum")
    ]
    if found:
        _bars(panel, found, [one.case.partition(": ")[2] for one in found], "CPU, us a transaction")
    return bool(found)


def _memory(panel: Axes, figures: Sequence[Figure]) -> bool:
    found = _chosen(figures, "memory", "resident")
    if found:
        _bars(panel, found, [one.case for one in found], "resident bytes an entity")
    return bool(found)


def _hot(panel: Axes, figures: Sequence[Figure]) -> bool:
    found = _chosen(figures, "hot key", "CPU")
    if found:
        _bars(panel, found, [one.case for one in found], "CPU, us an event")
    return bool(found)


_PANELS = (
    (_costs, "What an event costs on Kafka"),
    (_waits, "How long an alert takes"),
    (_sizes, "What a batch's size costs, without Kafka"),
    (_stages, "Both hops by stage, batches of 1,000"),
    (_memory, "Memory"),
    (_hot, "A hot key, without Kafka"),
)
