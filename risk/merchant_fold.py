"""Second hop: rows keyed by merchant -> merchant profiles -> features -> normalise -> score -> decide -> alerts."""

from collections.abc import Iterable

import msgspec
import numpy as np
from numpy.typing import NDArray

from risk.bundle import FEATURES, Bundle
from risk.chunk import Chunk
from risk.customer_profile import CUSTOMER_FEATURES
from risk.decision import APPROVE, OUTCOMES, SEVERITIES, decide, severity
from risk.event_merge import EventMerge, MergeCut, Released
from risk.fold import Emitted, Output
from risk.identity import alert_id
from risk.merchant_events import TRANSACTION, Block, Source, decode_block, int64_column
from risk.merchant_profile import MerchantProfile
from schemas.alert import Alert
from schemas.encoding import encode
from schemas.score import Score
from schemas.source import Source as MessageSource

_NORMALISER_KEY = b"normaliser"
_PROFILE_PREFIX = b"m"


class MerchantFold:
    """Scores the transactions of one partition of merchants; see `risk.fold.Fold`.

    Alerts and scores go to this partition's number in their topics. Their source is where the transaction lies in
    `transactions_topic`.
    """

    def __init__(
        self, partition: int, *, partitions: int, bundle: Bundle, transactions_topic: str, publish_scores: bool
    ) -> None:
        self._partition = partition
        self._bundle = bundle
        self._transactions_topic = transactions_topic
        self._publish_scores = publish_scores
        sources: list[Source] = [("transactions", at) for at in range(partitions)]
        sources += [("labels", at) for at in range(partitions)]
        self._merge = EventMerge(sources)
        self._profiles = MerchantProfile()
        self._normaliser = bundle.normaliser()
        self._columns = np.array([FEATURES.index(name) for name in bundle.manifest.features])

    @property
    def state_version(self) -> str:
        """Names the form of the rows, and the bundle whose normaliser the state holds."""
        versions = self._bundle.manifest.state_versions
        return f"merchants-{versions['merchant_profile']}-{versions['normaliser']}"

    def __len__(self) -> int:
        return len(self._profiles)

    def advance(self, chunk: Chunk) -> Emitted:
        """Score the transactions whose turn has come; emit alerts, and scores if they are asked for."""
        emitted = Emitted()
        found: list[Released] = []
        for offset, value in zip(chunk.offsets, chunk.values, strict=True):
            assert value is not None, "merchant-events is written by first hops alone"
            released = self._merge.add(offset, decode_block(value))
            if released is not None:
                found.append(released)
        if not found:
            return emitted
        blocks = [block for one in found for block in one.blocks]
        firsts = np.cumsum([0, *(len(one.blocks) for one in found[:-1])])
        block = np.concatenate([one.block + first for one, first in zip(found, firsts, strict=True)])
        row = np.concatenate([one.row for one in found])
        self._score(_Rows(blocks, block, row), emitted)
        emitted.counts["late"] = sum(one.late for one in found)
        return emitted

    def _score(self, rows: "_Rows", emitted: Emitted) -> None:
        kind = rows.kinds()
        merchant_features = self._profiles.advance(
            rows.texts([block.merchant_id for block in rows.blocks]),
            rows.int64("event_time_ns"),
            kind,
            rows.texts([block.transaction_id for block in rows.blocks]),
            rows.int64("transaction_time_ns"),
        )
        chosen = np.flatnonzero(kind == TRANSACTION)
        emitted.counts = {"scored": len(chosen), "labelled": len(kind) - len(chosen)}
        if not len(chosen):
            return
        transactions = rows.where(chosen)
        raw = np.hstack([transactions.features(), merchant_features[chosen]])[:, self._columns]
        event_time_ns = transactions.int64("event_time_ns")
        normalised = self._normaliser.advance(raw, event_time_ns)
        scores = self._bundle.scorer.score(normalised)
        outcomes = decide(scores, self._bundle.manifest.thresholds)
        alerted = np.flatnonzero(outcomes != APPROVE)
        emitted.counts["alerted"] = len(alerted)
        if len(alerted):
            emitted.outputs += self._alerts(
                transactions.where(alerted), raw[alerted], normalised[alerted], scores[alerted], outcomes[alerted]
            )
        if self._publish_scores:
            emitted.outputs += self._scores(transactions, raw, scores, outcomes)

    def _alerts(
        self,
        rows: "_Rows",
        raw: NDArray[np.float64],
        normalised: NDArray[np.float64],
        scores: NDArray[np.float64],
        outcomes: NDArray[np.uint8],
    ) -> list[Output]:
        manifest, version = self._bundle.manifest, self._bundle.version
        thresholds = {
            "review": manifest.thresholds.review,
            "decline": manifest.thresholds.decline,
        }
        severities = severity(scores, manifest.thresholds)
        reasons = self._bundle.explain(raw, normalised)
        event_times = rows.int64("event_time_ns").tolist()
        outputs = []
        for at, (event_id, customer_id, source) in enumerate(rows.identities(self._transactions_topic)):
            outcome = OUTCOMES[outcomes[at]]
            identity = alert_id(event_id, customer_id, version)
            alert = Alert(
                schema_version=1,
                alert_id=identity,
                event_id=event_id,
                entity_kind="customer",
                entity_id=customer_id,
                event_time_ns=event_times[at],
                source=source,
                score=float(scores[at]),
                threshold=thresholds[outcome],
                outcome=outcome,
                severity=SEVERITIES[severities[at]],
                reasons=reasons[at],
                bundle_name=manifest.name,
                bundle_version=version,
            )
            outputs.append(
                Output("alerts", self._partition, customer_id.encode(), encode(alert), bytes.fromhex(identity))
            )
        return outputs

    def _scores(
        self,
        rows: "_Rows",
        raw: NDArray[np.float64],
        scores: NDArray[np.float64],
        outcomes: NDArray[np.uint8],
    ) -> list[Output]:
        manifest, version = self._bundle.manifest, self._bundle.version
        event_times = rows.int64("event_time_ns").tolist()
        merchants = rows.texts([block.merchant_id for block in rows.blocks])
        outputs = []
        for at, (event_id, customer_id, source) in enumerate(rows.identities(self._transactions_topic)):
            score = Score(
                schema_version=1,
                event_id=event_id,
                customer_id=customer_id,
                merchant_id=merchants[at],
                event_time_ns=event_times[at],
                source=source,
                score=float(scores[at]),
                outcome=OUTCOMES[outcomes[at]],
                features=tuple(raw[at].tolist()),
                bundle_name=manifest.name,
                bundle_version=version,
            )
            identity = bytes.fromhex(alert_id(event_id, customer_id, version))
            outputs.append(Output("scores", self._partition, customer_id.encode(), encode(score), identity))
        return outputs

    def take_changed(self) -> list[tuple[bytes, bytes]]:
        """Return the profiles changed since the last call, and the normaliser's row if it adapted."""
        profiles = [(_PROFILE_PREFIX + key, row) for key, row in self._profiles.take_changed()]
        return profiles + self._normaliser.take_changed()

    def cut(self) -> bytes:
        """Return what the merge contains."""
        return msgspec.msgpack.encode(self._merge.cut())

    def read_on_offset(self) -> int:
        """Return the offset of the first block with a row that still waits, or the one after the last block."""
        return self._merge.cut().read_on_offset

    def restore(self, cut: bytes, rows: Iterable[tuple[bytes, bytes]]) -> None:
        """Take up a cut, its profiles and its normaliser."""
        self._merge.restore(msgspec.msgpack.decode(cut, type=MergeCut))
        profiles = []
        for key, row in rows:
            if key == _NORMALISER_KEY:
                self._normaliser.load([(key, row)])
            else:
                profiles.append((key.removeprefix(_PROFILE_PREFIX), row))
        self._profiles.load(profiles)


