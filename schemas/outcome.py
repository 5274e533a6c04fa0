"""What was decided of a transaction or an application."""

from typing import Literal

Outcome = Literal["approve", "review", "decline"]
