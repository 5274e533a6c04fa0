"""Ticks, keyed by symbol -> bars -> volatility, risk, back-tests, forecasts -> messages, and alerts."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from risk.bars import bar_builder, feed_watch
from risk.bars.bar_builder import BarBuilder
from risk.bars.closed_bars import ClosedBars
from risk.bars.feed_watch import FeedWatch
from risk.chunk import Chunk
from risk.dead_letters import reject
from risk.decode import decode_ticks
from risk.event_time import split_future
from risk.first_hop import FirstHop
from risk.fold import Emitted
from risk.market import market_alerts
from risk.market.market_alerts import MarketAlerts
from risk.market.market_bundle import MarketBundle
from risk.market.market_columns import MarketColumns, bar_columns
from risk.market.market_routing import MarketRouting
from risk.market.refits import decode_refit, refit_places
from risk.market.symbol_risk import BarRisks, SymbolRisk
from risk.market.tick_outputs import Placed, TickOutputs
from risk.rejection import Rejection
from schemas.source import Source

_COUNTS = ("ticks", "bars", "alerted", "refits", "refits_passed_over")

Closed = tuple[NDArray[np.int64], NDArray[np.int64], ClosedBars, BarRisks]
"""Bars that closed: the records of the chunk that closed them, their event times, the bars, and what follows."""


class TickFold(FirstHop):
    """Advances the symbols of one partition; see `risk.fold.Fold`.

    Re-estimated parameters lie among the ticks and take over where they lie. Each closed bar also goes to every
    partition of the portfolios.
    """

    _routing: MarketRouting

    def __init__(self, partition: int, *, partitions: int, bundle: MarketBundle) -> None:
        self._version = bundle.version
        self._bars = BarBuilder(bundle.parameters.bars)
        self._feeds = FeedWatch(bundle.parameters.alerts.stale_after_ns, bundle.parameters.bars)
        self._risk = SymbolRisk(bundle.parameters, bundle.graphs)
        self._alerts = MarketAlerts(bundle.parameters.alerts)
        self._at_99 = bundle.parameters.value_at_risk.levels.index(0.99)
        self._outputs = TickOutputs(bundle, self._risk.forecasters)
        self._routing = MarketRouting("ticks", partition, partitions)

    @property
    def state_version(self) -> str:
        """Names the form of the rows, which depends on how many levels of risk there are."""
        versions = (bar_builder.STATE_VERSION, market_alerts.STATE_VERSION, feed_watch.STATE_VERSION)
        return f"ticks-{'.'.join(map(str, versions))}-{self._risk.state_version}"

    def _steps(self) -> tuple[tuple[bytes, BarBuilder | SymbolRisk | MarketAlerts | FeedWatch], ...]:
        """Return each step, and what its rows are stored under."""
        return (b"b", self._bars), (b"r", self._risk), (b"a", self._alerts), (b"w", self._feeds)

    def __len__(self) -> int:
        return len(self._bars)

    def advance(self, chunk: Chunk) -> Emitted:
        """Take ticks and refits; emit dead letters, and for each bar that closed its messages and maybe an alert."""
        emitted = Emitted(counts=dict.fromkeys(_COUNTS, 0))
        chunk = self._unread(chunk)
        rejections: list[Rejection] = []
        closed: list[Closed] = []
        first = 0
        for place in (*refit_places(chunk), len(chunk)):
            rejections += self._take_ticks(chunk, first, place, emitted, closed)
            if place < len(chunk):
                rejections += self._take_refit(chunk, place, emitted)
            first = place + 1
        reject(emitted, chunk, rejections)
        self._note(chunk)
        emitted.outputs += self._routing.outputs(chunk, _market_columns(closed) if closed else _NO_BARS)
        return emitted

    def _take_ticks(
        self, chunk: Chunk, first: int, end: int, emitted: Emitted, closed: list[Closed]
    ) -> list[Rejection]:
        """Take the ticks among the records from `first` to `end`; note what closed, and return the rejections."""
        part = chunk if end - first == len(chunk) else chunk.where(range(first, end))
        ticks, rejections = decode_ticks(part.keys, part.values)
        ticks, future = split_future(ticks, part)
        bars = self._bars.advance(
            ticks.symbol, ticks.event_time_ns, ticks.bid, ticks.ask, ticks.price, ticks.size, ticks.sequence
        )
        stale = self._feeds.advance(ticks.symbol, ticks.event_time_ns)
        places = ticks.index + first

        def source_of(place: int) -> Source:
            return Source(topic=chunk.topic, partition=chunk.partition, offset=int(chunk.offsets[place]))

        placed: list[Placed] = self._outputs.of_silences(stale, places, source_of) if len(stale) else []
        if len(bars):
            risks = self._risk.advance(bars)
            reasons = self._alerts.advance(
                bars.symbol,
                bars.end_ns,
                risks.loss_percent,
                np.ascontiguousarray(risks.expected_value_at_risk_percent[:, self._at_99]),
                risks.variances.standardised_residual,
                risks.variances.next_variance_percent2,
                risks.verdicts.rejected,
                bars.missing_sequences,
            )
            closing = places[bars.index]
            placed += self._outputs.of_bars(bars, risks, reasons, closing.tolist(), source_of, self._risk.model)
            last = {symbol: at for at, symbol in enumerate(bars.symbol)}
            emitted.symbols |= {symbol: self._outputs.figures(risks, at) for symbol, at in last.items()}
            closed.append((closing, ticks.event_time_ns[bars.index], bars, risks))
        # The order is that of the log, however it was cut.
        emitted.outputs += [output for _, output in sorted(placed, key=lambda one: one[0])]
        emitted.counts["ticks"] += len(ticks.symbol)
        emitted.counts["bars"] += len(bars)
        emitted.counts["alerted"] += sum(output.stream == "alerts" for _, output in placed)
        return [replace(one, index=one.index + first) for one in rejections + future]

    def _take_refit(self, chunk: Chunk, place: int, emitted: Emitted) -> list[Rejection]:
        """Install the refit that lies at a place of the chunk, if it is for this bundle; return why it cannot be."""
        value = chunk.values[place]
        assert value is not None, "a refit was found in it"
        found = decode_refit(chunk.keys[place], value)
        if isinstance(found, Rejection):
            return [replace(found, index=place)]
        if found.refit.bundle_version != self._version:
            emitted.counts["refits_passed_over"] += 1
            return []
        try:
            self._risk.install(found.refit.symbol, found.model, found.refit.event_time_ns)
        except ValueError as error:
            return [Rejection(place, "out_of_range", f"model: {error}")]
        emitted.counts["refits"] += 1
        return []

    def take_changed(self) -> list[tuple[bytes, bytes]]:
        """Return the symbols' rows changed since the last call, of every step."""
        return [(name + key, row) for name, step in self._steps() for key, row in step.take_changed()]

    def restore(self, cut: bytes, rows: Iterable[tuple[bytes, bytes]]) -> None:
        """Take up a cut and its rows."""
        self._restore_source(cut)
        pairs = list(rows)
        for name, step in self._steps():
            step.load([(key.removeprefix(name), row) for key, row in pairs if key.startswith(name)])


def _market_columns(closed: list[Closed]) -> MarketColumns:
    """Return closed bars as rows for the portfolios."""
    nothing, none = np.zeros(0), np.zeros(0, dtype=np.int64)

    def joined(columns: list[NDArray[np.float64]]) -> NDArray[np.float64]:
        return np.concatenate([nothing, *columns])

    return bar_columns(
        np.concatenate([none, *(index for index, _, _, _ in closed)]),
        np.concatenate([none, *(time_ns for _, time_ns, _, _ in closed)]),
        [symbol for _, _, bars, _ in closed for symbol in bars.symbol],
        np.concatenate([none, *(bars.end_ns for _, _, bars, _ in closed)]),
        close=joined([bars.close for _, _, bars, _ in closed]),
        log_return_percent=joined([bars.log_return_percent for _, _, bars, _ in closed]),
        variance_percent2=joined([risks.variances.variance_percent2 for _, _, _, risks in closed]),
        next_variance_percent2=joined([risks.variances.next_variance_percent2 for _, _, _, risks in closed]),
        standardised_residual=joined([risks.variances.standardised_residual for _, _, _, risks in closed]),
    )


_NO_BARS = _market_columns([])
"""What most chunks have for the portfolios."""
