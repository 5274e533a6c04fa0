"""The verb `evaluate` of the command line."""

import shlex
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from training.console import IntegerTime, parse_day, parse_mapping
from training.console_output import errors, fail, output

if TYPE_CHECKING:
    from risk.bundle import Bundle
    from training.bundle_evaluation import EvaluationPlan
    from training.full_evaluation import Evaluation
    from training.history import History
    from training.time_split import Windows


def evaluate_verb(open_bundle: Callable[[Path], "Bundle"]) -> Callable[..., None]:
    """Return the verb; `open_bundle` returns the verified bundle at a path, or ends with status 2."""

    def evaluate(
        bundle: Annotated[Path, typer.Argument(help="A bundle's directory.")],
        history: Annotated[Path, typer.Option(help="Parquet or CSV file of past transactions.")],
        mapping: Annotated[
            list[str] | None, typer.Option("--map", help="FIELD=COLUMN of the file; repeat for each field.")
        ] = None,
        amount_divisor: Annotated[
            float, typer.Option(min=1.0, help="What the file's amounts are divided by: 100 for cents.")
        ] = 1.0,
        time_unit: Annotated[IntegerTime, typer.Option(help="Unit of the file's times if integers.")] = IntegerTime.NS,
        time_origin: Annotated[str, typer.Option(help="Day that the file's integer times count from.")] = "1970-01-01",
        train_from: Annotated[
            str | None, typer.Option(help="First day to compare with; the bundle's own if none.")
        ] = None,
        train_to: Annotated[
            str | None, typer.Option(help="Last day to compare with; the bundle's own if none.")
        ] = None,
        test_from: Annotated[str | None, typer.Option(help="First day to test on, YYYY-MM-DD, UTC.")] = None,
        test_to: Annotated[str | None, typer.Option(help="Last day to test on.")] = None,
        delay_days: Annotated[
            int | None, typer.Option(min=0, help="Days until a fraud is known; the bundle's own if none.")
        ] = None,
        group: Annotated[
            list[str] | None, typer.Option(help="Column of the file whose groups are compared; repeat for several.")
        ] = None,
        folds: Annotated[
            int, typer.Option(min=0, help="Folds back in time, the kind of model fitted anew for each.")
        ] = 0,
        learning_curve: Annotated[
            bool, typer.Option("--learning-curve", help="Fit the kind of model anew to parts of the training window.")
        ] = False,
        replicates: Annotated[int, typer.Option(min=100, help="Replicates of the bootstrap.")] = 200,
        out: Annotated[Path | None, typer.Option(help="Folder to write to; reports/NAME-VERSION if none.")] = None,
        seed: Annotated[int, typer.Option(min=0, help="Seed of everything random.")] = 0,
    ) -> None:
        """Tell how good a bundle's scores are on transactions that it has not learnt from, and write a report.

        Transactions are scored as a worker would. Every measure has its bootstrap interval; the report, one page of
        HTML, has the curves, calibration, drift, fairness, and the slices where the model fails. Beside it are a model
        card and all figures as JSON.

        Example: riskstream evaluate bundles/cards --history cards.parquet --map customer_id=CARD
        --map fraud=IS_FRAUD --test-from 2026-02-08 --test-to 2026-02-14 --group REGION --folds 4 --learning-curve
        """
        if find_spec("sklearn") is None or find_spec("matplotlib") is None:
            raise fail("evaluation needs scikit-learn and matplotlib; pip install 'riskstream[train]'")
        from training.bundle_evaluation import EvaluationPlan
        from training.evaluation_files import write_evaluation
        from training.history import DAY_NS, HistoryError, read_history
        from training.history_groups import read_groups
        from training.time_split import SplitError

        opened = open_bundle(bundle)
        fields = parse_mapping(mapping or [])
        learnt = opened.manifest.training_window
        delay = int(learnt.label_delay_days) if delay_days is None else delay_days
        try:
            loaded = read_history(
                history,
                fields,
                delay_days=delay,
                amount_divisor=amount_divisor,
                time_unit=time_unit.value,
                time_origin_ns=DAY_NS * parse_day("--time-origin", time_origin),
            )
            plan = EvaluationPlan(
                windows=_windows(opened, loaded, delay, train_from, train_to, test_from, test_to),
                groups={one: read_groups(history, fields, one, loaded) for one in group or []},
                folds=folds,
                with_learning_curve=learning_curve,
                replicates=replicates,
                seed=seed,
            )
            folder = Path("reports") / f"{opened.manifest.name}-{opened.version}" if out is None else out
            # Before the work, which takes minutes: a folder that cannot be made is told at once.
            folder.mkdir(parents=True, exist_ok=True)
            found = _evaluate(opened, loaded, plan)
            written = write_evaluation(found, folder)
        except (HistoryError, SplitError) as wrong:
            raise fail(str(wrong)) from None
        except OSError as wrong:
            raise fail(f"--out: cannot be written to: {wrong}; name a folder that can") from None
        _show(found)
        output.print("[bold]report[/] " + ", ".join(str(path) for path in written), soft_wrap=True)

    return evaluate


def _windows(
    bundle: "Bundle",
    history: "History",
    delay_days: int,
    train_from: str | None,
    train_to: str | None,
    test_from: str | None,
    test_to: str | None,
) -> "Windows":
    from training.history import DAY_NS
    from training.time_split import Windows

    learnt = bundle.manifest.training_window
    last_day = int(history.event_time_ns[-1] // DAY_NS)
    return Windows(
        train_from=learnt.start_ns // DAY_NS if train_from is None else parse_day("--train-from", train_from),
        train_to=learnt.end_ns // DAY_NS - 1 if train_to is None else parse_day("--train-to", train_to),
        # By default the last whole week, as in training.
        test_from=last_day - 7 if test_from is None else parse_day("--test-from", test_from),
        test_to=last_day - 1 if test_to is None else parse_day("--test-to", test_to),
        delay_days=delay_days,
    )


def _evaluate(bundle: "Bundle", history: "History", plan: "EvaluationPlan") -> "Evaluation":
    from training.bundle_evaluation import evaluate_bundle

    command = shlex.join(["riskstream", *sys.argv[1:]])
    with Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        console=errors, transient=True, disable=not errors.is_terminal,
    ) as progress:  # fmt: skip
        rows = progress.add_task("features", total=2 * len(history) + int(history.fraud.sum()))

        def track(stage: str, steps: int) -> Callable[[], None]:
            task = progress.add_task(stage, total=steps)
            return lambda: progress.advance(task)

        return evaluate_bundle(
            bundle,
            history,
            plan,
            command=command,
            on_features=lambda done: progress.advance(rows, done),
            track=track,
        )


def _show(found: "Evaluation") -> None:
    from training.measure_names import MEASURES, shown

    table = Table(
        title=f"{found.subject.name} {found.subject.version}, {found.subject.model}:"
        f" {found.rows:,} transactions, {found.targets:,} frauds, as served"
    )
    table.add_column("measure", no_wrap=True)
    for heading in ("value", "95% from", "to"):
        table.add_column(heading, justify="right")
    for name, interval in found.measures.items():
        table.add_row(MEASURES[name].label, *shown(name, interval))
    if found.prequential is not None:
        for name, value in found.prequential.mean.items():
            deviation = found.prequential.deviation[name]
            table.add_row(
                f"{MEASURES[name].label}, {len(found.prequential.folds)} folds",
                f"{value:.3f}",
                f"± {deviation:.3f}",
                "",
            )
    output.print(table)
