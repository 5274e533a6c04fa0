"""Trains on a history of transactions behind progress bars, and shows what came of it."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from training.console_output import errors, output

if TYPE_CHECKING:
    from risk.garch import VolatilityParameters
    from training.history import History
    from training.train import Plan, Trained


def train_history(history: "History", plan: "Plan", out: Path, volatility: "VolatilityParameters | None") -> "Trained":
    """Return what training gave; errors as for `training.train.train`."""
    from training.train import train as train_bundle

    command = shlex.join(["riskstream", *sys.argv[1:]])
    with Progress(
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        console=errors, transient=True, disable=not errors.is_terminal,
    ) as progress:  # fmt: skip
        rows = progress.add_task("features", total=2 * len(history) + int(history.fraud.sum()))
        stages = progress.add_task("models", total=len(plan.models) + 1, visible=False)

        def show_stage(stage: str) -> None:
            if stage != "features":
                shown = progress.tasks[stages].visible
                progress.update(stages, description=stage, visible=True, advance=1 if shown else 0)

        return train_bundle(
            history,
            plan,
            root=out,
            command=command,
            volatility=volatility,
            on_stage=show_stage,
            on_features=lambda done: progress.advance(rows, done),
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
    output.print(f"[bold]bundle[/] {trained.folder}, which holds [green]{trained.model}[/]")
