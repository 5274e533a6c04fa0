"""The verbs `data ...` of the command line: what a file holds, before anything is learnt from it."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from rich.table import Table as Shown
from rich.text import Text

from training.console_output import fail, output

if TYPE_CHECKING:
    from training.data_profile import ColumnProfile, DataProfile

_PAIRS = 10


def profile(
    path: Annotated[Path, typer.Argument(help="Parquet or CSV file of one row a case.")],
    target: Annotated[str | None, typer.Option(help="Column of what is to be foreseen: 0 and 1.")] = None,
    positive: Annotated[str | None, typer.Option(help="Value of the target that is the event, if not 1.")] = None,
    categorical: Annotated[
        list[str] | None, typer.Option(help="Column whose numbers are codes; repeat for each.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="HTML page to write; <name of the file>-profile.html if not given.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, and write no page.")] = False,
) -> None:
    """Tell what is in a table: missing values, outliers, repeated rows, rates of the target, and columns that leak it.

    Shows a line for each column, and writes a page with distributions and the rest.

    Example: riskstream data profile credit.parquet --target default --positive Yes
    """
    from training.data_profile import ProfileError
    from training.data_profile import profile as profile_table
    from training.history import HistoryError
    from training.profile_page import profile_page
    from training.table import load_table

    if positive is not None and target is None:
        raise fail(f"--positive {_printable(positive)}: is a value of the target; name its column by --target")
    if as_json and out is not None:
        raise fail("--json, --out: give one of the two")
    page = Path(f"{path.stem}-profile.html") if out is None else out
    if page.suffix != ".html":
        raise fail(f"--out {_printable(str(page))}: does not end in .html; give a name that does")
    if not page.parent.is_dir():
        raise fail(
            f"--out {_printable(str(page))}: {_printable(str(page.parent))} is no directory; make it, or give another"
        )
    try:
        table = load_table(path, categorical=categorical or [])
        found = profile_table(table, target, positive=positive, categorical=categorical or [])
        if as_json:
            sys.stdout.write(msgspec.json.encode(found).decode() + "\n")
            return
        page.write_text(profile_page(found, path.name), encoding="utf-8")
    except (HistoryError, ProfileError, OSError) as wrong:
        raise fail(_printable(str(wrong))) from None
    _show(found)
    output.print(Text(f"page {page}"))


def _show(found: "DataProfile") -> None:
    from training.profile_page import shown_share

    suspected = {one.column for one in found.suspects}
    title = f"{found.rows:,} rows, {len(found.columns):,} columns"
    table = Shown(title=title, box=None, padding=(0, 1, 0, 0))
    table.add_column("column", overflow="fold")
    table.add_column("kind", no_wrap=True)
    for heading in ("missing", "distinct"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("typical", overflow="fold")
    for heading in ("outliers", *(("AUC", "IV") if found.target is not None else ())):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("flags", overflow="fold")
    for one in found.columns:
        table.add_row(*_cells(one, one.name in suspected, found.target is not None))
    output.print(table)
    output.print(
        Text(f"{found.duplicates:,} rows repeat an earlier one ({shown_share(found.duplicates / found.rows)})")
    )
    if found.target is not None:
        of = found.target
        output.print(
            Text(
                f"{_printable(of.name)} is {_printable(of.positive)} in {of.events:,} of {of.rows:,} rows"
                f" ({of.rate:.4g})" + (f"; {of.missing:,} have no target" if of.missing else "")
            )
        )
    for suspect in found.suspects:
        output.print(
            Text.assemble((f"leak? {_printable(suspect.column)}: ", "red"), _printable("; ".join(suspect.reasons)))
        )
    for pair in found.correlated[:_PAIRS]:
        output.print(Text(f"{_printable(pair.first)} goes with {_printable(pair.second)}: {pair.spearman:.3f} by rank"))
    if len(found.correlated) > _PAIRS:
        output.print(Text(f"and {len(found.correlated) - _PAIRS:,} more pairs, on the page"))


def _cells(column: "ColumnProfile", suspected: bool, with_target: bool) -> list[Text]:
    from training.profile_page import outlier_share, shown_share, typical

    flags = [*(["leak?"] if suspected else []), *(one.check for one in column.findings)]
    return [
        Text(_printable(column.name)),
        Text(column.kind),
        Text(shown_share(column.missing_share)),
        Text(f"{column.distinct:,}"),
        Text(_printable(typical(column))),
        Text(outlier_share(column)),
        *(
            Text("-" if value is None else f"{value:.3f}")
            for value in (column.auc, column.information_value)
            if with_target
        ),
        Text(", ".join(flags), style="red" if suspected else "yellow"),
    ]


def _printable(text: str) -> str:
    r"""Return a text without what a terminal would obey.

    >>> _printable("a\x1b[31mb")
    'a?[31mb'
    """
    return "".join(one if one.isprintable() else "?" for one in text)
