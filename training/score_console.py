"""The verb `score` of the command line."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from training.console_output import fail, output

if TYPE_CHECKING:
    from risk.table_bundle import TableBundle
    from training.scored_rows import ScoredRow

SHOWN_ROWS = 20


def score_verb(open_bundle: Callable[[Path], "TableBundle"]) -> Callable[..., None]:
    """Return the verb; `open_bundle` returns the verified bundle of a table at a path, or ends with status 2."""

    def score(
        bundle: Annotated[Path, typer.Argument(help="A bundle's directory, made by a recipe.")],
        path: Annotated[Path, typer.Argument(metavar="FILE", help="Parquet or CSV file of applications.")],
        out: Annotated[Path | None, typer.Option(help="File to write all rows to: .csv, .parquet or .jsonl.")] = None,
    ) -> None:
        """Score the rows of a file as a worker would decide on them, bit for bit, and say why they are no approvals.

        Rows that cannot be scored are listed with the column and the reason.

        Example: riskstream score bundles/german applicants.csv --out decisions.csv
        """
        from training.history import HistoryError
        from training.scored_rows import SUFFIXES, score_file, write_scored_rows

        if out is not None and out.suffix not in SUFFIXES:
            raise fail(f"--out {out}: ends in {out.suffix!r}; give a file that ends in {', '.join(SUFFIXES)}")
        opened = open_bundle(bundle)
        try:
            rows = score_file(opened, path)
        except (HistoryError, OSError) as wrong:
            raise fail(str(wrong)) from None
        if out is not None:
            try:
                write_scored_rows(out, rows)
            except OSError as wrong:
                raise fail(f"--out {out}: {wrong}; name a file that this user can write") from None
        for table in _tables(rows):
            output.print(table)
        output.print(_summary(rows), highlight=False, soft_wrap=True)
        if all(row.invalid is not None for row in rows):
            raise fail(f"{path}: no row could be scored; correct the columns that are listed")

    return score


def _tables(rows: "Sequence[ScoredRow]") -> list[Table]:
    """Return a table of the first rows, and one of the first that are invalid if there are any."""
    first = Table("row", "outcome", "probability", "points", "expected loss", "most against it")
    for row in [row for row in rows if row.invalid is None][:SHOWN_ROWS]:
        first.add_row(
            str(row.row),
            row.outcome,
            f"{row.probability:.4f}",
            "" if row.points is None else str(row.points),
            "" if row.expected_loss is None else f"{row.expected_loss:,.2f}",
            escape("".join(f"{one.column} {one.value}" for one in row.reasons[:1])),
        )
    invalid = Table("row", "column", "reason", "found", title="rows that could not be scored")
    for row in [row for row in rows if row.invalid is not None][:SHOWN_ROWS]:
        if row.invalid is not None:
            invalid.add_row(str(row.row), escape(row.invalid.column), row.invalid.reason, escape(row.invalid.found))
    return [table for table in (first, invalid) if table.row_count]


def _summary(rows: "Sequence[ScoredRow]") -> str:
    outcomes = Counter(row.outcome for row in rows if row.outcome is not None)
    decided = ", ".join(f"{outcomes[outcome]:,} {outcome}" for outcome in ("approve", "review", "decline"))
    invalid = sum(row.invalid is not None for row in rows)
    losses = [row.expected_loss for row in rows if row.expected_loss is not None]
    loss = f"; expected loss {sum(losses):,.2f} in all" if losses else ""
    return f"{len(rows):,} rows: {decided}, {invalid:,} invalid{loss}"
