"""The verb `train` on recipes: tables to bundles."""

import shlex
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table as Shown

from training.console_output import errors, output, show_error
from training.history_console import show_trained, train_history
from training.search_console import described_search, show_search_ended

if TYPE_CHECKING:
    from risk.manifest import Model
    from training.bootstrap import Interval
    from training.history_recipe import HistoryRecipe
    from training.plan_search import SearchProgress
    from training.table_train import TrainedTable

_NO_SEARCH = "{}: has no [search] for --budget to end; add one, or leave the option out"
_SHOWN = {
    "loss": "loss",
    "accuracy": "acc.",
    "auc": "AUC",
    "kolmogorov_smirnov": "KS",
    "average_precision": "AP",
    "brier": "Brier",
}


def train_recipes(paths: list[Path], out: Path, *, budget_minutes: float | None = None) -> bool:
    """Train each recipe and show what came of it; return whether all of them could be.

    `budget_minutes` is how long the search of each may go on: what is being evaluated then is finished.
    """
    return all([_train_recipe(path, out, budget_minutes) for path in paths])


def _train_recipe(path: Path, out: Path, budget_minutes: float | None) -> bool:
    from training.history_recipe import read_history_recipe
    from training.recipe import RecipeError

    try:
        recipe = read_history_recipe(path)
    except RecipeError as error:
        return _failed(path, error)
    if recipe is None:
        return _train_table(path, out, budget_minutes)
    return _train_history(path, recipe, out, budget_minutes)


def _train_history(path: Path, recipe: "HistoryRecipe", out: Path, budget_minutes: float | None) -> bool:
    from risk.bundle import BundleError
    from training.history import HistoryError
    from training.history_recipe import recipe_history, recipe_plan
    from training.parity import ParityError
    from training.plan_search import SearchError
    from training.recipe import RecipeError
    from training.time_split import SplitError

    try:
        if budget_minutes is not None and recipe.search is None:
            raise RecipeError(_NO_SEARCH.format(path))
        history = recipe_history(recipe, path.parent)
        output.print(
            f"[bold]{recipe.name}[/] {path}: {len(history):,} transactions, {int(history.fraud.sum()):,} frauds"
        )
        show_trained(train_history(history, recipe_plan(recipe), out, budget_minutes=budget_minutes))
    except SearchError as error:
        return _failed_at(path, ("search", error.key), error)
    except (RecipeError, HistoryError, SplitError, ParityError, BundleError, ValueError, OSError, ImportError) as error:
        return _failed(path, error)
    return True


def _train_table(path: Path, out: Path, budget_minutes: float | None) -> bool:
    from risk.bundle import BundleError
    from training.history import HistoryError
    from training.parity import ParityError
    from training.plan_search import SearchError
    from training.recipe import RecipeError, read_recipe
    from training.steps.step import StepError
    from training.table import load_table
    from training.table_data import DataError
    from training.table_train import train_table

    try:
        recipe = read_recipe(path)
        if budget_minutes is not None and recipe.search is None:
            raise RecipeError(_NO_SEARCH.format(path))
        table = load_table(path.parent / recipe.data.path, categorical=recipe.data.categorical)
        output.print(f"[bold]{recipe.name}[/] {path}: {table.rows:,} rows of {len(table.columns)} columns")
        with Progress(
            SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(),
            console=errors, transient=True,
        ) as progress:  # fmt: skip
            progress.add_task("reading", total=None)
            began = time.monotonic()

            def show_stage(stage: str) -> None:
                # A task's total cannot be taken back, and only a search has one.
                progress.remove_task(progress.task_ids[0])
                progress.add_task(stage, total=None)

            def show_search(found: "SearchProgress") -> None:
                progress.update(
                    progress.task_ids[0], total=found.total, completed=found.done, description=described_search(found)
                )

            trained = train_table(
                recipe,
                table,
                root=out,
                command=shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
                on_stage=show_stage,
                before=lambda share: budget_minutes is None or time.monotonic() - began < share * 60.0 * budget_minutes,
                on_search=show_search,
            )
    except StepError as error:
        number = str(error).removeprefix("step ").partition(":")[0]
        return _failed_at(path, ("step", int(number) - 1) if number.isdigit() else (), error)
    except SearchError as error:
        return _failed_at(path, ("search", error.key), error)
    except (RecipeError, HistoryError, DataError, ParityError, BundleError, ValueError, OSError, ImportError) as error:
        return _failed(path, error)
    _show(trained)
    return True


def _failed_at(path: Path, keys: tuple[str | int, ...], error: Exception) -> bool:
    from training.recipe import line_of

    line = line_of(path.read_text(encoding="utf-8"), keys)
    show_error(f"{path}, line {line}: {error}")
    return False


def _failed(path: Path, error: Exception) -> bool:
    named = "" if str(error).startswith(str(path)) else f"{path}: "
    show_error(f"{named}{error}")
    return False


def _show(trained: "TrainedTable") -> None:
    output.print(
        _figures(f"{trained.test_rows:,} test rows, as served, with 95 % intervals", trained.test, trained.model)
    )
    if trained.folds:
        output.print(_figures("mean of the folds, with 95 % intervals", trained.folds, trained.model))
    if trained.scorecard is not None:
        card = Shown(title="scorecard")
        for heading in ("characteristic", "bin"):
            card.add_column(heading)
        card.add_column("points", justify="right")
        for one in trained.scorecard.characteristics:
            for at, each in enumerate(one.bins):
                card.add_row(one.column if at == 0 else "", each.label, str(each.points))
        output.print(card)
    if trained.search is not None:
        show_search_ended(trained.search)
    for note in trained.notes:
        output.print(note, style="dim")
    output.print(f"[bold]bundle[/] {trained.folder}, which holds [green]{trained.model}[/]")


def _figures(title: str, figures: "dict[Model, dict[str, Interval]]", best: "Model") -> Shown:
    table = Shown(title=title, box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("model", no_wrap=True)
    for heading in _SHOWN.values():
        table.add_column(heading, justify="right", no_wrap=True)
    for model, measured in figures.items():
        cells = []
        for name in _SHOWN:
            one = measured.get(name)
            cells.append("" if one is None else f"{one.estimate:.4f}\n[dim]{_short(one.low)}-{_short(one.high)}[/]")
        table.add_row(f"[bold green]{model}[/]" if model == best else model, *cells)
    return table


def _short(value: float) -> str:
    """Return two decimals without a leading nought.

    >>> _short(0.654), _short(1.0)
    ('.65', '1.00')
    """
    return f"{value:.2f}".removeprefix("0") if value >= 0.0 else f"{value:.2f}"
