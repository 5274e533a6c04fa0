"""Scores a table's rows by a table bundle, as its worker would decide on them, and writes what came of it."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from risk.credit_decision import decide_applications
from risk.decision import OUTCOMES
from risk.table_bundle import TableBundle
from risk.table_columns import Invalid, encode_row
from schemas.decision_reason import DecisionReason
from schemas.outcome import Outcome
from training.applications import stated_fields
from training.history import HistoryError
from training.table import load_table

SUFFIXES = (".csv", ".parquet", ".jsonl")


class ScoredRow(msgspec.Struct, frozen=True):
    """A row of the file, from 0, and what was decided of it; `invalid` says why nothing could be."""

    row: int
    probability: float | None = None
    points: int | None = None
    outcome: Outcome | None = None
    expected_loss: float | None = None
    threshold: float | None = None
    reasons: tuple[DecisionReason, ...] = ()
    invalid: Invalid | None = None


def score_file(bundle: TableBundle, path: Path) -> list[ScoredRow]:
    """Return every row of a .parquet or .csv file as decided, in its order.

    Columns that the bundle does not know are passed over. Raises HistoryError for a file that cannot be read, or
    without one of the bundle's columns.
    """
    categorical = [column.name for column in bundle.manifest.columns if column.categories is not None]
    table = load_table(path, categorical=categorical)
    for column in bundle.manifest.columns:
        if column.name not in table.columns:
            raise HistoryError(
                f"{path}: has no column {column.name!r}, which the bundle scores by; it has"
                f" {', '.join(table.columns)}: add it, empty where nobody knows"
            )
    encoded = [encode_row(bundle.manifest.columns, fields) for fields in stated_fields(table, as_text=categorical)]
    usable = [row for row in encoded if not isinstance(row, Invalid)]
    matrix = np.array(usable, dtype=np.float64).reshape(len(usable), len(bundle.manifest.columns))
    decisions = decide_applications(bundle, matrix)
    scored: list[ScoredRow] = []
    at = 0
    for number, row in enumerate(encoded):
        if isinstance(row, Invalid):
            scored.append(ScoredRow(number, invalid=row))
            continue
        scored.append(
            ScoredRow(
                number,
                probability=float(decisions.probability[at]),
                points=decisions.points_of(at),
                outcome=OUTCOMES[decisions.outcome[at]],
                expected_loss=decisions.expected_loss_of(at),
                threshold=float(decisions.threshold[at]),
                reasons=decisions.reasons[at],
            )
        )
        at += 1
    return scored


def write_scored_rows(path: Path, rows: Sequence[ScoredRow]) -> None:
    """Write rows to a .csv, .parquet or .jsonl file, one of SUFFIXES, over what is there.

    JSON lines hold the reasons whole; the others name their columns, and what is invalid as `column: reason`. Raises
    OSError when it cannot be written.
    """
    if path.suffix == ".jsonl":
        path.write_bytes(msgspec.json.Encoder().encode_lines(rows))
        return
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet

    table = pa.table(
        {
            "row": pa.array([one.row for one in rows], pa.int64()),
            "probability": pa.array([one.probability for one in rows], pa.float64()),
            "points": pa.array([one.points for one in rows], pa.int64()),
            "outcome": pa.array([one.outcome for one in rows], pa.string()),
            "expected_loss": pa.array([one.expected_loss for one in rows], pa.float64()),
            "threshold": pa.array([one.threshold for one in rows], pa.float64()),
            "reasons": pa.array([", ".join(each.column for each in one.reasons) for one in rows], pa.string()),
            "invalid": pa.array(
                [None if one.invalid is None else f"{one.invalid.column}: {one.invalid.reason}" for one in rows],
                pa.string(),
            ),
        }
    )
    if path.suffix == ".parquet":
        pa.parquet.write_table(table, path)
    else:
        pa.csv.write_csv(table, path)
