"""What a market bundle's `market.json` holds: the parameters of every step from a tick to an alert."""

import msgspec

from risk.market.garch import VolatilityParameters


class MarketParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The parameters of all steps."""

    volatility: VolatilityParameters


def read_market_parameters(content: bytes) -> MarketParameters:
    """Return the parameters in a `market.json`; raises ValueError, naming the field, for anything else."""
    try:
        return msgspec.json.decode(content, type=MarketParameters)
    except msgspec.DecodeError as error:
        raise ValueError(str(error)) from error


def market_parameters_bytes(parameters: MarketParameters) -> bytes:
    """Return the parameters as indented JSON with sorted keys: equal parameters give equal bytes."""
    encoded = msgspec.json.encode(parameters, order="deterministic")
    return msgspec.json.format(encoded, indent=2) + b"\n"
