"""How severe an alert is."""

from typing import Literal

Severity = Literal["low", "medium", "high", "critical"]
