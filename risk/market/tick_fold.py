"""Ticks, keyed by symbol -> bars -> volatility, risk, back-tests, forecasts -> messages, and alerts."""

import math
from collections.abc import Iterable
from dataclasses import replace

import msgspec
import numpy as np
from numpy.typing import NDArray

from risk.chunk import Chunk
from risk.customer_fold import SourceCut
from risk.dead_letters import reject
from risk.decode import decode_ticks
from risk.event_time import split_future
from risk.fold import Emitted, Output, SymbolFigures
from risk.identity import alert_id, bar_event_id, silence_event_id
from risk.market import bar_builder, feed_watch, market_alerts
from risk.market.bar_builder import BarBuilder
from risk.market.closed_bars import ClosedBars
from risk.market.feed_watch import FeedWatch, StaleFeeds
from risk.market.forecast_message import forecast_message
from risk.market.market_alert import market_alert, market_reason
from risk.market.market_alerts import MarketAlerts
from risk.market.market_bundle import MarketBundle
from risk.market.market_columns import MarketColumns, bar_columns
from risk.market.market_routing import MarketRouting
from risk.market.refits import decode_refit, refit_places
from risk.market.symbol_risk import BarRisks, SymbolRisk
from risk.market.volatility_message import volatility_message
from risk.rejection import Rejection
from schemas.encoding import encode
from schemas.reason import Reason
from schemas.source import Source

_COUNTS = ("ticks", "bars", "alerted", "refits", "refits_passed_over")

Closed = tuple[NDArray[np.int64], NDArray[np.int64], ClosedBars, BarRisks]
"""Bars that closed: the records of the chunk that closed them, their event times, the bars, and what follows."""


