"""What an alert is on."""

from typing import Literal

EntityKind = Literal["customer", "symbol", "portfolio", "curve"]
