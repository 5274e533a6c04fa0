from collections import Counter
from collections.abc import Callable
from typing import Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.decision import OUTCOMES
from risk.identity import alert_id, bar_event_id
from risk.rates.curve_identity import curve_event_id
from schemas.alert import Alert
from schemas.curve import Curve, CurveFactor
from schemas.encoding import encode
from schemas.forecast import Forecast
from schemas.outcome import Outcome
from schemas.score import Score
from schemas.source import Source
from schemas.volatility import Volatility
from stream.comparison import Comparison, PartitionComparison, RecordCounts, RecordLedger, total
from stream.scored_kind import KINDS, KindName
from stream.scored_record import ScoredRecord, decode_record

LIVE, OTHER = "0123456789ab", "ba9876543210"


def alert(number: int, outcome: Outcome = "review", score: float = 0.6, version: str = LIVE) -> ScoredRecord:
    """Return an alert on a transaction."""
    event_id, customer_id = f"t{number}", f"c{number}"
    message = Alert(
        schema_version=1,
        alert_id=alert_id(event_id, customer_id, version),
        event_id=event_id,
        entity_kind="customer",
        entity_id=customer_id,
        event_time_ns=number,
        source=Source("transactions", 0, number),
        score=score,
        threshold=0.5,
        outcome=outcome,
        severity="medium",
        reasons=(),
        bundle_name="demo",
        bundle_version=version,
    )
    return ScoredRecord("alerts", 0, customer_id.encode(), encode(message), message)


def score(number: int, outcome: Outcome = "approve", score: float = 0.1, version: str = LIVE) -> ScoredRecord:
    """Return the score of a transaction."""
    message = Score(
        schema_version=1,
        event_id=f"t{number}",
        customer_id=f"c{number}",
        merchant_id="m",
        event_time_ns=number,
        source=Source("transactions", 0, number),
        score=score,
        outcome=outcome,
        features=(1.0,),
        bundle_name="demo",
        bundle_version=version,
    )
    return ScoredRecord("scores", 0, b"c", encode(message), message)


def volatility(bar: int, percent: float = 9.0, version: str = LIVE) -> ScoredRecord:
    """Return what came after a bar."""
    # Nothing else of it is looked at.
    fields: dict[str, Any] = dict.fromkeys(Volatility.__struct_fields__, 0)
    fields |= {
        "volatility_id": alert_id(bar_event_id("s", bar), "s", version),
        "symbol": "s",
        "bar_end_ns": bar,
        "annualised_volatility_percent": percent,
        "source": Source("ticks", 0, bar),
        "bundle_version": version,
    }
    message = Volatility(**fields)
    return ScoredRecord("volatility", 0, b"s", encode(message), message)


def forecast(bar: int, model: str, version: str = LIVE, topic: str = "ticks") -> ScoredRecord:
    """Return what a model expects after a bar, or after a curve."""
    fields: dict[str, Any] = dict.fromkeys(Forecast.__struct_fields__, 0)
    fields |= {
        "forecast_id": alert_id(bar_event_id("s", bar), model, version),
        "symbol": "s",
        "model": model,
        "bar_end_ns": bar,
        "source": Source(topic, 0, bar),
        "bundle_version": version,
    }
    message = Forecast(**fields)
    return ScoredRecord("forecasts", 0, b"s", encode(message), message)


def curve(day: int, volatility_bp: float = 5.0, version: str = LIVE) -> ScoredRecord:
    """Return a closed curve."""
    fields: dict[str, Any] = dict.fromkeys(Curve.__struct_fields__, 0)
    fields |= {
        "curve_id": alert_id(curve_event_id("USD", day), "USD", version),
        "currency": "USD",
        "event_time_ns": day,
        "level": CurveFactor(4.0, 0.0, volatility_bp, 0.0),
        "source": Source("rates", 0, day),
        "bundle_version": version,
    }
    message = Curve(**fields)
    return ScoredRecord("curves", 0, b"USD", encode(message), message)


def market_alert(
    entity_kind: Literal["symbol", "curve", "portfolio"], entity_id: str, event_id: str, at: int, version: str = LIVE
) -> ScoredRecord:
    """Return an alert on what is no customer, its score on a scale of its own."""
    message = msgspec.structs.replace(
        alert(at, version=version).message,
        alert_id=alert_id(event_id, entity_id, version),
        event_id=event_id,
        entity_kind=entity_kind,
        entity_id=entity_id,
        source=Source("ticks", 0, at),
        score=1.7,
    )
    return ScoredRecord("alerts", 0, entity_id.encode(), encode(message), message)


def bar_alert(bar: int, version: str = LIVE) -> ScoredRecord:
    """Return an alert on a bar."""
    return market_alert("symbol", "s", bar_event_id("s", bar), bar, version)


