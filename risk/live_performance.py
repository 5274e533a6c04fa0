"""How good the alerts are, by the labels that have come since: over a window of event time, whatever comes first.

Alerts, scores and labels lie on topics of their own, whose order among each other is lost. So what is told is a
function of the set of messages alone: of those on transactions in the window, each counted once. The window ends at the
clock, the greatest event time seen, and begins `window_ns` before, or after the oldest transactions that had to be
dropped because more than `limit` were in it.
"""

import heapq
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import msgspec

from risk.decode import LabelColumns
from schemas.alert import Alert
from schemas.outcome import Outcome
from schemas.score import Score

CALIBRATION_BINS = 10
"""Bins of equal width of the score, the lowest first; 1 lies in the last."""

AlertOutcome = Literal["review", "decline"]
CalibrationSource = Literal["scores", "alerts"]

_BILLION = 1_000_000_000
_ALERTED: dict[Outcome, AlertOutcome] = {"review": "review", "decline": "decline"}


class _Transaction(msgspec.Struct, gc=False):
    """What is known of one transaction; `label_time_ns` is -1 while nobody labelled it.

    `score_billionths` is an integer so that sums do not depend on the order; -1 while it is not known.
    """

    time_ns: int
    alerted: AlertOutcome | None = None
    score_billionths: int = -1
    label_time_ns: int = -1
    fraud: bool = False


@dataclass(slots=True)
class CalibrationBin:
    """The labelled transactions whose score lies in a bin."""

    transactions: int = 0
    frauds: int = 0
    _score_billionths: int = 0

    @property
    def mean_score(self) -> float:
        """The mean of the scores; NaN for none."""
        return self._score_billionths / _BILLION / self.transactions if self.transactions else float("nan")

    @property
    def fraud_fraction(self) -> float:
        """The fraction that was fraud; NaN for none."""
        return self.frauds / self.transactions if self.transactions else float("nan")

    def add(self, score_billionths: int, fraud: bool, sign: int) -> None:
        """Add a transaction, or take it away with the sign -1."""
        self.transactions += sign
        self.frauds += sign * fraud
        self._score_billionths += sign * score_billionths


class LivePerformance:
    """Holds alerts on customers, and scores, against labels.

    At most `limit` transactions are held; `dropped` tells how many were not, the oldest. `calibrate_on` says whose
    scores are calibrated. A later label of a transaction replaces an earlier one, by event time. A transaction has the
    time that its alert or score names, or a label's until one comes.

    >>> performance = LivePerformance(window_ns=1000, limit=10, calibrate_on="alerts")
    >>> performance.precision, performance.recall
    (nan, nan)
    """

    def __init__(self, *, window_ns: int, limit: int, calibrate_on: CalibrationSource) -> None:
        self._window_ns = window_ns
        self._limit = limit
        self._calibrate_on = calibrate_on
        self._transactions: dict[str, _Transaction] = {}
        self._by_time: list[tuple[int, str]] = []
        self._floor_ns = -1
        self.clock_ns = -1
        self.dropped = 0
        self.labelled_alerts: dict[tuple[AlertOutcome, bool], int] = {
            (outcome, fraud): 0 for outcome in _ALERTED.values() for fraud in (True, False)
        }
        self.labelled_frauds = {True: 0, False: 0}
        self.calibration = tuple(CalibrationBin() for _ in range(CALIBRATION_BINS))

    def __len__(self) -> int:
        return len(self._transactions)

    @property
    def precision(self) -> float:
        """The fraction of the labelled alerts that were fraud; NaN for none."""
        count = sum(self.labelled_alerts.values())
        frauds = sum(count for (_, fraud), count in self.labelled_alerts.items() if fraud)
        return frauds / count if count else float("nan")

    @property
    def recall(self) -> float:
        """The fraction of the labelled frauds that were alerted; NaN for none."""
        count = sum(self.labelled_frauds.values())
        return self.labelled_frauds[True] / count if count else float("nan")

    def add_alerts(self, alerts: Iterable[Alert]) -> None:
        """Take up alerts; those on other than customers, which nobody labels, have no part."""
        for alert in alerts:
            outcome = _ALERTED.get(alert.outcome)
            if alert.entity_kind != "customer" or outcome is None:
                continue
            score = alert.score if self._calibrate_on == "alerts" else None
            self._add(alert.event_id, alert.event_time_ns, outcome, score)
        self._forget()

    def add_scores(self, scores: Iterable[Score]) -> None:
        """Take up scores, for the calibration on them."""
        for score in scores:
            self._add(score.event_id, score.event_time_ns, None, score.score)
        self._forget()

    def add_labels(self, labels: LabelColumns) -> None:
        """Take up fraud reports and clearances."""
        for identity, transaction_time_ns, time_ns, fraud in zip(
            labels.transaction_id,
            labels.transaction_time_ns.tolist(),
            labels.event_time_ns.tolist(),
            labels.fraud.tolist(),
            strict=True,
        ):
            self._move_clock(time_ns)
            known = self._transactions.get(identity)
            if known is None:
                if transaction_time_ns <= self._begin_ns:
                    continue
                known = self._hold(identity, transaction_time_ns)
            # Of two labels of one time, the report of a fraud counts.
            if (time_ns, fraud) > (known.label_time_ns, known.fraud):
                self._count(known, -1)
                known.label_time_ns, known.fraud = time_ns, fraud
                self._count(known, 1)
        self._forget()

    def _add(self, identity: str, time_ns: int, alerted: AlertOutcome | None, score: float | None) -> None:
        self._move_clock(time_ns)
        known = self._transactions.get(identity)
        if known is None:
            if time_ns <= self._begin_ns:
                return
            known = self._hold(identity, time_ns)
        self._count(known, -1)
        if known.time_ns != time_ns:
            known.time_ns = time_ns
            heapq.heappush(self._by_time, (time_ns, identity))
        if alerted is not None:
            known.alerted = alerted
        if score is not None:
            known.score_billionths = round(score * _BILLION)
        self._count(known, 1)

    def _hold(self, identity: str, time_ns: int) -> _Transaction:
        known = self._transactions[identity] = _Transaction(time_ns)
        heapq.heappush(self._by_time, (time_ns, identity))
        return known

    def _move_clock(self, time_ns: int) -> None:
        self.clock_ns = max(self.clock_ns, time_ns)

    @property
    def _begin_ns(self) -> int:
        """The time up to which, and with which, nothing is held."""
        return max(self.clock_ns - self._window_ns, self._floor_ns)

    def _forget(self) -> None:
        """Let go of what lies before the window, and of the oldest while there are too many."""
        begin_ns = self._begin_ns
        while self._by_time and (self._by_time[0][0] <= begin_ns or len(self._transactions) > self._limit):
            time_ns, identity = heapq.heappop(self._by_time)
            known = self._transactions.get(identity)
            if known is None or known.time_ns != time_ns:
                continue
            self._count(known, -1)
            del self._transactions[identity]
            if time_ns > self.clock_ns - self._window_ns:
                # Nothing as old is taken up again, or what is told would depend on what came first.
                self._floor_ns = begin_ns = time_ns
                self.dropped += 1

    def _count(self, known: _Transaction, sign: int) -> None:
        if known.label_time_ns < 0:
            return
        if known.alerted is not None:
            self.labelled_alerts[known.alerted, known.fraud] += sign
        if known.fraud:
            self.labelled_frauds[known.alerted is not None] += sign
        if known.score_billionths >= 0:
            at = min(known.score_billionths * CALIBRATION_BINS // _BILLION, CALIBRATION_BINS - 1)
            self.calibration[at].add(known.score_billionths, known.fraud, sign)
