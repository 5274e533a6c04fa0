"""Second hop: rows keyed by merchant -> merchant profiles -> features -> normalise -> score -> decide -> alerts."""

from collections.abc import Iterable

import msgspec
import numpy as np
from numpy.typing import NDArray

from risk.bundle import FEATURES, Bundle
from risk.chunk import Chunk
from risk.decision import APPROVE, OUTCOMES, SEVERITIES, decide, severity
from risk.drift_bins import DriftBins
from risk.event_merge import EventMerge, MergeCut
from risk.event_rows import EventRows, MerchantBlocks
from risk.explanation import Explanations
from risk.fold import Emitted, Output
from risk.identity import alert_id
from risk.merchant_events import TRANSACTION, Block, decode_blocks
from risk.merchant_events import Source as BlockSource
from risk.merchant_profile import MerchantProfile
from risk.stored_rows import StoredRows
from schemas.alert import Alert
from schemas.encoding import encode
from schemas.score import Score
from schemas.source import Source

_NORMALISER_PREFIX = b"n"
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
        sources: list[BlockSource] = [("transactions", at) for at in range(partitions)]
        sources += [("labels", at) for at in range(partitions)]
        self._merge = EventMerge[Block, MerchantBlocks](sources, MerchantBlocks)
        self._profiles = MerchantProfile()
        self._normaliser = bundle.normaliser()
        self._normaliser_key = _NORMALISER_PREFIX + bundle.version.encode()
        reference = bundle.manifest.reference
        self._drift_bins = None if reference is None else DriftBins(reference, bundle.manifest.features)
        self._columns = np.array([FEATURES.index(name) for name in bundle.manifest.features])

    @property
    def state_version(self) -> str:
        """Names the form of the rows."""
        versions = self._bundle.manifest.state_versions
        return f"merchants-{versions['merchant_profile']}-{versions['normaliser']}"

    def __len__(self) -> int:
        return len(self._profiles)

    def advance(self, chunk: Chunk) -> Emitted:
        """Score the transactions whose turn has come; emit alerts, and scores if they are asked for."""
        emitted = Emitted()
        released = self._merge.add(chunk.offsets.tolist(), decode_blocks(chunk.values))
        if released is None:
            return emitted
        self._score(released.blocks.rows(released.block, released.row), emitted)
        emitted.counts["late"] = released.late
        emitted.counts["released_early"] = released.early
        return emitted

    def _score(self, rows: EventRows, emitted: Emitted) -> None:
        merchant_features = self._profiles.advance(
            rows.merchant_id, rows.event_time_ns, rows.kinds, rows.transaction_id, rows.transaction_time_ns
        )
        chosen = np.flatnonzero(rows.kinds == TRANSACTION)
        emitted.counts = {"scored": len(chosen), "labelled": len(rows) - len(chosen)}
        if not len(chosen):
            return
        raw = np.hstack([rows.features, merchant_features])[:, self._columns]
        transactions = rows
        if len(chosen) < len(rows):
            transactions, raw = rows.where(chosen), raw[chosen]
        normalised = self._normaliser.advance(raw, transactions.event_time_ns)
        scores = self._bundle.scorer.score(normalised)
        if self._drift_bins is not None:
            emitted.bin_counts = self._drift_bins.count(scores, raw)
        outcomes = decide(scores, self._bundle.manifest.thresholds)
        alerted = np.flatnonzero(outcomes != APPROVE)
        emitted.counts["alerted"] = len(alerted)
        if len(alerted):
            explanations = self._bundle.explain(raw[alerted], normalised[alerted], scores[alerted])
            emitted.counts["not_additive"] = len(explanations.not_additive())
            emitted.outputs += self._alerts(transactions.where(alerted), raw[alerted], explanations, outcomes[alerted])
        if self._publish_scores:
            emitted.outputs += self._scores(transactions, raw, scores, outcomes)

    def _alerts(
        self,
        rows: EventRows,
        raw: NDArray[np.float64],
        explanations: Explanations,
        outcomes: NDArray[np.uint8],
    ) -> list[Output]:
        manifest, version = self._bundle.manifest, self._bundle.version
        thresholds = {
            "review": manifest.thresholds.review,
            "decline": manifest.thresholds.decline,
        }
        severities = severity(explanations.score, manifest.thresholds)
        reasons = self._bundle.reasons(raw, explanations)
        scores, usual_scores = explanations.score.tolist(), explanations.usual_score.tolist()
        contributions, features = explanations.contributions.tolist(), raw.tolist()
        event_times = rows.event_time_ns.tolist()
        outputs = []
        for at, (event_id, customer_id, source) in enumerate(self._identities(rows)):
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
                score=scores[at],
                threshold=thresholds[outcome],
                outcome=outcome,
                severity=SEVERITIES[severities[at]],
                reasons=reasons[at],
                bundle_name=manifest.name,
                bundle_version=version,
                usual_score=usual_scores[at],
                contributions=dict(zip(manifest.features, contributions[at], strict=True)),
                features=dict(zip(manifest.features, features[at], strict=True)),
            )
            outputs.append(
                Output("alerts", self._partition, customer_id.encode(), encode(alert), bytes.fromhex(identity))
            )
        return outputs

    def _scores(
        self,
        rows: EventRows,
        raw: NDArray[np.float64],
        scores: NDArray[np.float64],
        outcomes: NDArray[np.uint8],
    ) -> list[Output]:
        manifest, version = self._bundle.manifest, self._bundle.version
        event_times = rows.event_time_ns.tolist()
        merchants = list(rows.merchant_id)
        outputs = []
        for at, (event_id, customer_id, source) in enumerate(self._identities(rows)):
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

    def _identities(self, rows: EventRows) -> list[tuple[str, str, Source]]:
        """Return the event's id, the customer's id and the place in the log of each transaction."""
        return [
            (event_id, customer_id, Source(topic=self._transactions_topic, partition=partition, offset=offset))
            for event_id, customer_id, partition, offset in zip(
                rows.transaction_id, rows.customer_id, rows.partition.tolist(), rows.offsets.tolist(), strict=True
            )
        ]

    def take_changed(self) -> StoredRows:
        """Return the profiles changed since the last call, and the normaliser's row if it adapted."""
        normaliser = [(self._normaliser_key, row) for _, row in self._normaliser.take_changed()]
        return StoredRows.joined([self._profiles.take_changed().prefixed(_PROFILE_PREFIX), StoredRows.of(normaliser)])

    def cut(self) -> bytes:
        """Return what the merge contains."""
        return msgspec.msgpack.encode(self._merge.cut())

    def last_offset(self) -> int:
        """Return the offset of the last block taken."""
        return self._merge.cut().log_offset

    def read_on_offset(self) -> int:
        """Return the offset of the first block with a row that still waits, or the one after the last block."""
        return self._merge.cut().read_on_offset

    def restore(self, cut: bytes, rows: Iterable[tuple[bytes, bytes]]) -> None:
        """Take up a cut, its profiles and its normaliser.

        What a normaliser learnt under another bundle is left: its columns are that bundle's.
        """
        self._merge.restore(msgspec.msgpack.decode(cut, type=MergeCut))
        stored = StoredRows.of(rows)
        self._profiles.load(stored.starting_with(_PROFILE_PREFIX))
        self._normaliser.load(pair for pair in stored.starting_with(self._normaliser_key) if not pair[0])
