import msgspec

from schemas.encoding import encode
from stream.page.alert_filter import AlertFilter, filter_of
from stream.page.feed import BARS_PER_SYMBOL, MOST_ALERTS, MOST_SYMBOLS, MOST_VALUE_BYTES, Feed
from stream.page.page_app import feed_of
from stream.page.topic_tails import Record
from stream.settings import Settings
from tests.page_messages import alert, alert_records, bar, bar_records, portfolio_risk


def open_feed() -> Feed:
    """Return an empty feed that takes what comes."""
    feed = feed_of(Settings())
    feed.open()
    return feed


def ids(feed: Feed, wanted: AlertFilter | None = None) -> list[int]:
    """Return the numbers of the alerts that are kept, the newest first."""
    rows, _ = feed.alerts.page(wanted or AlertFilter(), before=None, limit=10_000)
    return [int(row.alert_id, 16) for row in rows]


def test_what_is_read_at_the_start_is_put_in_order() -> None:
    """Partitions are read one after the other; their alerts are kept in the order in which Kafka took them up."""
    feed = feed_of(Settings())
    one, other = alert_records([alert(at) for at in range(6)])[::2], alert_records([alert(at) for at in range(6)])[1::2]
    feed.take(one)
    feed.take(other)
    assert ids(feed) == []
    feed.open()
    assert ids(feed) == [5, 4, 3, 2, 1, 0]


def test_a_bad_message_is_passed_over_and_counted() -> None:
    """What is no JSON, no alert, too large or empty does not stop what comes after it."""
    feed = open_feed()
    large = msgspec.structs.replace(alert(1), entity_id="x" * MOST_VALUE_BYTES)
    for value in (b"", b"\xff", b"{}", b"[" * 5_000, encode(bar(1)), encode(large)):
        feed.take([Record("alerts", 0, 0, 0, value)])
    feed.take([Record("volatility", 0, 0, 0, b"null"), Record("portfolio-risk", 0, 0, 0, b"1")])
    feed.take(alert_records([alert(2)]))
    assert ids(feed) == [2]
    assert feed.skipped == {"alerts": 6, "volatility": 1, "portfolio-risk": 1}


def test_an_alert_that_comes_again_is_kept_once() -> None:
    """Two groups on one topic publish the same identities; readers are told of each once."""
    feed = open_feed()
    feed.take(alert_records([alert(1), alert(1), alert(2)]))
    assert (ids(feed), feed.log.sequence) == ([2, 1], 2)


def test_what_is_kept_is_bounded() -> None:
    """Alerts, symbols, bars and portfolios are as many as there is room for; the oldest go."""
    feed = open_feed()
    feed.take(alert_records([alert(at) for at in range(MOST_ALERTS + 5)]))
    assert (len(feed.alerts), ids(feed)[-1]) == (MOST_ALERTS, 5)
    assert feed.alerts.get(f"{0:032x}") is None
    feed.take(bar_records([bar(at) for at in range(BARS_PER_SYMBOL + 5)]))
    assert len(feed.bars.bars("EURUSD") or []) == BARS_PER_SYMBOL
    feed.take(bar_records([bar(1, f"S{at}") for at in range(MOST_SYMBOLS)]))
    assert (len(feed.bars), feed.bars.bars("EURUSD")) == (MOST_SYMBOLS, None)
    for at in range(300):
        feed.take([Record("portfolio-risk", 0, 0, 0, encode(portfolio_risk(f"p{at}")))])
    assert len(feed.portfolios) == 200


def test_a_loss_is_held_against_what_was_in_force_before_it() -> None:
    """A bar's value at risk is the one that the bar before it forecast; the first has none."""
    feed = open_feed()
    feed.take(bar_records([bar(1), bar(2, exceeded=True)]))
    first, second = feed.bars.bars("EURUSD") or []
    assert (first.value_at_risk_percent, second.value_at_risk_percent) == (None, 0.06)
    assert (first.exceeded, second.exceeded) == (False, True)
    assert abs(second.loss_percent - 0.09) < 1e-4
    (figures,) = feed.bars.symbols()
    assert (figures.symbol, figures.zone, figures.volatility_percent) == ("EURUSD", "yellow", second.volatility_percent)


def test_filters_narrow_each_by_its_own_field() -> None:
    """Fields are joined by and, the alternatives of one by or; text is searched without regard to case."""
    feed = open_feed()
    feed.take(alert_records([alert(1), alert(2, severity="critical"), alert(3, severity="high", code="NIGHT_TIME")]))
    for query, found in (
        ({"severity": "high,critical"}, [3, 2]),
        ({"outcome": "review"}, [1]),
        ({"reason": "NIGHT_TIME,WEEKEND"}, [3]),
        ({"entity": "customer-00002"}, [2]),
        ({"entity": "customer-0000"}, []),
        ({"entity_kind": "symbol"}, []),
        ({"text": "CUSTOMER-00001"}, [1]),
        ({"text": "412.00 eur", "severity": "critical"}, [2]),
        ({}, [3, 2, 1]),
    ):
        assert ids(feed, filter_of(query)) == found, query


def test_pages_go_back_without_gap_or_repeat_while_alerts_come() -> None:
    """Each page begins where the last one ended, however many came meanwhile, and the last one says so."""
    feed = open_feed()
    feed.take(alert_records([alert(at) for at in range(25)]))
    seen, before, pages = [], None, 0
    while before is not None or not pages:
        rows, before = feed.alerts.page(AlertFilter(), before=before, limit=10)
        seen += [int(row.alert_id, 16) for row in rows]
        pages += 1
        feed.take(alert_records([alert(100 + pages)]))
    assert (seen, pages) == (list(range(24, -1, -1)), 3)
