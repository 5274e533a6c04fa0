"""What is published of ticks: of each closed bar its volatility, forecasts and alert, and alerts on silent feeds."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from risk.back_tests.back_test import WINDOW_BARS
from risk.bars.closed_bars import ClosedBars
from risk.bars.feed_watch import StaleFeeds
from risk.fold import Output, SymbolFigures
from risk.forecasts.forecast_outputs import forecast_outputs
from risk.identity import alert_id, bar_event_id, silence_event_id
from risk.market.market_alert import market_alert, market_reason
from risk.market.market_alerts import MarketReasons
from risk.market.market_bundle import MarketBundle
from risk.market.symbol_risk import BarRisks
from risk.market.volatility_message import volatility_message
from risk.volatility.annualisation import annualised_volatility_percent
from risk.volatility.volatility_model import VolatilityModel
from schemas.encoding import encode
from schemas.reason import Reason
from schemas.source import Source

Placed = tuple[int, Output]
"""An output, and the place in the chunk of the tick that led to it."""

SourceOf = Callable[[int], Source]
"""From a place in the chunk to where the message lies."""


class TickOutputs:
    """Makes the messages, each named by the bundle; the volatility of a bar and an alert on it have the same id."""

    def __init__(self, bundle: MarketBundle, forecasters: Sequence[str]) -> None:
        self._bundle = bundle
        self._names = {"bundle_name": bundle.manifest.name, "bundle_version": bundle.version}
        self._forecasters = tuple(forecasters)
        self._at_99 = bundle.parameters.value_at_risk.levels.index(0.99)

    def of_bars(
        self,
        bars: ClosedBars,
        risks: BarRisks,
        reasons: MarketReasons,
        places: Sequence[int],
        source_of: SourceOf,
        model_of: Callable[[str], VolatilityModel],
    ) -> list[Placed]:
        """Return what each bar led to: its volatility, then its forecasts; alerts, for these reasons, come last."""
        placed: list[Placed] = []
        sources = [source_of(place) for place in places]
        models = {symbol: model_of(symbol) for symbol in dict.fromkeys(bars.symbol)}
        for at, (place, source) in enumerate(zip(places, sources, strict=True)):
            placed.append((place, self._volatility(bars, risks, at, models[bars.symbol[at]], source)))
            end_ns = int(bars.end_ns[at])
            made = forecast_outputs(
                risks.forecasts, at, models=self._forecasters, end_ns=end_ns, source=source, **self._names
            )
            placed += [(place, one) for one in made]
        for part in reasons.alerts():
            at = int(reasons.index[part.start])
            columns = (reasons.value[part].tolist(), reasons.usual_value[part].tolist(), reasons.score[part].tolist())
            given = [market_reason(*one) for one in zip(reasons.code[part], *columns, strict=True)]
            event_id, end_ns = bar_event_id(bars.symbol[at], int(bars.end_ns[at])), int(bars.end_ns[at])
            placed.append((places[at], self._alert(given, event_id, bars.symbol[at], end_ns, sources[at])))
        return placed

    def of_silences(self, stale: StaleFeeds, places: NDArray[np.int64], source_of: SourceOf) -> list[Placed]:
        """Return the alerts on feeds found silent; `places` int64[n] are those of all ticks that were taken."""
        allowed_seconds = self._bundle.parameters.alerts.stale_after_ns / 1e9
        placed: list[Placed] = []
        columns = (places[stale.index].tolist(), stale.symbol, stale.since_ns.tolist(), stale.silence_ns.tolist())
        for place, symbol, since_ns, silence_ns in zip(*columns, strict=True):
            seconds = silence_ns / 1e9
            reason = market_reason("STALE_FEED", seconds, allowed_seconds, seconds / allowed_seconds)
            event_id = silence_event_id(symbol, since_ns)
            placed.append((place, self._alert([reason], event_id, symbol, since_ns + silence_ns, source_of(place))))
        return placed

    def figures(self, risks: BarRisks, at: int) -> SymbolFigures:
        """Return what an operator sees of a symbol after a bar."""
        tests, next_variance = risks.back_tests, float(risks.variances.next_variance_percent2[at])
        return SymbolFigures(
            annualised_volatility_percent=annualised_volatility_percent(
                next_variance, self._bundle.parameters.bars_per_year
            ),
            value_at_risk_99_percent=float(risks.next_value_at_risk_percent[at, self._at_99]),
            back_test_bars=int(tests.bars[at]),
            exceedances_99=int(tests.exceedances[at, self._at_99]),
            kupiec_99_p=float(tests.proportion_of_failures_p_value[at, self._at_99]),
            # Of fewer bars than the traffic light is made for, one exceedance would be red.
            zone_99=int(tests.traffic_light_zone[at]) if tests.bars[at] >= WINDOW_BARS else 0,
            mase=dict(zip(self._forecasters, risks.forecasts.mase[at].tolist(), strict=True)),
        )

    def _alert(
        self, reasons: Sequence[Reason], event_id: str, symbol: str, event_time_ns: int, source: Source
    ) -> Output:
        alert = market_alert(
            reasons, event_id=event_id, symbol=symbol, event_time_ns=event_time_ns, source=source, **self._names
        )
        return Output("alerts", source.partition, symbol.encode(), encode(alert), bytes.fromhex(alert.alert_id))

    def _volatility(self, bars: ClosedBars, risks: BarRisks, at: int, model: VolatilityModel, source: Source) -> Output:
        symbol = bars.symbol[at]
        identity = alert_id(bar_event_id(symbol, int(bars.end_ns[at])), symbol, self._bundle.version)
        message = volatility_message(
            bars,
            risks,
            at,
            volatility_id=identity,
            model=model,
            rules=self._bundle.parameters.value_at_risk,
            bars_per_year=self._bundle.parameters.bars_per_year,
            source=source,
            **self._names,
        )
        return Output("volatility", source.partition, symbol.encode(), encode(message), bytes.fromhex(identity))
