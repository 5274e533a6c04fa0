"""What was decided of a transaction."""

from typing import Literal

Outcome = Literal["approve", "review", "decline"]
