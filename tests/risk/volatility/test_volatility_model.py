import math
from typing import Any

import msgspec
import pytest

from risk.distributions.standardised_distribution import StandardisedDistribution
from risk.volatility.training_end import TrainingEnd
from risk.volatility.volatility_model import Aparch, Egarch, Ewma, Figarch, Garch, Har, VolatilityModel
from risk.volatility.volatility_models import VolatilityModels, bars_back, model_name
from tests.arch_models import MODELS

GOOD: dict[type, dict[str, Any]] = {
    Ewma: {},
    Garch: {"omega": 0.1, "alpha": (0.1,), "gamma": (0.1,), "beta": (0.8,)},
    Egarch: {"omega": 0.1, "alpha": (0.1,), "gamma": (-0.1,), "beta": (0.9,)},
    Aparch: {"omega": 0.1, "alpha": (0.1,), "gamma": (0.5,), "beta": (0.8,), "delta": 1.5},
    Figarch: {"omega": 0.1, "phi": 0.1, "d": 0.4, "beta": 0.3},
    Har: {"constant": 0.1, "daily": 0.4, "weekly": 0.3, "monthly": 0.2},
}


@pytest.mark.parametrize("kind", GOOD, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"backcast_percent2": 0.0}, "backcast_percent2 0.0 must be positive"),
        ({"backcast_percent2": math.nan}, r"backcast_percent2 \(nan,\) must be finite"),
        ({"mean_percent": math.inf}, r"mean_percent \(inf,\) must be finite"),
    ],
)
def test_every_model_wants_a_backcast_and_a_mean(kind: type, change: dict[str, float], reason: str) -> None:
    """What every model has is checked in every model, and the field is named."""
    with pytest.raises(ValueError, match=reason):
        kind(**GOOD[kind] | {"backcast_percent2": 1.0} | change)


@pytest.mark.parametrize(
    ("kind", "change", "reason"),
    [
        (Ewma, {"decay": 1.0}, "decay 1.0 must lie between 0 and 1"),
        (Garch, {"omega": 0.0}, "omega 0.0 must be positive"),
        (Garch, {"omega": math.nan}, "omega .* must be finite"),
        (Garch, {"alpha": (-0.1,)}, "alpha and beta must not be negative"),
        (Garch, {"gamma": (-0.2,)}, "lag 1 must not be less than -0.1"),
        (Garch, {"gamma": (0.0, -0.1)}, "lag 2 must not be less than 0.0"),
        (Garch, {"beta": (0.9,)}, "exceed 1: the variance would grow without bound"),
        (Garch, {"alpha": (), "gamma": ()}, "alpha and gamma are both empty"),
        (Garch, {"power": 0.0}, "power 0.0 must lie between 0.05 and 4"),
        (Egarch, {"beta": (1.1,)}, "nor exceed 1 in sum"),
        (Egarch, {"alpha": (), "gamma": ()}, "alpha and gamma are both empty"),
        (Aparch, {"gamma": (1.0,)}, "must lie between -1 and 1"),
        (Aparch, {"gamma": (0.1, 0.1)}, "more lags than alpha"),
        (Aparch, {"alpha": ()}, "alpha is empty"),
        (Aparch, {"beta": (0.95,)}, "exceed 1"),
        (Aparch, {"delta": 5.0}, "delta 5.0 must lie between 0.05 and 4"),
        (Aparch, {"omega": -1.0}, "omega -1.0 must be positive"),
        (Figarch, {"d": 1.1}, "d 1.1 must lie between 0 and 1"),
        (Figarch, {"phi": 0.4}, r"phi 0.4 must lie between 0 and \(1 - d\) / 2"),
        (Figarch, {"beta": 0.6}, r"beta 0.6 must lie between 0 and d \+ phi"),
        (Figarch, {"truncation": 0}, "truncation 0 must lie between 1 and 10000"),
        (Figarch, {"power": 9.0}, "power 9.0"),
        (Figarch, {"omega": 0.0}, "omega 0.0 must be positive"),
        (Har, {"scale": 0.0}, "scale 0.0 must be positive"),
        (Har, {"daily": math.inf}, "must be finite"),
        (
            Har,
            {"start": TrainingEnd((1.0,), (1.0,), 1.0)},
            "start needs realised_variances_percent2 for HAR: 1 of them",
        ),
    ],
)
def test_parameters_without_a_variance_are_refused(kind: type, change: dict[str, Any], reason: str) -> None:
    """A variance that could be negative, missing or grow without bound is refused with the field and its value."""
    kind(**GOOD[kind], backcast_percent2=1.0)
    with pytest.raises(ValueError, match=reason):
        kind(**GOOD[kind] | change, backcast_percent2=1.0)


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        (((1.0,), (1.0, 1.0), 1.0), "1 residuals_percent need as many variances_percent2"),
        (((1.0,), (1.0,), 1.0, (1.0, 1.0)), "realised_variances_percent2 must be empty, or as many as the 1"),
        (((1.0,), (0.0,), 1.0), "variances_percent2 must be positive"),
        (((1.0,), (1.0,), 0.0), "ewma_variance_percent2 must be positive"),
        (((math.nan,), (1.0,), 1.0), "residuals_percent .* must be finite"),
    ],
)
def test_an_end_of_training_has_equal_columns(columns: Any, reason: str) -> None:
    """Columns of unequal length, and variances that are none, are refused."""
    with pytest.raises(ValueError, match=reason):
        TrainingEnd(*columns)


def test_models_come_back_from_json() -> None:
    """Every model, with a distribution and a start, is the same after being stored, and says its kind."""
    start = TrainingEnd((1.0, -1.0), (1.0, 2.0), 1.5, (0.5, 0.7))
    law = StandardisedDistribution("skewt", 5.0, -0.1)
    every: dict[str, VolatilityModel] = {"*": MODELS[0]}
    for at, model in enumerate([*MODELS, Har(**GOOD[Har], backcast_percent2=1.0)]):
        every[f"s{at}"] = msgspec.structs.replace(model, distribution=law, start=start)
    models = VolatilityModels(every)
    encoded = msgspec.json.encode(models)
    assert msgspec.json.decode(encoded, type=VolatilityModels) == models
    assert msgspec.json.decode(encoded)["symbols"]["s3"]["kind"] == "garch"


def test_a_field_of_another_model_is_refused() -> None:
    """A parameter that the kind does not have is an error and not ignored."""
    with pytest.raises(msgspec.ValidationError, match="delta"):
        msgspec.json.decode(b'{"kind":"ewma","delta":1.0,"backcast_percent2":1.0}', type=VolatilityModel)


def test_names_tell_the_lags() -> None:
    """Each model has the name that the literature gives it."""
    names = [model_name(one) for one in MODELS]
    assert {"EWMA(0.94)", "GARCH(2,0)", "GARCH(1,1)", "GJR-GARCH(1,1,1)", "TARCH(1,1,1)"} <= set(names)
    assert {"EGARCH(1,1,1)", "APARCH(1,1,1)", "FIGARCH(1,1)", "FIGARCH(0,1)"} <= set(names)
    assert model_name(Har(**GOOD[Har], backcast_percent2=1.0)) == "HAR(1,5,22)"


def test_models_look_back_as_far_as_their_longest_lag() -> None:
    """A model's past is its longest lag."""
    assert [bars_back(one) for one in MODELS[:7]] == [1, 1, 2, 1, 2, 1, 3]
    assert bars_back(MODELS[16]) == 1000
