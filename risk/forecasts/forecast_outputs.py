"""What is published of each forecaster after a closed bar, or a closed curve."""

from collections.abc import Iterator, Sequence

from risk.fold import Output
from risk.forecasts.forecast_step import BarForecasts
from risk.identity import alert_id, bar_event_id
from schemas.encoding import encode
from schemas.forecast import Forecast
from schemas.source import Source


def forecast_outputs(
    forecasts: BarForecasts,
    at: int,
    *,
    models: Sequence[str],
    end_ns: int,
    source: Source,
    bundle_name: str,
    bundle_version: str,
) -> Iterator[Output]:
    """Yield the message of each model's forecast in row `at`, made at the end of a bar or at a curve's event time.

    A key is a symbol, or a factor of a curve such as "USD:level".
    """
    key = forecasts.key[at]
    for number, model in enumerate(models):
        identity = alert_id(bar_event_id(key, end_ns), model, bundle_version)
        message = Forecast(
            schema_version=1,
            forecast_id=identity,
            symbol=key,
            model=model,
            bar_end_ns=end_ns,
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
        yield Output("forecasts", source.partition, key.encode(), encode(message), bytes.fromhex(identity))
