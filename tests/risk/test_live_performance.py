import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from random import Random

import msgspec
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from risk.byte_slices import TextColumn
from risk.decode import LabelColumns
from risk.live_performance import CalibrationSource, LivePerformance
from schemas.alert import Alert
from schemas.label import Label
from schemas.outcome import Outcome
from schemas.score import Score
from schemas.source import Source

WINDOW_NS = 50
SOURCE = Source("transactions", 0, 0)
Message = Alert | Score | Label


def alert(identity: str, time_ns: int, score: float, outcome: Outcome = "review") -> Alert:
    """Return an alert on a customer's transaction."""
    return Alert(1, "", identity, "customer", "c", time_ns, SOURCE, score, 0.5, outcome, "low", (), "b", "v")


def score_of(identity: str, time_ns: int, score: float) -> Score:
    """Return a transaction's score."""
    return Score(1, identity, "c", "m", time_ns, SOURCE, score, "approve", (), "b", "v")


def label(identity: str, time_ns: int, after_ns: int, fraud: bool) -> Label:
    """Return a label that came so long after its transaction."""
    return Label(1, identity, "c", "m", time_ns, time_ns + after_ns, fraud)


def columns(labels: Sequence[Label]) -> LabelColumns:
    """Return labels in columns, as the decoder gives them."""
    return LabelColumns(
        np.arange(len(labels)),
        TextColumn.of([one.transaction_id for one in labels]),
        TextColumn.of([one.customer_id for one in labels]),
        TextColumn.of([one.merchant_id for one in labels]),
        np.array([one.transaction_time_ns for one in labels], dtype=np.int64),
        np.array([one.event_time_ns for one in labels], dtype=np.int64),
        np.array([one.fraud for one in labels], dtype=np.bool_),
    )


def take(performance: LivePerformance, messages: Sequence[Message]) -> None:
    """Have messages of one topic taken up, as one chunk."""
    match messages[0]:
        case Alert():
            performance.add_alerts([one for one in messages if isinstance(one, Alert)])
        case Score():
            performance.add_scores([one for one in messages if isinstance(one, Score)])
        case Label():
            performance.add_labels(columns([one for one in messages if isinstance(one, Label)]))


@dataclass(frozen=True)
class Told:
    """All that is told, without NaN, which equals nothing."""

    held: int
    labelled_alerts: dict[tuple[str, bool], int]
    labelled_frauds: dict[bool, int]
    calibration: list[tuple[int, int, str]]
    precision: str
    recall: str


def told(performance: LivePerformance) -> Told:
    """Return what is told now."""
    return Told(
        len(performance),
        {key: count for key, count in performance.labelled_alerts.items() if count},
        dict(performance.labelled_frauds),
        [(one.transactions, one.frauds, f"{one.mean_score:.12f}") for one in performance.calibration],
        f"{performance.precision:.12f}",
        f"{performance.recall:.12f}",
    )


def plainly(messages: Sequence[Message], limit: int, calibrate_on: CalibrationSource) -> Told:
    """Return what must be told of all these messages: each transaction looked at by itself, in no time order."""
    clock = max(one.event_time_ns for one in messages)
    times: dict[str, int] = {}
    for one in messages:
        if isinstance(one, Label):
            times[one.transaction_id] = one.transaction_time_ns
        else:
            times[one.event_id] = one.event_time_ns
    begin = clock - WINDOW_NS
    newest = sorted((time for time in times.values() if time > begin), reverse=True)
    if len(newest) > limit:
        begin = newest[limit]
    held = [identity for identity, time in times.items() if time > begin]
    alerts: dict[tuple[str, bool], int] = {}
    frauds = {True: 0, False: 0}
    bins: list[list[tuple[Fraction, bool]]] = [[] for _ in range(10)]
    for identity in held:
        labels = [one for one in messages if isinstance(one, Label) and one.transaction_id == identity]
        if not labels:
            continue
        fraud = max((one.event_time_ns, one.fraud) for one in labels)[1]
        of_alerts = [one for one in messages if isinstance(one, Alert) and one.event_id == identity]
        of_scores = [one for one in messages if isinstance(one, Score) and one.event_id == identity]
        for one in of_alerts[:1]:
            alerts[one.outcome, fraud] = alerts.get((one.outcome, fraud), 0) + 1
        if fraud:
            frauds[bool(of_alerts)] += 1
        scored: Sequence[Alert | Score] = of_scores if calibrate_on == "scores" else of_alerts
        for found in scored[:1]:
            bins[min(int(Fraction(str(found.score)) * 10), 9)].append((Fraction(str(found.score)), fraud))
    right, every = sum(count for (_, fraud), count in alerts.items() if fraud), sum(alerts.values())
    return Told(
        len(held),
        alerts,
        frauds,
        [(len(one), sum(fraud for _, fraud in one), f"{_mean([score for score, _ in one]):.12f}") for one in bins],
        f"{right / every if every else math.nan:.12f}",
        f"{frauds[True] / sum(frauds.values()) if sum(frauds.values()) else math.nan:.12f}",
    )


