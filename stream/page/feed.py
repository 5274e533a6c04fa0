"""What the page knows of alerts, symbols and portfolios: read from their topics, kept, and told to readers."""

from collections import Counter
from collections.abc import Sequence

import msgspec

from schemas.alert import Alert
from schemas.portfolio_risk import InterestRateRisk, MarketRisk, PortfolioRisk
from schemas.volatility import Volatility
from stream.page.alert_row import row_of
from stream.page.event_log import EventLog
from stream.page.kept_alerts import KeptAlert, KeptAlerts
from stream.page.kept_bars import KeptBars
from stream.page.topic_tails import Record

MOST_ALERTS = 2_000
MOST_SYMBOLS = 200
BARS_PER_SYMBOL = 500
MOST_PORTFOLIOS = 200
MOST_CLIENTS = 200
QUEUED_EVENTS = 256
MOST_VALUE_BYTES = 64 * 1024
"""A larger message is no worker's, and is passed over: what is kept stays bounded."""

READ_ALERTS = 2 * MOST_ALERTS
"""Alerts before the ends of all partitions that are read at the start: partitions are not equally full."""
READ_BARS = 40_000
READ_PORTFOLIO_RISKS = 2_000


class PortfolioFigures(msgspec.Struct, frozen=True, gc=False):
    """What is known of a portfolio; each part is of the last message that had it."""

    portfolio: str
    as_of_ms: int
    market: MarketRisk | None
    interest_rates: InterestRateRisk | None


class Feed:
    """Takes records of the three topics up, and publishes what is new.

    Until `open` is called, when all that lay in the topics is read, alerts are only collected: partitions are read one
    after the other, and their alerts belong together in the order in which Kafka took them up.
    """

    def __init__(self, *, alerts_topic: str, volatility_topic: str, portfolio_topic: str) -> None:
        self.alerts = KeptAlerts(MOST_ALERTS)
        self.bars = KeptBars(MOST_SYMBOLS, BARS_PER_SYMBOL)
        self.portfolios: dict[str, PortfolioFigures] = {}
        self.log = EventLog(kept=MOST_ALERTS, queued=QUEUED_EVENTS, most_clients=MOST_CLIENTS)
        self.skipped: Counter[str] = Counter()
        self.is_open = False
        self.most_records = {
            alerts_topic: READ_ALERTS,
            volatility_topic: READ_BARS,
            portfolio_topic: READ_PORTFOLIO_RISKS,
        }
        self._early: list[tuple[int, Alert]] = []
        self._alert = msgspec.json.Decoder(Alert)
        self._volatility = msgspec.json.Decoder(Volatility)
        self._portfolio = msgspec.json.Decoder(PortfolioRisk)
        self._takers = {
            alerts_topic: self._take_alert,
            volatility_topic: self._take_bar,
            portfolio_topic: self._take_portfolio,
        }

    def take(self, records: Sequence[Record]) -> None:
        """Take records up; one that is no message of its topic is passed over and counted."""
        for record in records:
            if len(record.value) > MOST_VALUE_BYTES:
                self.skipped[record.topic] += 1
                continue
            try:
                self._takers[record.topic](record)
            except (msgspec.DecodeError, UnicodeDecodeError):
                self.skipped[record.topic] += 1

    def open(self) -> None:
        """Keep what was collected, and from now on whatever comes."""
        self.is_open = True
        for arrived_ms, alert in sorted(self._early, key=lambda early: early[0]):
            self._keep(alert, arrived_ms)
        self._early.clear()

    def _take_alert(self, record: Record) -> None:
        alert = self._alert.decode(record.value)
        if self.is_open:
            self._keep(alert, record.timestamp_ms)
        else:
            self._early.append((record.timestamp_ms, alert))

    def _keep(self, alert: Alert, arrived_ms: int) -> None:
        if alert.alert_id in self.alerts:
            return
        row = row_of(alert, self.log.next_sequence(), arrived_ms)
        self.alerts.add(KeptAlert(row, alert))
        self.log.publish("alert", row.sequence, msgspec.json.encode(row))

    def _take_bar(self, record: Record) -> None:
        point = self.bars.add(self._volatility.decode(record.value))
        if self.is_open:
            self.log.publish("bar", self.log.next_sequence(), msgspec.json.encode(point))

    def _take_portfolio(self, record: Record) -> None:
        risk = self._portfolio.decode(record.value)
        before = self.portfolios.pop(risk.portfolio, None)
        if len(self.portfolios) == MOST_PORTFOLIOS:
            del self.portfolios[next(iter(self.portfolios))]
        self.portfolios[risk.portfolio] = PortfolioFigures(
            risk.portfolio,
            risk.as_of_ns // 1_000_000,
            risk.market or (before.market if before else None),
            risk.interest_rates or (before.interest_rates if before else None),
        )
