"""The verb `evaluate` of the command line."""

import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from training.console import IntegerTime, parse_day, parse_mapping
from training.console_output import errors, fail, output

if TYPE_CHECKING:
    from risk.bundle import Bundle
    from risk.table_bundle import TableBundle
    from training.bundle_evaluation import EvaluationPlan
    from training.full_evaluation import Evaluation, Track
    from training.history import History
    from training.table_evaluation import TableEvaluationPlan
    from training.time_split import Windows


def evaluate_verb(
    open_bundle: Callable[[Path], "Bundle"], open_table_bundle: Callable[[Path], "TableBundle"]
) -> Callable[..., None]:
    """Return the verb; each opener returns the verified bundle of its kind at a path, or ends with status 2."""

    def evaluate(
        bundle: Annotated[Path, typer.Argument(help="A bundle's directory.")],
        history: Annotated[Path | None, typer.Option(help="Parquet or CSV file of past transactions.")] = None,
        recipe: Annotated[Path | None, typer.Option(help="Recipe (TOML) that made the bundle of a table.")] = None,
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
            bool, typer.Option("--learning-curve", help="Fit the kind of model anew to parts of the training rows.")
        ] = False,
        replicates: Annotated[int, typer.Option(min=100, help="Replicates of the bootstrap.")] = 200,
        out: Annotated[Path | None, typer.Option(help="Folder to write to; reports/NAME-VERSION if none.")] = None,
        seed: Annotated[int, typer.Option(min=0, help="Seed of everything random.")] = 0,
    ) -> None:
        """Tell how good a bundle's scores are on rows that it has not learnt from, and write a report.

        Rows are scored as a worker would: the transactions of a --history, or, for the bundle of a table, the test rows
        of the --recipe that made it. Every measure has its bootstrap interval; the report, one page of HTML, has the
        curves, calibration, drift, fairness, and the slices where the model fails. Beside it are a model card and all
        figures as JSON.

        A recipe says itself what is read and tested on. With it go --group, which may be a column that the recipe
        drops, --learning-curve, --replicates, --out and --seed, and no other option.

        Example: riskstream evaluate bundles/cards --history cards.parquet --map customer_id=CARD
        --map fraud=IS_FRAUD --test-from 2026-02-08 --test-to 2026-02-14 --group REGION --folds 4 --learning-curve

        Example: riskstream evaluate bundles/taiwan --recipe examples/taiwan.toml --group X2 --learning-curve
        """
        if find_spec("sklearn") is None or find_spec("matplotlib") is None:
            raise fail("evaluation needs scikit-learn and matplotlib; pip install 'riskstream[train]'")
        from training.bundle_evaluation import EvaluationPlan
        from training.history import DAY_NS, HistoryError, read_history
        from training.history_groups import read_groups
        from training.table_evaluation import TableEvaluationPlan
        from training.time_split import SplitError

        one_of_two = "--history, --recipe: give one of the two"
        if recipe is not None:
            if history is not None:
                raise fail(one_of_two)
            of_histories = {
                "--map": mapping,
                "--amount-divisor": amount_divisor != 1.0,
                "--time-unit": time_unit is not IntegerTime.NS,
                "--time-origin": time_origin != "1970-01-01",
                "--train-from": train_from,
                "--train-to": train_to,
                "--test-from": test_from,
                "--test-to": test_to,
                "--delay-days": delay_days is not None,
                "--folds": folds,
            }
            for option, given in of_histories.items():
                if given:
                    raise fail(
                        f"{option}: is for a history, and the recipe says what is read and tested on; leave it out"
                    )
            table_plan = TableEvaluationPlan(tuple(group or []), learning_curve, replicates, seed)
            _evaluate_table(open_table_bundle(bundle), recipe, table_plan, out)
            return
        if history is None:
            raise fail(one_of_two)
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
            folder = _made_folder(out, opened.manifest.name, opened.version)
            found = _evaluate(opened, loaded, plan)
        except (HistoryError, SplitError) as wrong:
            raise fail(str(wrong)) from None
        _write(found, folder)

    return evaluate


def _evaluate_table(bundle: "TableBundle", path: Path, plan: "TableEvaluationPlan", out: Path | None) -> None:
    from training.history import HistoryError
    from training.history_recipe import read_history_recipe
    from training.recipe import RecipeError, read_recipe
    from training.table import load_table
    from training.table_evaluation import evaluate_table_bundle

    try:
        if read_history_recipe(path) is not None:
            raise fail(f"--recipe {path}: is of transactions; give their file as --history, with its options")
        recipe = read_recipe(path)
        table = load_table(path.parent / recipe.data.path, categorical=recipe.data.categorical)
        folder = _made_folder(out, bundle.manifest.name, bundle.version)
        with _tracking() as (_, track):
            found = evaluate_table_bundle(bundle, recipe, table, plan, command=_command(), track=track)
    except (RecipeError, HistoryError) as wrong:
        raise fail(str(wrong)) from None
    # Of a table that does not fit, and of a curve that cannot be fitted: DataError and StepError are among them.
    except ValueError as wrong:
        raise fail(f"{path}: {wrong}") from None
    _write(found, folder)


def _made_folder(out: Path | None, name: str, version: str) -> Path:
    """Return the folder to write to, made before the work, which takes minutes: what cannot be made is told at once."""
    folder = Path("reports") / f"{name}-{version}" if out is None else out
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as wrong:
        raise _unwritable(wrong) from None
    return folder


def _write(found: "Evaluation", folder: Path) -> None:
    from training.evaluation_files import write_evaluation

    try:
        written = write_evaluation(found, folder)
    except OSError as wrong:
        raise _unwritable(wrong) from None
    _show(found)
    output.print("[bold]report[/] " + ", ".join(str(path) for path in written), soft_wrap=True)


def _unwritable(wrong: OSError) -> typer.Exit:
    return fail(f"--out: cannot be written to: {wrong}; name a folder that can")


def _command() -> str:
    return shlex.join(["riskstream", *sys.argv[1:]])


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

    with _tracking() as (progress, track):
        rows = progress.add_task("features", total=2 * len(history) + int(history.fraud.sum()))
        return evaluate_bundle(
            bundle,
            history,
            plan,
            command=_command(),
            on_features=lambda done: progress.advance(rows, done),
            track=track,
        )


@contextmanager
def _tracking() -> "Iterator[tuple[Progress, Track]]":
    with Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        console=errors, transient=True, disable=not errors.is_terminal,
    ) as progress:  # fmt: skip

        def track(stage: str, steps: int) -> Callable[[], None]:
            task = progress.add_task(escape(stage), total=steps)
            return lambda: progress.advance(task)

        yield progress, track


def _show(found: "Evaluation") -> None:
    from training.measure_names import MEASURES, shown

    table = Table(
        title=f"{found.subject.name} {found.subject.version}, {found.subject.model}: {found.rows:,} test rows,"
        f" {found.targets:,} targets ({escape(found.subject.positive)}), as served"
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
