"""What a table bundle holds, as tables for people: the model and its figures, the columns, the scorecard."""

from collections.abc import Iterator

from rich.markup import escape
from rich.table import Table

from risk.scorecard import Scorecard
from risk.table_bundle import TableBundle
from risk.table_columns import TableColumn, value_text

_SHOWN = {"auc": "AUC", "kolmogorov_smirnov": "KS", "average_precision": "average precision", "brier": "Brier"}


def table_bundle_tables(bundle: TableBundle) -> Iterator[Table]:
    """Yield the tables in the order to show them; the scorecard is the last, if there is one."""
    yield _summary(bundle)
    manifest = bundle.manifest
    figures = Table("model", *_SHOWN.values(), title="on the test rows, as served")
    for model, found in manifest.metrics.items():
        figures.add_row(model, *(f"{found.get(name, float('nan')):.3f}" for name in _SHOWN))
    yield figures
    columns = Table("column", "usual value", "values", title="columns, in order")
    for column, usual in zip(manifest.columns, manifest.usual_values, strict=True):
        columns.add_row(escape(column.name), escape(value_text(column, usual)), escape(_values(column)))
    yield columns
    if bundle.scorecard is not None:
        yield scorecard_table(bundle.scorecard)


def scorecard_table(card: Scorecard) -> Table:
    """Return the points of every bin, and the scale on which they add up."""
    table = Table(
        "characteristic",
        "bin",
        title=f"scorecard: {card.base_points:g} points at odds of {card.base_odds:g} to 1,"
        f" {card.points_to_double:g} more double them",
    )
    table.add_column("points", justify="right")
    for one in card.characteristics:
        for at, each in enumerate(one.bins):
            table.add_row(escape(one.column) if at == 0 else "", escape(each.label), str(each.points))
        table.add_row("", "[dim]any other[/]", str(one.neutral), end_section=True)
    return table


def _summary(bundle: TableBundle) -> Table:
    manifest = bundle.manifest
    table = Table(title=f"{escape(manifest.name)} {bundle.version}", show_header=False)
    table.add_column(style="dim")
    table.add_column()
    loss = "none"
    if manifest.loss is not None:
        loss = f"probability x {manifest.loss.loss_given_default:g} x {manifest.loss.exposure}"
    thresholds = f"review {manifest.thresholds.review:.4f}, decline {manifest.thresholds.decline:.4f}"
    for name, value in (
        ("model", manifest.model),
        ("predicts", manifest.target),
        ("trained on", f"{manifest.training_rows:,} rows, {manifest.training_events:,} events"),
        ("thresholds", thresholds),
        *(
            (f"{segments.column} {name}", f"review {own.review:.4f}, decline {own.decline:.4f}")
            for segments in ([] if manifest.segments is None else [manifest.segments])
            for name, own in segments.by_category.items()
        ),
        ("expected loss", loss),
        *(("note", note) for note in manifest.notes),
        ("command", manifest.command),
        ("libraries", ", ".join(f"{name} {number}" for name, number in manifest.library_versions.items())),
    ):
        table.add_row(name, escape(value))
    return table


def _values(column: TableColumn) -> str:
    """Return what a column admits.

    >>> _values(TableColumn("age", low=18.0, required=True)), _values(TableColumn("home", categories=("rent", "own")))
    ('a number from 18, required', 'rent | own')
    """
    shown = "a number" if column.categories is None else " | ".join(column.categories)
    if column.low is not None:
        shown += f" from {column.low:.12g}"
    if column.high is not None:
        shown += f" to {column.high:.12g}"
    return f"{shown}, required" if column.required else shown
