"""Trains on a history of transactions behind progress bars, and shows what came of it."""

import shlex
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from training.console_output import errors, output
from training.search_console import described_search, show_search_ended

if TYPE_CHECKING:
    from training.history import History
    from training.plan_search import SearchProgress
    from training.train import Plan, Trained


def train_history(
    history: "History",
    plan: "Plan",
    out: Path,
    *,
    budget_minutes: float | None = None,
) -> "Trained":
    """Return what training gave; errors as for `training.train.train`.

    `budget_minutes` is how long a search may go on: what is being evaluated then is finished.
    """
    from training.train import train as train_bundle

    command = shlex.join(["riskstream", *sys.argv[1:]])
    with Progress(
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        console=errors, transient=True, disable=not errors.is_terminal,
    ) as progress:  # fmt: skip
        rows = progress.add_task("features", total=2 * len(history) + int(history.fraud.sum()))
        tried = progress.add_task("search", total=None, visible=False)
        stages = progress.add_task("models", total=len(plan.models) + 1, visible=False)
        began = time.monotonic()

        def show_stage(stage: str) -> None:
            if stage not in ("features", "search"):
                shown = progress.tasks[stages].visible
                progress.update(stages, description=stage, visible=True, advance=1 if shown else 0)

        def show_search(found: "SearchProgress") -> None:
            progress.update(
                tried, total=found.total, completed=found.done, description=described_search(found), visible=True
            )

        return train_bundle(
            history,
            plan,
            root=out,
            command=command,
            on_stage=show_stage,
            on_features=lambda done: progress.advance(rows, done),
            before=lambda share: budget_minutes is None or time.monotonic() - began < share * 60.0 * budget_minutes,
            on_search=show_search,
        )


def show_trained(trained: "Trained") -> None:
    """Print each model's figures on the test window, and which one the bundle holds."""
    table = Table(title=f"trained on {trained.train_rows:,}, tested on {trained.test_rows:,} transactions, as served")
    table.add_column("model", no_wrap=True)
    for heading in ("AUC", "average precision", "card precision@100", "parity"):
        table.add_column(heading, justify="right")
    for model, figures in trained.metrics.items():
        table.add_row(
            f"[bold green]{model}[/]" if model == trained.model else model,
            *(f"{figures[one]:.3f}" for one in ("auc", "average_precision", "card_precision_at_100")),
            f"{figures['parity_max_difference']:.1e}",
        )
    output.print(table)
    if trained.search is not None:
        show_search_ended(trained.search)
        for note in trained.search.notes:
            output.print(note, style="dim")
    output.print(f"[bold]bundle[/] {trained.folder}, which holds [green]{trained.model}[/]")
