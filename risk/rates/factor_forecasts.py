"""What is published of each forecaster's view of a curve's factors."""

from collections.abc import Iterator, Sequence

from risk.fold import Output
from risk.identity import alert_id, bar_event_id
from risk.market.forecast_step import BarForecasts
from schemas.encoding import encode
from schemas.forecast import Forecast
from schemas.source import Source


def factor_forecasts(
    forecasts: BarForecasts,
    rows: range,
    *,
    models: Sequence[str],
    event_time_ns: int,
    source: Source,
    bundle_name: str,
    bundle_version: str,
) -> Iterator[Output]:
    """Yield the messages of some rows of forecasts, one for each factor and model, of a curve at an event time.

    A factor goes by a symbol such as "USD:level", and its changes are in percentage points.
    """
    for at in rows:
        symbol = forecasts.key[at]
        for number, model in enumerate(models):
            identity = alert_id(bar_event_id(symbol, event_time_ns), model, bundle_version)
            message = Forecast(
                schema_version=1,
                forecast_id=identity,
                symbol=symbol,
                model=model,
                bar_end_ns=event_time_ns,
                change=float(forecasts.change[at]),
                previous_value=float(forecasts.previous_forecast[at, number]),
                values=tuple(forecasts.forecast[at, number].tolist()),
                low_90=tuple(forecasts.low_90[at, number].tolist()),
                high_90=tuple(forecasts.high_90[at, number].tolist()),
                scored_bars=float(forecasts.scored_bars[at, number]),
                mase=float(forecasts.mase[at, number]),
                rmse=float(forecasts.rmse[at, number]),
                hit_rate=float(forecasts.hit_rate[at, number]),
                coverage_90=float(forecasts.coverage_90[at, number]),
                quantile_loss=float(forecasts.quantile_loss[at, number]),
                source=source,
                bundle_name=bundle_name,
                bundle_version=bundle_version,
            )
            yield Output("forecasts", source.partition, symbol.encode(), encode(message), bytes.fromhex(identity))
