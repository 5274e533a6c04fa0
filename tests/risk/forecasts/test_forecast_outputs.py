import msgspec
from forecast_steps import FILES, FORECASTERS

from risk.forecasts.forecast_outputs import forecast_outputs
from risk.forecasts.forecast_step import Forecasts
from schemas.forecast import Forecast
from schemas.source import Source
from tests.closed_bars import bars_of

SOURCE = Source("ticks", 3, 12)


def test_every_model_tells_its_own_row() -> None:
    """One message a model, keyed by its symbol, in the partition of its source, with the columns of its bar."""
    bars = bars_of(["A", "s1"], 9)
    step = Forecasts(FORECASTERS, FILES)
    found = step.advance(bars.symbol, bars.close, bars.log_return_percent)
    identities = set()
    for at in range(len(bars)):
        outputs = list(
            forecast_outputs(
                found,
                at,
                models=step.models,
                end_ns=int(bars.end_ns[at]),
                source=SOURCE,
                bundle_name="small",
                bundle_version="0123456789ab",
            )
        )
        for number, (model, output) in enumerate(zip(step.models, outputs, strict=True)):
            told = msgspec.json.decode(output.value, type=Forecast)
            assert (output.stream, output.partition, output.key) == ("forecasts", 3, bars.symbol[at].encode())
            assert (told.symbol, told.model, told.bar_end_ns) == (bars.symbol[at], model, bars.end_ns[at])
            assert told.values == tuple(found.forecast[at, number].tolist())
            assert told.low_90 == tuple(found.low_90[at, number].tolist())
            assert told.high_90 == tuple(found.high_90[at, number].tolist())
            assert told.change == bars.log_return_percent[at]
            assert told.previous_value == found.previous_forecast[at, number]
            for name in ("scored_bars", "mase", "rmse", "hit_rate", "coverage_90", "quantile_loss"):
                assert getattr(told, name) == getattr(found, name)[at, number]
            assert (told.source, told.bundle_name, told.bundle_version) == (SOURCE, "small", "0123456789ab")
            identities.add(told.forecast_id)
    assert len(identities) == len(bars) * len(step.models)
