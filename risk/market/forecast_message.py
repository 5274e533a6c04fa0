"""What is published of each forecaster after a closed bar."""

from risk.market.closed_bars import ClosedBars
from risk.market.forecast_step import BarForecasts
from schemas.forecast import Forecast
from schemas.source import Source


def forecast_message(
    bars: ClosedBars,
    forecasts: BarForecasts,
    at: int,
    number: int,
    *,
    forecast_id: str,
    model: str,
    source: Source,
    bundle_name: str,
    bundle_version: str,
) -> Forecast:
    """Return the message of forecaster `number`, named `model`, after the bar `at`."""
    return Forecast(
        schema_version=1,
        forecast_id=forecast_id,
        symbol=bars.symbol[at],
        model=model,
        bar_end_ns=int(bars.end_ns[at]),
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