def _mean(scores: list[Fraction]) -> float:
    return float(sum(scores) / len(scores)) if scores else math.nan


@st.composite
def logs(draw: st.DrawFn) -> tuple[list[Message], list[Message], list[Message]]:
    """Draw the topics of alerts, scores and labels on a few transactions, with messages that are there twice."""
    alerts: list[Message] = []
    scores: list[Message] = []
    labels: list[Message] = []
    for number in range(draw(st.integers(1, 8))):
        identity, time_ns = f"t{number}", draw(st.integers(1000, 1100))
        score = draw(st.sampled_from([0.0, 0.05, 0.1, 0.3, 0.7, 0.95, 1.0]))
        if draw(st.booleans()):
            alerts += [alert(identity, time_ns, score, draw(st.sampled_from(["review", "decline"])))]
        if draw(st.booleans()):
            scores += [score_of(identity, time_ns, score)]
        labels += [
            label(identity, time_ns, draw(st.integers(0, 40)), draw(st.booleans()))
            for _ in range(draw(st.integers(0, 3)))
        ]
    again: list[list[Message]] = []
    for log in (alerts, scores, labels):
        repeated = log + [one for one in log if draw(st.booleans())]
        again.append(draw(st.permutations(repeated)))
    return again[0], again[1], again[2]


@given(
    topics=logs(),
    seed=st.integers(0, 2**32 - 1),
    limit=st.integers(1, 9),
    calibrate_on=st.sampled_from(["scores", "alerts"]),
)
def test_what_is_told_is_a_function_of_the_messages(
    topics: tuple[list[Message], list[Message], list[Message]],
    seed: int,
    limit: int,
    calibrate_on: CalibrationSource,
) -> None:
    """However topics are cut and interleaved, and whatever comes twice, all is as counted plainly."""
    if calibrate_on == "alerts":
        topics = (topics[0], [], topics[2])
    messages = [one for topic in topics for one in topic]
    if not messages:
        return
    draw = Random(seed)
    performance = LivePerformance(window_ns=WINDOW_NS, limit=limit, calibrate_on=calibrate_on)
    waiting = [list(topic) for topic in topics if topic]
    while waiting:
        topic = draw.choice(waiting)
        size = draw.randint(1, 4)
        take(performance, topic[:size])
        assert len(performance) <= limit
        del topic[:size]
        waiting = [one for one in waiting if one]
    assert told(performance) == plainly(messages, limit, calibrate_on)
    assert performance.dropped == 0 or limit < 8


def test_alerts_on_markets_have_no_part() -> None:
    """Nobody labels a symbol, and its clock is another one."""
    performance = LivePerformance(window_ns=WINDOW_NS, limit=9, calibrate_on="alerts")
    performance.add_alerts([msgspec.structs.replace(alert("t", 5_000, 0.9), entity_kind="symbol")])
    assert (len(performance), performance.clock_ns) == (0, -1)


def test_a_clearance_takes_a_report_back() -> None:
    """An alert that was right becomes a false one, also when the clearance is read before the report."""
    for order in ((0, 1), (1, 0)):
        labels = [label("t", 10, 1, fraud=True), label("t", 10, 2, fraud=False)]
        performance = LivePerformance(window_ns=WINDOW_NS, limit=9, calibrate_on="alerts")
        performance.add_alerts([alert("t", 10, 0.9)])
        for at in order:
            performance.add_labels(columns([labels[at]]))
        assert (performance.precision, math.isnan(performance.recall)) == (0.0, True)


def test_what_is_forgotten_leaves_nothing_behind() -> None:
    """A hundred windows later only the last transactions are held, in memory too."""
    performance = LivePerformance(window_ns=WINDOW_NS, limit=1_000, calibrate_on="alerts")
    for time_ns in range(0, 100 * WINDOW_NS):
        performance.add_alerts([alert(f"t{time_ns}", time_ns, 0.9)])
        performance.add_labels(columns([label(f"t{time_ns}", time_ns, 0, fraud=time_ns % 2 == 0)]))
    assert len(performance) == len(performance._by_time) == WINDOW_NS
    assert performance.precision == 0.5
    assert sum(one.transactions for one in performance.calibration) == WINDOW_NS
    assert performance.dropped == 0