def curve_alert(day: int, version: str = LIVE) -> ScoredRecord:
    """Return an alert on a curve."""
    return market_alert("curve", "USD", curve_event_id("USD", day), day, version)


def compared(
    published: list[ScoredRecord],
    rescored: list[ScoredRecord],
    frauds: frozenset[tuple[str, str]] = frozenset(),
    kind: KindName = "transactions",
) -> Comparison:
    """Return the comparison of one partition's records."""
    comparison = PartitionComparison(KINDS[kind], frauds)
    for one in published:
        comparison.take_published(one.stream, one)
    comparison.take_rescored(rescored)
    return comparison.result()


@pytest.mark.parametrize(
    ("kind", "published", "equal"),
    [
        ("transactions", [alert(1), score(1, "review", 0.6), score(2)], {"alerts": 1, "scores": 2}),
        (
            "ticks",
            [volatility(3), forecast(3, "ar"), forecast(3, "lstm"), bar_alert(3), volatility(4)],
            {"alerts": 1, "volatility": 2, "forecasts": 2},
        ),
        (
            "rates",
            [curve(3), forecast(3, "ar", topic="rates"), curve_alert(3), curve(4)],
            {"alerts": 1, "curves": 2, "forecasts": 1},
        ),
    ],
)
def test_equal_records_are_equal(kind: KindName, published: list[ScoredRecord], equal: dict[str, int]) -> None:
    """The same records of a kind, in whatever order, differ in nothing."""
    found = compared(published, published[::-1], kind=kind)
    assert found.differences == 0
    assert {stream: one.equal for stream, one in found.records.items()} == equal
    assert found.not_rescored == 0
    assert found.is_of(LIVE)
    assert not found.is_of(OTHER)


@pytest.mark.parametrize(
    ("published", "rescored", "expected"),
    [
        ([], [alert(1)], RecordCounts(missing=1)),
        ([alert(1)], [], RecordCounts(surplus=1)),
        ([alert(1)], [alert(1, score=0.7)], RecordCounts(different=1)),
        ([alert(1), alert(1)], [alert(1)], RecordCounts(equal=1, surplus=1)),
        ([alert(1)], [alert(1), alert(1)], RecordCounts(equal=1, missing=1)),
        ([alert(1), alert(1, score=0.7)], [alert(1, score=0.7), alert(1)], RecordCounts(equal=2)),
        ([alert(1), alert(1, score=0.7)], [alert(1, score=0.9), alert(1)], RecordCounts(equal=1, different=1)),
        ([alert(1, version=OTHER)], [alert(1)], RecordCounts(missing=1, surplus=1)),
    ],
)
def test_records_are_matched_by_identity(
    published: list[ScoredRecord], rescored: list[ScoredRecord], expected: RecordCounts
) -> None:
    """What lacks, what is too much and what has other bytes under its identity are counted apart, copy by copy."""
    assert compared(published, rescored).records["alerts"] == expected


def test_the_key_belongs_to_a_record() -> None:
    """Under another key, or none, the same value is another record."""
    one = alert(1)
    for key in (b"c2", None):
        moved = ScoredRecord(one.stream, one.partition, key, one.value, one.message)
        assert compared([moved], [one]).records["alerts"] == RecordCounts(different=1)


pairs = st.lists(st.tuples(st.sampled_from([b"a", b"b", b"c"]), st.sampled_from([b"1", b"2", b"3"])), max_size=12)


@given(pairs, pairs)
def test_the_ledger_counts_as_sets_of_copies_do(
    published: list[tuple[bytes, bytes]], rescored: list[tuple[bytes, bytes]]
) -> None:
    """In any order the counts are those of the multisets' intersection and of what each side has left by identity."""
    ledger = RecordLedger()
    for identity, digest in published:
        ledger.publish(identity, digest)
    for identity, digest in rescored:
        ledger.rescore(identity, digest)
    equal = Counter(published) & Counter(rescored)
    left, unlike = (
        Counter(identity for identity, _ in (Counter(one) - equal).elements()) for one in (published, rescored)
    )
    different = (left & unlike).total()
    assert ledger.counts() == RecordCounts(
        equal=equal.total(),
        different=different,
        missing=unlike.total() - different,
        surplus=left.total() - different,
    )


def test_scores_need_not_be_published() -> None:
    """Where no score was published, none is missed; where one was, all are."""
    rescored = [alert(1), score(1, "review", 0.6), score(2)]
    assert compared([alert(1)], rescored).differences == 0
    found = compared([alert(1), score(2)], rescored)
    assert found.records["scores"] == RecordCounts(equal=1, missing=1)
    assert found.differences == 1


