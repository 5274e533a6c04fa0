"""Ticks, keyed by symbol -> bars -> variances and values at risk -> volatility, and alerts on exceedances."""

from collections.abc import Iterable

import msgspec

from risk.bundle import Bundle
from risk.chunk import Chunk
from risk.dead_letters import reject
from risk.decode import decode_ticks
from risk.event_time import split_future
from risk.fold import Emitted, Output
from risk.identity import alert_id, bar_event_id
from risk.market import symbol_volatility
from risk.market.symbol_volatility import ClosedBars, SymbolVolatility
from risk.market.value_at_risk import Z_99
from schemas.alert import Alert
from schemas.encoding import encode
from schemas.reason import Reason
from schemas.severity import Severity
from schemas.source import Source
from schemas.volatility import Volatility

ALERT_THRESHOLD = 1.0
"""The score of a bar is its shortfall in units of the one that its 99 % value at risk allows."""


def severity(score: float) -> Severity:
    """Return how severe an exceedance is: medium, high from 1.5 and critical from 2 times what was allowed.

    >>> severity(1.2), severity(1.5), severity(2.3)
    ('medium', 'high', 'critical')
    """
    if score >= 2.0:
        return "critical"
    return "high" if score >= 1.5 else "medium"


class TickFold:
    """Advances the volatility of one partition of symbols; see `risk.fold.Fold`.

    The volatility of a bar and an alert on it have the same id, each in its own topic.

    Raises ValueError for a bundle without volatility parameters.
    """

    def __init__(self, bundle: Bundle) -> None:
        if bundle.volatility is None:
            raise ValueError(f"bundle {bundle.manifest.name} {bundle.version} has no volatility parameters")
        self._bundle_name, self._bundle_version = bundle.manifest.name, bundle.version
        self._bar_ns = bundle.volatility.bar_ns
        self._symbols = SymbolVolatility(bundle.volatility)
        self._offset = -1

    @property
    def state_version(self) -> str:
        """Names the form of the rows, and the length of the bars whose variances they hold."""
        return f"ticks-{symbol_volatility.STATE_VERSION}-{self._bar_ns}ns"

    def __len__(self) -> int:
        return len(self._symbols)

    def advance(self, chunk: Chunk) -> Emitted:
        """Take the ticks; emit dead letters, and for each bar that closed a volatility and maybe an alert."""
        emitted = Emitted()
        chunk = chunk.after(self._offset)
        columns, rejections = decode_ticks(chunk.keys, chunk.values)
        columns, future = split_future(columns, chunk)
        reject(emitted, chunk, rejections + future)
        bars = self._symbols.advance(columns.symbol, columns.event_time_ns, columns.bid, columns.ask)
        if chunk.offsets:
            self._offset = chunk.offsets[-1]
        alerted = bars.exceeded_99
        for at, index in enumerate(columns.index[bars.index].tolist()):
            source = Source(topic=chunk.topic, partition=chunk.partition, offset=chunk.offsets[index])
            emitted.outputs.append(self._volatility(bars, at, source))
            if alerted[at]:
                emitted.outputs.append(self._alert(bars, at, source))
        emitted.counts = {
            "quoted": len(columns.symbol),
            "forecast": len(bars),
            "alerted": int(alerted.sum()),
        }
        emitted.volatility_percent = dict(zip(bars.symbol, bars.annualised_volatility_percent.tolist(), strict=True))
        return emitted

    def _volatility(self, bars: ClosedBars, at: int, source: Source) -> Output:
        symbol, bar_end_ns = bars.symbol[at], int(bars.bar_end_ns[at])
        identity = alert_id(bar_event_id(symbol, bar_end_ns), symbol, self._bundle_version)
        volatility = Volatility(
            schema_version=1,
            volatility_id=identity,
            symbol=symbol,
            bar_end_ns=bar_end_ns,
            close=float(bars.close[at]),
            log_return_percent=float(bars.log_return_percent[at]),
            garch_variance_percent2=float(bars.garch_variance_percent2[at]),
            ewma_variance_percent2=float(bars.ewma_variance_percent2[at]),
            annualised_volatility_percent=float(bars.annualised_volatility_percent[at]),
            value_at_risk_95_percent=float(bars.value_at_risk_95_percent[at]),
            value_at_risk_99_percent=float(bars.value_at_risk_99_percent[at]),
            exceeded_95=bool(bars.exceeded_95[at]),
            exceeded_99=bool(bars.exceeded_99[at]),
            source=source,
            bundle_name=self._bundle_name,
            bundle_version=self._bundle_version,
        )
        return Output("volatility", source.partition, symbol.encode(), encode(volatility), bytes.fromhex(identity))

    def _alert(self, bars: ClosedBars, at: int, source: Source) -> Output:
        symbol, bar_end_ns = bars.symbol[at], int(bars.bar_end_ns[at])
        event_id = bar_event_id(symbol, bar_end_ns)
        identity = alert_id(event_id, symbol, self._bundle_version)
        score = float(bars.shortfall_deviations[at]) / Z_99
        loss, allowed = float(bars.loss_percent[at]), float(bars.expected_value_at_risk_99_percent[at])
        reason = Reason(
            code="VALUE_AT_RISK_99_EXCEEDED",
            feature="loss_percent",
            value=loss,
            usual_value=allowed,
            contribution=score - ALERT_THRESHOLD,
            text=f"loss {loss:,.3g} %, where one bar in a hundred loses more than {allowed:,.3g} %",
        )
        alert = Alert(
            schema_version=1,
            alert_id=identity,
            event_id=event_id,
            entity_kind="symbol",
            entity_id=symbol,
            event_time_ns=bar_end_ns,
            source=source,
            score=score,
            threshold=ALERT_THRESHOLD,
            outcome="review",
            severity=severity(score),
            reasons=(reason,),
            bundle_name=self._bundle_name,
            bundle_version=self._bundle_version,
            usual_score=ALERT_THRESHOLD,
            contributions={reason.feature: reason.contribution},
            features={reason.feature: reason.value},
        )
        return Output("alerts", source.partition, symbol.encode(), encode(alert), bytes.fromhex(identity))

    def take_changed(self) -> list[tuple[bytes, bytes]]:
        """Return the symbols' rows changed since the last call."""
        return self._symbols.take_changed()

    def cut(self) -> bytes:
        """Return the last source offset that the state contains."""
        return msgspec.msgpack.encode(self._offset)

    def last_offset(self) -> int:
        """Return the offset of the last record taken."""
        return self._offset

    def read_on_offset(self) -> int:
        """Return the offset after the last record taken."""
        return self._offset + 1

    def restore(self, cut: bytes, rows: Iterable[tuple[bytes, bytes]]) -> None:
        """Take up a cut and its rows."""
        self._offset = msgspec.msgpack.decode(cut, type=int)
        self._symbols.load(rows)
