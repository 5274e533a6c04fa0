"""What a model expects of a key after a bar, and how good it has been."""

from typing import Literal

import msgspec

from schemas.source import Source


class Forecast(msgspec.Struct, frozen=True, gc=False):
    """What one model expects after one closed bar; keyed by symbol.

    A symbol is that of a price, or the name of a tenor or a factor of a curve. `values[h]` is the change expected over
    the next h + 1 bars, `low_90[h]` and `high_90[h]` the ends of the interval that holds 90 % of such changes: log
    returns in percent for a price, moves in its own unit for a rate. `change` is what this bar brought, and
    `previous_value` what the model had expected of it.

    The skill is that of forecasts of the next bar, up to this one, the past being forgotten: `scored_bars` is how many
    bars it weighs, 0 where none was scored. `mase` is the mean absolute error over that of the random walk, which
    expects no change: below 1 the model is better. `hit_rate` is the share of directions that were right, `coverage_90`
    that of changes within the interval, `quantile_loss` the mean loss of the 5, 50 and 95 % quantiles.
    """

    schema_version: Literal[1]
    forecast_id: str
    symbol: str
    model: str
    bar_end_ns: int
    change: float
    previous_value: float
    values: tuple[float, ...]
    low_90: tuple[float, ...]
    high_90: tuple[float, ...]
    scored_bars: float
    mase: float
    rmse: float
    hit_rate: float
    coverage_90: float
    quantile_loss: float
    source: Source
    bundle_name: str
    bundle_version: str
