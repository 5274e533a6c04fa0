"""What the stream is told of each forecaster, and of how forecasts are scored.

A forecaster is a graph (see `risk.forecasts.forecast_model`) that belongs to one key, such as a symbol or a tenor, or
to all that have none of their own: the pooled entry "*". Every *model*, a name such as "arima", has a pooled entry.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from risk.market.pooled import POOLED

ForecasterKind = Literal[
    "arima", "seasonal_arima", "linear_regression", "polynomial_regression", "gru", "temporal_convolution"
]

_Text = Annotated[str, Meta(min_length=1)]
_Positive = Annotated[float, Meta(gt=0.0)]


class Forecaster(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One graph: whose it is, and what it is given.

    `description` says what was fitted, as "ARIMA(1,1,1)". `value` is what the graph takes: the change from bar to bar,
    or the level itself (100 times the log of a price, or a yield). With `scaling` "running" the change is divided by
    the key's running deviation (`risk.forecasts.running_deviation`) and the forecast multiplied by it, so that one
    graph serves calm and wild keys alike; "fixed" takes values as they are. `start` is the state before the first
    value: of a key known to training that after its last value, of the pooled entry a neutral one. Raises ValueError
    for a combination that means nothing.

    >>> Forecaster(model="arima", key="*", kind="arima", description="ARIMA(0,0,0)", file="a.onnx", value="level",
    ...            scaling="running", start=(0.0,))
    Traceback (most recent call last):
    ...
    ValueError: model arima of *: value level with scaling running: a level has no scale; use scaling fixed
    """

    model: _Text
    key: _Text
    kind: ForecasterKind
    description: str
    file: _Text
    value: Literal["change", "level"]
    scaling: Literal["fixed", "running"]
    start: tuple[float, ...]

    def __post_init__(self) -> None:
        if self.value == "level" and self.scaling == "running":
            raise ValueError(
                f"model {self.model} of {self.key}: value level with scaling running: a level has no scale; "
                "use scaling fixed"
            )
        if not self.start:
            raise ValueError(f"model {self.model} of {self.key}: start is empty: a state has at least one number")


class Forecasters(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All forecasters, and how they are scaled and scored.

    `deviations` holds the standard deviation of a change, in its units, by key, and under "*" that of a typical key:
    where a running deviation starts. It forgets by `deviation_decay` a bar. The live skill forgets by half in
    `skill_half_life_bars` bars. Forecasts reach `horizon_bars` bars ahead. Raises ValueError where a pooled entry is
    missing or an entry is twice there.
    """

    horizon_bars: Annotated[int, Meta(ge=1, le=250)]
    deviations: dict[str, _Positive]
    deviation_decay: Annotated[float, Meta(gt=0.0, lt=1.0)] = 0.97
    skill_half_life_bars: _Positive = 250.0
    forecasters: tuple[Forecaster, ...]

    def __post_init__(self) -> None:
        if POOLED not in self.deviations:
            raise ValueError(f'deviations {sorted(self.deviations)} lack the pooled entry "{POOLED}"')
        entries = [(one.model, one.key) for one in self.forecasters]
        if len(set(entries)) < len(entries):
            twice = sorted(one for one in set(entries) if entries.count(one) > 1)
            raise ValueError(f"forecasters {twice} are there twice: leave one of each")
        lacking = [model for model in self.models() if (model, POOLED) not in entries]
        if lacking:
            raise ValueError(f'models {lacking} lack the pooled entry "{POOLED}"')

    def models(self) -> tuple[str, ...]:
        """Return the names of the models, in the order of their first entry."""
        return tuple(dict.fromkeys(one.model for one in self.forecasters))
