"""The bundle of a table: a model of rows that are no transactions, such as credit applications.

Its graph takes encoded rows (`risk.table_columns`) and holds every step of preparation, so nothing is fitted when it
serves. It is verified like a transaction's bundle: by hash, contract, golden rows and at every batch size.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from risk.bundle import GOLDEN_FILE, MANIFEST_FILE, MODEL_FILE, SCORE_TOLERANCE, BundleError, verify_files
from risk.decision import Thresholds
from risk.golden import Golden, read_golden
from risk.manifest import Costs, Model, Name, short_sha256
from risk.row_model import ModelError
from risk.scorecard import Scorecard
from risk.scorer import Scorer
from risk.segments import SegmentThresholds
from risk.table_columns import TableColumn

SCORECARD_FILE = "scorecard.json"


class LossTerms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of what is at stake, the column `exposure` in units of currency, the part that is lost, 0 to 1."""

    exposure: str
    loss_given_default: Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]


class TableManifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The contents of a table bundle's `manifest.json`.

    `target` names the event whose probability is the score, `usual_values` is a row of middling values as encoded, in
    the order of the columns. `metrics` maps each model that was compared to its figures on the test rows.
    """

    schema_version: Literal[1] = 1
    kind: Literal["table"] = "table"
    name: Name
    model: Model
    target: str
    columns: tuple[TableColumn, ...]
    usual_values: tuple[float, ...]
    thresholds: Thresholds
    segments: SegmentThresholds | None = None
    costs: Costs
    loss: LossTerms | None
    training_rows: int
    training_events: int
    metrics: dict[str, dict[str, float]]
    notes: tuple[str, ...]
    library_versions: dict[str, str]
    command: str
    files: dict[str, str]


@dataclass(frozen=True, slots=True)
class TableBundle:
    """A verified bundle of a table; `version` is the first 12 hex digits of the SHA-256 of the manifest.

    `golden` are the first of the rows that it was tested on, encoded.
    """

    manifest: TableManifest
    version: str
    scorer: Scorer
    golden: Golden
    scorecard: Scorecard | None

    def expected_loss(
        self, matrix: npt.NDArray[np.float64], score: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64] | None:
        """Return probability x loss given default x exposure of each row, in currency, None without loss terms.

        Basel Committee (2005), "An explanatory note on the Basel II IRB risk weight functions", section 2. It is NaN
        where the exposure is missing.
        """
        loss = self.manifest.loss
        if loss is None:
            return None
        at = [column.name for column in self.manifest.columns].index(loss.exposure)
        return np.asarray(score * loss.loss_given_default * matrix[:, at], dtype=np.float64)


def open_table_bundle(files: Mapping[str, bytes]) -> TableBundle:
    """Return the bundle that the files hold, by name, after verifying all of it.

    Raises BundleError for a file missing, foreign or of another hash, a manifest that does not decode, a model that is
    no scorer of these columns or depends on the batch, a scorecard of other columns, and golden rows that come out
    otherwise than when the bundle was made.
    """
    if MANIFEST_FILE not in files:
        raise BundleError("files", sorted(files), f"{MANIFEST_FILE} is missing: copy the whole bundle again")
    try:
        manifest = msgspec.json.decode(files[MANIFEST_FILE], type=TableManifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BundleError(MANIFEST_FILE, "not that of a table", f"{error}: make it with a recipe") from error
    verify_files(manifest.files, files)
    names = [column.name for column in manifest.columns]
    if len(set(names)) != len(names) or len(manifest.usual_values) != len(names):
        raise BundleError("columns", names, "give each once, and a usual value for each")
    if manifest.loss is not None and manifest.loss.exposure not in names:
        raise BundleError("loss.exposure", manifest.loss.exposure, f"name one of the columns {names}")
    _verify_segments(manifest)
    try:
        scorer = Scorer(files[MODEL_FILE])
        golden = read_golden(files[GOLDEN_FILE])
        scorecard = msgspec.json.decode(files[SCORECARD_FILE], type=Scorecard) if SCORECARD_FILE in files else None
    except (ModelError, ValueError) as error:
        raise BundleError("content", "unusable", str(error)) from error
    for field, width in ((MODEL_FILE, scorer.feature_count), (GOLDEN_FILE, golden.raw.shape[1])):
        if width != len(names):
            raise BundleError(field, f"{width} columns wide", f"make it again for the {len(names)} columns")
    if scorecard is not None and [one.column for one in scorecard.characteristics] != names:
        raise BundleError(SCORECARD_FILE, "of other columns", f"make it again for {names}")
    score = scorer.score(golden.raw)
    differ = np.flatnonzero(~(np.abs(score - golden.score) <= SCORE_TOLERANCE))
    if len(differ):
        row = int(differ[0])
        raise BundleError(f"golden row {row}, score", score[row], f"train again: it was {golden.score[row]}")
    try:
        scorer.check_batch_invariance(golden.raw)
    except ModelError as error:
        raise BundleError(MODEL_FILE, "dependent on the batch", str(error)) from error
    return TableBundle(manifest, short_sha256(files[MANIFEST_FILE]), scorer, golden, scorecard)


def _verify_segments(manifest: TableManifest) -> None:
    if manifest.segments is None:
        return
    named = {column.name: column.categories for column in manifest.columns}
    categories = named.get(manifest.segments.column)
    if categories is None:
        raise BundleError("segments.column", manifest.segments.column, "name a column of categories")
    unknown = sorted(set(manifest.segments.by_category) - set(categories))
    if unknown:
        raise BundleError("segments.by_category", unknown[0], f"name some of {list(categories)}")