class TickFold:
    """Advances the symbols of one partition; see `risk.fold.Fold`.

    The volatility of a bar and an alert on it have the same id, each in its own topic. Each closed bar also goes to
    every partition of the portfolios.
    """

    def __init__(self, partition: int, *, partitions: int, bundle: MarketBundle) -> None:
        self._bundle = bundle
        self._bars = BarBuilder(bundle.parameters.bars)
        self._risk = SymbolRisk(bundle.parameters, bundle.graphs)
        self._alerts = MarketAlerts(bundle.parameters.alerts)
        self._feeds = FeedWatch(bundle.parameters.alerts.stale_after_ns, bundle.parameters.bars)
        self._routing = MarketRouting("ticks", partition, partitions)
        self._at_99: int = bundle.parameters.value_at_risk.levels.index(0.99)
        self._offset = -1

    @property
    def state_version(self) -> str:
        """Names the form of the rows, and the models that they belong to."""
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
        chunk = chunk.after(self._offset)
        rejections: list[Rejection] = []
        closed: list[Closed] = []
        first = 0
        for place in (*refit_places(chunk), len(chunk.offsets)):
            rejections += self._take_ticks(chunk, first, place, emitted, closed)
            if place < len(chunk.offsets):
                rejections += self._install(chunk, place, emitted)
            first = place + 1
        reject(emitted, chunk, rejections)
        if chunk.offsets:
            self._offset = chunk.offsets[-1]
        emitted.outputs += self._routing.outputs(chunk, _market_columns(closed))
        return emitted

    def _take_ticks(
        self, chunk: Chunk, first: int, end: int, emitted: Emitted, closed: list[Closed]
    ) -> list[Rejection]:
        """Take the ticks among the records from `first` to `end`; note what closed, and return the rejections."""
        part = chunk if end - first == len(chunk.offsets) else chunk.where(range(first, end))
        columns, rejections = decode_ticks(part.keys, part.values)
        columns, future = split_future(columns, part)
        bars = self._bars.advance(
            columns.symbol,
            columns.event_time_ns,
            columns.bid,
            columns.ask,
            columns.price,
            columns.size,
            columns.sequence,
        )
        emitted.counts["ticks"] += len(columns.symbol)
        self._emit_stale(
            chunk, columns.index + first, self._feeds.advance(columns.symbol, columns.event_time_ns), emitted
        )
        if len(bars):
            risks = self._risk.advance(bars)
            index = columns.index[bars.index] + first
            self._emit(chunk, index, bars, risks, emitted)
            closed.append((index, columns.event_time_ns[bars.index], bars, risks))
        return [replace(one, index=one.index + first) for one in rejections + future]

    def _install(self, chunk: Chunk, place: int, emitted: Emitted) -> list[Rejection]:
        """Install the refit that lies at a place of the chunk, if it is for this bundle; return why it cannot be."""
        value = chunk.values[place]
        assert value is not None, "a refit was found in it"
        found = decode_refit(chunk.keys[place], value)
        if isinstance(found, Rejection):
            return [replace(found, index=place)]
        refit = found.refit
        if refit.bundle_version != self._bundle.version:
            emitted.counts["refits_passed_over"] += 1
            return []
        try:
            self._risk.install(refit.symbol, found.model, refit.event_time_ns)
        except ValueError as error:
            return [
                Rejection(place, "out_of_range", f"model: {error}; send one that the bundle's models have room for")
            ]
        emitted.counts["refits"] += 1
        return []

    def _emit(
        self, chunk: Chunk, index: NDArray[np.int64], bars: ClosedBars, risks: BarRisks, emitted: Emitted
    ) -> None:
        """Add the messages of closed bars, whose ticks lie at `index` of the chunk, and their figures."""
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
        sources = [
            Source(topic=chunk.topic, partition=chunk.partition, offset=chunk.offsets[place])
            for place in index.tolist()
        ]
        for at, source in enumerate(sources):
            emitted.outputs.append(self._volatility(bars, risks, at, source))
            emitted.outputs += self._forecasts(bars, risks, at, source)
            emitted.symbols[bars.symbol[at]] = self._figures(risks, at)
        for part in reasons.alerts():
            at = int(reasons.index[part.start])
            columns = (reasons.value[part].tolist(), reasons.usual_value[part].tolist(), reasons.score[part].tolist())
            given = [market_reason(*one) for one in zip(reasons.code[part], *columns, strict=True)]
            event_id = bar_event_id(bars.symbol[at], int(bars.end_ns[at]))
            self._alert(given, event_id, bars.symbol[at], int(bars.end_ns[at]), sources[at], emitted)
        emitted.counts["bars"] += len(bars)

    def _emit_stale(self, chunk: Chunk, index: NDArray[np.int64], stale: StaleFeeds, emitted: Emitted) -> None:
        """Add alerts on feeds that ticks, which lie at `index` of the chunk, showed to be silent."""
        allowed_seconds = self._bundle.parameters.alerts.stale_after_ns / 1e9
        columns = (stale.index.tolist(), stale.symbol, stale.since_ns.tolist(), stale.silence_ns.tolist())
        for at, symbol, since_ns, silence_ns in zip(*columns, strict=True):
            source = Source(topic=chunk.topic, partition=chunk.partition, offset=chunk.offsets[index[at]])
            silence_seconds = silence_ns / 1e9
            reason = market_reason("STALE_FEED", silence_seconds, allowed_seconds, silence_seconds / allowed_seconds)
            event_time_ns = since_ns + silence_ns
            self._alert([reason], silence_event_id(symbol, since_ns), symbol, event_time_ns, source, emitted)

    def _alert(
        self, reasons: list[Reason], event_id: str, symbol: str, event_time_ns: int, source: Source, emitted: Emitted
    ) -> None:
        alert = market_alert(
            reasons,
            event_id=event_id,
            symbol=symbol,
            event_time_ns=event_time_ns,
            source=source,
            bundle_name=self._bundle.manifest.name,
            bundle_version=self._bundle.version,
        )
        identity = bytes.fromhex(alert.alert_id)
        emitted.outputs.append(Output("alerts", source.partition, symbol.encode(), encode(alert), identity))
        emitted.counts["alerted"] += 1

    def _volatility(self, bars: ClosedBars, risks: BarRisks, at: int, source: Source) -> Output:
        symbol = bars.symbol[at]
        identity = alert_id(bar_event_id(symbol, int(bars.end_ns[at])), symbol, self._bundle.version)
        message = volatility_message(
            bars,
            risks,
            at,
            volatility_id=identity,
            model=self._risk.model(symbol),
            rules=self._bundle.parameters.value_at_risk,
            bars_per_year=self._bundle.parameters.bars_per_year,
            source=source,
            bundle_name=self._bundle.manifest.name,
            bundle_version=self._bundle.version,
        )
        return Output("volatility", source.partition, symbol.encode(), encode(message), bytes.fromhex(identity))

    def _forecasts(self, bars: ClosedBars, risks: BarRisks, at: int, source: Source) -> list[Output]:
        symbol, outputs = bars.symbol[at], []
        event_id = bar_event_id(symbol, int(bars.end_ns[at]))
        for number, name in enumerate(self._risk.forecasters):
            identity = alert_id(event_id, name, self._bundle.version)
            message = forecast_message(
                bars,
                risks.forecasts,
                at,
                number,
                forecast_id=identity,
                model=name,
                source=source,
                bundle_name=self._bundle.manifest.name,
                bundle_version=self._bundle.version,
            )
            outputs.append(
                Output("forecasts", source.partition, symbol.encode(), encode(message), bytes.fromhex(identity))
            )
        return outputs

    def _figures(self, risks: BarRisks, at: int) -> SymbolFigures:
        tests = risks.back_tests
        return SymbolFigures(
            annualised_volatility_percent=math.sqrt(
                float(risks.variances.next_variance_percent2[at]) * self._bundle.parameters.bars_per_year
            ),
            value_at_risk_99_percent=float(risks.next_value_at_risk_percent[at, self._at_99]),
            back_test_bars=int(tests.bars[at]),
            exceedances_99=int(tests.exceedances[at, self._at_99]),
            kupiec_99_p=float(tests.proportion_of_failures_p_value[at, self._at_99]),
            zone_99=int(tests.traffic_light_zone[at]),
            mase=dict(zip(self._risk.forecasters, risks.forecasts.mase[at].tolist(), strict=True)),
        )

    def take_changed(self) -> list[tuple[bytes, bytes]]:
        """Return the symbols' rows changed since the last call, of every step."""
        return [(name + key, row) for name, step in self._steps() for key, row in step.take_changed()]

    def cut(self) -> bytes:
        """Return the last source offset that the state contains, and the clock that portfolios were told."""
        return msgspec.msgpack.encode(SourceCut(self._offset, self._routing.clock_ns))

    def last_offset(self) -> int:
        """Return the offset of the last record taken."""
        return self._offset

    def read_on_offset(self) -> int:
        """Return the offset after the last record taken."""
        return self._offset + 1

    def restore(self, cut: bytes, rows: Iterable[tuple[bytes, bytes]]) -> None:
        """Take up a cut and its rows."""
        source = msgspec.msgpack.decode(cut, type=SourceCut)
        self._offset, self._routing.clock_ns = source.offset, source.clock_ns
        pairs = list(rows)
        for name, step in self._steps():
            step.load([(key.removeprefix(name), row) for key, row in pairs if key.startswith(name)])


def _market_columns(closed: list[Closed]) -> MarketColumns:
    """Return closed bars as rows for the portfolios."""
    nothing = np.zeros(0)

    def joined(columns: list[NDArray[np.float64]]) -> NDArray[np.float64]:
        return np.concatenate([nothing, *columns])

    none = np.zeros(0, dtype=np.int64)
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