def test_a_record_that_nobody_can_read_is_a_difference() -> None:
    """What is no message of its stream is counted, and does not end the comparison."""
    assert decode_record("alerts", 0, None, b"{}") is None
    assert decode_record("alerts", 0, None, b"\xff") is None
    assert decode_record("alerts", 0, None, None) is None
    comparison = PartitionComparison(KINDS["ticks"], frozenset())
    comparison.take_published("alerts", None)
    assert comparison.result().differences == 1


def test_outcomes_are_matched_by_event() -> None:
    """Another bundle's outcome stands beside that published of the same event, and approval is the lack of an alert."""
    published = [alert(1, "review"), alert(2, "decline", 0.9)]
    rescored = [
        score(1, "approve", 0.2, OTHER),
        *(alert(2, "review", 0.7, OTHER), score(2, "review", 0.7, OTHER)),
        *(alert(3, "decline", 0.8, OTHER), score(3, "decline", 0.8, OTHER)),
        score(4, "approve", 0.1, OTHER),
    ]
    found = compared(published, rescored)
    assert found.outcomes.counts == {
        ("review", "approve"): 1,
        ("decline", "review"): 1,
        ("approve", "decline"): 1,
        ("approve", "approve"): 1,
    }
    assert (found.outcomes.newly_alerted, found.outcomes.no_longer_alerted) == (1, 1)
    assert found.number_differences.tolist() == pytest.approx([-0.4, -0.2])
    assert not found.is_of(OTHER)
    assert found.not_rescored == 0


@pytest.mark.parametrize("alert_first", [False, True])
@pytest.mark.parametrize(
    ("kind", "event", "alert_on"), [("ticks", volatility, bar_alert), ("rates", curve, curve_alert)]
)
def test_bars_and_curves_are_matched_as_transactions_are(
    kind: KindName,
    event: Callable[..., ScoredRecord],
    alert_on: Callable[..., ScoredRecord],
    alert_first: bool,
) -> None:
    """Their volatilities are compared, never the scores of their alerts, and it is an alert that tells an outcome."""
    published = [*(event(at, 10.0) for at in (7, 8, 9)), alert_on(7)]
    alerted = [event(8, 9.0, OTHER), alert_on(8, OTHER)]
    rescored = [event(7, 12.5, OTHER), *(alerted[::-1] if alert_first else alerted), event(9, 10.0, OTHER)]
    found = compared(published, rescored, kind=kind)
    assert found.outcomes.counts == {("review", "approve"): 1, ("approve", "review"): 1, ("approve", "approve"): 1}
    assert found.number_differences.tolist() == [2.5, -1.0, 0.0]
    assert found.not_rescored == 0


def test_forecasts_count_no_event_twice() -> None:
    """However many models forecast after a bar, it is one bar, and nothing is subtracted but its volatility."""
    found = compared(
        [forecast(7, "ar"), volatility(7)], [volatility(7), forecast(7, "ar"), forecast(7, "b")], kind="ticks"
    )
    assert found.outcomes.counts == {("approve", "approve"): 1}
    assert found.number_differences.tolist() == [0.0]
    assert found.records["forecasts"] == RecordCounts(equal=1, missing=1)


def test_an_alert_on_no_bar_is_an_event_of_its_own() -> None:
    """Feeds that are silent on both sides, on one or on the other, stand beside the bars, each once."""
    both, was, now = (market_alert("symbol", "s", f"silence of {name}", 5) for name in ("both", "was", "now"))
    found = compared([volatility(5), both, was], [volatility(5), both, now], kind="ticks")
    assert found.outcomes.counts == {("approve", "approve"): 1, ("review", "review"): 1, ("approve", "review"): 1}
    assert found.not_rescored == 1


outcomes = st.sampled_from(OUTCOMES)
histories = st.lists(st.tuples(outcomes, outcomes, st.booleans()), max_size=20)


@given(histories)
def test_outcomes_are_those_of_a_table_of_all_events(history: list[tuple[Outcome, Outcome, bool]]) -> None:
    """What is counted from alerts and a number of events is what a list of every event gives, frauds too."""
    published = [alert(number, was) for number, (was, _, _) in enumerate(history) if was != "approve"]
    rescored: list[ScoredRecord] = []
    for number, (_, now, _) in enumerate(history):
        rescored += [alert(number, now, version=OTHER)] if now != "approve" else []
        rescored.append(score(number, now, version=OTHER))
    frauds = frozenset((f"t{number}", f"c{number}") for number, (_, _, fraud) in enumerate(history) if fraud)
    found = compared(published, rescored, frauds)
    assert found.outcomes.counts == Counter((was, now) for was, now, _ in history)
    for side, quality in ((0, found.published), (1, found.rescored)):
        alerts = [one[side] != "approve" for one in history]
        assert quality.alerts == sum(alerts)
        assert quality.frauds == len(frauds)
        assert quality.hits == sum(a and one[2] for a, one in zip(alerts, history, strict=True))


