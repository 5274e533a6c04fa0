"""Applications for credit -> decisions, one for each. It keeps no rows: an application is decided by itself."""

from collections.abc import Iterable

import msgspec
import numpy as np

from risk.chunk import Chunk
from risk.credit_decision import CreditDecisions, decide_applications
from risk.dead_letters import reject
from risk.decision import OUTCOMES
from risk.decode import ApplicationColumns, decode_applications
from risk.event_time import rows_where, split_future
from risk.fold import Emitted, Output
from risk.identity import decision_id
from risk.rejection import Rejection
from risk.table_bundle import TableBundle
from risk.table_columns import Invalid, encode_row
from schemas.decision import Decision
from schemas.encoding import encode
from schemas.source import Source


class ApplicationFold:
    """Decides on one partition of applications; see `risk.fold.Fold`.

    What the bundle's columns do not admit is a dead letter. An application may be of any time but the future: nothing
    is kept of an applicant that it could be late for.
    """

    state_version = "applications-1"

    def __init__(self, partition: int, *, bundle: TableBundle) -> None:
        self._partition = partition
        self._bundle = bundle
        self._offset = -1

    def __len__(self) -> int:
        return 0

    def advance(self, chunk: Chunk) -> Emitted:
        """Emit a decision for each application of the chunk, in its order, and dead letters."""
        emitted = Emitted()
        chunk = chunk.after(self._offset)
        columns, rejections = decode_applications(chunk.keys, chunk.values)
        columns, future = split_future(columns, chunk)
        rows: list[list[float]] = []
        kept: list[int] = []
        invalid: list[Rejection] = []
        for at, fields in enumerate(columns.fields):
            row = encode_row(self._bundle.manifest.columns, fields)
            if isinstance(row, Invalid):
                invalid.append(Rejection(int(columns.index[at]), row.reason, invalid_detail(row)))
            else:
                rows.append(row)
                kept.append(at)
        reject(emitted, chunk, rejections + future + invalid)
        if len(chunk):
            self._offset = chunk.last_offset
        matrix = np.array(rows, dtype=np.float64).reshape(len(rows), len(self._bundle.manifest.columns))
        decisions = decide_applications(self._bundle, matrix)
        emitted.outputs += self._outputs(chunk, rows_where(columns, np.array(kept, dtype=np.int64)), decisions)
        counts = np.bincount(decisions.outcome, minlength=len(OUTCOMES)).tolist()
        emitted.counts = dict(zip(("approved", "reviewed", "declined"), counts, strict=True))
        return emitted

    def _outputs(self, chunk: Chunk, columns: ApplicationColumns, decisions: CreditDecisions) -> list[Output]:
        manifest, version = self._bundle.manifest, self._bundle.version
        outputs = []
        for at, (index, application_id, applicant_id) in enumerate(
            zip(columns.index.tolist(), columns.application_id, columns.applicant_id, strict=True)
        ):
            identity = decision_id(application_id, applicant_id, version)
            decision = Decision(
                schema_version=1,
                decision_id=identity,
                application_id=application_id,
                applicant_id=applicant_id,
                event_time_ns=int(columns.event_time_ns[at]),
                source=Source(topic=chunk.topic, partition=chunk.partition, offset=int(chunk.offsets[index])),
                probability=float(decisions.probability[at]),
                points=decisions.points_of(at),
                outcome=OUTCOMES[decisions.outcome[at]],
                expected_loss=decisions.expected_loss_of(at),
                threshold=float(decisions.threshold[at]),
                reasons=decisions.reasons[at],
                bundle_name=manifest.name,
                bundle_version=version,
            )
            outputs.append(
                Output("decisions", self._partition, applicant_id.encode(), encode(decision), bytes.fromhex(identity))
            )
        return outputs

    def take_changed(self) -> list[tuple[bytes, bytes]]:
        """Return nothing: there are no rows."""
        return []

    def cut(self) -> bytes:
        """Return the source offset that was reached."""
        return msgspec.msgpack.encode(self._offset)

    def last_offset(self) -> int:
        """Return the offset of the last record taken."""
        return self._offset

    def read_on_offset(self) -> int:
        """Return the offset after the last record taken."""
        return self._offset + 1

    def restore(self, cut: bytes, rows: Iterable[tuple[bytes, bytes]]) -> None:
        """Take up a cut."""
        self._offset = msgspec.msgpack.decode(cut, type=int)


def invalid_detail(invalid: Invalid) -> str:
    """Return what is wrong with a field of an application, and what to do.

    >>> invalid_detail(Invalid("age", "out_of_range", "17"))
    "fields.age=17: is out of the range of the bundle's column; correct it"
    """
    match invalid.reason:
        case "missing_field":
            return f"fields.{invalid.column} is missing; the bundle's model needs it: send it"
        case "wrong_type":
            return f"fields.{invalid.column} is a {invalid.found}; the bundle's column holds numbers: send a number"
        case _:
            return f"fields.{invalid.column}={invalid.found}: is out of the range of the bundle's column; correct it"
