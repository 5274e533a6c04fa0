"""The volatility models of all symbols, and what is told of each: its name, and how many bars it looks back."""

import msgspec

from risk.market.pooled import POOLED
from risk.volatility.volatility_model import HAR_BARS, Ewma, Figarch, Garch, Har, VolatilityModel


class VolatilityModels(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The model of each symbol, and under "*" that of the symbols which training did not see.

    Raises ValueError without the pooled entry "*".

    >>> VolatilityModels({"X": Ewma(backcast_percent2=1.0)})
    Traceback (most recent call last):
    ...
    ValueError: symbols ['X'] lack the pooled entry "*"
    """

    symbols: dict[str, VolatilityModel]

    def __post_init__(self) -> None:
        if POOLED not in self.symbols:
            raise ValueError(f'symbols {sorted(self.symbols)} lack the pooled entry "{POOLED}"')


def model_name(model: VolatilityModel) -> str:
    """Return a model's name as it is read in tables.

    >>> model_name(Garch(omega=0.02, alpha=(0.1,), gamma=(0.1,), beta=(0.8,), backcast_percent2=1.0))
    'GJR-GARCH(1,1,1)'
    """
    match model:
        case Ewma():
            return f"EWMA({model.decay:g})"
        case Garch(gamma=()):
            family = "GARCH" if model.power == 2.0 else f"power GARCH^{model.power:g}"
            return f"{family}({len(model.alpha)},{len(model.beta)})"
        case Garch():
            family = {2.0: "GJR-GARCH", 1.0: "TARCH"}.get(model.power, f"asymmetric power GARCH^{model.power:g}")
            return f"{family}({len(model.alpha)},{len(model.gamma)},{len(model.beta)})"
        case Figarch():
            return f"FIGARCH({int(model.phi != 0.0)},{int(model.beta != 0.0)})"
        case Har():
            return "HAR({},{},{})".format(*HAR_BARS)
        case _:
            return f"{type(model).__name__.upper()}({len(model.alpha)},{len(model.gamma)},{len(model.beta)})"


def bars_back(model: VolatilityModel) -> int:
    """Return how many bars a model looks back.

    >>> bars_back(Garch(omega=0.02, alpha=(0.1,), beta=(0.4, 0.4), backcast_percent2=1.0))
    2
    """
    match model:
        case Ewma():
            return 1
        case Figarch():
            return model.truncation
        case Har():
            return HAR_BARS[-1]
        case _:
            return max(len(model.alpha), len(model.gamma), len(model.beta))