class _Rows:
    """Rows that lie scattered over blocks, gathered column by column: row `row[i]` of `blocks[block[i]]`."""

    def __init__(self, blocks: list[Block], block: NDArray[np.int64], row: NDArray[np.int64]) -> None:
        self.blocks = blocks
        self._block = block
        self._row = row
        lengths = np.array([len(one) for one in blocks], dtype=np.int64)
        self._flat = (np.cumsum(lengths) - lengths)[block] + row

    def where(self, chosen: NDArray[np.int64]) -> "_Rows":
        """Return some of the rows."""
        return _Rows(self.blocks, self._block[chosen], self._row[chosen])

    def int64(self, column: str) -> NDArray[np.int64]:
        """Return a column of numbers, int64[n]."""
        return int64_column(b"".join(getattr(block, column) for block in self.blocks))[self._flat]

    def kinds(self) -> NDArray[np.uint8]:
        """Return each row's kind, uint8[n]."""
        return np.frombuffer(b"".join(block.kinds for block in self.blocks), dtype=np.uint8)[self._flat]

    def texts(self, columns: list[list[str]]) -> list[str]:
        """Return a column of text, given as the column of each block."""
        return [columns[at][row] for at, row in zip(self._block.tolist(), self._row.tolist(), strict=True)]

    def features(self) -> NDArray[np.float64]:
        """Return the customer features, float64[n, F]; only for rows that are transactions."""
        width = len(CUSTOMER_FEATURES)
        # Blocks of labels have no features: rows are counted over the blocks of transactions alone.
        lengths = np.array([len(one) if one.features else 0 for one in self.blocks], dtype=np.int64)
        flat = (np.cumsum(lengths) - lengths)[self._block] + self._row
        joined = np.frombuffer(b"".join(block.features for block in self.blocks), dtype="<f8")
        return joined.reshape(-1, width)[flat]

    def identities(self, topic: str) -> list[tuple[str, str, MessageSource]]:
        """Return the event's id, the customer's id and the place in the log of each transaction."""
        offsets = self.int64("offsets").tolist()
        found = []
        for at, (number, row) in enumerate(zip(self._block.tolist(), self._row.tolist(), strict=True)):
            block = self.blocks[number]
            source = MessageSource(topic=topic, partition=block.partition, offset=offsets[at])
            found.append((block.transaction_id[row], block.customer_id[row], source))
        return found
