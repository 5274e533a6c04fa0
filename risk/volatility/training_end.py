"""Where the training of a volatility model ended: the bars from which a stream goes on."""

import math

import msgspec

Coefficients = tuple[float, ...]


class TrainingEnd(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The last bars of training, oldest first, from which a stream goes on: at least as many as the model looks back.

    `residuals_percent` are returns less the mean, `variances_percent2` the forecasts that were in force for them,
    `realised_variances_percent2` is for HAR alone and else empty. `ewma_variance_percent2` is the exponentially
    weighted variance forecast after the last of them. Raises ValueError for columns of unequal length.
    """

    residuals_percent: Coefficients
    variances_percent2: Coefficients
    ewma_variance_percent2: float
    realised_variances_percent2: Coefficients = ()

    def __post_init__(self) -> None:
        bars = len(self.residuals_percent)
        require(len(self.variances_percent2) == bars, f"{bars} residuals_percent need as many variances_percent2")
        require(
            len(self.realised_variances_percent2) in (0, bars),
            f"realised_variances_percent2 must be empty, or as many as the {bars} residuals_percent",
        )
        require(self.ewma_variance_percent2 > 0.0, "ewma_variance_percent2 must be positive")
        require(all(one > 0.0 for one in self.variances_percent2), "variances_percent2 must be positive")
        require_finite(
            residuals_percent=self.residuals_percent,
            variances_percent2=self.variances_percent2,
            realised_variances_percent2=self.realised_variances_percent2,
            ewma_variance_percent2=(self.ewma_variance_percent2,),
        )


def require(condition: bool, message: str) -> None:
    """Raise ValueError with the message unless the condition holds."""
    if not condition:
        raise ValueError(message)


def require_finite(**fields: Coefficients) -> None:
    """Raise ValueError, naming the field, for values that are not all finite."""
    for name, values in fields.items():
        require(all(map(math.isfinite, values)), f"{name} {values} must be finite")