def test_only_the_alerts_of_its_entities_are_a_kinds_own() -> None:
    """Of the topic that all kinds share, an alert belongs to the kind whose entity it is on; the rest to its stream."""
    foreign = market_alert("portfolio", "p", "p@1", 1)
    owned: dict[KindName, tuple[ScoredRecord, ScoredRecord]] = {
        "transactions": (alert(1), score(1)),
        "ticks": (bar_alert(1), volatility(1)),
        "rates": (curve_alert(1), curve(1)),
    }
    for kind, records in owned.items():
        for other in KINDS:
            assert KINDS[other].has(records[0]) is (other == kind)
        assert KINDS[kind].has(records[1])
        assert not KINDS[kind].has(foreign)
    assert set(owned) == set(KINDS)


def test_a_transaction_that_was_sent_twice_is_two_events() -> None:
    """Its source tells one from the other."""
    first, again = score(1, "review", 0.6), score(1, "approve", 0.1)
    assert isinstance(again.message, Score)
    moved = msgspec.structs.replace(again.message, source=Source("transactions", 0, 99))
    again = ScoredRecord("scores", 0, again.key, encode(moved), moved)
    found = compared([alert(1), first, again], [alert(1), first, again])
    assert found.outcomes.counts == {("review", "review"): 1, ("approve", "approve"): 1}
    assert found.number_differences.tolist() == [0.0, 0.0]


def test_alerts_on_unknown_events_are_told() -> None:
    """A published alert whose event was not re-scored is in no table of outcomes, but is counted."""
    found = compared([alert(1), alert(2)], [score(2, "review", 0.6, OTHER)])
    assert found.not_rescored == 1
    assert found.outcomes.total == 1


def test_alerts_are_held_against_known_frauds() -> None:
    """Precision is over alerts and recall over frauds, of the transactions that were re-scored."""
    frauds = frozenset({("t1", "c1"), ("t2", "c2"), ("t3", "someone else"), ("t9", "c9")})
    published = [alert(1), alert(3), alert(4)]
    rescored = [
        *(alert(number, "decline", 0.9, OTHER) for number in (1, 2)),
        *(score(number, "decline", 0.9, OTHER) for number in (1, 2)),
        *(score(number, version=OTHER) for number in (3, 4, 5)),
    ]
    found = compared(published, rescored, frauds)
    assert (found.published.alerts, found.published.frauds, found.published.hits) == (3, 2, 1)
    assert (found.published.precision, found.published.recall) == (1 / 3, 1 / 2)
    assert (found.rescored.precision, found.rescored.recall) == (1.0, 1.0)


def test_who_published_decides_whether_records_must_be_equal() -> None:
    """It is asked of the span, and elsewhere only where the span is empty; a mixture is nobody's."""
    assert not compared([alert(1), alert(2, version=OTHER)], []).is_of(LIVE)
    assert compared([], []).is_of(LIVE)
    comparison = PartitionComparison(KINDS["transactions"], frozenset())
    comparison.pass_over(alert(1))
    assert comparison.result().is_of(LIVE)
    assert not comparison.result().is_of(OTHER)


def test_partitions_add_up() -> None:
    """The total of several partitions is that of their records together."""
    rescored = [[alert(1), score(1, "review", 0.5)], [score(2), score(3)]]
    published = [[alert(1)], [alert(2), score(3, score=0.3)]]
    frauds = frozenset({("t1", "c1"), ("t2", "c2")})
    parts = [compared(one, two, frauds) for one, two in zip(published, rescored, strict=True)]
    found = total(KINDS["transactions"], parts)
    together = compared([*published[0], *published[1]], [*rescored[0], *rescored[1]], frauds)
    for name in (one for one in Comparison.__slots__ if not one.endswith("differences")):
        assert getattr(found, name) == getattr(together, name), name
    assert found.number_differences.tolist() == together.number_differences.tolist()
    assert len(found.number_differences) == 3
    assert total(KINDS["ticks"], []).differences == 0


def test_a_forecast_belongs_to_the_topic_that_led_to_it() -> None:
    """Forecasts of symbols and of curves lie in one topic, and each replay looks at its own."""
    for topic, other in (("ticks", "rates"), ("rates", "ticks")):
        record = forecast(3, "ar", topic=f"eu.{topic}")
        assert KINDS[topic].has(record)  # type: ignore[index]  # both are kinds
        assert not KINDS[other].has(record)  # type: ignore[index]
